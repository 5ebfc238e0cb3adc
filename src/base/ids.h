// Numbers that must not be mixed up. Construction is explicit and nothing converts back by itself.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <concepts>
#include <cstdint>

namespace tidemark {

template <class Tag, std::integral Rep>
class Strong {
 public:
  using rep = Rep;
  constexpr Strong() = default;
  constexpr explicit Strong(Rep value) : value_(value) {}
  constexpr Rep raw() const { return value_; }
  constexpr Strong next() const { return Strong(value_ + 1); }
  constexpr Strong prev() const { return Strong(value_ - 1); }
  friend constexpr auto operator<=>(Strong, Strong) = default;

 private:
  Rep value_ = 0;
};

using Revision =
    Strong<struct RevisionTag, std::int64_t>;  // etcd's store-wide counter; the first write of a store is 2
using MemberId = Strong<struct MemberIdTag, std::uint64_t>;  // an etcd member; printed as hex without padding
using ClusterId = Strong<struct ClusterIdTag, std::uint64_t>;
using LeaseId = Strong<struct LeaseIdTag, std::int64_t>;

// Closed: both ends are inside. Empty when last < first.
struct RevisionSpan {
  Revision first, last;
  constexpr bool empty() const { return last < first; }
  constexpr bool contains(Revision r) const { return first <= r && r <= last; }
  constexpr bool joins(RevisionSpan later) const { return later.first == last.next(); }
  friend constexpr bool operator==(const RevisionSpan&, const RevisionSpan&) = default;
};

}  // namespace tidemark

template <class Tag, class Rep>
struct fmt::formatter<tidemark::Strong<Tag, Rep>> : fmt::formatter<Rep> {
  template <class Context>
  auto format(tidemark::Strong<Tag, Rep> id, Context& context) const {
    return fmt::formatter<Rep>::format(id.raw(), context);
  }
};
