// JSON values one by one out of a stream, in the memory of the largest: the items of a list, the events of a watch.
//
// It finds where a value ends and no more; whether it is JSON is for kube/json_text.h to say.
// Threads: one object, one thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "io/stream.h"

namespace tidemark::link {

class JsonFeed {
 public:
  // Requires: `from` outlives it.
  JsonFeed(io::Source& from, std::size_t most_value) : from_(from), most_value_(most_value) {}

  // The next character that is no white space, not taken; 0: the end.
  Result<char> peek();
  // Takes it. Errc::corrupt: another one is there; torn: the end.
  Status take(char wanted);
  // Takes a value; good until the next call. Errc::torn: the end is in it, or before it; corrupt: none begins here;
  // no_space: it is larger than that.
  Result<std::string_view> value();

 private:
  Result<bool> fill();  // false: the end

  io::Source& from_;
  const std::size_t most_value_;
  std::string buffer_;
  std::size_t at_ = 0;
};

// The members of the object that comes next, in order: `on_member` is called in front of each value, and takes it.
template <class OnMember>
Status read_members(JsonFeed& feed, const OnMember& on_member) {
  TM_CHECK(feed.take('{'));
  for (bool first = true;; first = false) {
    TM_LET(char next, feed.peek());
    if (next == '}') return feed.take('}');
    if (!first) TM_CHECK(feed.take(','));
    TM_LET(next, feed.peek());
    if (next != '"') return feed.take('"');  // which fails
    TM_LET(const std::string_view quoted, feed.value());
    const std::string name(quoted.substr(1, quoted.size() - 2));
    TM_CHECK(feed.take(':'));
    TM_CHECK(on_member(name));
  }
}

// The elements of the array that comes next.
template <class OnElement>
Status read_elements(JsonFeed& feed, const OnElement& on_element) {
  TM_CHECK(feed.take('['));
  for (bool first = true;; first = false) {
    TM_LET(const char next, feed.peek());
    if (next == ']') return feed.take(']');
    if (!first) TM_CHECK(feed.take(','));
    TM_LET(const std::string_view text, feed.value());
    TM_CHECK(on_element(text));
  }
}

}  // namespace tidemark::link
