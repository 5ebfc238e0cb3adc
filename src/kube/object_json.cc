#include "kube/object_json.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "kube/cbor.h"
#include "kube/codecs.h"
#include "kube/json_reprint.h"
#include "kube/json_text.h"
#include "kube/message_fields.h"
#include "kube/storage_value.h"

namespace tidemark::kube {

namespace {

using proto::Fields;
using proto::Wire;

constexpr int kMostLevels = 100;  // of messages; a real object has some twenty

bool is_scalar(Base base) {
  return base == Base::string || base == Base::boolean || base == Base::int32 || base == Base::int64 ||
         base == Base::uint32 || base == Base::uint64 || base == Base::float64 || base == Base::float32;
}

bool is_zero(Base base, const Seen& seen) { return base == Base::string ? seen.bytes.empty() : seen.bits == 0; }

}  // namespace

class ObjectPrinter::Printer {
 public:
  Printer(const Schema& schema, const ObjectOptions& options)
      : schema_(schema), options_(options), fields_(schema), absent_(schema.messages()) {}

  Result<Lossiness> print(Bytes value, Revision revision, std::string& to) {
    JsonWriter json(to, options_.style);
    json_ = &json;
    lost_ = {};
    switch (encoding_of(value)) {
      case Encoding::protobuf: TM_CHECK(envelope(value, revision)); break;
      case Encoding::json:
        if (!reprint(value, revision)) TM_CHECK(text(parse_json(value), revision));
        break;
      case Encoding::cbor: TM_CHECK(text(parse_cbor(value), revision)); break;
      case Encoding::encrypted: return fail(Errc::unsupported, "the value is encrypted at rest");
      case Encoding::other: return fail(Errc::unsupported, "the value is no object of Kubernetes");
    }
    return lost_;
  }

 private:
  // What only the outermost message has.
  struct Root {
    std::string_view api_version, kind;
    Revision revision;
  };

  Status envelope(Bytes value, Revision revision) {
    TM_LET(const Envelope found, read_envelope(value));
    const Message* message = schema_.root(found.api_version, found.kind);
    if (message == nullptr) {
      return fail(Errc::not_found, "{} {}: no type of that name is known", found.api_version, found.kind);
    }
    const Root root{found.api_version, found.kind, revision};
    return named(std::string(found.kind), print_root(*message, found.message, root));
  }

  // As text() has it, where no tree is needed.
  bool reprint(Bytes value, Revision revision) {
    const std::string version = revision.raw() > 0 ? std::to_string(revision.raw()) : "";
    return reprinter_.print_object(value, {version, options_.managed_fields}, *json_);
  }

  Status text(Result<nlohmann::json> parsed, Revision revision) const {
    TM_LET(nlohmann::json object, std::move(parsed));
    if (!object.is_object()) return fail(Errc::corrupt, "JSON that is no object");
    nlohmann::json& metadata = object["metadata"];
    if (metadata.is_null()) metadata = nlohmann::json::object();
    if (metadata.is_object()) {
      if (revision.raw() > 0) metadata["resourceVersion"] = std::to_string(revision.raw());
      metadata.erase("selfLink");
      if (!options_.managed_fields) metadata.erase("managedFields");
    }
    print_json(object, *json_);
    return {};
  }

  // ---- a message: first what is there, then in the order of JSON

  Status print_root(const Message& m, Bytes wire, const Root& root) {
    MessageFields::Frame frame(fields_, m);
    TM_CHECK(frame.gather(wire, lost_));
    json_->begin_object();
    bool version_printed = false, kind_printed = false;
    const auto print_kind_before = [&](std::string_view name) {
      if (!std::exchange(version_printed, version_printed || "apiVersion" < name) && "apiVersion" < name) {
        json_->key("apiVersion");
        json_->string(root.api_version);
      }
      if (!std::exchange(kind_printed, kind_printed || "kind" < name) && "kind" < name) {
        json_->key("kind");
        json_->string(root.kind);
      }
    };
    const auto print = [&](std::size_t rank, bool present) -> Status {
      const Field& field = *m.printed[rank].field;
      print_kind_before(field.name);
      if (!is_metadata(field)) return present ? print_field(field, frame.slot(rank), 1) : print_absent(field, 1);
      json_->ready_key(field.key);
      const Bytes inner = present ? fields_.only(frame.slot(rank)).bytes : Bytes{};
      return print_metadata(schema_.message(field.type.message), inner, root);
    };
    TM_CHECK(for_each(m, frame, print));
    print_kind_before("\x7f");
    json_->end_object();
    return {};
  }

  Status print_metadata(const Message& m, Bytes wire, const Root& root) {
    MessageFields::Frame frame(fields_, m);
    TM_CHECK(frame.gather(wire, lost_));
    json_->begin_object();
    bool version_printed = root.revision.raw() <= 0;
    const auto print_version_before = [&](std::string_view name) {
      if (version_printed || name < "resourceVersion") return;
      version_printed = true;
      json_->key("resourceVersion");
      json_->string(std::to_string(root.revision.raw()));
    };
    const auto print = [&](std::size_t rank, bool present) -> Status {
      const Field& field = *m.printed[rank].field;
      print_version_before(field.name);
      if (field.name == "selfLink" || field.name == "resourceVersion") return {};
      if (field.name == "managedFields" && !options_.managed_fields) return {};
      return present ? print_field(field, frame.slot(rank), 2) : print_absent(field, 2);
    };
    TM_CHECK(for_each(m, frame, print));
    print_version_before("\x7f");
    json_->end_object();
    return {};
  }

  Status print_message(const Message& m, Bytes wire, int level) {
    if (level > kMostLevels) return fail(Errc::corrupt, "{}: more than {} levels", m.name, kMostLevels);
    MessageFields::Frame frame(fields_, m);
    TM_CHECK(frame.gather(wire, lost_));
    json_->begin_object();
    TM_CHECK(for_each(m, frame, [&](std::size_t rank, bool present) {
      const Field& field = *m.printed[rank].field;
      return present ? print_field(field, frame.slot(rank), level) : print_absent(field, level);
    }));
    json_->end_object();
    return {};
  }

  // Those fields of a message, in their order, that are on the wire or are printed without.
  template <class Print>
  Status for_each(const Message& m, const MessageFields::Frame& frame, const Print& print) {
    const std::vector<std::uint64_t>& absent = printed_though_absent(m);
    for (std::size_t word = 0; word < absent.size(); word++) {
      const std::uint64_t present = frame.present(word);
      for (std::uint64_t left = present | absent[word]; left != 0; left &= left - 1) {
        const auto bit = static_cast<unsigned>(std::countr_zero(left));
        TM_CHECK(print(word * 64 + bit, (present >> bit & 1U) != 0));
      }
    }
    return {};
  }

  // ---- a field: whether, and as what

  static bool is_metadata(const Field& field) { return field.name == "metadata" && field.type.base == Base::message; }

  // By rank, as a Frame's fields that are present.
  const std::vector<std::uint64_t>& printed_though_absent(const Message& m) {
    std::vector<std::uint64_t>& words = absent_[schema_.index(m)];
    if (!words.empty() || m.printed.empty()) return words;
    words.resize(MessageFields::Frame::words_of(m));
    for (std::size_t rank = 0; rank < m.printed.size(); rank++) {
      const Field& field = *m.printed[rank].field;
      if (is_printed_though_absent(field)) words[rank / 64] |= std::uint64_t{1} << rank % 64;
    }
    return words;
  }

  bool is_printed_though_absent(const Field& field) const {
    if (!field.exists.has(options_.server_minor)) return false;
    const Type& type = field.type;
    const bool may_be_empty =
        type.shape != Shape::value || type.items || is_scalar(type.base) || type.base == Base::bytes;
    // A struct is never empty to Go, whatever is in it; only `omitzero` leaves one out.
    return !(may_be_empty ? field.omit_empty : field.omit_zero).has(options_.server_minor);
  }

  // Of a field that is on the wire. Its value when it is not repeated: `one`.
  bool is_omitted(const Field& field, const Seen& one) const {
    const Type& type = field.type;
    if (type.shape != Shape::value || type.items) return false;
    if (is_scalar(type.base)) return is_zero(type.base, one) && field.omit_empty.has(options_.server_minor);
    if (type.base == Base::bytes) return one.bytes.empty() && field.omit_empty.has(options_.server_minor);
    return field.omit_zero.has(options_.server_minor) && is_zero_time(one.bytes);
  }

  Status print_absent(const Field& field, int level) {
    json_->ready_key(field.key);
    const Type& type = field.type;
    if (type.shape == Shape::value && !type.items && type.base != Base::bytes) return print_value(type, {}, level);
    json_->null();
    return {};
  }

  Status print_field(const Field& field, const Slot slot, int level) {
    const Type& type = field.type;
    if (type.shape == Shape::value || type.shape == Shape::pointer) {
      const Seen one = fields_.only(slot);
      if (is_omitted(field, one)) return {};
      json_->ready_key(field.key);
      return print_value(type, one, level);
    }
    json_->ready_key(field.key);
    if (type.shape == Shape::map) return print_map(type, slot, level);
    json_->begin_array();
    for (std::uint32_t at = slot.first; at != kNone;) {
      const Seen seen = fields_.seen(at);
      TM_CHECK(print_value(type, seen, level));
      at = seen.next;
    }
    json_->end_array();
    return {};
  }

  Status print_map(const Type& type, const Slot slot, int level) {
    struct Entry {
      std::string_view key;
      Seen value;
    };
    std::vector<Entry> entries;
    const Wire expected = wire_of({.items = type.items, .base = type.base});
    for (std::uint32_t at = slot.first; at != kNone; at = fields_.seen(at).next) {
      Entry entry;
      Fields fields(fields_.seen(at).bytes);
      while (fields.next()) {
        if (fields.expect(1, Wire::bytes)) entry.key = as_text(fields.bytes());
        if (fields.number() != 2) continue;
        if (fields.wire() != expected) return fail(Errc::corrupt, "a map's value is of another type");
        if (expected == Wire::bytes) {
          entry.value.bytes = fields.bytes();
        } else {
          entry.value.bits = fields.value();
        }
      }
      if (fields.bad()) return fail(Errc::corrupt, "damaged entry of a map");
      entries.push_back(entry);
    }
    // Of equal keys the last counts.
    std::ranges::stable_sort(entries, {}, &Entry::key);
    json_->begin_object();
    for (std::size_t i = 0; i < entries.size(); i++) {
      if (i + 1 < entries.size() && entries[i + 1].key == entries[i].key) continue;
      json_->key(entries[i].key);
      TM_CHECK(print_value(type, entries[i].value, level));
    }
    json_->end_object();
    return {};
  }

  // ---- one value, whatever is around it

  Status print_value(const Type& type, const Seen& seen, int level) {
    if (type.items) return print_items(type, seen.bytes, level);
    switch (type.base) {
      case Base::string: json_->string(as_text(seen.bytes)); return {};
      case Base::boolean: json_->boolean(seen.bits != 0); return {};
      case Base::int32: json_->number(std::int64_t{static_cast<std::int32_t>(seen.bits)}); return {};
      case Base::int64: json_->number(static_cast<std::int64_t>(seen.bits)); return {};
      case Base::uint32: json_->number(std::uint64_t{static_cast<std::uint32_t>(seen.bits)}); return {};
      case Base::uint64: json_->number(seen.bits); return {};
      case Base::float64: return print_float(std::bit_cast<double>(seen.bits));
      case Base::float32:
        return print_float(static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(seen.bits))));
      case Base::bytes: json_->base64(seen.bytes); return {};
      case Base::time: return print_time(seen.bytes, *json_);
      case Base::micro_time: return print_micro_time(seen.bytes, *json_);
      case Base::duration: return print_go_duration(seen.bytes, *json_);
      case Base::quantity: return print_quantity(seen.bytes, *json_);
      case Base::int_or_string: return print_int_or_string(seen.bytes, *json_);
      case Base::fields_v1:
      case Base::raw_extension:
      case Base::json: return print_raw(seen.bytes, *json_);
      case Base::unknown: return print_unknown(seen.bytes);
      case Base::schema_or_bool: return print_schema_or_bool(type, seen.bytes, level);
      case Base::schema_or_array:
      case Base::schema_or_strings: return print_schema_or_list(type, seen.bytes, level);
      case Base::message: return print_message(schema_.message(type.message), seen.bytes, level + 1);
    }
    return {};
  }

  Status print_float(double value) {
    if (!std::isfinite(value)) return fail(Errc::corrupt, "a number that is none");
    // The server sends a negative zero as -0, and kubectl reads that as an integer.
    json_->number(value == 0 ? 0 : value);
    return {};
  }

  Status print_items(const Type& type, Bytes wire, int level) {
    const Type inner{.base = type.base, .message = type.message};
    const Wire expected = wire_of(inner);
    bool any = false;
    Fields fields(wire);
    while (fields.next()) {
      if (fields.number() != 1) continue;
      if (fields.wire() != expected) return fail(Errc::corrupt, "a list's value is of another type");
      if (!std::exchange(any, true)) json_->begin_array();
      const Seen seen{expected == Wire::bytes ? fields.bytes() : Bytes{}, expected == Wire::bytes ? 0 : fields.value()};
      TM_CHECK(print_value(inner, seen, level));
    }
    if (fields.bad()) return fail(Errc::corrupt, "damaged list");
    if (any) {
      json_->end_array();
    } else {
      json_->begin_array();  // the real types make an empty list of it, not none
      json_->end_array();
    }
    return {};
  }

  Status print_unknown(Bytes wire) {
    Bytes raw;
    Fields fields(wire);
    while (fields.next()) {
      if (fields.expect(2, Wire::bytes)) raw = fields.bytes();
    }
    if (fields.bad()) return fail(Errc::corrupt, "damaged embedded object");
    if (raw.empty()) {
      json_->null();
      return {};
    }
    return print_embedded(raw, *json_);
  }

  Status print_schema_or_bool(const Type& type, Bytes wire, int level) {
    bool allows = false;
    std::optional<Bytes> inner;
    Fields fields(wire);
    while (fields.next()) {
      if (fields.expect(1, Wire::varint)) allows = fields.value() != 0;
      if (fields.expect(2, Wire::bytes)) inner = fields.bytes();
    }
    if (fields.bad()) return fail(Errc::corrupt, "damaged schema");
    if (inner) return print_message(schema_.message(type.message), *inner, level + 1);
    json_->boolean(allows);
    return {};
  }

  Status print_schema_or_list(const Type& type, Bytes wire, int level) {
    std::optional<Bytes> one;
    std::vector<Bytes> many;
    Fields fields(wire);
    while (fields.next()) {
      if (fields.expect(1, Wire::bytes)) one = fields.bytes();
      if (fields.expect(2, Wire::bytes)) many.push_back(fields.bytes());
    }
    if (fields.bad()) return fail(Errc::corrupt, "damaged schema");
    const Message& schema = schema_.message(type.message);
    if (many.empty() && one) return print_message(schema, *one, level + 1);
    if (many.empty()) {
      json_->null();
      return {};
    }
    json_->begin_array();
    for (const Bytes inner : many) {
      if (type.base == Base::schema_or_strings) {
        json_->string(as_text(inner));
      } else {
        TM_CHECK(print_message(schema, inner, level + 1));
      }
    }
    json_->end_array();
    return {};
  }

  const Schema& schema_;
  const ObjectOptions options_;
  JsonWriter* json_ = nullptr;  // of the call that runs
  Lossiness lost_;
  MessageFields fields_;
  JsonReprinter reprinter_;
  std::vector<std::vector<std::uint64_t>> absent_;  // by message, made when it is first met
};

ObjectPrinter::ObjectPrinter(const Schema& schema, const ObjectOptions& options)
    : printer_(std::make_unique<Printer>(schema, options)) {}
ObjectPrinter::~ObjectPrinter() = default;

Result<Lossiness> ObjectPrinter::print(Bytes value, Revision revision, std::string& to) {
  return printer_->print(value, revision, to);
}

}  // namespace tidemark::kube
