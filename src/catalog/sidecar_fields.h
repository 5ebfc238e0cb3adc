// How every sidecar is written and read: kind and version first, getters that name what is wrong. Only for src/catalog
// and for the records of src/live.
#pragma once

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/rfc3339.h"
#include "crypto/crc32c.h"

namespace tidemark::catalog {

using nlohmann::json;
using Ordered = nlohmann::ordered_json;

inline constexpr int kFormatVersion = 1;

// ---- writing

inline Ordered begin(std::string_view kind) { return {{"kind", kind}, {"formatVersion", kFormatVersion}}; }

// What stands behind the last field: the CRC-32C of every byte before this comma.
inline constexpr const char* kChecksum = "crc32c";
inline std::string checksum_field(std::string_view before) {
  return fmt::format(",\"{}\":\"{:08x}\"}}", kChecksum, crypto::crc32c(0, as_bytes(before)));
}

inline std::string line(const Ordered& fields) {
  std::string text = fields.dump(-1, ' ', false, json::error_handler_t::replace);
  text.pop_back();  // the brace; there is always a field before it
  return text + checksum_field(text) + "\n";
}

inline std::string hex(std::uint64_t id) { return fmt::format("{:x}", id); }

// ---- reading: an object whose getters name the kind and the field in their failures

class Fields {
 public:
  Fields(std::string_view where, const json& object) : where_(where), object_(object) {}

  Result<std::string> text(const char* name) const {
    TM_LET(const json* field, need(name));
    if (!field->is_string()) return wrong(name, "a string");
    return field->get<std::string>();
  }
  Result<std::string> text_or_empty(const char* name) const {
    if (!object_.contains(name)) return std::string();
    return text(name);
  }
  Result<std::uint64_t> number(const char* name, std::uint64_t most) const {
    TM_LET(const json* field, need(name));
    if (!field->is_number_unsigned() || field->get<std::uint64_t>() > most) {
      return wrong(name, fmt::format("a whole number from 0 to {}", most));
    }
    return field->get<std::uint64_t>();
  }
  Result<Revision> revision(const char* name) const {
    TM_LET(const std::uint64_t value, number(name, std::numeric_limits<std::int64_t>::max()));
    return Revision(static_cast<std::int64_t>(value));
  }
  // Any 64-bit number, also a negative one.
  Result<std::int64_t> whole(const char* name) const {
    TM_LET(const json* field, need(name));
    if (!field->is_number_integer()) return wrong(name, "a whole number");
    if (field->is_number_unsigned() && field->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
      return wrong(name, "a number of 63 bits");
    }
    return field->get<std::int64_t>();
  }
  Result<std::uint64_t> hex_id(const char* name) const {
    TM_LET(const std::string digits, text(name));
    std::uint64_t value = 0;
    if (digits.empty() || digits.size() > 16) return wrong(name, "at most 16 hexadecimal digits");
    for (const char c : digits) {
      const auto digit = std::string_view("0123456789abcdef").find(c);
      if (digit == std::string_view::npos) return wrong(name, "at most 16 hexadecimal digits");
      value = value << 4U | digit;
    }
    return value;
  }
  Result<Time> time(const char* name) const {
    TM_LET(const std::string words, text(name));
    auto when = parse_rfc3339(words);
    if (!when) return wrong(name, "a time (" + when.error().what + ")");
    return *when;
  }
  Result<bool> flag_or_false(const char* name) const {
    if (!object_.contains(name)) return false;
    if (!object_[name].is_boolean()) return wrong(name, "true or false");
    return object_[name].get<bool>();
  }
  // The elements of an array; a missing one is empty.
  Result<const json*> array(const char* name) const {
    static const json empty = json::array();
    if (!object_.contains(name)) return &empty;
    if (!object_[name].is_array()) return wrong(name, "an array");
    return &object_[name];
  }
  Result<std::vector<std::string>> texts(const char* name) const {
    TM_LET(const json* list, array(name));
    std::vector<std::string> all;
    for (const json& item : *list) {
      if (!item.is_string()) return wrong(name, "an array of strings");
      all.push_back(item.get<std::string>());
    }
    return all;
  }
  Result<const json*> need(const char* name) const {
    const auto field = object_.find(name);
    if (field == object_.end()) return fail(Errc::corrupt, "{}: field '{}' is missing", where_, name);
    return &*field;
  }
  std::unexpected<Error> wrong(const char* name, std::string_view expected) const {
    return fail(Errc::corrupt, "{}: field '{}' is not {}", where_, name, expected);
  }

 private:
  std::string_view where_;
  const json& object_;
};

// One bit of a number is another number: the checksum tells. Sidecars of earlier versions have none.
inline Status check_sum(std::string_view kind, std::string_view text, const json& parsed) {
  if (!parsed.contains(kChecksum)) return {};
  if (text.ends_with('\n')) text.remove_suffix(1);
  const std::size_t size = checksum_field("").size();
  const std::string_view before = text.substr(0, text.size() - std::min(size, text.size()));
  if (text.substr(before.size()) == checksum_field(before)) return {};
  return fail(Errc::corrupt, "{}: its bytes are not those that were written: field '{}' does not fit them", kind,
              kChecksum);
}

inline Result<json> parse_kind(std::string_view kind, std::string_view text) {
  json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return fail(Errc::corrupt, "{}: {} bytes that are not one JSON value", kind, text.size());
  if (!parsed.is_object()) return fail(Errc::corrupt, "{}: not a JSON object", kind);
  TM_CHECK(check_sum(kind, text, parsed));
  const Fields fields(kind, parsed);
  TM_LET(const std::string said, fields.text("kind"));
  if (said != kind) return fail(Errc::corrupt, "{}: the kind is '{}'", kind, said);
  TM_LET(const std::uint64_t version, fields.number("formatVersion", std::numeric_limits<std::int32_t>::max()));
  if (version == 0) return fields.wrong("formatVersion", "1");
  if (version > kFormatVersion) {
    return std::unexpected(Error{Errc::unsupported,
                                 fmt::format("{}: format version {} is newer than {}", kind, version, kFormatVersion),
                                 "use a newer tidemark"});
  }
  return parsed;
}

inline constexpr std::uint64_t kAnyNumber = std::numeric_limits<std::uint64_t>::max();
inline constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();

}  // namespace tidemark::catalog
