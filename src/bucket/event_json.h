// One event of a delta as JSON, in two ways that give the same answer: the one spelling that etcd-backup-restore uses,
// read at memory speed, and any JSON.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "bucket/delta.h"

namespace tidemark::bucket {

// Where the bytes of one event are decoded to; grows to the largest event and is used again.
struct EventScratch {
  Buffer key, value;
  std::string unescaped, time_text;
  Time time;  // of time_text: the events of one batch share their time
};

enum class Scan {
  done,
  other,  // not this dialect (or not JSON): ask parse_event()
  more,   // the text ends inside the event
};

// Reads one event in the exact dialect from the front of `text`; on `done`, `length` is its size.
Scan scan_event(std::string_view text, EventScratch& scratch, DeltaEvent& event, std::size_t& length);

// The length of the JSON value at the front of `text` (an object: begins with '{'), found by its brackets alone; `more`
// when it does not end in `text`, `other` when it is no object or is nested deeper than kMostDepth.
Scan measure_object(std::string_view text, std::size_t& length);
inline constexpr int kMostDepth = 64;

// Reads one whole object in any JSON dialect: white space, escapes, any order, unknown fields, null for "not there".
// Errc::corrupt, with the offset in `text`.
Status parse_event(std::string_view text, EventScratch& scratch, DeltaEvent& event);

// Appends the exact dialect. `time_text` is the event's time as RFC 3339.
void append_event(const DeltaEvent& event, std::string_view time_text, Buffer& to);

}  // namespace tidemark::bucket
