#include "bucket/delta.h"

#include <algorithm>

#include "base/rfc3339.h"
#include "bucket/event_json.h"

namespace tidemark::bucket {

static constexpr std::size_t kFlushAt = 256UL * 1024;
static constexpr std::size_t kDigestBytes = sizeof(crypto::Sha256Digest);
static constexpr std::size_t kFirstWindow = 1UL << 20U;
// etcd's own limit for a request is 1.5 MiB, and nobody raises it beyond 10 or so; a text has 4/3 of it.
static constexpr std::size_t kLargestEvent = 64UL << 20U;

Status DeltaWriter::add(const DeltaEvent& event) {
  pending_.push_back(static_cast<std::byte>(events_ == 0 ? '[' : ','));
  if (events_ == 0 || event.time != time_) {
    time_ = event.time;
    time_text_ = print_rfc3339_nano(time_);
  }
  const std::size_t begin = pending_.size();
  append_event(event, time_text_, pending_);
  if (each_) each_(event, json_bytes_ + begin, Bytes(pending_).subspan(begin));
  events_++;
  return pending_.size() < kFlushAt ? Status() : flush();
}

Status DeltaWriter::finish() {
  if (events_ == 0) return fail(Errc::invalid, "a delta without events is never written");
  pending_.push_back(static_cast<std::byte>(']'));
  TM_CHECK(flush());
  return to_.write(digest_.finish());
}

Status DeltaWriter::flush() {
  digest_.update(pending_);
  json_bytes_ += pending_.size();
  TM_CHECK(to_.write(pending_));
  pending_.clear();
  return {};
}

namespace {

// The part of the body that is in memory. The last 32 bytes seen so far are always held back: they may be the digest.
class Window {
 public:
  explicit Window(io::Source& body) : body_(body), buffer_(kFirstWindow) {}

  std::string_view text() const { return as_text(Bytes(buffer_).subspan(begin_, text_end_ - begin_)); }
  void drop(std::size_t n) { begin_ += n; }
  std::uint64_t offset() const { return base_ + begin_; }
  bool ended() const { return ended_; }
  std::uint64_t size() const { return base_ + end_; }

  // Brings more text, or ended() becomes true.
  Status more() {
    make_room();
    const std::size_t before = text_end_;
    while (!ended_ && end_ < buffer_.size()) {
      TM_LET(const std::size_t n, body_.read(MutableBytes(buffer_).subspan(end_)));
      end_ += n;
      ended_ = n == 0;
      const std::size_t text_end = end_ < kDigestBytes ? 0 : end_ - kDigestBytes;
      if (text_end > text_end_) {
        hash_.update(Bytes(buffer_).subspan(text_end_, text_end - text_end_));  // now, while the cache has it
        text_end_ = text_end;
      }
    }
    if (text_end_ == before && !ended_)
      return fail(Errc::corrupt, "delta: event at byte {}: no end in {} bytes", offset(), text_end_ - begin_);
    return {};
  }

  // Requires: ended().
  bool digest_matches() {
    return size() >= kDigestBytes &&
           std::ranges::equal(hash_.finish(), Bytes(buffer_).subspan(text_end_, kDigestBytes));
  }

 private:
  void make_room() {
    if (begin_ == 0 && end_ == buffer_.size() && buffer_.size() < kLargestEvent) {
      buffer_.resize(buffer_.size() * 2);
      return;
    }
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    base_ += begin_;
    end_ -= begin_;
    text_end_ -= begin_;
    begin_ = 0;
    // Less than half a window free would mean to move half a window for every read.
    if (end_ > buffer_.size() / 2 && buffer_.size() < kLargestEvent) buffer_.resize(buffer_.size() * 2);
  }

  io::Source& body_;
  Buffer buffer_;
  std::size_t begin_ = 0, text_end_ = 0, end_ = 0;  // begin <= text end <= end
  std::uint64_t base_ = 0;                          // of the buffer in the body
  crypto::Sha256 hash_;
  bool ended_ = false;
};

class DeltaReader {
 public:
  DeltaReader(io::Source& body, const std::function<Status(const DeltaEvent&)>& each) : window_(body), each_(each) {}

  Status read() {
    TM_LET(char c, next_character());
    if (c != '[') return unexpected_character(c, "'['");
    window_.drop(1);
    TM_LET(c, next_character());
    if (c != ']') TM_CHECK(events());
    window_.drop(1);
    return tail();
  }

 private:
  // From the first event to the closing bracket.
  Status events() {
    for (;;) {
      TM_CHECK(event());
      TM_LET(char c, next_character());
      if (c == ']') return {};
      if (c != ',') return unexpected_character(c, "',' or ']'");
      window_.drop(1);
      TM_LET(c, next_character());
      if (c != '{') return unexpected_character(c, "an event");
    }
  }

  Status event() {
    DeltaEvent event;
    std::size_t length = 0;
    for (;;) {
      const std::string_view text = window_.text();
      Scan scan = scan_event(text, scratch_, event, length);
      if (scan == Scan::other || (scan == Scan::more && window_.ended())) scan = any_dialect(text, event, length);
      if (scan == Scan::done) break;
      if (scan == Scan::other) return at_event(std::move(why_));
      if (window_.ended()) return torn();
      TM_CHECK(window_.more());
    }
    if (event.mod < 1) return at_event(fail(Errc::corrupt, "an event without a revision"));
    if (event.key.empty()) return at_event(fail(Errc::corrupt, "an event without a key"));
    TM_CHECK(each_(event));
    window_.drop(length);
    return {};
  }

  Scan any_dialect(std::string_view text, DeltaEvent& event, std::size_t& length) {
    why_ = fail(Errc::corrupt, "no event, or one that is nested too deeply");
    if (const Scan measured = measure_object(text, length); measured != Scan::done) return measured;
    why_ = parse_event(text.substr(0, length), scratch_, event);
    return why_ ? Scan::done : Scan::other;
  }

  // The next character that is no white space; not dropped.
  Result<char> next_character() {
    for (;;) {
      const std::string_view text = window_.text();
      const std::size_t at = text.find_first_not_of(" \n\r\t");
      if (at != std::string_view::npos) {
        window_.drop(at);
        return text[at];
      }
      window_.drop(text.size());
      if (window_.ended()) return torn();
      TM_CHECK(window_.more());
    }
  }

  // Behind the closing bracket: only white space, then the digest.
  Status tail() {
    for (;;) {
      const std::string_view text = window_.text();
      const std::size_t at = text.find_first_not_of(" \n\r\t");
      window_.drop(std::min(at, text.size()));
      if (at != std::string_view::npos) return unexpected_character(text[at], "the end of the text");
      if (window_.ended()) break;
      TM_CHECK(window_.more());
    }
    if (window_.digest_matches()) return {};
    return fail(Errc::corrupt, "delta: the digest of its {} bytes of text is wrong", window_.size() - kDigestBytes);
  }

  std::unexpected<Error> torn() const {
    if (window_.size() == 0) return fail(Errc::torn, "delta: the body is empty");
    return fail(Errc::torn, "delta: the body ends at byte {} inside its text or digest", window_.size());
  }

  std::unexpected<Error> unexpected_character(char c, std::string_view wanted) const {
    return fail(Errc::corrupt, "delta: byte {} is 0x{:02x}, wanted {}", window_.offset(),
                static_cast<unsigned>(static_cast<unsigned char>(c)), wanted);
  }

  Status at_event(Status why) const {
    return named(fmt::format("delta: event at byte {}", window_.offset()), std::move(why));
  }

  Window window_;
  const std::function<Status(const DeltaEvent&)>& each_;
  EventScratch scratch_;
  Status why_;
};

}  // namespace

Status read_delta(io::Source& body, const std::function<Status(const DeltaEvent&)>& each) {
  return DeltaReader(body, each).read();
}

}  // namespace tidemark::bucket
