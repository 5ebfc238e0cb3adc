#include "capture/segment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "capture/segment_format.h"
#include "etcd/crc32c.h"

namespace tidemark::capture {

namespace {

template <class T>
void put_le(Buffer& to, T value) {
  const std::size_t at = to.size();
  to.resize(at + sizeof value);
  store_le(to.data() + at, value);
}

void put_bytes(Buffer& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

Buffer segment_header(ClusterId cluster, Revision first, Time created) {
  Buffer header;
  put_bytes(header, as_bytes(kSegmentMagic));
  put_le<std::uint32_t>(header, kSegmentVersion);
  put_le<std::uint32_t>(header, 0);
  put_le<std::uint64_t>(header, cluster.raw());
  put_le<std::int64_t>(header, first.raw());
  put_le<std::int64_t>(header, created.time_since_epoch().count());
  put_le<std::uint32_t>(header, etcd::crc32c(0, header));
  return header;
}

// Frames are built in place: begin_frame() leaves room for the header, end_frame() fills it in.
std::size_t begin_frame(Buffer& to) {
  const std::size_t at = to.size();
  to.resize(at + kFrameHeaderSize);
  return at;
}

void end_frame(Buffer& to, std::size_t at, std::uint8_t type, std::uint8_t flags) {
  std::byte* header = to.data() + at;
  const Bytes payload = Bytes(to).subspan(at + kFrameHeaderSize);
  store_le(header, static_cast<std::uint32_t>(payload.size()));
  store_le(header + 4, etcd::crc32c(0, payload));
  header[8] = std::byte{type};
  header[9] = std::byte{flags};
  header[10] = header[11] = std::byte{0};
  store_le(header + 12, etcd::crc32c(0, Bytes(header, 12)));
}

struct Frame {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  Bytes payload;  // until the next frame is read
};

class FrameReader {
 public:
  FrameReader(int fd, const io::Path& path, std::uint64_t offset, std::uint64_t end)
      : fd_(fd), path_(path), offset_(offset), end_(end) {}

  // nullopt at a clean end.
  Result<std::optional<Frame>> next() {
    if (offset_ == end_) return std::nullopt;
    if (end_ - offset_ < kFrameHeaderSize) return torn("frame header");
    std::array<std::byte, kFrameHeaderSize> header{};
    TM_CHECK(io::pread_all(fd_, header, offset_, path_));
    if (load_le<std::uint32_t>(Bytes(header).subspan(12)) != etcd::crc32c(0, Bytes(header).first(12))) {
      TM_LET(const bool zeros, rest_is_zero());
      if (zeros) return torn("frame (nothing but zeros follows, as after a power failure)");
      return corrupt("frame header has a wrong checksum");
    }
    const std::uint64_t length = load_le<std::uint32_t>(header);
    if (length > end_ - offset_ - kFrameHeaderSize) return torn("frame");
    payload_.resize(length);
    TM_CHECK(io::pread_all(fd_, payload_, offset_ + kFrameHeaderSize, path_));
    if (load_le<std::uint32_t>(Bytes(header).subspan(4)) != etcd::crc32c(0, payload_)) {
      return corrupt("frame's content has a wrong checksum");
    }
    offset_ += kFrameHeaderSize + length;
    return Frame{std::to_integer<std::uint8_t>(header[8]), std::to_integer<std::uint8_t>(header[9]), payload_};
  }

  std::uint64_t offset() const { return offset_; }
  std::unexpected<Error> corrupt(std::string_view what) const {
    return fail(Errc::corrupt, "spill segment '{}', at byte {}: {}", path_.native(), offset_, what);
  }

 private:
  std::unexpected<Error> torn(std::string_view what) const {
    return fail(Errc::torn, "spill segment '{}' ends at byte {} inside a {} that begins at byte {}", path_.native(),
                end_, what, offset_);
  }

  // Extending a file and writing its blocks are two steps for a file system: after a power failure the first may have
  // happened without the second.
  Result<bool> rest_is_zero() const {
    Buffer window(64UL << 10U);
    for (std::uint64_t at = offset_; at < end_;) {
      const auto part = MutableBytes(window).first(std::min<std::uint64_t>(window.size(), end_ - at));
      TM_CHECK(io::pread_all(fd_, part, at, path_));
      if (std::any_of(part.begin(), part.end(), [](std::byte b) { return b != std::byte{0}; })) return false;
      at += part.size();
    }
    return true;
  }

  int fd_;
  const io::Path& path_;
  std::uint64_t offset_, end_;
  Buffer payload_;
};

// The events of one frame's payload.
Status each_event(const Frame& frame, const FrameReader& at,
                  const std::function<Status(const etcd::Event&, Time)>& each) {
  Bytes left = frame.payload;
  if (left.size() < 8) return at.corrupt("events frame without a time");
  const Time received{std::chrono::nanoseconds(load_le<std::int64_t>(left))};
  left = left.subspan(8);
  while (!left.empty()) {
    if (left.size() < 5) return at.corrupt("event cut short inside its frame");
    const auto flags = std::to_integer<std::uint8_t>(left[0]);
    const std::uint64_t length = load_le<std::uint32_t>(left.subspan(1));
    left = left.subspan(5);
    if (flags > 1 || length > left.size()) return at.corrupt("event with a wrong mark or length");
    auto kv = etcd::decode_key_value(left.first(length));
    if (!kv) return at.corrupt(kv.error().what);
    TM_CHECK(each(etcd::Event{flags == 1, *kv}, received));
    left = left.subspan(length);
  }
  return {};
}

Result<SegmentFacts> read_header(int fd, const io::Path& path, std::uint64_t size) {
  if (size < kSegmentHeaderSize) {
    return fail(Errc::torn, "spill segment '{}' ends at byte {} inside its header", path.native(), size);
  }
  Buffer header(kSegmentHeaderSize);
  TM_CHECK(io::pread_all(fd, header, 0, path));
  const Bytes all(header);
  if (std::all_of(all.begin(), all.end(), [](std::byte b) { return b == std::byte{0}; })) {
    return fail(Errc::torn, "spill segment '{}' has a header of zeros, as after a power failure", path.native());
  }
  if (as_text(all.first(16)) != kSegmentMagic) {
    return fail(Errc::corrupt, "'{}' is not a spill segment", path.native());
  }
  if (load_le<std::uint32_t>(all.subspan(48)) != etcd::crc32c(0, all.first(48))) {
    return fail(Errc::corrupt, "spill segment '{}': the header has a wrong checksum", path.native());
  }
  if (const auto version = load_le<std::uint32_t>(all.subspan(16)); version != kSegmentVersion) {
    return fail(Errc::unsupported, "spill segment '{}' has format version {}, this program reads {}", path.native(),
                version, kSegmentVersion);
  }
  SegmentFacts facts;
  facts.cluster = ClusterId(load_le<std::uint64_t>(all.subspan(24)));
  facts.span.first = Revision(load_le<std::int64_t>(all.subspan(32)));
  facts.span.last = facts.span.first.prev();
  facts.first_time = facts.last_time = Time{std::chrono::nanoseconds(load_le<std::int64_t>(all.subspan(40)))};
  facts.file_bytes = kSegmentHeaderSize;
  return facts;
}

// Takes an event into account; false: it does not follow what is there.
bool add_event(SegmentFacts& facts, const etcd::Event& event, Time received) {
  const Revision mod = event.kv.mod;
  if (mod != facts.span.last && mod != facts.span.last.next()) return false;
  if (facts.events == 0) {
    if (mod != facts.span.first) return false;
    facts.first_time = received;
  }
  facts.span.last = mod;
  facts.last_time = std::max(facts.last_time, received);
  facts.events++;
  facts.json_bytes += json_size(event);
  return true;
}

Status check_seal(const Frame& frame, const FrameReader& at, SegmentFacts& facts) {
  if (frame.payload.size() != kSealSize) return at.corrupt("seal of a wrong length");
  const RevisionSpan span{Revision(load_le<std::int64_t>(frame.payload)),
                          Revision(load_le<std::int64_t>(frame.payload.subspan(8)))};
  if (span != facts.span || load_le<std::uint64_t>(frame.payload.subspan(24)) != facts.events) {
    return at.corrupt("the seal names other revisions than the frames hold");
  }
  facts.sealed_unix_s = load_le<std::int64_t>(frame.payload.subspan(16));
  return {};
}

// Walks the frames; `facts` always describes the last commit.
Status scan_frames(FrameReader& reader, SegmentFacts& facts) {
  SegmentFacts seen = facts;
  for (;;) {
    TM_LET(const std::optional<Frame> frame, reader.next());
    if (!frame) break;
    if (facts.sealed_unix_s) return reader.corrupt("bytes after the seal");
    if (frame->type == kEventsFrame) {
      TM_CHECK(each_event(*frame, reader, [&](const etcd::Event& event, Time received) -> Status {
        if (!add_event(seen, event, received)) {
          return reader.corrupt(fmt::format("revision {} does not follow {}", event.kv.mod, seen.span.last));
        }
        return {};
      }));
      seen.file_bytes = reader.offset();
      if ((frame->flags & kCommits) != 0) facts = seen;
    } else if (frame->type == kSealFrame) {
      TM_CHECK(check_seal(*frame, reader, facts));
      facts.file_bytes = seen.file_bytes = reader.offset();
    } else {
      return reader.corrupt(fmt::format("unknown frame type {}", frame->type));
    }
  }
  if (seen.file_bytes != facts.file_bytes) {
    return fail(Errc::torn, "the spill segment ends at byte {} in the middle of a batch that begins at byte {}",
                seen.file_bytes, facts.file_bytes);
  }
  return {};
}

}  // namespace

std::uint64_t json_size(const etcd::Event& event) {
  constexpr std::uint64_t kFrameOfJson = 150;  // names, braces, revisions and time
  return kFrameOfJson + (event.kv.key.size() + event.kv.value.size()) * 4 / 3;
}

Result<SegmentScan> scan_segment(const io::Path& path) {
  TM_LET(const io::Fd fd, io::open_file(path, O_RDONLY));
  TM_LET(const std::uint64_t size, io::size_of_file(path));
  TM_LET(SegmentFacts facts, read_header(fd.get(), path, size));
  FrameReader reader(fd.get(), path, kSegmentHeaderSize, size);
  Status tail = scan_frames(reader, facts);
  if (!tail && tail.error().code != Errc::torn && tail.error().code != Errc::corrupt) {
    return std::unexpected(std::move(tail).error());
  }
  return SegmentScan{facts, std::move(tail)};
}

Status read_segment(const io::Path& path, const SegmentFacts& facts, RevisionSpan span,
                    const std::function<Status(const bucket::DeltaEvent&)>& each) {
  TM_LET(const io::Fd fd, io::open_file(path, O_RDONLY));
  FrameReader reader(fd.get(), path, kSegmentHeaderSize, facts.file_bytes);
  for (;;) {
    TM_LET(const std::optional<Frame> frame, reader.next());
    if (!frame) return {};
    if (frame->type != kEventsFrame) continue;
    TM_CHECK(each_event(*frame, reader, [&](const etcd::Event& event, Time received) -> Status {
      if (!span.contains(event.kv.mod)) return {};
      bucket::DeltaEvent out;
      out.deletion = event.deletion;
      out.key = event.kv.key;
      out.value = event.kv.value;
      out.create = event.kv.create.raw();
      out.mod = event.kv.mod.raw();
      out.version = event.kv.version;
      out.lease = event.kv.lease.raw();
      out.time = received;
      return each(out);
    }));
  }
}

Result<SegmentWriter> SegmentWriter::create(const io::Path& path, ClusterId cluster, Revision first, Steps& steps) {
  steps.about_to("make a segment");
  TM_LET(io::Fd fd, io::open_file(path, O_RDWR | O_CREAT | O_EXCL));
  steps.about_to("make the segment's name durable");
  TM_CHECK(io::fsync_dir(path.parent_path()));
  SegmentFacts facts;
  facts.cluster = cluster;
  facts.span = {first, first.prev()};
  return SegmentWriter(std::move(fd), path, facts, steps);
}

Result<SegmentWriter> SegmentWriter::resume(const io::Path& path, const SegmentFacts& facts, Steps& steps) {
  TM_LET(io::Fd fd, io::open_file(path, O_RDWR));
  steps.about_to("cut off a segment's end");
  if (::ftruncate(fd.get(), static_cast<off_t>(facts.file_bytes)) != 0) return sys_fail("cut", path.native());
  TM_CHECK(io::fsync_file(fd.get(), path));
  return SegmentWriter(std::move(fd), path, facts, steps);
}

Status SegmentWriter::commit(const Buffer& frames) {
  if (broken_) {
    return fail(Errc::io, "spill segment '{}' failed before and is not written to again", path_.native());
  }
  steps_->about_to("write into a segment");
  if (auto written = io::pwrite_all(fd_.get(), frames, facts_.file_bytes, path_); !written) {
    // Half a batch on disk would be torn, not wrong; cutting it off gives the room back.
    const bool cut = ::ftruncate(fd_.get(), static_cast<off_t>(facts_.file_bytes)) == 0;
    broken_ = written.error().code != Errc::no_space || !cut;
    return written;
  }
  steps_->about_to("fsync a segment");
  if (::fdatasync(fd_.get()) != 0) {
    broken_ = true;
    return sys_fail("fsync", path_.native());
  }
  return {};
}

Status SegmentWriter::append(std::span<const etcd::Event> events, Time received) {
  if (events.empty()) return {};
  SegmentFacts after = facts_;
  if (after.sealed_unix_s) return fail(Errc::invalid, "spill segment '{}' is sealed", path_.native());
  if (!after.events && events.front().kv.mod != after.span.first) {
    return fail(Errc::invalid, "spill segment '{}' begins at revision {}, got {}", path_.native(), after.span.first,
                events.front().kv.mod);
  }
  if (after.events && events.front().kv.mod != after.span.last.next()) {
    return fail(Errc::invalid, "spill segment '{}' ends at revision {}, got {}", path_.native(), after.span.last,
                events.front().kv.mod);
  }
  Buffer frames;
  if (after.file_bytes == 0) frames = segment_header(after.cluster, after.span.first, received);
  std::size_t frame = begin_frame(frames);
  put_le<std::int64_t>(frames, received.time_since_epoch().count());
  for (const etcd::Event& event : events) {
    if (!add_event(after, event, received)) {
      return fail(Errc::invalid, "revision {} does not follow {} in a watch answer", event.kv.mod, after.span.last);
    }
    if (frames.size() - frame > kFrameFill) {
      end_frame(frames, frame, kEventsFrame, 0);
      frame = begin_frame(frames);
      put_le<std::int64_t>(frames, received.time_since_epoch().count());
    }
    frames.push_back(std::byte{event.deletion ? std::uint8_t{1} : std::uint8_t{0}});
    put_le<std::uint32_t>(frames, static_cast<std::uint32_t>(etcd::encoded_size(event.kv)));
    etcd::append_key_value(event.kv, frames);
  }
  end_frame(frames, frame, kEventsFrame, kCommits);
  TM_CHECK(commit(frames));
  after.file_bytes += frames.size();
  facts_ = after;
  return {};
}

Status SegmentWriter::seal(std::int64_t unix_s) {
  if (facts_.events == 0) return fail(Errc::invalid, "spill segment '{}' is empty", path_.native());
  Buffer frames;
  const std::size_t frame = begin_frame(frames);
  put_le<std::int64_t>(frames, facts_.span.first.raw());
  put_le<std::int64_t>(frames, facts_.span.last.raw());
  put_le<std::int64_t>(frames, unix_s);
  put_le<std::uint64_t>(frames, facts_.events);
  end_frame(frames, frame, kSealFrame, 0);
  TM_CHECK(commit(frames));
  facts_.file_bytes += frames.size();
  facts_.sealed_unix_s = unix_s;
  return {};
}

}  // namespace tidemark::capture
