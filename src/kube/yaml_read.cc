#include <yaml.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "kube/json_text.h"
#include "kube/yaml_scalar.h"
#include "kube/yaml_text.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;

std::string_view text_of(const yaml_char_t* text, std::size_t size) {
  return {reinterpret_cast<const char*>(text), size};
}

std::string place(const yaml_mark_t& mark) { return fmt::format("line {}, column {}", mark.line + 1, mark.column + 1); }

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event_); }
  yaml_event_t* get() { return &event_; }
  const yaml_event_t& operator*() const { return event_; }
  const yaml_event_t* operator->() const { return &event_; }

 private:
  yaml_event_t event_{};
};

class Parser {
 public:
  explicit Parser(Bytes text) {
    yaml_parser_initialize(&parser_);
    // libyaml ends the program when it is given no address, which is what an empty vector has.
    const void* begin = text.empty() ? "" : static_cast<const void*>(text.data());
    yaml_parser_set_input_string(&parser_, static_cast<const unsigned char*>(begin), text.size());
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() { yaml_parser_delete(&parser_); }

  Result<json> document() {
    json value;
    for (bool read = false;;) {
      Event event;
      TM_CHECK(next(event));
      if (event->type == YAML_STREAM_END_EVENT) return value;
      if (event->type != YAML_DOCUMENT_START_EVENT) continue;
      if (std::exchange(read, true)) return refuse(*event, "a second document");
      Event first;
      TM_CHECK(next(first));
      TM_LET(value, node(first, 0));
    }
  }

 private:
  Status next(Event& event) {
    if (yaml_parser_parse(&parser_, event.get()) != 0) return {};
    const char* problem = parser_.problem == nullptr ? "not YAML" : parser_.problem;
    if (parser_.error == YAML_READER_ERROR) {
      return fail(Errc::corrupt, "YAML: byte {}: {}", parser_.problem_offset, problem);
    }
    return fail(Errc::corrupt, "YAML: {}: {}", place(parser_.problem_mark), problem);
  }

  static std::unexpected<Error> refuse(const yaml_event_t& event, std::string_view what) {
    return fail(Errc::unsupported, "YAML: {}: {} is not read", place(event.start_mark), what);
  }
  static std::unexpected<Error> wrong(const yaml_event_t& event, std::string_view what) {
    return fail(Errc::corrupt, "YAML: {}: {}", place(event.start_mark), what);
  }

  Result<json> node(const Event& event, int depth) {
    if (depth > kMostDepth) return wrong(*event, fmt::format("more than {} levels", kMostDepth));
    switch (event->type) {
      case YAML_SCALAR_EVENT: return scalar(*event);
      case YAML_SEQUENCE_START_EVENT: return list(*event, depth);
      case YAML_MAPPING_START_EVENT: return map(*event, depth);
      case YAML_ALIAS_EVENT: return refuse(*event, "an alias");
      default: return wrong(*event, "a value is missing");
    }
  }

  static Result<json> scalar(const yaml_event_t& event) {
    const auto& data = event.data.scalar;
    const std::string_view text = text_of(data.value, data.length);
    if (data.tag != nullptr) return refuse(event, "a tag");
    if (data.style != YAML_PLAIN_SCALAR_STYLE) return json(text);
    const PlainScalar plain = read_plain(text);
    switch (plain.kind) {
      case PlainScalar::Kind::string:
      case PlainScalar::Kind::time: return json(text);
      case PlainScalar::Kind::null: return json();
      case PlainScalar::Kind::boolean: return json(plain.boolean);
      case PlainScalar::Kind::floating: return json(plain.floating);
      case PlainScalar::Kind::no_json: return wrong(event, fmt::format("'{}' is no number of JSON", text));
      case PlainScalar::Kind::whole: break;
    }
    if (!plain.whole.negative) return json(plain.whole.magnitude);
    return json(static_cast<std::int64_t>(0 - plain.whole.magnitude));
  }

  Result<json> list(const yaml_event_t& start, int depth) {
    if (start.data.sequence_start.tag != nullptr) return refuse(start, "a tag");
    json value = json::array();
    for (;;) {
      Event event;
      TM_CHECK(next(event));
      if (event->type == YAML_SEQUENCE_END_EVENT) return value;
      TM_LET(json inner, node(event, depth + 1));
      value.push_back(std::move(inner));
    }
  }

  Result<json> map(const yaml_event_t& start, int depth) {
    if (start.data.mapping_start.tag != nullptr) return refuse(start, "a tag");
    json value = json::object();
    for (;;) {
      Event key, inner;
      TM_CHECK(next(key));
      if (key->type == YAML_MAPPING_END_EVENT) return value;
      if (key->type != YAML_SCALAR_EVENT) return wrong(*key, "a key that is no word");
      std::string name(text_of(key->data.scalar.value, key->data.scalar.length));
      if (value.contains(name)) return wrong(*key, fmt::format("the key '{}' stands here twice", name));
      TM_CHECK(next(inner));
      TM_LET(json read, node(inner, depth + 1));
      value.emplace(std::move(name), std::move(read));
    }
  }

  yaml_parser_t parser_{};
};

}  // namespace

Result<json> parse_yaml(Bytes text) { return Parser(text).document(); }

}  // namespace tidemark::kube
