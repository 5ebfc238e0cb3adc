#include "bolt/testing/sample.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "bolt/bulk_writer.h"

namespace tidemark::bolt::testing {

Rows numbered_rows(int count, std::size_t value_size) {
  Rows rows;
  for (int i = 0; i < count; i++) {
    std::string value(value_size, static_cast<char>('a' + i % 26));
    rows.emplace(fmt::format("row-{:05}", i), std::move(value));
  }
  return rows;
}

namespace {

Result<Buffer> try_write(const Database& content) {
  TM_LET(const io::TempDir dir, io::TempDir::create());
  TM_LET(const auto writer, BulkWriter::create(dir.path() / "db"));
  for (const auto& [name, rows] : content) {
    std::vector<std::unique_ptr<BulkWriter::Segment>> segments;
    segments.push_back(writer->segment());
    for (const auto& [key, value] : rows) TM_CHECK(segments[0]->append(as_bytes(key), as_bytes(value)));
    TM_CHECK(segments[0]->close());
    TM_CHECK(writer->add_tree(name, std::move(segments)));
  }
  TM_LET(const std::uint64_t size, writer->finish());
  return io::read_file(dir.path() / "db", size);
}

}  // namespace

Buffer write_database(const Database& content) {
  auto file = try_write(content);
  EXPECT_TRUE(file) << file.error().what;
  return file ? *std::move(file) : Buffer();
}

Buffer small_tree() { return write_database({{"rows", numbered_rows(40, 250)}, {"small", numbered_rows(2, 10)}}); }

Result<Rows> read_bucket(const Reader& reader, std::string_view name) {
  Rows rows;
  TM_LET(const Bucket bucket, reader.bucket(name));
  TM_CHECK(reader.for_each(bucket, [&](const Element& element) -> Status {
    rows.emplace(as_text(element.key), as_text(element.value));
    return {};
  }));
  return rows;
}

Result<Database> read_database(const Reader& reader) {
  Database content;
  TM_LET(const auto names, reader.bucket_names());
  for (const std::string& name : names) {
    TM_LET(content[name], read_bucket(reader, name));
  }
  return content;
}

std::byte* find_page(Buffer& file, std::uint16_t flags, std::size_t page_size) {
  for (std::size_t at = 0; at + page_size <= file.size(); at += page_size)
    if (load_header(Bytes(file).subspan(at)).flags == flags) return file.data() + at;
  return nullptr;
}

void edit_meta(Buffer& file, PageId page, const std::function<void(Meta&)>& edit) {
  std::byte* const at = file.data() + page * 4096;
  Meta meta = load_meta({at, kMetaEnd}).value();
  edit(meta);
  store_meta(at, page, meta);
}

std::size_t exercise(Bytes file) {
  const auto reader = Reader::over(file, "sample");
  if (!reader) return 0;
  std::size_t seen = 0;
  const auto count = [&](const Element&) -> Status {
    seen++;
    return {};
  };
  std::vector<std::string> names;
  if (const auto listed = reader->bucket_names()) names = *listed;
  for (const std::string& name : names) {
    const auto bucket = reader->bucket(name);
    if (!bucket) continue;
    // The walks may fail, and the same way twice: what is asked is that they end.
    if (reader->for_each(*bucket, count) && !reader->for_each_backwards(*bucket, count)) std::abort();
    if (const auto last = reader->last(*bucket); last && *last) {
      if (const auto found = reader->find(*bucket, (*last)->key); found && *found) seen++;
    }
  }
  seen += check_structure(*reader).size() + check_writer_rules(*reader).size();
  return seen;
}

}  // namespace tidemark::bolt::testing
