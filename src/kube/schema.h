// The table of Kubernetes' types: for each stored kind its messages, and for each field its number on the wire, its
// name in JSON and when it is printed. It is made from the Go types of every release (tools/kube_schema) and compiled
// in.
//
// One table serves all releases: no field number was ever given another name. What changed is marked with the minor.
// Threads: any; a schema does not change.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/proto.h"
#include "base/result.h"

namespace tidemark::kube {

// What a value is, apart from pointers, lists and maps around it.
enum class Base : std::uint8_t {
  string,
  boolean,
  int32,
  int64,
  uint32,
  uint64,
  float64,
  float32,
  bytes,
  time,               // meta/v1.Time
  micro_time,         // meta/v1.MicroTime
  duration,           // meta/v1.Duration
  quantity,           // resource.Quantity
  int_or_string,      // intstr.IntOrString
  fields_v1,          // meta/v1.FieldsV1
  raw_extension,      // runtime.RawExtension
  unknown,            // runtime.Unknown
  json,               // apiextensions JSON
  schema_or_bool,     // apiextensions JSONSchemaPropsOrBool
  schema_or_array,    // apiextensions JSONSchemaPropsOrArray
  schema_or_strings,  // apiextensions JSONSchemaPropsOrStringArray
  message,
};

enum class Shape : std::uint8_t { value, pointer, list, map };  // maps are from strings

struct Type {
  Shape shape = Shape::value;
  bool items = false;  // what is inside is a message whose field 1 is a list, printed as that list
  Base base = Base::string;
  std::uint32_t message = 0;  // of Base::message and schema_or_…: the index of it
};

// In which minors of Kubernetes 1 something holds; never by default.
struct Minors {
  std::uint8_t first = 1, last = 0;
  bool has(int minor) const { return minor >= first && minor <= last; }
};

// How a value of this type is written; of a list: one of its values.
proto::Wire wire_of(const Type& type);

struct Field {
  std::uint32_t number = 0;
  std::string_view name;  // in JSON; empty when it has none
  Type type;
  Minors omit_empty, omit_zero;
  Minors exists{.first = 0, .last = 255};  // where it is printed though it is not on the wire
  bool is_inline = false;                  // a message on the wire, its fields among ours in JSON
  // Follows from the type: how its values are written, and what becomes of several.
  enum class Several : std::uint8_t { last_counts, merged, repeated };
  proto::Wire wire = proto::Wire::bytes;
  Several several = Several::last_counts;
  std::string key;  // the name as JsonWriter::ready_key() takes it
};

struct Message {
  std::string_view name;            // "core/v1.Pod"
  std::vector<Field> fields;        // by number
  std::vector<std::uint16_t> find;  // number -> index of the field + 1; 0: unknown
  // A decoder gives each field a slot; the fields of inline messages follow behind ours.
  std::uint32_t slots = 0;
  std::vector<std::uint32_t> inline_slot;  // of each of `fields` that is inline: where its message's slots begin
  struct Printed {
    std::uint32_t slot;
    const Field* field;
  };
  std::vector<Printed> printed;  // by name, as JSON has them
  static constexpr std::uint16_t kNotPrinted = UINT16_MAX;
  std::vector<std::uint16_t> rank;  // of each slot: where in `printed` its field is

  const Field* field(std::uint32_t number) const {
    return number < find.size() && find[number] != 0 ? &fields[find[number] - 1U] : nullptr;
  }
};

class Schema {
 public:
  Schema(Schema&&) = default;
  Schema& operator=(Schema&&) = default;
  // Errc::corrupt with the line when the text is not such a table. Requires: `text` outlives the schema.
  static Result<Schema> parse(std::string_view text);
  // The compiled-in table; read on first use.
  static const Schema& built_in();

  // nullptr: not a kind that the table knows.
  const Message* root(std::string_view api_version, std::string_view kind) const;
  const Message& message(std::uint32_t index) const { return messages_[index]; }
  std::size_t index(const Message& of_this) const { return static_cast<std::size_t>(&of_this - messages_.data()); }
  std::size_t roots() const { return roots_.size(); }
  std::size_t messages() const { return messages_.size(); }

 private:
  Schema() = default;
  Status link();

  std::vector<Message> messages_;
  std::map<std::pair<std::string_view, std::string_view>, std::uint32_t> roots_;
};

}  // namespace tidemark::kube
