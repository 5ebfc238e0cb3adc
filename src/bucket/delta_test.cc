#include "bucket/delta.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/rfc3339.h"
#include "base/testing/scale.h"
#include "base/testing/source_dir.h"
#include "bucket/testing/bucket_fixtures.h"
#include "crypto/sha256.h"

namespace tidemark::bucket {

namespace {

using testing::Event;
using testing::read_events;
using testing::with_digest;

const io::Path kFixtures = io::Path(tidemark::testing::source_dir()) / "testdata/etcd-backup-restore";

Buffer written(const std::vector<Event>& events) {
  io::BufferSink to;
  DeltaWriter writer(to);
  for (const Event& e : events) EXPECT_TRUE(writer.add(testing::view_of(e)));
  EXPECT_TRUE(writer.finish());
  EXPECT_EQ(writer.events(), events.size());
  EXPECT_EQ(writer.json_bytes() + 32, to.buffer().size());
  return to.buffer();
}

Event put(std::string key, std::int64_t mod, std::string value = "v") {
  return {false, std::move(key), std::move(value), mod, mod, 1, 0, *parse_rfc3339("2024-05-01T12:00:00.5Z")};
}

// Hands out a few bytes at a time: every event is cut somewhere.
class TrickleSource final : public io::Source {
 public:
  TrickleSource(Bytes bytes, std::size_t step) : left_(bytes), step_(step) {}
  Result<std::size_t> read(MutableBytes into) override {
    const std::size_t n = std::min({into.size(), left_.size(), step_});
    std::copy_n(left_.begin(), n, into.begin());
    left_ = left_.subspan(n);
    return n;
  }

 private:
  Bytes left_;
  std::size_t step_;
};

}  // namespace

// Law: what etcd-backup-restore wrote is, re-encoded, the same to the byte, digest included.
TEST(Delta, ReencodesForeignDeltasToTheByte) {
  int deltas = 0;
  for (const auto* folder : {"00-control-gz/bucket/v2", "03-lease-ids-in-delta/bucket/v2", "09-suffix-Z/bucket/v2",
                             "04-issue963-delete-10000-long-keys-one-revision/bucket/v2",
                             "04-issue963-delete-12000-keys-one-revision/bucket/v2", "10-source-etcd-3.6/bucket/v2"}) {
    for (const auto& object : testing::objects_in(kFixtures / folder, Kind::delta)) {
      const auto body = testing::read_body(object.path);
      ASSERT_TRUE(body) << object.path << ": " << body.error().what;
      const auto events = read_events(*body);
      ASSERT_TRUE(events) << object.path << ": " << events.error().what;
      EXPECT_EQ(written(*events), *body) << object.path;
      EXPECT_GE(events->front().mod, object.name.span.first.raw());
      EXPECT_EQ(events->back().mod, object.name.span.last.raw());
      deltas++;
    }
  }
  EXPECT_EQ(deltas, 5 + 1 + 5 + 5 + 6 + 2);
}

TEST(Delta, AllSuffixesMembersAndDialectsHoldTheSameEvents) {
  const auto all_of = [](const char* folder) {
    std::vector<Event> all;
    for (const auto& object : testing::objects_in(kFixtures / folder, Kind::delta)) {
      const auto body = testing::open_body(object.path);
      EXPECT_TRUE(body);
      const auto events = read_events(**body);
      EXPECT_TRUE(events) << object.path << ": " << events.error().what;
      if (events) all.insert(all.end(), events->begin(), events->end());
    }
    for (Event& e : all) e.time = {};  // three recorders, each with its own watch
    return all;
  };
  const auto wanted = all_of("00-control-gz/bucket/v2");
  ASSERT_GT(wanted.size(), 630U);
  for (const auto* folder : {"09-suffix-none/bucket/v2", "09-suffix-Z/bucket/v2", "09-suffix-zlib/bucket/v2",
                             "53-multimember-deltas/bucket/v2", "54-json-extra-fields/bucket/v2"}) {
    EXPECT_TRUE(all_of(folder) == wanted) << folder;
  }
}

TEST(Delta, WritesTheDialect) {
  const std::vector<Event> events = {
      {false, "a", "", 2, 2, 1, 0, *parse_rfc3339("2024-05-01T14:00:00.120+02:00")},
      {true, "a", "", 0, 3, 0, 0, *parse_rfc3339("2024-05-01T12:00:01Z")},
      {false, "b?>", "\xff\xfe", 4, 4, 1, INT64_MAX, *parse_rfc3339("2024-05-01T12:00:01Z")},
  };
  const std::string_view text =
      R"([{"etcdEvent":{"kv":{"key":"YQ==","create_revision":2,"mod_revision":2,"version":1}},"time":"2024-05-01T12:00:00.12Z"},)"
      R"({"etcdEvent":{"type":1,"kv":{"key":"YQ==","mod_revision":3}},"time":"2024-05-01T12:00:01Z"},)"
      R"({"etcdEvent":{"kv":{"key":"Yj8+","create_revision":4,"mod_revision":4,"version":1,"value":"//4=","lease":9223372036854775807}},"time":"2024-05-01T12:00:01Z"}])";
  EXPECT_EQ(as_text(written(events)), as_text(with_digest(text)));
  EXPECT_EQ(*read_events(written(events)), events);
}

TEST(Delta, RefusesToWriteNothing) {
  io::BufferSink to;
  DeltaWriter writer(to);
  EXPECT_EQ(writer.finish().error().code, Errc::invalid);
  EXPECT_TRUE(to.buffer().empty());
}

TEST(Delta, ReadsOtherDialects) {
  const Event plain = put("k", 7);
  struct Row {
    std::string_view text;
    std::vector<Event> wanted;
    std::string_view why;
  };
  const std::string_view time = R"("time":"2024-05-01T12:00:00.5Z")";
  const auto with_time = [&](std::string_view front) { return std::string(front) + std::string(time) + "}]"; };
  const std::string reordered =
      R"([{"time":"2024-05-01T12:00:00.5Z","etcdEvent":{"kv":{"version":1,"value":"dg==","mod_revision":7,"key":"aw==","create_revision":7}}}])";
  const std::string shuffled = with_time(
      R"([{"etcdEvent":{"kv":{"version":1,"value":"dg==","mod_revision":7,"key":"aw==","create_revision":7}},)");
  const std::string unknown = with_time(
      R"([{"etcdEvent":{"kv":{"key":"aw==","create_revision":7,"mod_revision":7,"version":1,"value":"dg==","z":[{"q":"]}\""},null,true,-1.5e3]},"prev_kv":{"key":"eA==","mod_revision":6}},)");
  const std::string escaped = with_time(
      R"([{"etcdEvent":{"\u006bv":{"key":"\u0061w==","create_revision":7,"mod_revision":7,"version":1,"value":"dg\u003d="}},)");
  const std::string nulls = with_time(
      R"([{"etcdEvent":{"type":0,"prev_kv":null,"kv":{"key":"aw==","create_revision":7,"mod_revision":7,"version":1,"value":"dg==","lease":null}},)");
  const std::string spaced =
      " [ {\n\t\"etcdEvent\" : { \"kv\" :\r{ \"key\" : \"aw==\" , \"create_revision\" : 7, \"mod_revision\":7 ,"
      "\"version\": 1,\"value\":\"dg==\"} }, \"time\" : \"2024-05-01T12:00:00.5Z\" } ] \n";
  const std::string zone =
      R"([{"etcdEvent":{"kv":{"key":"aw==","create_revision":7,"mod_revision":7,"version":1,"value":"dg=="}},"time":"2024-05-01T17:30:00.5+05:30"}])";
  Event bare{false, "k", "", 0, 7, 0, 0, plain.time};
  Event negative = plain;
  negative.lease = INT64_MIN;
  const std::string missing = with_time(R"([{"etcdEvent":{"kv":{"key":"aw==","mod_revision":7}},)");
  const std::string least = with_time(
      R"([{"etcdEvent":{"kv":{"key":"aw==","create_revision":7,"mod_revision":7,"version":1,"value":"dg==","lease":-9223372036854775808}},)");
  const Row rows[] = {
      {reordered, {plain}, "time first"},
      {shuffled, {plain}, "fields of kv in another order"},
      {unknown, {plain}, "unknown fields, prev_kv"},
      {escaped, {plain}, "escapes in names and strings"},
      {nulls, {plain}, "null is not there; type 0 is a put"},
      {spaced, {plain}, "white space"},
      {zone, {plain}, "a zone"},
      {missing, {bare}, "missing fields are zero"},
      {least, {negative}, "the least 64-bit number"},
      {"[]", {}, "empty: never written, harmless"},
      {" [ ] ", {}, "empty with space"},
  };
  for (const Row& row : rows) {
    const auto got = read_events(with_digest(row.text));
    ASSERT_TRUE(got) << row.why << ": " << got.error().what;
    EXPECT_EQ(*got, row.wanted) << row.why;
  }
}

TEST(Delta, RefusesWhatIsNoDelta) {
  const auto event = [](std::string_view inner) {
    return "[{\"etcdEvent\":" + std::string(inner) + R"(,"time":"2024-05-01T12:00:00Z"}])";
  };
  const std::string deep(200, '[');
  const std::string rows[] = {
      "",
      "{}",
      "null",
      "[1]",
      "[null]",
      "[,]",
      "[{}]",
      R"([{"etcdEvent":null,"time":"2024-05-01T12:00:00Z"}])",
      event("{}"),
      event(R"({"kv":null})"),
      event(R"({"kv":{}})"),
      event(R"({"kv":{"key":"aw=="}})"),                   // no revision
      event(R"({"kv":{"key":"aw==","mod_revision":0}})"),  // nor here
      event(R"({"kv":{"key":"aw==","mod_revision":-5}})"),
      event(R"({"kv":{"mod_revision":5}})"),  // no key
      event(R"({"kv":{"key":"","mod_revision":5}})"),
      event(R"({"kv":{"key":"aw=","mod_revision":5}})"),  // padding
      event(R"({"kv":{"key":"a","mod_revision":5}})"),
      event(R"({"kv":{"key":"ax==","mod_revision":5}})"),  // bits behind the last byte
      event(R"({"kv":{"key":"a-==","mod_revision":5}})"),  // the URL alphabet
      event(R"({"kv":{"key":"aw==\n","mod_revision":5}})"),
      event(R"({"kv":{"key":5,"mod_revision":5}})"),
      event(R"({"kv":{"key":"aw==","mod_revision":"5"}})"),  // protobuf's JSON, not Go's
      event(R"({"kv":{"key":"aw==","mod_revision":5.0}})"),
      event(R"({"kv":{"key":"aw==","mod_revision":5e1}})"),
      event(R"({"kv":{"key":"aw==","mod_revision":05}})"),
      event(R"({"kv":{"key":"aw==","mod_revision":9223372036854775808}})"),
      event(R"({"kv":{"key":"aw==","mod_revision":5,"lease":-9223372036854775809}})"),
      event(R"({"kv":{"key":"aw==","mod_revision":5,}})"),
      event(R"({"kv":{"key":"aw==" "mod_revision":5}})"),
      event(R"({"kv":{"key":"aw==","mod_revision":5},"type":2})"),
      event(R"({"kv":{"key":"aw==","mod_revision":5},"type":"DELETE"})"),
      event(R"({"kv":{"key":"aw==","mod_revision":5},"x":nul})"),
      event(R"({"kv":{"key":"aw==","mod_revision":5},"x":01})"),
      event(R"({"kv":{"key":"aw==","mod_revision":5},"x":"\q"})"),
      event(R"({"kv":{"key":"aw==","mod_revision":5},"x":)" + deep + "}"),
      R"([{"etcdEvent":{"kv":{"key":"aw==","mod_revision":5}},"time":"yesterday"}])",
      R"([{"etcdEvent":{"kv":{"key":"aw==","mod_revision":5}},"time":5}])",
      event(R"({"kv":{"key":"aw==","mod_revision":5}})") + "x",
      event(R"({"kv":{"key":"aw==","mod_revision":5}})") + "[]",
      "[" + event(R"({"kv":{"key":"aw==","mod_revision":5}})") + "]",
  };
  for (const std::string& text : rows) {
    const auto got = read_events(with_digest(text));
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, text.empty() ? Errc::torn : Errc::corrupt) << text << ": " << got.error().what;
  }
}

TEST(Delta, NamesTheByte) {
  const Buffer body =
      with_digest(R"([{"etcdEvent":{"kv":{"key":"aw==","mod_revision":5}},"time":"2024-05-01T12:00:00Z"};])");
  EXPECT_EQ(read_events(body).error().what, "delta: byte 83 is 0x3b, wanted ',' or ']'");
  EXPECT_EQ(read_events(with_digest(R"([{"etcdEvent":{"kv":{"key":"a!==","mod_revision":5}}}])")).error().what,
            "delta: event at byte 1: byte 32 of the event: a string that is not base64");
  EXPECT_EQ(read_events(Bytes()).error().what, "delta: the body is empty");
  const Buffer good = written({put("k", 7)});
  EXPECT_EQ(read_events(Bytes(good).first(good.size() - 1)).error().what,
            "delta: the body ends at byte 164 inside its text or digest");
}

TEST(Delta, EveryPrefixIsTorn) {
  const Buffer body = written({put("key", 7), put("other", 8, std::string(100, 'x')), put("key", 9, "")});
  for (std::size_t n = 0; n < body.size(); n++) {
    const auto got = read_events(Bytes(body).first(n));
    ASSERT_FALSE(got) << n;
    EXPECT_EQ(got.error().code, Errc::torn) << n << ": " << got.error().what;
  }
  ASSERT_TRUE(read_events(body));
}

TEST(Delta, EveryBitFlipIsSeen) {
  const Buffer body = written({put("key", 7), put("other", 8, std::string(40, 'x'))});
  for (std::size_t bit = 0; bit < body.size() * 8; bit++) {
    Buffer bad = body;
    bad[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    const auto got = read_events(bad);
    ASSERT_FALSE(got) << bit;
    // A flip that opens a string up to the end looks like a cut.
    EXPECT_THAT(got.error().code, ::testing::AnyOf(Errc::corrupt, Errc::torn)) << bit;
  }
}

TEST(Delta, TrailingBytesAreCorrupt) {
  Buffer body = written({put("k", 7)});
  body.push_back(std::byte{0});
  EXPECT_EQ(read_events(body).error().code, Errc::corrupt);
}

TEST(Delta, StopsWhenTheCallerFails) {
  const Buffer body = written({put("a", 7), put("b", 8)});
  io::BytesSource source(body);
  int seen = 0;
  const auto status = read_delta(source, [&](const DeltaEvent&) -> Status {
    seen++;
    return fail(Errc::cancelled, "enough");
  });
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(status.error().code, Errc::cancelled);
}

TEST(Delta, AnyStepAndAnySizeGiveTheSameEvents) {
  std::mt19937_64 random(tidemark::testing::seed());
  for (int round = tidemark::testing::scaled(20); round > 0; round--) {
    std::vector<Event> events;
    std::int64_t mod = 1 + static_cast<std::int64_t>(random() >> (1 + random() % 60));
    for (auto n = 1 + random() % 20; n > 0; n--, mod++) {
      Event e = put(std::string(1 + random() % 300, static_cast<char>(random())), mod);
      if (random() % 4 == 0) {
        e = {true, e.key, "", 0, mod, 0, 0, e.time};
      } else {
        e.value.resize(random() % 3 == 0 ? random() % (1 << (random() % 21)) : random() % 64);
        for (char& c : e.value) c = static_cast<char>(random());
        e.lease = random() % 3 == 0 ? static_cast<std::int64_t>(random()) : 0;
      }
      e.time += std::chrono::nanoseconds(random() % 1'000'000'000);
      events.push_back(std::move(e));
    }
    const Buffer body = written(events);
    TrickleSource source(body, 1 + random() % 100'000);
    const auto got = read_events(source);
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_TRUE(*got == events);
  }
}

// One event larger than the window makes it grow; one beyond the limit is refused before the memory is spent.
TEST(Delta, WindowGrowsToTheLargestEvent) {
  const std::vector<Event> events = {put("a", 2), put("big", 3, std::string(10UL << 20U, 'x')), put("z", 4)};
  EXPECT_TRUE(*read_events(written(events)) == events);
  const Buffer huge = written({put("huge", 3, std::string(60UL << 20U, 'x'))});
  const auto got = read_events(huge);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::corrupt);
  EXPECT_EQ(got.error().what, "delta: event at byte 1: no end in 67108832 bytes");
}

TEST(Delta, BrokenForeignObjectsAreToldApart) {
  const auto last_of = [](const char* folder) {
    const auto objects = testing::objects_in(kFixtures / folder / "bucket/v2", Kind::delta);
    const auto body = testing::open_body(objects.back().path);
    EXPECT_TRUE(body);
    const auto events = read_events(**body);
    EXPECT_FALSE(events);
    return events.error();
  };
  EXPECT_EQ(last_of("06-empty-last-delta").code, Errc::torn);
  EXPECT_EQ(last_of("06-empty-last-delta").what, "the compressed object is empty");
  EXPECT_EQ(last_of("06-truncated-last-delta").code, Errc::torn);
}

}  // namespace tidemark::bucket
