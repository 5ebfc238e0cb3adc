#include "store/object_store.h"

#include <algorithm>

#include "io/file.h"

namespace tidemark::store {

Status ObjectStore::put(std::string_view key, Bytes body) {
  TM_LET(const std::unique_ptr<ObjectWriter> writer, create(key));
  TM_CHECK(writer->write(body));
  TM_CHECK(writer->finish());
  return writer->commit();
}

Result<Buffer> ObjectStore::get(std::string_view key, std::uint64_t limit) {
  TM_LET(const std::unique_ptr<io::Source> source, open(key));
  return named(key, io::read_all(*source, limit));
}

Status check_key(std::string_view key) {
  if (key.empty()) return fail(Errc::invalid, "a key must not be empty");
  if (key.find('\0') != std::string_view::npos) return fail(Errc::invalid, "key '{}' has a zero byte", key);
  for (std::size_t at = 0; at <= key.size();) {
    const std::size_t slash = std::min(key.find('/', at), key.size());
    const std::string_view part = key.substr(at, slash - at);
    if (part.empty()) return fail(Errc::invalid, "key '{}' has an empty part", key);
    if (part == "." || part == "..") return fail(Errc::invalid, "key '{}' has a part '{}'", key, part);
    if (io::is_pending_name(part)) return fail(Errc::invalid, "key '{}' is named like an unfinished write", key);
    at = slash + 1;
  }
  return {};
}

}  // namespace tidemark::store
