#include "live/undo_log.h"

#include <algorithm>
#include <map>

namespace tidemark::live {
namespace {

std::string again_part(std::uint32_t attempt) { return fmt::format("again-{:03}", attempt); }

std::string way_out(std::uint32_t number) {
  return fmt::format("when it was cut: 'tidemark restore --resume {}' finishes it, 'tidemark undo {}' goes back",
                     number, number);
}

}  // namespace

Result<std::vector<UndoLog::Entry>> UndoLog::list() {
  TM_LET(const auto objects, store_.list(kUndoPrefix));
  std::map<std::uint32_t, Entry> all;
  for (const store::ObjectInfo& object : objects) {
    const auto key = parse_undo_key(object.key);
    if (!key) continue;
    Entry& entry = all[key->number];
    entry.number = key->number;
    if (key->part == "end") entry.ended = true;
    if (key->part.starts_with("again-")) entry.attempts++;
  }
  std::vector<Entry> entries;
  for (const auto& [number, entry] : all) entries.push_back(entry);
  return entries;
}

Result<UndoLog::Entry> UndoLog::entry(std::uint32_t number) {
  TM_LET(const auto all, list());
  const auto found = std::ranges::find(all, number, &Entry::number);
  if (found == all.end()) return fail(Errc::not_found, "{} knows of no restore {}", store_.url(), number);
  return *found;
}

Result<UndoBegin> UndoLog::read(std::uint32_t number) {
  const std::string key = undo_key(number, "begin");
  auto text = store_.get(key, kMostUndoBytes);
  if (!text && text.error().code == Errc::not_found) {
    return fail(Errc::not_found, "{} knows of no restore {}", store_.url(), number);
  }
  if (!text) return std::unexpected(std::move(text).error());
  TM_LET(UndoBegin record, named(key, parse_undo_begin(as_text(*text))));
  if (record.number != number) return fail(Errc::corrupt, "{}: it says that it is number {}", key, record.number);
  return record;
}

Result<std::optional<UndoEnd>> UndoLog::read_end(std::uint32_t number) {
  const std::string key = undo_key(number, "end");
  const auto text = store_.get(key, kMostUndoBytes);
  if (!text && text.error().code == Errc::not_found) return std::optional<UndoEnd>();
  if (!text) return std::unexpected(text.error());
  TM_LET(UndoEnd record, named(key, parse_undo_end(as_text(*text))));
  return std::optional(std::move(record));
}

Status UndoLog::need_dead(std::uint32_t number) {
  TM_LET(const Entry last, entry(number));
  TM_LET(const UndoBegin record, read(number));
  Runner runner = record.runner;
  if (last.attempts > 0) {
    const std::string key = undo_key(number, again_part(last.attempts));
    TM_LET(const Buffer text, store_.get(key, kMostUndoBytes));
    TM_LET(const UndoAgain again, named(key, parse_undo_again(as_text(text))));
    runner = again.runner;
  }
  if (!is_running(runner)) return {};
  return fail(Errc::conflict, "restore {} still runs: process {} on {}", number, runner.pid, runner.host);
}

Result<std::uint32_t> UndoLog::begin(UndoBegin record) {
  TM_LET(const auto all, list());
  for (const Entry& other : all) {
    if (other.ended || other.number == record.undoes) continue;
    // A cut undo of the same restore: this one does its work.
    if (record.undoes != 0) {
      TM_LET(const UndoBegin cut, read(other.number));
      if (cut.undoes == record.undoes && need_dead(other.number)) continue;
    }
    return hinted(
        Result<std::uint32_t>(fail(Errc::conflict, "restore {} in {} runs, or was cut", other.number, store_.url())),
        way_out(other.number));
  }
  record.number = all.empty() ? 1 : all.back().number + 1;
  if (record.number > kMostUndoNumber) return fail(Errc::unsupported, "{}: there are no more numbers", store_.url());
  const std::string text = print_record(record);
  const Status put = store_.put(undo_key(record.number, "begin"), as_bytes(text));
  if (put && record.undoes == 0) return record.number;
  if (put) {
    // Somebody may have gone on with what this one takes back, since it was looked at. Each of the two first writes
    // down that it is there and then looks for the other, so that one at least sees the other and withdraws.
    const Status alone = need_others_dead(record.number);
    if (alone) return record.number;
    TM_CHECK(end(record.number, {.outcome = UndoEnd::Outcome::nothing, .ended = record.created}));
    return std::unexpected(alone.error());
  }
  if (put.error().code != Errc::already_exists) return std::unexpected(put.error());
  return hinted(
      Result<std::uint32_t>(fail(Errc::conflict, "restore {} in {} has just begun", record.number, store_.url())),
      way_out(record.number));
}

Status UndoLog::go_on(std::uint32_t number, const Runner& runner, Time now) {
  TM_LET(const Entry last, entry(number));
  if (last.ended) return fail(Errc::conflict, "restore {} has ended", number);
  TM_CHECK(need_dead(number));
  TM_CHECK(need_others_dead(number));
  TM_CHECK(need_not_taken_back(number));
  const std::string text = print_record(UndoAgain{.runner = runner, .created = now});
  const Status put = store_.put(undo_key(number, again_part(last.attempts + 1)), as_bytes(text));
  if (put) return need_others_dead(number);  // as in begin()
  if (put.error().code != Errc::already_exists) return put;
  return fail(Errc::conflict, "somebody else goes on with restore {}", number);
}

Status UndoLog::need_others_dead(std::uint32_t number) {
  TM_LET(const auto all, list());
  for (const Entry& other : all) {
    if (!other.ended && other.number != number) TM_CHECK(need_dead(other.number));
  }
  return {};
}

// Once that has begun, objects are not as this one left them.
Status UndoLog::need_not_taken_back(std::uint32_t number) {
  TM_LET(const auto all, list());
  for (const Entry& other : all) {
    if (other.ended || other.number == number) continue;
    TM_LET(const UndoBegin record, read(other.number));
    if (record.undoes != number) continue;
    return hinted(Status(fail(Errc::conflict, "restore {} is taken back by {}, which was cut", number, other.number)),
                  fmt::format("'tidemark restore --resume {}' finishes that; undoing it then brings back what restore "
                              "{} had done",
                              other.number, number));
  }
  return {};
}

Status UndoLog::end(std::uint32_t number, const UndoEnd& record) {
  const std::string text = print_record(record);
  return store_.put(undo_key(number, "end"), as_bytes(text));
}

}  // namespace tidemark::live
