#include "kube/object_metadata.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/proto.h"
#include "kube/storage_value.h"

namespace tidemark::kube {
namespace {

using proto::Fields;
using proto::Wire;

bool plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f; });
}

bool take_text(const Fields& fields, std::string_view& into) {
  into = as_text(fields.bytes());
  return plain(into);
}

bool read_label(Bytes entry, Label& into) {
  Fields fields(entry);
  while (fields.next()) {
    if (fields.expect(1, Wire::bytes) && !take_text(fields, into.first)) return false;
    if (fields.expect(2, Wire::bytes) && !take_text(fields, into.second)) return false;
  }
  return !fields.bad();
}

bool read_object_meta(Bytes message, ObjectMetadata& into) {
  Fields fields(message);
  while (fields.next()) {
    if (fields.expect(1, Wire::bytes) && !take_text(fields, into.name)) return false;
    if (fields.expect(3, Wire::bytes) && !take_text(fields, into.name_space)) return false;
    if (fields.expect(5, Wire::bytes) && !take_text(fields, into.uid)) return false;
    if (fields.expect(11, Wire::bytes) && !read_label(fields.bytes(), into.labels.emplace_back())) return false;
  }
  return !fields.bad();
}

bool read_protobuf(Bytes value, ObjectMetadata& into) {
  const auto envelope = read_envelope(value);
  if (!envelope) return false;
  into.api_version = envelope->api_version;
  into.kind = envelope->kind;
  bool found = false;
  Fields fields(envelope->message);
  while (fields.next()) {
    if (!fields.expect(1, Wire::bytes)) continue;
    // Twice: the two would have to be put together.
    if (std::exchange(found, true) || !read_object_meta(fields.bytes(), into)) return false;
  }
  return found && !fields.bad();
}

// JSON from its front. Each step is false when that is not what stands there, or not plainly.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool take(char c) {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) at_++;
    if (at_ == end_ || *at_ != c) return false;
    at_++;
    return true;
  }
  bool string(std::string_view& into) {
    if (!take('"')) return false;
    const char* const begin = at_;
    if (!skip_string()) return false;
    into = {begin, static_cast<std::size_t>(at_ - begin - 1)};
    return plain(into) && into.find('\\') == std::string_view::npos;
  }
  // `member` is told each key and reads or skips its value. More: false ends it early, with `done`.
  template <class Member>
  bool object(const Member& member) {
    if (!take('{')) return false;
    if (take('}')) return true;
    do {
      std::string_view key;
      if (!string(key) || !take(':') || !member(key)) return false;
    } while (take(','));
    return take('}');
  }
  // Any value. Its insides are not checked: whoever decodes it will.
  bool skip() {
    std::size_t depth = 0;
    for (; at_ != end_; at_++) {
      switch (*at_) {
        case '"':
          at_++;
          if (!skip_string()) return false;
          if (depth == 0) return true;
          at_--;
          break;
        case '{':
        case '[': depth++; break;
        case '}':
        case ']':
          if (depth == 0) return true;  // behind a number or a word
          if (--depth == 0) {
            at_++;
            return true;
          }
          break;
        case ',':
          if (depth == 0) return true;
          break;
        default: break;
      }
    }
    return false;
  }

 private:
  // To behind the closing quote.
  bool skip_string() {
    for (;;) {
      at_ = static_cast<const char*>(std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_)));
      if (at_ == nullptr) {
        at_ = end_;
        return false;
      }
      const char* before = at_;
      while (before[-1] == '\\') before--;  // the opening quote ends it
      const bool escaped = (at_ - before) % 2 != 0;
      at_++;
      if (!escaped) return true;
    }
  }

  const char* at_;
  const char* const end_;
};

bool read_json(std::string_view text, ObjectMetadata& into) {
  Scanner scan(text);
  bool found = false;
  const auto labels = [&](std::string_view key) {
    Label& label = into.labels.emplace_back(key, "");
    return scan.string(label.second);
  };
  const auto metadata = [&](std::string_view key) {
    if (key == "name") return scan.string(into.name);
    if (key == "namespace") return scan.string(into.name_space);
    if (key == "uid") return scan.string(into.uid);
    if (key == "labels") return scan.object(labels);
    return scan.skip();
  };
  bool ended = false;
  const auto enough = [&] { return ended = found && !into.api_version.empty() && !into.kind.empty(); };
  const bool all = scan.object([&](std::string_view key) {
    if (key == "apiVersion") return scan.string(into.api_version) && !enough();
    if (key == "kind") return scan.string(into.kind) && !enough();
    if (key == "metadata") return (found = scan.object(metadata)) && !enough();
    return scan.skip();
  });
  return ended || (all && found);
}

}  // namespace

bool read_metadata(Bytes value, ObjectMetadata& into) {
  std::vector<Label> labels = std::move(into.labels);
  labels.clear();
  into = {};
  into.labels = std::move(labels);
  switch (encoding_of(value)) {
    case Encoding::protobuf: return read_protobuf(value, into);
    case Encoding::json: return read_json(as_text(value), into);
    case Encoding::encrypted:
    case Encoding::cbor:
    case Encoding::other: break;
  }
  return false;
}

}  // namespace tidemark::kube
