// Databases for tests: written by BulkWriter into memory, and edited byte by byte.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "bolt/reader.h"

namespace tidemark::bolt::testing {

using Rows = std::map<std::string, std::string>;  // std::string compares as bolt does
using Database = std::map<std::string, Rows>;

// `count` rows "row-00000", ... with values of `value_size` bytes that differ.
Rows numbered_rows(int count, std::size_t value_size);

// The file's bytes; fails the test when the writer does.
Buffer write_database(const Database& content);

// One bucket "rows" with a root branch over several leaves, and one inline bucket "small". 8 pages or so.
Buffer small_tree();

// All rows of a bucket.
Result<Rows> read_bucket(const Reader& reader, std::string_view name);
Result<Database> read_database(const Reader& reader);

// The first page with those flags, or nullptr.
std::byte* find_page(Buffer& file, std::uint16_t flags, std::size_t page_size = 4096);

// A meta page of `file` after an edit: its checksum is made right again.
void edit_meta(Buffer& file, PageId page, const std::function<void(Meta&)>& edit);

// Walks all that can be walked, both ways, and checks. Returns how many elements were seen. Never crashes.
std::size_t exercise(Bytes file);

}  // namespace tidemark::bolt::testing
