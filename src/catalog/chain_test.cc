#include "catalog/chain.h"

#include <gtest/gtest.h>

namespace tidemark::catalog {
namespace {

Timeline of(const std::vector<std::string>& names) {
  Timeline timeline;
  for (std::string name : names) {
    const bool stray = name.front() == '!';
    if (stray) name.erase(0, 1);
    const auto parsed = bucket::parse_name(name);
    EXPECT_TRUE(parsed) << name;
    auto& points = parsed->kind == bucket::Kind::full ? timeline.fulls : timeline.deltas;
    points.push_back({name, *parsed, 1, stray});
  }
  return timeline;
}

std::string print(const std::vector<const Point*>& chain) {
  std::string text;
  for (const Point* p : chain) text += (text.empty() ? "" : " ") + p->key;
  return text;
}

std::string print(const std::vector<RevisionSpan>& spans) {
  std::string text;
  for (const RevisionSpan& s : spans) text += fmt::format("{}{}..{}", text.empty() ? "" : " ", s.first, s.last);
  return text;
}

struct Row {
  const char* why;
  std::vector<std::string> names;  // in the order of a timeline; '!' marks a stray
  const char* newest;
  const char* restorable;
};

TEST(Chain, NewestAndRestorable) {
  const Row rows[] = {
      {"nothing", {}, "", ""},
      {"no full", {"Incr-1-5-1"}, "", ""},
      {"a full", {"Full-0-10-1"}, "Full-0-10-1", "10..10"},
      {"joined", {"Full-0-10-1", "Incr-11-20-2", "Incr-21-21-3"}, "Full-0-10-1 Incr-11-20-2 Incr-21-21-3", "10..21"},
      {"hole", {"Full-0-10-1", "Incr-12-20-2"}, "Full-0-10-1", "10..10"},
      {"hole closed by a full",
       {"Full-0-10-1", "Full-0-20-2", "Incr-11-12-2", "Incr-21-25-3"},
       "Full-0-20-2 Incr-21-25-3",
       "10..12 20..25"},
      {"through a full", {"Full-0-10-1", "Full-0-15-2", "Incr-11-20-2"}, "Full-0-15-2 Incr-11-20-2", "10..20"},
      {"fulls side by side", {"Full-0-10-1", "Full-0-11-2", "Full-0-13-2"}, "Full-0-13-2", "10..11 13..13"},
      {"the furthest of overlapping ones",
       {"Full-0-10-1", "Incr-5-12-2", "Incr-11-20-2", "Incr-11-15-2"},
       "Full-0-10-1 Incr-11-20-2",
       "10..20"},
      {"a stray does not lead on",
       {"Full-0-10-1", "Incr-11-12-2", "!Incr-11-20-2"},
       "Full-0-10-1 Incr-11-12-2",
       "10..12"},
      {"a stray bridges, but not beyond the others",
       {"Full-0-10-1", "Incr-11-12-2", "!Incr-11-20-2", "Incr-15-16-3"},
       "Full-0-10-1 Incr-11-12-2 !",
       "10..16"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    const Timeline timeline = of(row.names);
    EXPECT_EQ(print(restorable(timeline)), row.restorable);
    const std::string expected = row.newest;
    if (expected.ends_with('!')) {
      EXPECT_TRUE(newest_chain(timeline).back()->stray);
    } else {
      EXPECT_EQ(print(newest_chain(timeline)), expected);
    }
    const auto reach = reach_of_newest(timeline);
    EXPECT_EQ(reach.has_value(), !timeline.fulls.empty());
    if (reach) {
      EXPECT_EQ(reach->last, restorable(timeline).back().last);
    }
  }
}

TEST(Chain, ToAPoint) {
  const Timeline timeline = of({"Full-0-10-1", "Full-0-20-3", "Incr-5-8-1", "Incr-11-15-2", "Incr-13-14-2",
                                "Incr-16-22-3", "Incr-23-30-4", "Incr-40-50-5"});
  const auto to = [&](std::string_view name) {
    for (const auto* points : {&timeline.fulls, &timeline.deltas}) {
      for (const Point& p : *points) {
        if (p.key == name) return print(chain_to(timeline, p));
      }
    }
    return std::string("no such point");
  };
  EXPECT_EQ(to("Full-0-20-3"), "Full-0-20-3");
  EXPECT_EQ(to("Incr-11-15-2"), "Full-0-10-1 Incr-11-15-2");
  EXPECT_EQ(to("Incr-13-14-2"), "Full-0-10-1 Incr-11-15-2 Incr-13-14-2") << "inside another one";
  EXPECT_EQ(to("Incr-16-22-3"), "Full-0-20-3 Incr-16-22-3") << "overlaps the full";
  EXPECT_EQ(to("Incr-23-30-4"), "Full-0-20-3 Incr-16-22-3 Incr-23-30-4");
  EXPECT_EQ(to("Incr-40-50-5"), "") << "behind a hole";
  EXPECT_EQ(to("Incr-5-8-1"), "") << "before the oldest full";
}

}  // namespace
}  // namespace tidemark::catalog
