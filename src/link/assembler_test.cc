#include "link/assembler.h"

#include <gtest/gtest.h>

#include "etcd_rpc.pb.h"

namespace tidemark::link {
namespace {

struct Part {
  std::vector<std::int64_t> revisions;  // of one event each
  bool fragment;
  std::vector<std::int64_t> want;  // what is handed out; {} with want_none: nothing yet
  bool want_none = false;
  bool want_corrupt = false;
};

std::shared_ptr<Answer> answer_of(const Part& part) {
  auto answer = std::make_shared<Answer>();
  answer->message().mutable_header()->set_revision(99);
  answer->message().set_fragment(part.fragment);
  for (const std::int64_t revision : part.revisions) {
    auto& event = *answer->message().add_events();
    event.mutable_kv()->set_key("key-" + std::to_string(revision) + std::string(100, 'k'));
    event.mutable_kv()->set_mod_revision(revision);
  }
  return answer;
}

TEST(Assembler, HandsOutWholeRevisions) {
  struct Row {
    std::string_view why;
    std::int64_t from;
    std::vector<Part> parts;
  };
  const Row rows[] = {
      {"one answer", 2, {{{2, 3, 3, 4}, false, {2, 3, 3, 4}}}},
      {"progress", 2, {{{}, false, {}}}},
      {"answers after one another", 2, {{{2, 3}, false, {2, 3}}, {{4}, false, {4}}, {{7}, false, {7}}}},
      {"the last revision of a fragment waits", 2, {{{2, 3, 3}, true, {2}}, {{3, 4}, false, {3, 3, 3, 4}}}},
      {"a fragment that is one revision",
       2,
       {{{5, 5}, true, {}, true}, {{5}, true, {}, true}, {{5}, false, {5, 5, 5, 5}}}},
      {"a fragment that goes on with another revision",
       2,
       {{{5}, true, {}, true}, {{5, 6}, true, {5, 5}}, {{6, 7}, true, {6, 6}}, {{8}, false, {7, 8}}}},
      {"an empty last fragment", 2, {{{5}, true, {}, true}, {{}, false, {5}}}},
      {"an empty first fragment", 2, {{{}, true, {}, true}, {{5}, false, {5}}}},

      {"before the start", 4, {{{3}, false, {}, false, true}}},
      {"backwards in an answer", 2, {{{5, 4}, false, {}, false, true}}},
      {"backwards over fragments", 2, {{{4, 5}, true, {4}}, {{4}, false, {}, false, true}}},
      {"backwards over answers", 2, {{{5}, false, {5}}, {{4}, false, {}, false, true}}},
      {"a revision in two answers", 2, {{{5}, false, {5}}, {{5}, false, {}, false, true}}},
  };
  for (const Row& row : rows) {
    Assembler assembler{Revision(row.from)};
    std::vector<etcd::WatchBatch> kept;  // the views live as long as their batches, whatever comes later
    for (const Part& part : row.parts) {
      auto got = assembler.add(answer_of(part));
      ASSERT_EQ(got.has_value(), !part.want_corrupt) << row.why;
      if (!got) {
        EXPECT_EQ(got.error().code, Errc::corrupt) << row.why;
        break;
      }
      ASSERT_EQ(got->has_value(), !part.want_none) << row.why;
      if (!*got) continue;
      std::vector<std::int64_t> revisions;
      for (const etcd::Event& event : (*got)->events) revisions.push_back(event.kv.mod.raw());
      EXPECT_EQ(revisions, part.want) << row.why;
      EXPECT_EQ((*got)->header.raw(), 99);
      EXPECT_GE((*got)->bytes, part.want.size() * 100);
      kept.push_back(std::move(**got));
    }
    for (const etcd::WatchBatch& batch : kept) {
      for (const etcd::Event& event : batch.events) {
        EXPECT_EQ(as_text(event.kv.key), "key-" + std::to_string(event.kv.mod.raw()) + std::string(100, 'k'));
      }
    }
  }
}

TEST(Assembler, ADeletionIsOnlyKeyAndRevision) {
  auto answer = std::make_shared<Answer>();
  auto& event = *answer->message().add_events();
  event.set_type(mvccpb::Event::DELETE);
  event.mutable_kv()->set_key("gone");
  event.mutable_kv()->set_mod_revision(9);
  event.mutable_kv()->set_create_revision(3);  // etcd sends none; if one came it would not be part of the row
  event.mutable_kv()->set_value("x");
  Assembler assembler{Revision(9)};
  const auto batch = assembler.add(std::move(answer));
  ASSERT_TRUE(batch && *batch);
  const etcd::Event& got = (*batch)->events.at(0);
  EXPECT_TRUE(got.deletion);
  EXPECT_EQ(as_text(got.kv.key), "gone");
  EXPECT_EQ(got.kv.mod.raw(), 9);
  EXPECT_EQ(got.kv.create.raw(), 0);
  EXPECT_TRUE(got.kv.value.empty());
}

}  // namespace
}  // namespace tidemark::link
