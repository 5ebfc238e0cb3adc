// What a template finds in an object, in the order and with the accidents of client-go's evaluation.
#include <algorithm>
#include <iterator>

#include "kube/go_text.h"
#include "kube/json_path_part.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;
using NodeKind = PathNode::Kind;

// Templates such as {['a','a']['a','a']} multiply. What somebody means looks at each value of the object some times.
constexpr std::uint64_t kFreeSteps = 1ULL << 20;
constexpr std::uint64_t kStepsForEach = 64;
constexpr int kMostRanges = 64;

std::uint64_t values_in(const json& value) {
  std::uint64_t values = 1;
  if (value.is_structured()) {
    for (const json& member : value) values += values_in(member);
  }
  return values;
}

std::string_view words_for(const json& value) {
  switch (value.type()) {
    case json::value_t::object: return "an object";
    case json::value_t::array: return "a list";
    case json::value_t::string: return "a string";
    case json::value_t::boolean: return "a boolean";
    case json::value_t::null: return "a null";
    default: return "a number";
  }
}

bool is_null(const json* value) { return value != nullptr && value->is_null(); }

// A byte of a string, which is what Go's strings are made of.
const json* byte_value(char c) {
  static const std::vector<json> all = [] {
    std::vector<json> bytes;
    for (int i = 0; i < 256; i++) bytes.emplace_back(i);
    return bytes;
  }();
  return &all[static_cast<unsigned char>(c)];
}

PathFound members_of(const json* value) {
  PathFound found;
  if (value == nullptr) return found;
  if (value->is_structured()) {
    for (const json& member : *value) found.push_back(&member);
  } else if (value->is_string()) {
    for (const char c : value->get_ref<const std::string&>()) found.push_back(byte_value(c));
  }
  return found;
}

enum class Comparable : std::uint8_t { nothing, boolean, whole, real, text };
Comparable comparable(const json& value) {
  if (value.is_boolean()) return Comparable::boolean;
  if (value.is_string()) return Comparable::text;
  if (!value.is_number()) return Comparable::nothing;
  return whole_number(value) ? Comparable::whole : Comparable::real;
}
std::string_view words_for(Comparable kind) {
  switch (kind) {
    case Comparable::nothing: return "what is no single value";
    case Comparable::boolean: return "a boolean";
    case Comparable::whole: return "a whole number";
    case Comparable::real: return "a number with a fraction";
    case Comparable::text: return "a string";
  }
  return {};
}

template <class T>
bool holds(PathNode::Is is, const T& left, const T& right) {
  switch (is) {
    case PathNode::Is::less: return left < right;
    case PathNode::Is::greater: return !(left < right) && !(left == right);
    case PathNode::Is::equal: return left == right;
    case PathNode::Is::not_equal: return !(left == right);
    case PathNode::Is::at_most: return left < right || left == right;
    case PathNode::Is::at_least: return !(left < right);
  }
  return false;
}

class Finder {
 public:
  Finder(const std::vector<PathPart>& parts, std::string_view text, std::uint64_t most_steps)
      : parts_(parts), text_(text), most_steps_(most_steps) {}

  // The parts from `part` on, with `object` as what they begin from.
  Status find(std::size_t part, const json* object, std::vector<PathFound>& all) {
    for (; part < parts_.size(); part++) {
      PathFound found{object};
      TM_CHECK(walk(parts_[part].nodes, found));
      if (ends_ > 0 && ends_ <= ranges_) {
        ends_--;
        last_end_ = part;
        return {};
      }
      if (begins_ == 0) {
        all.push_back(std::move(found));
        continue;
      }
      begins_--;
      if (++ranges_ > kMostRanges) return no(parts_[part].nodes.front(), "more than {} ranges at once", kMostRanges);
      if (found.empty()) {
        // Walked through once all the same: that is how its end is found.
        std::vector<PathFound> nothing;
        TM_CHECK(find(part + 1, nullptr, nothing));
      }
      for (const json* one : found) TM_CHECK(find(part + 1, is_null(one) ? nullptr : one, all));
      ranges_--;
      // Without an end of its own the rest comes once more, for the object outside.
      if (last_end_ > part) part = last_end_;
    }
    return {};
  }

 private:
  template <class... Args>
  std::unexpected<Error> no(const PathNode& node, fmt::format_string<Args...> text, Args&&... args) const {
    return fail(Errc::unsupported, "{}: {}", path_place(text_, node.at),
                fmt::format(text, std::forward<Args>(args)...));
  }

  // What `nodes` find, one after the other. A failure leaves in `found` what was there before the node that failed:
  // the filter that only asks whether something is there looks at that.
  Status walk(const PathNodes& nodes, PathFound& found) {
    for (const PathNode& node : nodes) {
      TM_CHECK(charge(node, found.size() + 1));
      TM_CHECK(step(node, found));
    }
    return {};
  }
  Status charge(const PathNode& node, std::size_t values) {
    steps_ += values;
    if (steps_ > most_steps_) return no(node, "it finds too much: more than {} values", most_steps_);
    return {};
  }

  Status step(const PathNode& node, PathFound& found) {
    switch (node.kind) {
      case NodeKind::field: fields(node, found); return {};
      case NodeKind::members: return members(node, found);
      case NodeKind::recursive: return recursive(node, found);
      case NodeKind::slice: return slice(node, found);
      case NodeKind::each: return each(node, found);
      case NodeKind::exists:
      case NodeKind::compare: return filter(node, found);
      case NodeKind::literal:
        // Text is there once, other literals once for each value.
        if (node.literal.is_string()) found.resize(1);
        std::ranges::fill(found, &node.literal);
        return {};
      case NodeKind::begin: begins_++; return {};
      case NodeKind::end:
        if (ranges_ == 0) return no(node, "there is no range to end");
        ends_++;
        found.clear();
        return {};
    }
    return {};
  }

  static void fields(const PathNode& node, PathFound& found) {
    PathFound next;
    for (const json* one : found) {
      if (one == nullptr || !one->is_object()) continue;
      const auto member = one->find(node.name);
      if (member != one->end()) next.push_back(&*member);
    }
    found = std::move(next);
  }

  Status members(const PathNode& node, PathFound& found) {
    PathFound next;
    for (const json* one : found) {
      const PathFound inside = members_of(one);
      TM_CHECK(charge(node, inside.size()));
      std::ranges::copy(inside, std::back_inserter(next));
    }
    found = std::move(next);
    return {};
  }

  // Each value that has something in it, followed by those within it.
  Status recursive(const PathNode& node, PathFound& found) {
    PathFound next;
    for (const json* one : found) TM_CHECK(descend(node, one, next));
    found = std::move(next);
    return {};
  }
  Status descend(const PathNode& node, const json* value, PathFound& to) {
    if (value == nullptr || (!value->is_structured() && !value->is_string())) return {};
    if (value->is_string() ? value->get_ref<const std::string&>().empty() : value->empty()) return {};
    TM_CHECK(charge(node, 1));
    to.push_back(value);
    if (value->is_string()) return {};  // bytes have nothing in them
    for (const json& member : *value) TM_CHECK(descend(node, &member, to));
    return {};
  }

  Status slice(const PathNode& node, PathFound& found) {
    PathFound next;
    for (const json* one : found) {
      if (one == nullptr || one->is_null()) continue;
      if (!one->is_array()) return no(node, "{} is no list", words_for(*one));
      const auto size = static_cast<std::int64_t>(one->size());
      std::int64_t from = node.slice.from.value_or(0);
      std::int64_t to = node.slice.one ? from + 1 : node.slice.to.value_or(size);
      if (from < 0) from += size;
      if (to < 0 || (to == 0 && node.slice.one)) to += size;
      // Ends here, whatever comes behind it: kubectl does the same.
      if (from == to) break;
      if (from < 0 || from >= size) return no(node, "there is no index {} in a list of {}", from, size);
      if (to < 0 || to > size) return no(node, "there is no index {} in a list of {}", to - 1, size);
      if (from > to) return no(node, "the slice begins at {} and ends before, at {}", from, to);
      const std::int64_t step = node.slice.step.value_or(1);
      if (step <= 0) return no(node, "a slice's step is at least 1");
      TM_CHECK(charge(node, static_cast<std::size_t>(to - from)));
      for (std::int64_t at = from; at < to; at += step) next.push_back(&(*one)[static_cast<std::size_t>(at)]);
    }
    found = std::move(next);
    return {};
  }

  Status each(const PathNode& node, PathFound& found) {
    PathFound all;
    for (const PathNodes& nodes : node.inner) {
      PathFound some = found;
      TM_CHECK(walk(nodes, some));
      std::ranges::copy(some, std::back_inserter(all));
    }
    found = std::move(all);
    return {};
  }

  Status filter(const PathNode& node, PathFound& found) {
    PathFound next;
    for (const json* list : found) {
      if (list == nullptr || !list->is_array()) {
        return no(node, "{} is no list and cannot be filtered", list == nullptr ? "a null" : words_for(*list));
      }
      for (const json& one : *list) {
        TM_LET(const bool wanted, is_wanted(node, one));
        if (wanted) next.push_back(&one);
      }
    }
    found = std::move(next);
    return {};
  }

  Result<bool> is_wanted(const PathNode& node, const json& one) {
    PathFound left{&one};
    const Status found = walk(node.inner.front(), left);
    if (!found && steps_ > most_steps_) return std::unexpected(found.error());
    if (node.kind == NodeKind::exists) return !left.empty();
    if (!found) return std::unexpected(found.error());
    PathFound right{&one};
    if (left.size() == 1) TM_CHECK(walk(node.inner.back(), right));
    if (left.empty() || right.empty()) return false;
    if (left.size() > 1 || right.size() > 1) return no(node, "only one value at a time can be compared");
    return compare(node, *left.front(), *right.front());
  }

  Result<bool> compare(const PathNode& node, const json& left, const json& right) const {
    const Comparable kind = comparable(left);
    // "2.0" in a template is no whole number, though one in an object is.
    const PathNodes& nodes = node.inner.back();
    const bool real = !nodes.empty() && nodes.back().literal.is_number_float();
    const Comparable other = real ? Comparable::real : comparable(right);
    const bool ordered = node.is != PathNode::Is::equal && node.is != PathNode::Is::not_equal;
    if (kind == other && kind != Comparable::nothing && !(ordered && kind == Comparable::boolean)) {
      switch (kind) {
        case Comparable::boolean: return holds(node.is, left.get<bool>(), right.get<bool>());
        case Comparable::whole: return holds(node.is, *whole_number(left), *whole_number(right));
        case Comparable::real: return holds(node.is, left.get<double>(), right.get<double>());
        default: return holds(node.is, left.get_ref<const std::string&>(), right.get_ref<const std::string&>());
      }
    }
    return no(node, "{} and {} cannot be compared", words_for(kind), words_for(other));
  }

  const std::vector<PathPart>& parts_;
  const std::string_view text_;
  const std::uint64_t most_steps_;
  std::uint64_t steps_ = 0;
  // Ranges that begin behind this part, that are open, and that end behind it.
  int begins_ = 0, ranges_ = 0, ends_ = 0;
  std::size_t last_end_ = 0;
};

}  // namespace

Result<std::vector<PathFound>> find_parts(const std::vector<PathPart>& parts, std::string_view text,
                                          const json& object) {
  std::vector<PathFound> all;
  TM_CHECK(Finder(parts, text, kFreeSteps + kStepsForEach * values_in(object)).find(0, &object, all));
  return all;
}

}  // namespace tidemark::kube
