#include "capture/spill.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

namespace tidemark::capture {

namespace {

constexpr std::string_view kSuffix = ".segment";

io::Path segment_path(const io::Path& dir, Revision first) {
  return dir / fmt::format("{:020}{}", first.raw(), kSuffix);
}

}  // namespace

Result<io::Fd> lock_directory(const io::Path& dir) {
  const io::Path path = dir / "lock";
  TM_LET(io::Fd fd, io::open_file(path, O_RDWR | O_CREAT));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return sys_fail("lock", path.native());
    return hinted<io::Fd>(
        fail(Errc::conflict, "spool directory '{}' is in use by another recorder on this machine", dir.native()),
        "stop the other `tidemark record`, or give this one its own --spool-dir");
  }
  return fd;
}

Result<std::unique_ptr<Spill>> Spill::open(Options options) {
  std::unique_ptr<Spill> spill(new Spill(std::move(options)));
  TM_CHECK(io::make_dirs(spill->options_.dir));
  TM_LET(spill->lock_, lock_directory(spill->options_.dir));
  TM_CHECK(spill->replay());
  return spill;
}

Status Spill::replay() {
  std::vector<io::Path> found;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(options_.dir, ec)) {
    if (entry.path().extension() == kSuffix) found.push_back(entry.path());
  }
  if (ec) return sys_fail("list", options_.dir.native(), ec.value());
  std::sort(found.begin(), found.end());
  for (const io::Path& path : found) TM_CHECK(replay_one(path));
  return settle_leftovers();
}

Status Spill::replay_one(const io::Path& path) {
  auto scan = scan_segment(path);
  if (!scan && scan.error().code == Errc::torn) {
    told_.push_back(scan.error().what + "; nothing in it was acknowledged, removed");
    options_.steps->about_to("remove a segment that never had an event");
    if (::unlink(path.c_str()) != 0) return sys_fail("remove", path.native());
    return io::fsync_dir(options_.dir);
  }
  if (!scan && scan.error().code == Errc::corrupt) {
    const io::Path aside = path.native() + ".corrupt";
    told_.push_back(scan.error().what + "; kept aside as '" + aside.native() + "'");
    options_.steps->about_to("put a damaged segment aside");
    TM_CHECK(io::rename_path(path, aside));
    return io::fsync_dir(options_.dir);
  }
  if (!scan) return std::unexpected(scan.error());
  SegmentFacts& facts = scan->facts;
  if (facts.cluster != options_.cluster) {
    return fail(Errc::invalid, "spill segment '{}' is of cluster {:x}, this is cluster {:x}", path.native(),
                facts.cluster.raw(), options_.cluster.raw());
  }
  if (!scan->tail) {
    const Error& why = scan->tail.error();
    if (why.code == Errc::corrupt) {
      const io::Path aside = path.native() + ".corrupt";
      std::error_code ec;
      options_.steps->about_to("copy a damaged segment");
      std::filesystem::copy_file(path, aside, std::filesystem::copy_options::overwrite_existing, ec);
      if (ec) return sys_fail("copy to", aside.native(), ec.value());
      told_.push_back(
          fmt::format("{}; good up to revision {}, a copy is kept as '{}'", why.what, facts.span.last, aside.native()));
    } else {
      told_.push_back(
          fmt::format("{}; cut off, the acknowledged revisions up to {} are whole", why.what, facts.span.last));
    }
    TM_LET(const SegmentWriter cut, SegmentWriter::resume(path, facts, *options_.steps));
  }
  if (facts.events == 0) {
    options_.steps->about_to("remove an empty segment");
    if (::unlink(path.c_str()) != 0) return sys_fail("remove", path.native());
    return io::fsync_dir(options_.dir);
  }
  segments_.emplace(facts.span.first, Segment{path, facts});
  return {};
}

// Only the newest segment may grow: an older one that lost its seal is sealed again, and what is missing behind it is a
// hole.
Status Spill::settle_leftovers() {
  for (auto it = segments_.begin(); it != segments_.end(); ++it) {
    const auto after = std::next(it);
    SegmentFacts& facts = it->second.facts;
    if (after != segments_.end() && facts.span.last.next() < after->first) {
      holes_.push_back({facts.span.last.next(), after->first.prev()});
    }
    if (facts.sealed_unix_s) continue;
    TM_LET(SegmentWriter writer, SegmentWriter::resume(it->second.path, facts, *options_.steps));
    if (after == segments_.end()) {
      writer_.emplace(std::move(writer));
      break;
    }
    const auto unix_s = std::chrono::ceil<std::chrono::seconds>(facts.last_time).time_since_epoch().count();
    options_.steps->about_to("seal a segment that had lost its seal");
    TM_CHECK(writer.seal(unix_s));
    facts = writer.facts();
  }
  return {};
}

std::vector<RevisionSpan> Spill::holes() const { return holes_; }

Status Spill::append(std::span<const etcd::Event> events, Time received) {
  if (events.empty()) return {};
  if (bytes() >= options_.limit_bytes) {
    return fail(Errc::no_space, "the spill in '{}' has reached its limit of {}", options_.dir.native(),
                human_size(options_.limit_bytes));
  }
  const Revision first = events.front().kv.mod;
  if (!writer_) {
    const io::Path path = segment_path(options_.dir, first);
    TM_LET(SegmentWriter fresh, SegmentWriter::create(path, options_.cluster, first, *options_.steps));
    writer_.emplace(std::move(fresh));
  }
  const Revision begins = writer_->facts().span.first;
  auto appended = writer_->append(events, received);
  if (!appended) {
    if (writer_->facts().events == 0) {  // so that a retry finds no empty file in its way
      ::unlink(segment_path(options_.dir, begins).c_str());
      writer_.reset();
    }
    return appended;
  }
  options_.steps->about_to("acknowledge");
  const std::lock_guard lock(mutex_);
  Segment& segment = segments_[begins];
  if (segment.path.empty()) segment.path = segment_path(options_.dir, begins);
  segment.facts = writer_->facts();
  return {};
}

std::optional<SegmentFacts> Spill::growing() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [first, segment] : segments_) {
    if (!segment.facts.sealed_unix_s) return segment.facts;
  }
  return std::nullopt;
}

Status Spill::seal(std::int64_t unix_s) {
  if (!writer_ || writer_->facts().events == 0) return {};
  options_.steps->about_to("seal a segment");
  TM_CHECK(writer_->seal(unix_s));
  const std::lock_guard lock(mutex_);
  segments_[writer_->facts().span.first].facts = writer_->facts();
  writer_.reset();
  return {};
}

std::vector<Segment> Spill::sealed() const {
  const std::lock_guard lock(mutex_);
  std::vector<Segment> result;
  for (const auto& [first, segment] : segments_) {
    if (segment.facts.sealed_unix_s) result.push_back(segment);
  }
  return result;
}

Status Spill::remove(const Segment& segment) {
  options_.steps->about_to("remove a published segment");
  if (::unlink(segment.path.c_str()) != 0 && errno != ENOENT) return sys_fail("remove", segment.path.native());
  options_.steps->about_to("make its removal durable");
  TM_CHECK(io::fsync_dir(options_.dir));
  const std::lock_guard lock(mutex_);
  segments_.erase(segment.facts.span.first);
  return {};
}

std::optional<Revision> Spill::first() const {
  const std::lock_guard lock(mutex_);
  if (segments_.empty()) return std::nullopt;
  return segments_.begin()->first;
}

std::optional<Revision> Spill::last() const {
  const std::lock_guard lock(mutex_);
  if (segments_.empty()) return std::nullopt;
  return segments_.rbegin()->second.facts.span.last;
}

io::Path Spill::path_of(Revision first) const { return segment_path(options_.dir, first); }

std::uint64_t Spill::bytes() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [first, segment] : segments_) sum += segment.facts.file_bytes;
  return sum;
}

}  // namespace tidemark::capture
