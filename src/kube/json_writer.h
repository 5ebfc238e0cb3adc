// JSON in the very bytes that Go's encoding/json prints, as the Kubernetes API server and kubectl do: strings escaped
// the same way (also <, >, &, U+2028, U+2029; what is not UTF-8 becomes U+FFFD), numbers with the same digits.
//
//   JsonWriter json(text, JsonWriter::Style::indented);
//   json.begin_object(); json.key("kind"); json.string("Pod"); json.end_object();
//
// The caller keeps to the grammar (a key before each value of an object; every begin has its end) and brings keys in
// the order in which they shall stand. Threads: one object, one thread. Source: Go 1.26, encoding/json (encode.go:
// appendString, floatEncoder; indent.go).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace tidemark::kube {

class JsonWriter {
 public:
  enum class Style : std::uint8_t {
    compact,
    indented,  // four spaces a level, as `kubectl get -o json`; no newline at the end
  };
  // Requires: `to` outlives this. It is appended to.
  explicit JsonWriter(std::string& to, Style style = Style::compact) : to_(to), style_(style) {}

  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }
  void key(std::string_view name);
  // A key that stands many times is quoted once: key_text() makes `"name": `, which this writes. Requires: of
  // key_text().
  void ready_key(std::string_view text);
  static std::string key_text(std::string_view name);

  void string(std::string_view text);
  void number(std::int64_t value);
  void number(std::uint64_t value);
  void number(double value);  // finite; Requires: not NaN, not infinite
  void boolean(bool value);
  void null();
  void base64(Bytes bytes);  // standard alphabet, padded, as a string

  // For who learns late what has to stand: to here and back again, with all that was written since.
  struct Mark {
    std::size_t size;
    std::uint32_t depth;
    bool first, after_key;
  };
  Mark mark() const { return {to_.size(), depth_, first_, after_key_}; }
  void rewind(const Mark& mark);
  // The members of an open object in another order, or only some of them. Each part is one: from the mark in front of
  // its key to the mark behind its value. `begin`: the mark in front of the first that was written.
  struct Part {
    std::size_t begin, end;
  };
  void rearrange(std::size_t begin, std::span<const Part> parts);

 private:
  // Grows the text by at most `most` bytes, which `write` puts down from where it is told and returns the end of.
  template <class Write>
  void put(std::size_t most, const Write& write);
  char* before_value(char* at);
  std::size_t most_before_value() const;
  char* new_line(char* at) const;
  void plain(std::string_view text);
  template <class Number>
  void whole(Number number);
  void begin(char bracket);
  void end(char bracket);
  void quoted(std::string_view text);

  std::string& to_;
  const Style style_;
  std::uint32_t depth_ = 0;
  bool first_ = true;       // nothing has been written at this level yet
  bool after_key_ = false;  // the next value belongs to a key
};

}  // namespace tidemark::kube
