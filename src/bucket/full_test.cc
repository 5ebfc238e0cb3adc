#include "bucket/full.h"

#include <gtest/gtest.h>

#include "base/testing/source_dir.h"
#include "bucket/testing/bucket_fixtures.h"

namespace tidemark::bucket {

namespace {

const io::Path kFixtures = io::Path(tidemark::testing::source_dir()) / "testdata/etcd-backup-restore";
constexpr const char* kFull = "bucket/v2/Full-00000000-00000308-1795246362.gz";

std::string database(std::size_t size) {
  std::string db(size, '\0');
  for (std::size_t i = 0; i < size; i++) db[i] = static_cast<char>(i * 31 + i / 509);
  return db;
}

Result<FullBody> split(Bytes body, Buffer& db) {
  io::BytesSource from(body);
  io::BufferSink to;
  auto full = split_full(from, to);
  db = std::move(to.buffer());
  return full;
}

}  // namespace

TEST(Full, SplitsTheDigestOff) {
  for (const std::size_t size : {512UL, 4096UL, 262144UL, 262144UL * 3, 262144UL - 512, 1'000'448UL}) {
    const std::string text = database(size);
    const Buffer body = testing::with_digest(text);
    Buffer db;
    const auto full = split(body, db);
    ASSERT_TRUE(full) << size << ": " << full.error().what;
    EXPECT_TRUE(full->has_digest);
    EXPECT_EQ(full->db_bytes, size);
    EXPECT_EQ(as_text(db), text);
    EXPECT_EQ(full->digest, crypto::sha256(as_bytes(text)));

    const auto bare = split(as_bytes(text), db);
    ASSERT_TRUE(bare) << size;
    EXPECT_FALSE(bare->has_digest);
    EXPECT_EQ(bare->db_bytes, size);
    EXPECT_EQ(as_text(db), text);
    EXPECT_EQ(bare->digest, full->digest);
  }
}

TEST(Full, EveryCutIsRefusedOrWithoutDigest) {
  const Buffer body = testing::with_digest(database(2048));
  Buffer db;
  for (std::size_t n = 0; n < body.size(); n++) {
    const auto full = split(Bytes(body).first(n), db);
    if (n > 0 && n % 512 == 0) {
      ASSERT_TRUE(full) << n;
      EXPECT_FALSE(full->has_digest) << n;  // the answer that a caller may not take for a proof
    } else {
      ASSERT_FALSE(full) << n;
      EXPECT_EQ(full.error().code, n > 32 && n % 512 == 32 ? Errc::corrupt : Errc::torn) << n;
    }
  }
}

TEST(Full, EveryFlipIsCorrupt) {
  const Buffer body = testing::with_digest(database(512));
  for (std::size_t at = 0; at < body.size(); at++) {
    Buffer bad = body, db;
    bad[at] ^= std::byte{4};
    const auto full = split(bad, db);
    ASSERT_FALSE(full) << at;
    EXPECT_EQ(full.error().code, Errc::corrupt);
  }
}

TEST(Full, ForeignFulls) {
  const io::TempDir dir = *io::TempDir::create();
  const auto spool = [&](const char* folder) -> Result<FullBody> {
    TM_LET(const auto body, testing::open_body(kFixtures / folder / kFull));
    const io::Path to = dir.path() / folder;
    auto full = spool_full(*body, to);
    EXPECT_EQ(std::filesystem::exists(to), full.has_value()) << folder;
    if (full) {
      EXPECT_EQ(std::filesystem::file_size(to), full->db_bytes);
    }
    return full;
  };
  const auto good = spool("00-control-gz");
  ASSERT_TRUE(good) << good.error().what;
  EXPECT_TRUE(good->has_digest);
  EXPECT_EQ(spool("51-fextra-tail-65535")->digest, good->digest);
  EXPECT_FALSE(spool("05-full-without-hash")->has_digest);
  EXPECT_EQ(spool("05-full-bitflip").error().code, Errc::corrupt);
  EXPECT_EQ(spool("51-trailing-junk").error().code, Errc::corrupt);
  const auto body = testing::open_body(kFixtures / "00-control-gz" / kFull);
  EXPECT_EQ(spool_full(**body, dir.path() / "00-control-gz").error().code, Errc::already_exists);
  EXPECT_TRUE(std::filesystem::exists(dir.path() / "00-control-gz"));
}

TEST(Full, SinkFailureIsPassedOn) {
  class Full final : public io::Sink {
   public:
    Status write(Bytes) override { return fail(Errc::no_space, "full"); }
    Status finish() override { return {}; }
  };
  const Buffer body = testing::with_digest(database(8 << 20U));
  io::BytesSource from(body);
  Full to;
  EXPECT_EQ(split_full(from, to).error().code, Errc::no_space);
}

}  // namespace tidemark::bucket
