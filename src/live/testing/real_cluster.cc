#include "live/testing/real_cluster.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/testing/source_dir.h"
#include "io/compress.h"
#include "io/file.h"
#include "live/json_reach.h"
#include "live/testing/objects.h"

namespace tidemark::live::testing {
namespace {

using nlohmann::json;

// The items of one list, which leave out what the list says for all.
void add_items(const json& list, std::vector<Found>& to) {
  std::string kind = text_at(list, "/kind");
  if (!kind.ends_with("List")) return;
  kind.resize(kind.size() - 4);
  for (json item : list_at(list, "/items")) {
    item["apiVersion"] = list["apiVersion"];
    item["kind"] = kind;
    to.push_back(of_json(item));
  }
}

// POSIX ustar: blocks of 512 bytes, a header before each file.
std::vector<Found> read_objects() {
  const std::filesystem::path path =
      std::filesystem::path(tidemark::testing::source_dir()) / "testdata/kubernetes-1.36/json.tar.gz";
  auto file = io::FileSource::open(path);
  auto plain = io::decompressing(io::Codec::gzip, std::make_unique<io::FileSource>(*std::move(file)));
  const Buffer tar = io::read_all(**plain, 1UL << 30U).value();
  const std::string_view text = as_text(tar);
  std::vector<Found> objects;
  for (std::size_t at = 0; at + 512 <= text.size() && text[at] != '\0';) {
    const std::string name(text.substr(at, 100).data());
    const std::size_t size = std::stoul(std::string(text.substr(at + 124, 11)), nullptr, 8);
    if (name.ends_with(".json") && !name.ends_with("_events.json")) {
      add_items(json::parse(text.substr(at + 512, size)), objects);
    }
    at += 512 + (size + 511) / 512 * 512;
  }
  return objects;
}

}  // namespace

const std::vector<Found>& real_objects() {
  static const std::vector<Found> objects = read_objects();
  return objects;
}

}  // namespace tidemark::live::testing
