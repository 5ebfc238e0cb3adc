#include "kube/schema.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "kube/json_writer.h"

namespace tidemark::kube {

using proto::Wire;

Wire wire_of(const Type& type) {
  if (type.shape == Shape::map || type.items) return Wire::bytes;
  switch (type.base) {
    case Base::boolean:
    case Base::int32:
    case Base::int64:
    case Base::uint32:
    case Base::uint64: return Wire::varint;
    case Base::float64: return Wire::fixed64;
    case Base::float32: return Wire::fixed32;
    default: return Wire::bytes;
  }
}

namespace {

Field::Several several_of(const Type& type) {
  if (type.shape == Shape::list || type.shape == Shape::map) return Field::Several::repeated;
  // A message that is to stand once. Standing more often it is merged, which is to join the bytes.
  return type.base == Base::message && !type.items ? Field::Several::merged : Field::Several::last_counts;
}

constexpr std::string_view kHeader = "tidemark-kube-schema 1";
constexpr std::uint32_t kMostNumber = 4'000;
constexpr int kNewest = 255;  // minors are printed as numbers below

// Longer than every compiler must take; those that we use do.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
constexpr std::string_view kTable =
#include "kube/schema_table.inc"
    ;
#pragma GCC diagnostic pop

template <class T>
bool read_number(std::string_view text, T& into) {
  const auto [end, error] = std::from_chars(text.begin(), text.end(), into);
  return error == std::errc() && end == text.end() && !text.empty();
}

std::optional<Base> base_of(char letter) {
  constexpr std::string_view kLetters = "sbilwvdfytTDqxFrUjBASm";
  const std::size_t at = kLetters.find(letter);
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<Base>(at);
}

bool has_message(Base base) {
  return base == Base::message || base == Base::schema_or_bool || base == Base::schema_or_array ||
         base == Base::schema_or_strings;
}

std::optional<Type> read_type(std::string_view text) {
  Type type;
  const auto take = [&](char prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(1);
    return true;
  };
  if (take('*'))
    type.shape = Shape::pointer;
  else if (take('['))
    type.shape = Shape::list;
  else if (take('{'))
    type.shape = Shape::map;
  type.items = take('<');
  if (text.empty()) return std::nullopt;
  const auto base = base_of(text[0]);
  if (!base) return std::nullopt;
  type.base = *base;
  text.remove_prefix(1);
  if (has_message(*base) ? !read_number(text, type.message) : !text.empty()) return std::nullopt;
  return type;
}

// "O", "O-23", "O32-", "O24-31".
std::optional<Minors> read_minors(std::string_view text) {
  Minors minors{0, kNewest};
  if (text.empty()) return minors;
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view first = text.substr(0, dash), last = text.substr(dash + 1);
  if (!first.empty() && !read_number(first, minors.first)) return std::nullopt;
  if (!last.empty() && !read_number(last, minors.last)) return std::nullopt;
  return minors;
}

bool read_flags(std::string_view text, Field& field) {
  if (text == "-") return true;
  while (!text.empty()) {
    const std::string_view flag = text.substr(0, text.find(','));
    text.remove_prefix(std::min(flag.size() + 1, text.size()));
    if (flag == "I") {
      field.is_inline = true;
    } else if (flag == "N") {
      field.name = {};
    } else if (flag.starts_with('O') || flag.starts_with('Z') || flag.starts_with('E')) {
      const auto minors = read_minors(flag.substr(1));
      if (!minors) return false;
      (flag[0] == 'O' ? field.omit_empty : flag[0] == 'Z' ? field.omit_zero : field.exists) = *minors;
    } else {
      return false;
    }
  }
  return true;
}

// The words of a line; too many are one more than there is room for.
struct Words {
  std::array<std::string_view, 6> at;
  std::size_t count = 0;
};
Words words_of(std::string_view line) {
  Words words;
  while (!line.empty() && words.count < words.at.size()) {
    const std::string_view word = line.substr(0, line.find(' '));
    words.at[words.count++] = word;
    line.remove_prefix(std::min(word.size() + 1, line.size()));
  }
  return words;
}

std::optional<Field> read_field(const Words& words) {
  Field field;
  if (words.count != 5 || !read_number(words.at[1], field.number)) return std::nullopt;
  if (field.number == 0 || field.number > kMostNumber) return std::nullopt;
  if (words.at[2] != "-") field.name = words.at[2];
  const auto type = read_type(words.at[3]);
  if (!type || !read_flags(words.at[4], field)) return std::nullopt;
  field.type = *type;
  return field;
}

}  // namespace

Result<Schema> Schema::parse(std::string_view text) {
  Schema schema;
  int number = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    number++;
    const auto wrong = [&] { return fail(Errc::corrupt, "table of Kubernetes' types: line {}: '{}'", number, line); };
    if (number == 1 && line != kHeader) return wrong();
    if (number == 1 || line.empty() || line.starts_with('#')) continue;
    const Words words = words_of(line);
    std::uint32_t index = 0;
    if (words.at[0] == "M" && words.count == 3) {
      if (!read_number(words.at[1], index) || index != schema.messages_.size()) return wrong();
      schema.messages_.emplace_back().name = words.at[2];
    } else if (words.at[0] == "F" && !schema.messages_.empty()) {
      auto& fields = schema.messages_.back().fields;
      const auto field = read_field(words);
      if (!field || (!fields.empty() && fields.back().number >= field->number)) return wrong();
      fields.push_back(*field);
    } else if (words.at[0] == "R" && words.count == 4 && read_number(words.at[3], index)) {
      if (!schema.roots_.try_emplace({words.at[1], words.at[2]}, index).second) return wrong();
    } else {
      return wrong();
    }
  }
  if (number == 0) return fail(Errc::corrupt, "table of Kubernetes' types: empty");
  TM_CHECK(schema.link());
  return schema;
}

namespace {

// Slots of messages whose inline messages have theirs already; a message that is inline in itself never gets any.
class Linker {
 public:
  explicit Linker(std::vector<Message>& messages) : messages_(messages), state_(messages.size(), State::untouched) {}

  Status link(std::uint32_t index) {
    if (state_[index] == State::done) return {};
    Message& m = messages_[index];
    if (state_[index] == State::open)
      return fail(Errc::corrupt, "table of Kubernetes' types: {} is inside itself", m.name);
    state_[index] = State::open;
    m.slots = static_cast<std::uint32_t>(m.fields.size());
    m.inline_slot.assign(m.fields.size(), 0);
    for (std::uint32_t i = 0; i < m.fields.size(); i++) {
      Field& field = m.fields[i];
      field.wire = wire_of(field.type);
      field.several = several_of(field.type);
      field.key = JsonWriter::key_text(field.name);
      if (m.find.size() <= field.number) m.find.resize(field.number + 1, 0);
      m.find[field.number] = static_cast<std::uint16_t>(i + 1);
      if (!field.is_inline) {
        if (!field.name.empty()) m.printed.push_back({i, &field});
        continue;
      }
      TM_CHECK(link(field.type.message));
      const Message& inner = messages_[field.type.message];
      m.inline_slot[i] = m.slots;
      for (const Message::Printed& printed : inner.printed)
        m.printed.push_back({m.slots + printed.slot, printed.field});
      m.slots += inner.slots;
    }
    std::ranges::sort(m.printed, {}, [](const Message::Printed& p) { return p.field->name; });
    m.rank.assign(m.slots, Message::kNotPrinted);
    for (std::size_t i = 0; i < m.printed.size(); i++) m.rank[m.printed[i].slot] = static_cast<std::uint16_t>(i);
    state_[index] = State::done;
    return {};
  }

 private:
  enum class State : std::uint8_t { untouched, open, done };
  std::vector<Message>& messages_;
  std::vector<State> state_;
};

}  // namespace

Status Schema::link() {
  for (const Message& m : messages_) {
    for (const Field& field : m.fields) {
      const bool inside = !has_message(field.type.base) || field.type.message < messages_.size();
      const bool sound_inline = !field.is_inline || (field.type.base == Base::message &&
                                                     field.type.shape == Shape::value && !field.type.items);
      if (!inside || !sound_inline) {
        return fail(Errc::corrupt, "table of Kubernetes' types: {}, field {}: no such message", m.name, field.number);
      }
    }
  }
  Linker linker(messages_);
  for (std::uint32_t i = 0; i < messages_.size(); i++) TM_CHECK(linker.link(i));
  for (const auto& [kind, index] : roots_) {
    if (index >= messages_.size()) {
      return fail(Errc::corrupt, "table of Kubernetes' types: {} {}: no message {}", kind.first, kind.second, index);
    }
  }
  return {};
}

const Schema& Schema::built_in() {
  // The table is part of the program, and a test reads it: it parses.
  static const Schema schema = Schema::parse(kTable).value();
  return schema;
}

const Message* Schema::root(std::string_view api_version, std::string_view kind) const {
  const auto found = roots_.find({api_version, kind});
  return found == roots_.end() ? nullptr : &messages_[found->second];
}

}  // namespace tidemark::kube
