#include "base/ids.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace tidemark {
namespace {

// What must not compile: a bare number where an id is wanted, one id where another is, an id where a number is.
static_assert(!std::is_convertible_v<std::int64_t, Revision>);
static_assert(!std::is_convertible_v<Revision, std::int64_t>);
static_assert(!std::is_constructible_v<LeaseId, Revision>);
static_assert(std::is_trivially_copyable_v<Revision> && sizeof(Revision) == 8);

TEST(Ids, OrderAndNeighbours) {
  EXPECT_LT(Revision(1), Revision(2));
  EXPECT_EQ(Revision(1).next(), Revision(2));
  EXPECT_EQ(Revision(1).prev(), Revision());
  EXPECT_EQ(fmt::format("{} {:x}", Revision(-7), MemberId(0xabcULL)), "-7 abc");
}

TEST(Ids, SpansAreClosed) {
  const RevisionSpan span{Revision(3), Revision(5)};
  EXPECT_FALSE(span.contains(Revision(2)));
  EXPECT_TRUE(span.contains(Revision(3)));
  EXPECT_TRUE(span.contains(Revision(5)));
  EXPECT_FALSE(span.contains(Revision(6)));
  EXPECT_FALSE(span.empty());
  EXPECT_TRUE((RevisionSpan{Revision(5), Revision(4)}).empty());
  EXPECT_FALSE((RevisionSpan{Revision(5), Revision(5)}).empty());
}

TEST(Ids, SpansJoinOnlyWithoutHoleOrOverlap) {
  const RevisionSpan span{Revision(3), Revision(5)};
  EXPECT_TRUE(span.joins({Revision(6), Revision(9)}));
  EXPECT_FALSE(span.joins({Revision(5), Revision(9)}));
  EXPECT_FALSE(span.joins({Revision(7), Revision(9)}));
}

}  // namespace
}  // namespace tidemark
