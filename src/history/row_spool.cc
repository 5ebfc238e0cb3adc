#include "history/row_spool.h"

#include <fcntl.h>

#include <span>
#include <utility>

namespace tidemark::history {
namespace {

constexpr std::size_t kOutBytes = 1UL << 20U;
constexpr std::string_view kName = "(rows)";

}  // namespace

Status RowSpool::put(std::string_view key, Row row) {
  const auto at = entries_.try_emplace(std::string(key)).first;
  held_ -= at->second.row_.value.size();
  held_ += row.value.size();
  at->second = Entry();
  at->second.row_ = std::move(row);
  return held_ <= most_bytes_ ? Status() : set_aside();
}

void RowSpool::put_gone(std::string_view key) {
  const auto at = entries_.try_emplace(std::string(key)).first;
  held_ -= at->second.row_.value.size();
  at->second = Entry();
  at->second.gone_ = true;
}

void RowSpool::forget_gone() {
  std::erase_if(entries_, [](const auto& entry) { return entry.second.gone_; });
}

void RowSpool::clear() {
  entries_.clear();
  held_ = file_end_ = 0;
}

// Every value that is in memory.
Status RowSpool::set_aside() {
  if (!file_.open()) {
    TM_LET(file_, io::open_file(dir_, O_TMPFILE | O_RDWR));
  }
  std::string out;
  const auto flush = [&]() -> Status {
    TM_CHECK(io::pwrite_all(file_.get(), as_bytes(out), file_end_, dir_ / kName));
    file_end_ += out.size();
    out.clear();
    return {};
  };
  for (auto& [key, entry] : entries_) {
    if (entry.row_.value.empty()) continue;
    entry.at_ = file_end_ + out.size();
    entry.bytes_ = entry.row_.value.size();
    entry.in_file_ = true;
    out += std::exchange(entry.row_.value, {});
    if (out.size() >= kOutBytes) TM_CHECK(flush());
  }
  held_ = 0;
  return flush();
}

Result<Row> RowSpool::row(const Entry& entry) const {
  Row row = entry.row_;
  if (entry.in_file_) {
    row.value.resize(entry.bytes_);
    TM_CHECK(io::pread_all(file_.get(), std::as_writable_bytes(std::span(row.value)), entry.at_, dir_ / kName));
  }
  return row;
}

Rows RowSpool::take_rows() {
  Rows rows;
  for (auto at = entries_.begin(); at != entries_.end();) {
    auto node = entries_.extract(at++);
    rows.emplace_hint(rows.end(), std::move(node.key()), std::move(node.mapped().row_));
  }
  held_ = 0;
  return rows;
}

}  // namespace tidemark::history
