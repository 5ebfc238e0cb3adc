#include "capture/delta.h"

#include <algorithm>

#include "base/log.h"
#include "bucket/delta.h"
#include "bucket/name.h"
#include "io/compress.h"

namespace tidemark::capture {

namespace {

constexpr std::size_t kMemberBytes = 1UL << 20U;
constexpr int kMaxRounds = 100;  // of claims for one start; each ends with somebody's progress

std::string delta_key(RevisionSpan span, std::int64_t unix_s) {
  bucket::SnapshotName name;
  name.kind = bucket::Kind::delta;
  name.span = span;
  name.unix_s = unix_s;
  return bucket::v2_key(name);
}

// Takes everything, keeps its digest and passes it on.
class DigestSink final : public io::Sink {
 public:
  explicit DigestSink(io::Sink* next = nullptr) : next_(next) {}
  Status write(Bytes bytes) override {
    digest_.update(bytes);
    return next_ == nullptr ? Status{} : next_->write(bytes);
  }
  Status finish() override { return next_ == nullptr ? Status{} : next_->finish(); }
  crypto::Sha256Digest digest() { return digest_.finish(); }

 private:
  io::Sink* next_;
  crypto::Sha256 digest_;
};

// The events of a delta in the store: the digest of them as this program prints them, whoever wrote it and how. A body
// proves itself (its own digest), and its span is the name's.
Result<crypto::Sha256Digest> read_content(store::ObjectStore& store, const std::string& key, RevisionSpan span) {
  TM_LET(auto stored, store.open(key));
  TM_LET(auto text, io::decompressing(io::Codec::gzip, std::move(stored)));
  RevisionSpan seen{};
  DigestSink sink;
  bucket::DeltaWriter printed(sink);
  TM_CHECK(named(key, bucket::read_delta(*text, [&](const bucket::DeltaEvent& event) -> Status {
                   if (seen.first.raw() == 0) seen.first = Revision(event.mod);
                   seen.last = Revision(event.mod);
                   return printed.add(event);
                 })));
  if (seen != span) {
    return fail(Errc::corrupt, "'{}' holds revisions {} to {} instead of {} to {}", key, seen.first, seen.last,
                span.first, span.last);
  }
  TM_CHECK(printed.finish());
  return sink.digest();
}

// What a put of this part of the segment would write.
struct Wanted {
  crypto::Sha256Digest content{};
  std::uint64_t stored_bytes = 0;
};
Result<Wanted> wanted_of(const Segment& segment, RevisionSpan span, unsigned gzip_threads) {
  DigestSink nowhere;
  io::GzipSink gzip(nowhere, kMemberBytes, gzip_threads);
  DigestSink text(&gzip);
  bucket::DeltaWriter writer(text);
  TM_CHECK(read_segment(segment.path, segment.facts, span,
                        [&](const bucket::DeltaEvent& event) { return writer.add(event); }));
  TM_CHECK(writer.finish());
  TM_CHECK(gzip.finish());
  return Wanted{text.digest(), gzip.compressed_bytes()};
}

etcd::KeyValue row_of(const bucket::DeltaEvent& event) {
  return {.key = event.key,
          .value = event.value,
          .create = Revision(event.create),
          .mod = Revision(event.mod),
          .version = event.version,
          .lease = LeaseId(event.lease)};
}

// Of an object that we did not put: whoever else claimed it.
std::string owner_of(const std::vector<catalog::Claim>& claims, const std::string& object, const std::string& we) {
  for (const catalog::Claim& claim : claims) {
    if (claim.object == object && claim.recorder != we) return claim.recorder;
  }
  return "unknown";
}

}  // namespace

struct DeltaPublisher::Settled {
  enum class By { me, other, nobody_yet } by;
  Revision last;  // of the object that counts
  std::string object;
  std::string recorder;
};

Result<bool> DeltaPublisher::exists(const std::string& key) {
  auto info = store_.stat(key);
  if (info) return true;
  if (info.error().code == Errc::not_found) return false;
  return std::unexpected(std::move(info).error());
}

bool DeltaPublisher::waited_long_enough(const catalog::Claim& claim) {
  if (claim.recorder == options_.recorder) return true;  // ours, of an earlier life: nobody is behind it any more
  const auto [it, fresh] = seen_.try_emplace({claim.start, claim.epoch}, clock_.ticks());
  return clock_.ticks() - it->second >= options_.grace;
}

// True: an object of a lower claim is there, and a further claim now says that it counts.
Result<bool> DeltaPublisher::adopt_earlier(const std::vector<catalog::Claim>& claims, Revision start) {
  const catalog::Claim& top = claims.back();
  for (const catalog::Claim& claim : claims) {
    if (claim.object == top.object) continue;
    TM_LET(const bool there, exists(claim.object));
    if (!there) continue;
    options_.steps->about_to("adopt an earlier object");
    TM_CHECK(claims_.take(start, top.epoch + 1, claim.object));  // if lost: the next round sees who won
    return true;
  }
  return false;
}

// Is what stands under our name what we would put there? Another recorder of the same span, sealed in the same second,
// gives its delta the same name; the times in it differ, and so may all else.
Result<DeltaPublisher::Found> DeltaPublisher::look_at(const Segment& segment, RevisionSpan span, const std::string& own,
                                                      Put put_by) {
  const auto content = read_content(store_, own, span);
  if (!content && (content.error().code == Errc::corrupt || content.error().code == Errc::torn)) {
    log_error("delta in the store is damaged, putting it again", "{}", content.error().what);
    return Found::damaged;
  }
  if (!content && content.error().code != Errc::denied) return std::unexpected(content.error());
  TM_LET(const Wanted wanted, wanted_of(segment, span, options_.gzip_threads));
  if (content) return *content == wanted.content ? Found::ours : Found::others;
  // Encrypted, and a recorder holds no identity: what it was told and the size are all that can be known. An object is
  // put whole or not at all.
  TM_LET(const store::ObjectInfo info, store_.stat(own));
  if (put_by == Put::others || info.size != wanted.stored_bytes) return Found::others;
  log_warning("delta in the store cannot be read again, taken as it is", "{}", content.error().what);
  return Found::ours;
}

// Works at one start until it is settled whose object counts there.
Result<DeltaPublisher::Settled> DeltaPublisher::settle(const Segment& segment, RevisionSpan span,
                                                       DeltaPublished& done) {
  const std::string own = delta_key(span, *segment.facts.sealed_unix_s);
  auto put_by = Put::unknown;  // who put what is under our name
  for (int round = 0; round < kMaxRounds; round++) {
    TM_LET(const auto claims, claims_.of(span.first));
    if (claims.empty()) {
      TM_CHECK(claims_.take(span.first, 1, own));
      continue;
    }
    const catalog::Claim& top = claims.back();
    TM_LET(const bool there, exists(top.object));
    if (top.object == own) {
      if (there && put_by != Put::just_now) {
        // From before a crash, or another recorder's of the same name.
        TM_LET(const Found found, look_at(segment, span, own, put_by));
        if (found == Found::damaged) {
          options_.steps->about_to("remove a damaged delta");
          TM_CHECK(store_.remove(own));
          put_by = Put::unknown;
          continue;
        }
        if (found == Found::others)
          return Settled{Settled::By::other, span.last, own, owner_of(claims, own, options_.recorder)};
      }
      if (there) return Settled{Settled::By::me, span.last, own, options_.recorder};
      TM_LET(const bool adopted, adopt_earlier(claims, span.first));
      if (adopted) continue;
      TM_LET(const bool written, put(segment, span, own, done));
      put_by = written ? Put::just_now : Put::others;
      continue;
    }
    const auto name = bucket::parse_key(top.object);
    if (!name || name->kind != bucket::Kind::delta || name->span.first != span.first) {
      return fail(Errc::corrupt, "claim '{}' names '{}', which is no delta from revision {} on",
                  catalog::claim_key(span.first, top.epoch), top.object, span.first);
    }
    if (there) return Settled{Settled::By::other, name->span.last, top.object, top.recorder};
    if (!waited_long_enough(top)) return Settled{Settled::By::nobody_yet, span.first.prev(), top.object, top.recorder};
    log_warning("taking over from a recorder that does not publish", "start={} recorder={} object={}", span.first,
                top.recorder, top.object);
    options_.steps->about_to("take over");
    TM_CHECK(claims_.take(span.first, top.epoch + 1, own));
  }
  return fail(Errc::conflict, "revision {}: recorders keep claiming it from one another", span.first);
}

Result<DeltaPublished> DeltaPublisher::publish(const Segment& segment, Revision published) {
  const RevisionSpan all = segment.facts.span;
  DeltaPublished done;
  done.reached = std::max(published, all.first.prev());
  // Ours from before a crash: it is read back before the spill lets go of what should be in it.
  if (published >= all.last && segment.facts.sealed_unix_s) {
    TM_LET(const bool ours, exists(delta_key(all, *segment.facts.sealed_unix_s)));
    if (ours) done.reached = all.first.prev();
  }
  TM_LET(const auto gaps, read_gaps(store_));
  std::vector<Revision> starts{all.first};
  while (done.reached < all.last) {
    RevisionSpan span{done.reached.next(), all.last};
    // Where another recorder had to leave a gap its chain goes on behind it: ours must meet it there.
    for (const catalog::GapRecord& gap : gaps) {
      if (gap.span.contains(span.first)) span.last = std::min(span.last, gap.span.last);
    }
    TM_LET(const Settled settled, settle(segment, span, done));
    done.key = settled.object;
    done.whom = settled.recorder;
    if (settled.by == Settled::By::nobody_yet) {
      done.how = DeltaPublished::How::waiting;
      return done;
    }
    done.how = settled.by == Settled::By::me ? DeltaPublished::How::mine : DeltaPublished::How::others;
    done.reached = settled.last;
    starts.push_back(span.first);
  }
  TM_CHECK(remove_strays(starts, done));
  TM_CHECK(close_gaps(gaps, all));
  return done;
}

// Everything up to the segment's end is published by what counts, so what we put and does not count may go.
Status DeltaPublisher::remove_strays(const std::vector<Revision>& starts, DeltaPublished& done) {
  for (const Revision start : starts) {
    TM_LET(const auto claims, claims_.of(start));
    for (const catalog::Claim& claim : claims) {
      if (claim.recorder != options_.recorder || claim.object == claims.back().object) continue;
      TM_LET(const bool there, exists(claim.object));
      if (!there || std::ranges::count(done.removed_strays, claim.object) > 0) continue;
      TM_LET(const bool counted, exists(claims.back().object));
      if (!counted) continue;
      options_.steps->about_to("remove a stray");
      if (auto removed = store_.remove(claim.object); removed) {
        done.removed_strays.push_back(claim.object);
      } else {
        done.left_strays.push_back(claim.object + ": " + removed.error().what);
      }
    }
  }
  return {};
}

// What we had all along is not missing, whatever another recorder had to write down.
Status DeltaPublisher::close_gaps(const std::vector<catalog::GapRecord>& gaps, RevisionSpan covered) {
  for (const catalog::GapRecord& gap : gaps) {
    if (gap.span.first < covered.first || gap.span.last > covered.last) continue;
    options_.steps->about_to("close a gap");
    if (auto removed = store_.remove(catalog::gap_key(gap.span)); !removed && removed.error().code != Errc::not_found) {
      return removed;
    }
  }
  return {};
}

// False: the key is taken.
Result<bool> DeltaPublisher::put(const Segment& segment, RevisionSpan span, const std::string& key,
                                 DeltaPublished& done) {
  options_.steps->about_to("make a delta");
  auto created = store_.create(key);
  if (!created && created.error().code == Errc::already_exists) return false;
  TM_LET(const auto object, std::move(created));
  io::GzipSink gzip(*object, kMemberBytes, options_.gzip_threads);
  Watched witness(options_.witness, bucket::Kind::delta, options_.scratch);
  etcd::RowId id;  // of the event that is written
  bucket::DeltaWriter writer(gzip, [&](const bucket::DeltaEvent& event, std::uint64_t at, Bytes text) {
    if (!witness.watching()) return;
    const Revision mod(event.mod);
    id = {.main = mod, .sub = mod == id.main ? id.sub + 1 : 0, .tombstone = event.deletion};
    witness.saw(id, row_of(event), text, at, event.time);
  });
  std::vector<std::pair<std::uint64_t, Revision>> starts;  // the first event in each stretch of kMemberBytes
  TM_CHECK(read_segment(segment.path, segment.facts, span, [&](const bucket::DeltaEvent& event) {
    const std::uint64_t at = writer.json_bytes();
    if (starts.empty() || at / kMemberBytes != starts.back().first / kMemberBytes) {
      starts.emplace_back(at, Revision(event.mod));
    }
    return writer.add(event);
  }));
  options_.steps->about_to("end a delta");
  TM_CHECK(writer.finish());
  TM_CHECK(gzip.finish());
  options_.steps->about_to("commit a delta");
  if (auto committed = object->commit(); !committed) {
    if (committed.error().code == Errc::already_exists) return false;
    return std::unexpected(committed.error());
  }
  done.events += writer.events();
  done.json_bytes += writer.json_bytes();
  done.stored_bytes += gzip.compressed_bytes();
  // The delta is whole without its seek table; a reader then reads it from the front.
  if (auto seek = put_seek_table(key, gzip.members(), starts); !seek) {
    log_warning("seek table not written", "object={} reason=\"{}\"", key, seek.error().what);
  }
  options_.steps->about_to("put a delta's index block");
  done.index.emplace_back(key,
                          witness.published(store_, {.key = key,
                                                     .span = span,
                                                     .text_bytes = writer.json_bytes() + sizeof(crypto::Sha256Digest),
                                                     .stored_bytes = gzip.compressed_bytes(),
                                                     .members = gzip.members()}));
  return true;
}

Status DeltaPublisher::put_seek_table(const std::string& key, const std::vector<io::GzipMember>& members,
                                      const std::vector<std::pair<std::uint64_t, Revision>>& starts) {
  catalog::SeekTable table;
  table.object = key;
  table.members = members;
  for (const io::GzipMember& member : members) {
    const auto first = std::ranges::lower_bound(starts, member.text_offset, {}, [](const auto& s) { return s.first; });
    // A member in the middle of one event that runs through it has no first event.
    if (first == starts.end()) break;
    table.first_revisions.push_back(first->second);
  }
  if (table.first_revisions.size() != members.size()) table.first_revisions.clear();
  options_.steps->about_to("put a delta's seek table");
  auto written = store_.put(catalog::seek_key(key), as_bytes(catalog::print_sidecar(table)));
  if (!written && written.error().code == Errc::already_exists) return {};
  return written;
}

Result<std::vector<catalog::GapRecord>> read_gaps(store::ObjectStore& store) {
  TM_LET(const auto objects, store.list(catalog::kGapPrefix));
  std::vector<catalog::GapRecord> gaps;
  for (const store::ObjectInfo& object : objects) {
    TM_LET(const Buffer text, store.get(object.key, catalog::kMaxSidecarBytes));
    TM_LET(catalog::GapRecord gap, named(object.key, catalog::parse_gap(as_text(text))));
    gaps.push_back(std::move(gap));
  }
  return gaps;
}

}  // namespace tidemark::capture
