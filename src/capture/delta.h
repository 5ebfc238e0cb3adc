// From a sealed segment of the spill to a delta in the store, exactly once.
//
// Publishing follows the claims (claim.h) and is safe to repeat after a crash at any point: the name of the delta was
// fixed when the segment was sealed, an object that is already there is read back and compared with what
// would be put (by its size where it is encrypted and nobody here can read it), and nothing is removed from the spill
// before the delta that counts is durable. Memory: constant, whatever the segment's size. Threads: one at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "capture/claim.h"
#include "capture/spill.h"
#include "capture/witness.h"
#include "store/object_store.h"

namespace tidemark::capture {

struct DeltaPublished {
  enum class How {
    mine,     // this call (or an earlier one of ours) put what counts
    others,   // another recorder's objects hold all of the segment's revisions
    waiting,  // another recorder has claimed the next start and has not put its object yet; ask again
  };
  How how = How::mine;
  Revision reached;  // everything up to here is published
  std::string key;   // of the last object: the one that counts, or the one that is waited for
  std::string whom;  // the other recorder
  std::uint64_t events = 0, json_bytes = 0, stored_bytes = 0;   // of what this call put
  std::vector<std::pair<std::string, Watched::Outcome>> index;  // of each object that this call put, by its key
  std::vector<std::string> removed_strays, left_strays;         // late objects of ours; the second: removal failed
};

class DeltaPublisher {
 public:
  struct Options {
    std::string recorder;                            // recorder_id()
    std::chrono::nanoseconds grace{60'000'000'000};  // how long another recorder's claim is waited for
    unsigned gzip_threads = 1;
    Steps* steps = &unwatched_steps();  // never null
    NewWitness witness{};               // of what is put; empty: none
    io::Path scratch{};                 // its
  };
  DeltaPublisher(store::ObjectStore& store, const Clock& clock, Options options)
      : store_(store),
        clock_(clock),
        options_(std::move(options)),
        claims_(store, clock, options_.recorder, *options_.steps) {}

  // `published`: the end of the chain that is in the store; what the segment holds up to there is not put again.
  Result<DeltaPublished> publish(const Segment& segment, Revision published);

 private:
  struct Settled;
  enum class Put { unknown, just_now, others };  // who put what stands under our name, as far as we were told
  enum class Found { ours, others, damaged };
  Result<Settled> settle(const Segment& segment, RevisionSpan span, DeltaPublished& done);
  Result<Found> look_at(const Segment& segment, RevisionSpan span, const std::string& own, Put put_by);
  Result<bool> adopt_earlier(const std::vector<catalog::Claim>& claims, Revision start);
  bool waited_long_enough(const catalog::Claim& claim);
  Result<bool> put(const Segment& segment, RevisionSpan span, const std::string& key, DeltaPublished& done);
  Status put_seek_table(const std::string& key, const std::vector<io::GzipMember>& members,
                        const std::vector<std::pair<std::uint64_t, Revision>>& starts);
  Status remove_strays(const std::vector<Revision>& starts, DeltaPublished& done);
  Status close_gaps(const std::vector<catalog::GapRecord>& gaps, RevisionSpan covered);
  Result<bool> exists(const std::string& key);

  store::ObjectStore& store_;
  const Clock& clock_;
  const Options options_;
  Claims claims_;
  std::map<std::pair<Revision, std::uint32_t>, Ticks> seen_;  // claims of others without an object, since when
};

// The gaps that the store knows.
Result<std::vector<catalog::GapRecord>> read_gaps(store::ObjectStore& store);

}  // namespace tidemark::capture
