// Keys of objects, names and texts of store key files. Laws: a key that is taken stays inside the store; a listing of
// hostile keys gives only such, in order; a store key's name and text print to what they were read from.
#include <algorithm>
#include <cstdlib>

#include "store/age_key_file.h"
#include "store/listing.h"

namespace {

using namespace tidemark;

void check_listing(std::string_view text) {
  const auto page = [&](const std::string& token) -> Result<store::ListPage> {
    store::ListPage all;
    std::string_view left = text;
    while (!left.empty()) {
      const std::string_view line = left.substr(0, left.find('\n'));
      left.remove_prefix(std::min(left.size(), line.size() + 1));
      all.objects.push_back({.key = std::string(line), .size = 1, .modified = {}});
    }
    if (token.empty()) all.next = "more";
    return all;
  };
  const auto listed = store::list_pages("p", "v2/", page);
  if (!listed || !std::ranges::is_sorted(*listed, {}, &store::ObjectInfo::key)) std::abort();
  for (const store::ObjectInfo& object : *listed) {
    if (!store::check_key(object.key) || !object.key.starts_with("v2/")) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (store::check_key(text)) {
    const bool inside = !text.empty() && text.front() != '/' && text.back() != '/' &&
                        text.find("//") == std::string_view::npos && text.find('\0') == std::string_view::npos;
    const std::string framed = "/" + std::string(text) + "/";
    if (!inside || framed.find("/../") != std::string::npos || framed.find("/./") != std::string::npos) std::abort();
  }
  check_listing(text);
  if (const auto name = store::parse_store_key_name(text)) {
    if (store::parse_store_key_name(store::store_key_name(name->first, name->second)) != name) std::abort();
  }
  if (const auto identities = age::parse_identities(text); identities && identities->size() == 1) {
    const std::string id = store::store_key_id(identities->front().recipient());
    if (const auto file = store::parse_store_key(text, id)) {
      const auto again = store::parse_store_key(store::print_store_key(*file), id);
      if (!again || again->recipients != file->recipients) std::abort();
    }
    if (store::parse_store_key(text, std::string(32, '0'))) std::abort();
  }
  return 0;
}
