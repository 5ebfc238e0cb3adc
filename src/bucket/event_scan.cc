// The exact dialect: what Go's encoding/json makes of etcd-backup-restore's event, with no white space and no escapes.
#include <cstring>

#include "base/base64.h"
#include "base/rfc3339.h"
#include "bucket/event_json.h"

namespace tidemark::bucket {

namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), begin_(text.data()), end_(text.data() + text.size()) {}

  bool word(std::string_view wanted) {
    if (left() < wanted.size() || std::memcmp(at_, wanted.data(), wanted.size()) != 0) return false;
    at_ += wanted.size();
    return true;
  }

  // Up to and over the closing quote. An escape is no matter here: base64 and times have none, and decoding refuses it.
  bool string(std::string_view& inside) {
    const auto* quote = static_cast<const char*>(std::memchr(at_, '"', left()));
    if (quote == nullptr) {
      cut_ = true;
      return false;
    }
    inside = {at_, static_cast<std::size_t>(quote - at_)};
    at_ = quote + 1;
    return true;
  }

  bool number(std::int64_t& value) {
    const bool minus = at_ < end_ && *at_ == '-';
    const char* const digits = at_ + (minus ? 1 : 0);
    const char* p = digits;
    std::uint64_t magnitude = 0;
    // 19 digits cannot overflow; longer ones and "007" are left to the general reader.
    while (p < end_ && *p >= '0' && *p <= '9' && p - digits < 19) {
      magnitude = magnitude * 10 + static_cast<unsigned>(*p++ - '0');
    }
    if (p == digits || (*digits == '0' && p - digits > 1) || magnitude > static_cast<std::uint64_t>(INT64_MAX)) {
      return false;
    }
    value = minus ? -static_cast<std::int64_t>(magnitude) : static_cast<std::int64_t>(magnitude);
    at_ = p;
    return true;
  }

  char next() { return at_ < end_ ? *at_++ : '\0'; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  std::size_t used() const { return static_cast<std::size_t>(at_ - begin_); }

  // Why it failed. Near the end every failure may be for want of bytes, so the answer is to bring more.
  Scan failed() const { return cut_ || left() < kLongestWord ? Scan::more : Scan::other; }

 private:
  static constexpr std::size_t kLongestWord = 40;  // a name, or a number with what must follow it
  const char* at_;
  const char* begin_;
  const char* end_;
  bool cut_ = false;
};

bool decode(std::string_view text, Buffer& room, Bytes& out) {
  if (room.size() < base64_most_bytes(text.size())) room.resize(base64_most_bytes(text.size()) * 2);
  const auto n = base64_decode(text, room.data());
  if (!n) return false;
  out = Bytes(room).first(*n);
  return true;
}

bool decode_time(std::string_view text, EventScratch& scratch, Time& time) {
  if (text != scratch.time_text) {
    const auto parsed = parse_rfc3339(text);
    if (!parsed) return false;
    scratch.time = *parsed;
    scratch.time_text = text;
  }
  time = scratch.time;
  return true;
}

// The fields of kv and its closing bracket.
bool scan_kv(Scanner& in, EventScratch& scratch, DeltaEvent& event) {
  std::string_view text;
  for (;;) {
    bool good = false;
    if (in.word("\"key\":\"")) {
      good = in.string(text) && decode(text, scratch.key, event.key);
    } else if (in.word("\"create_revision\":")) {
      good = in.number(event.create);
    } else if (in.word("\"mod_revision\":")) {
      good = in.number(event.mod);
    } else if (in.word("\"version\":")) {
      good = in.number(event.version);
    } else if (in.word("\"value\":\"")) {
      good = in.string(text) && decode(text, scratch.value, event.value);
    } else if (in.word("\"lease\":")) {
      good = in.number(event.lease);
    }
    if (!good) return false;
    const char after = in.next();
    if (after == '}') return true;
    if (after != ',') return false;
  }
}

}  // namespace

Scan scan_event(std::string_view text, EventScratch& scratch, DeltaEvent& event, std::size_t& length) {
  Scanner in(text);
  event = DeltaEvent{};
  std::string_view time;
  if (!in.word("{\"etcdEvent\":{")) return in.failed();
  event.deletion = in.word("\"type\":1,");
  if (!in.word("\"kv\":{") || !scan_kv(in, scratch, event)) return in.failed();
  if (!in.word("},\"time\":\"") || !in.string(time) || !in.word("}")) return in.failed();
  if (!decode_time(time, scratch, event.time)) return Scan::other;
  length = in.used();
  return Scan::done;
}

void append_event(const DeltaEvent& event, std::string_view time_text, Buffer& to) {
  const auto put = [&](std::string_view text) {
    const Bytes bytes = as_bytes(text);
    to.insert(to.end(), bytes.begin(), bytes.end());
  };
  const char* separator = "";
  const auto put_bytes = [&](std::string_view name, Bytes value) {
    if (value.empty()) return;
    put(separator);
    put(name);
    const std::size_t at = to.size();
    to.resize(at + base64_size(value.size()));
    base64_encode(value, reinterpret_cast<char*>(to.data() + at));
    put("\"");
    separator = ",";
  };
  const auto put_number = [&](std::string_view name, std::int64_t value) {
    if (value == 0) return;
    put(separator);
    put(name);
    put(fmt::format_int(value).c_str());
    separator = ",";
  };
  put(event.deletion ? "{\"etcdEvent\":{\"type\":1,\"kv\":{" : "{\"etcdEvent\":{\"kv\":{");
  put_bytes("\"key\":\"", event.key);
  put_number("\"create_revision\":", event.create);
  put_number("\"mod_revision\":", event.mod);
  put_number("\"version\":", event.version);
  put_bytes("\"value\":\"", event.value);
  put_number("\"lease\":", event.lease);
  put("}},\"time\":\"");
  put(time_text);
  put("\"}");
}

}  // namespace tidemark::bucket
