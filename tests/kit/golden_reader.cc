#include "kit/golden_reader.h"

#include <unistd.h>

#include <algorithm>

namespace tidemark::testing {
namespace {

constexpr std::string_view kGoldenMagic = "TMGOLDEN";
constexpr std::uint32_t kGoldenVersion = 1;
constexpr std::uint32_t kMostColumns = 64;
constexpr std::size_t kLongestField = 64UL << 20U;

}  // namespace

Result<io::Path> goldens_program(int minor) {
  io::Path path = io::Path(TM_TESTBED_DIR) / "goldens" / fmt::format("goldens-1.{}", minor);
  if (::access(path.c_str(), X_OK) == 0) return path;
  return fail(Errc::not_found, "there is no {}; run testbed/goldens/build 1.{}", path.string(), minor);
}

Result<Bytes> GoldenReader::take(std::size_t length) {
  if (length > left_.size()) return fail(Errc::torn, "goldens: record {} is cut off", read_);
  const Bytes taken = left_.first(length);
  left_ = left_.subspan(length);
  return taken;
}

Result<std::uint32_t> GoldenReader::number() {
  TM_LET(const Bytes bytes, take(4));
  return load_le<std::uint32_t>(bytes);
}

Result<Bytes> GoldenReader::field() {
  TM_LET(const std::uint32_t length, number());
  if (length > kLongestField) return fail(Errc::corrupt, "goldens: record {} has a field of {} bytes", read_, length);
  return take(length);
}

Result<GoldenReader> GoldenReader::open(Bytes bytes) {
  GoldenReader reader(bytes);
  TM_LET(const Bytes magic, reader.take(kGoldenMagic.size()));
  if (as_text(magic) != kGoldenMagic)
    return fail(Errc::corrupt, "goldens: the file does not begin with {}", kGoldenMagic);
  TM_LET(const std::uint32_t version, reader.number());
  if (version != kGoldenVersion) return fail(Errc::corrupt, "goldens: layout {}, not {}", version, kGoldenVersion);
  TM_LET(reader.header_.records, reader.number());
  TM_LET(const Bytes seed, reader.take(8));
  reader.header_.seed = load_le<std::uint64_t>(seed);
  TM_LET(reader.header_.random, reader.number());
  TM_LET(const Bytes kubernetes, reader.field());
  reader.header_.kubernetes = as_text(kubernetes);
  TM_LET(const std::uint32_t columns, reader.number());
  if (columns == 0 || columns > kMostColumns) return fail(Errc::corrupt, "goldens: {} columns", columns);
  for (std::uint32_t i = 0; i < columns; i++) {
    TM_LET(const Bytes name, reader.field());
    reader.header_.columns.emplace_back(as_text(name));
  }
  return reader;
}

Result<std::size_t> GoldenReader::column(std::string_view name) const {
  const auto found = std::ranges::find(header_.columns, name);
  if (found == header_.columns.end()) return fail(Errc::not_found, "goldens: there is no column '{}'", name);
  return static_cast<std::size_t>(found - header_.columns.begin());
}

Result<bool> GoldenReader::next(std::vector<Bytes>& record) {
  record.clear();
  if (read_ == header_.records) {
    if (!left_.empty()) return fail(Errc::corrupt, "goldens: {} bytes behind the last record", left_.size());
    return false;
  }
  for (std::size_t i = 0; i < header_.columns.size(); i++) {
    TM_LET(const Bytes one, field());
    record.push_back(one);
  }
  read_++;
  return true;
}

}  // namespace tidemark::testing
