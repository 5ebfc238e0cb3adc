// The restores of a store: who may run, how each began and ended.
//
//   UndoLog log(store);
//   TM_LET(const std::uint32_t number, log.begin(std::move(record)));   // this process alone runs now
//   ...                                                                 // the steps
//   TM_CHECK(log.end(number, {.outcome = ..., .ended = clock.now(), ...}));
//
// Guarantees: of any number of restores that begin at once one does; a restore that was cut lets no other begin but the
// one that takes it back. Threads: any.
#pragma once

#include <cstdint>
#include <vector>

#include "live/undo_record.h"
#include "store/object_store.h"

namespace tidemark::live {

class UndoLog {
 public:
  struct Entry {
    std::uint32_t number = 0;
    bool ended = false;
    std::uint32_t attempts = 0;  // how often somebody went on with it
  };

  // Requires: `store` outlives it.
  explicit UndoLog(store::ObjectStore& store) : store_(store) {}

  Result<std::vector<Entry>> list();  // by number
  // Errc::not_found, and those of parse_undo_begin().
  Result<UndoBegin> read(std::uint32_t number);
  // nullopt: it has not ended.
  Result<std::optional<UndoEnd>> read_end(std::uint32_t number);

  // Puts the record under the next number, which it returns. Errc::conflict: another one runs, or was cut; the hint
  // says what to do about it. One that takes another back may begin when neither that nor another try at it runs.
  Result<std::uint32_t> begin(UndoBegin record);
  // Errc::conflict: it still runs, or ended, or somebody else goes on with it, or somebody began to take it back.
  Status go_on(std::uint32_t number, const Runner& runner, Time now);
  Status end(std::uint32_t number, const UndoEnd& record);
  // Errc::conflict: its process, or the last that went on with it, is still there.
  Status need_dead(std::uint32_t number);

 private:
  Result<Entry> entry(std::uint32_t number);
  // Of all that have not ended, but `number`.
  Status need_others_dead(std::uint32_t number);
  Status need_not_taken_back(std::uint32_t number);
  store::ObjectStore& store_;
};

}  // namespace tidemark::live
