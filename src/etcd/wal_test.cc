#include "etcd/wal.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "crypto/sha256.h"
#include "etcd/crc32c.h"
#include "etcd/log_dir.h"

namespace tidemark::etcd {
namespace {

// What `etcdutl snapshot restore` of 3.5.35 and 3.6.16 writes for the default member.
constexpr std::string_view kGolden =
    "040000000000008408041000000000002000000000000000080110bb81c7fc051a1608cdd2918bd2b881cf8e0110b298eaf1948386fccd010e"
    "0000000000008208051094bbc7ed0e1a040800100000007400000000000084080210c2ee92950b1a6a08011001180122620800100018cdd291"
    "8bd2b881cf8e0122517b226964223a31303237363635373734333933323937353433372c227065657255524c73223a5b22687474703a2f2f6c"
    "6f63616c686f73743a32333830225d2c226e616d65223a2264656661756c74227d0000000019000000000000870803109b98d6c3081a0f0801"
    "10cdd2918bd2b881cf8e011801000000000000001d000000000000830805108d9eaeef0d1a13080110011a0d08cdd2918bd2b881cf8e012800"
    "00"
    "0000";

Buffer from_hex(std::string_view hex) {
  Buffer out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return out;
}

NewCluster default_cluster() { return plan_cluster(kDefaultInitialCluster, kDefaultToken).value(); }

std::string all_of(Bytes segment) {
  WalSegmentReader reader(segment, "segment");
  std::string out;
  for (;;) {
    auto record = reader.next();
    if (!record) return out + std::string(errc_name(record.error().code));
    if (!*record) return out + "end";
    out += fmt::format("{}:{} ", static_cast<int>((*record)->type), to_hex((*record)->payload));
  }
}

void put_file(const io::Path& path, Bytes bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

TEST(Crc32c, IsCastagnoliAndContinues) {
  EXPECT_EQ(crc32c(0, as_bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c(0, {}), 0U);
  EXPECT_EQ(crc32c(7, {}), 7U);
  for (std::size_t cut = 0; cut <= 9; cut++) {
    const std::string_view text = "123456789";
    EXPECT_EQ(crc32c(crc32c(0, as_bytes(text.substr(0, cut))), as_bytes(text.substr(cut))), 0xe3069283U) << cut;
  }
}

TEST(WalWriter, GoldenSegmentIsByteExact) {
  const NewCluster cluster = default_cluster();
  const Buffer segment = first_segment(cluster, cluster.members[0].id);
  EXPECT_EQ(to_hex(segment), kGolden);
  EXPECT_EQ(to_hex(crypto::sha256(segment)), "5d6ef1158b8cf9062b717f2d86ae1cf6ef98f09cb5a0af0f259a839ff2050928");
}

TEST(WalWriter, EtcdsOwnTestFile) {
  WalSegment segment;
  segment.raw(WalRecordType::metadata, as_bytes("somedata"));
  segment.snapshot({});
  EXPECT_EQ(to_hex(segment.bytes()),
            "04000000000000840804100000000000"
            "1200000000000086080110"
            "85d4fda007"
            "1a08"
            "736f6d6564617461"
            "000000000000"
            "0e00000000000082080510"
            "80db81c101"
            "1a04"
            "08001000"
            "0000");
}

TEST(WalReader, ReadsTheGoldenSegment) {
  const Buffer golden = from_hex(kGolden);
  WalSegmentReader reader(golden, "golden");
  const WalRecordType expected[] = {WalRecordType::crc,   WalRecordType::metadata, WalRecordType::snapshot,
                                    WalRecordType::entry, WalRecordType::state,    WalRecordType::snapshot};
  for (const WalRecordType type : expected) {
    const auto record = reader.next();
    ASSERT_TRUE(record && *record);
    EXPECT_EQ((*record)->type, type);
  }
  EXPECT_FALSE(reader.next()->has_value());
  EXPECT_FALSE(reader.next()->has_value()) << "the end stays the end";
  EXPECT_EQ(reader.offset(), 288U);
  EXPECT_EQ(reader.crc(), 0xddeb8f0dU);
}

TEST(WalReader, EveryPrefixIsTornExceptBetweenRecords) {
  const Buffer golden = from_hex(kGolden);
  for (std::size_t size = 0; size < golden.size(); size++) {
    WalSegmentReader reader(Bytes(golden).first(size), "prefix");
    std::uint64_t good = 0;
    for (;;) {
      const auto record = reader.next();
      if (record && *record) {
        good = reader.offset();
        continue;
      }
      if (record) {
        EXPECT_EQ(good, size) << "a clean end only behind a whole record";
      } else {
        EXPECT_EQ(record.error().code, Errc::torn) << size << ": " << record.error().what;
        EXPECT_NE(good, size);
      }
      EXPECT_LE(reader.offset(), size);
      break;
    }
  }
}

TEST(WalReader, EveryFlippedBitIsNoticed) {
  const Buffer golden = from_hex(kGolden);
  const std::string sound = all_of(golden);
  ASSERT_TRUE(sound.ends_with("end"));
  const std::set<std::size_t> types = {9, 25, 65, 89, 217, 257};
  for (std::size_t bit = 0; bit < golden.size() * 8; bit++) {
    Buffer flipped = golden;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    const std::string read = all_of(flipped);
    EXPECT_NE(read, sound) << "bit " << bit;
    // Lengths and types are outside of every checksum. The one length without padding can become zero, which is a
    // clean end, and a type another one; what a log must hold (check_log) notices that.
    if (read.ends_with("end")) {
      EXPECT_TRUE(bit / 8 == 16 || types.contains(bit / 8)) << "bit " << bit;
    }
  }
}

TEST(WalReader, HostileFrames) {
  const std::string crc = "04000000000000840804100000000000";
  const struct {
    std::string hex;
    Errc code;
    const char* why;
    bool etcd_would_not_see = false;
  } rows[] = {
      {crc + "ffffffffffffff00", Errc::corrupt, "2^56 bytes, unpadded", true},
      {crc + "f8ffffffffffff00", Errc::torn, "2^56 bytes"},
      {crc + "ffffffffffffff81", Errc::torn, "2^56-1 bytes and padding"},
      {crc + "fffffffffffffFff", Errc::corrupt, "every bit", true},
      {crc + "0000000000000080", Errc::corrupt, "padding of none", true},
      {crc + "0400000000000004"
             "0804100000000000",
       Errc::corrupt, "padding without its mark", true},
      {crc + "0400000000000083"
             "0804100000000000",
       Errc::corrupt, "wrong padding", true},
      {crc + "0400000000000084"
             "0804100000000001",
       Errc::corrupt, "padding not zero", true},
      {crc + "0400000000000084"
             "0806100000000000",
       Errc::corrupt, "type 6"},
      {crc + "0400000000000084"
             "0800100000000000",
       Errc::corrupt, "type 0"},
      {crc + "0400000000000084"
             "0804100100000000",
       Errc::corrupt, "checksum record that does not continue"},
      {crc + "0400000000000084"
             "0aff100000000000",
       Errc::corrupt, "length inside the record beyond it", true},
      {"0400000000000084"
       "0801100000000000",
       Errc::corrupt, "does not begin with a checksum record", true},
      {crc + "0600000000000082"
             "0804100018000000",
       Errc::corrupt, "payload that is a number", true},
      {crc + "0600000000000082"
             "0804100020000000",
       Errc::corrupt, "another field", true},
      {crc + "0400000000000084"
             "1000080400000000",
       Errc::corrupt, "fields out of order", true},
      {crc + "0200000000000086"
             "0804000000000000",
       Errc::corrupt, "no checksum", true},
      {crc + "04000000", Errc::torn, "half a length"},
      {crc + "04000000000000840804", Errc::torn, "half a record"},
  };
  for (const auto& row : rows) {
    const std::string read = all_of(from_hex(row.hex));
    EXPECT_TRUE(read.ends_with(errc_name(row.code))) << row.why << ": " << read;
    const Buffer frames = from_hex(row.hex);
    WalSegmentReader reader(frames, "frames");
    while (reader.next()) {
    }
    EXPECT_EQ(reader.stricter_than_etcd(), row.etcd_would_not_see) << row.why;
  }
}

TEST(WalReader, PreallocatedZerosAreTheEnd) {
  Buffer segment = from_hex(kGolden);
  segment.resize(4096);
  WalSegmentReader reader(segment, "preallocated");
  int records = 0;
  for (;; records++) {
    const auto record = reader.next();
    ASSERT_TRUE(record);
    if (!*record) break;
  }
  EXPECT_EQ(records, 6);
  EXPECT_EQ(reader.offset(), 288U);
}

// A record over several sectors, one of which never reached the disk, is a crash; other damage is not.
TEST(WalReader, UnwrittenSectorIsTorn) {
  WalSegment segment;
  segment.metadata(MemberId(1), ClusterId(2));
  const std::size_t good = segment.bytes().size();
  const Buffer big(4000, std::byte{'x'});
  segment.entry({RaftEntry::Kind::normal, 1, 1, big});
  const Bytes bytes = segment.bytes();
  for (std::size_t sector = 512; sector + 512 < bytes.size(); sector += 512) {
    Buffer broken(bytes.begin(), bytes.end());
    std::fill_n(broken.begin() + static_cast<std::ptrdiff_t>(sector), 512, std::byte{0});
    WalSegmentReader reader(broken, "broken");
    ASSERT_TRUE(reader.next() && reader.next());
    const auto record = reader.next();
    ASSERT_FALSE(record);
    EXPECT_EQ(record.error().code, Errc::torn) << record.error().what;
    EXPECT_EQ(reader.offset(), good);

    broken[sector] = std::byte{1};
    EXPECT_TRUE(all_of(broken).ends_with("corrupt"));
  }
}

TEST(WalFileName, GoodAndBad) {
  EXPECT_EQ(wal_file_name(1, 0xab), "0000000000000001-00000000000000ab.wal");
  const auto name = parse_wal_file_name("0000000000000001-00000000000000ab.wal");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->sequence, 1U);
  EXPECT_EQ(name->first_index, 0xabU);
  for (const char* bad :
       {"", "0.tmp", "0000000000000001-00000000000000ab.wal.broken", "1-2.wal", "0000000000000001-00000000000000AB.wal",
        "0000000000000001_00000000000000ab.wal", "000000000000000g-00000000000000ab.wal"})
    EXPECT_FALSE(parse_wal_file_name(bad)) << bad;
}

class WalDir : public ::testing::Test {
 protected:
  void add(std::uint64_t sequence, std::uint64_t index, Bytes bytes) {
    put_file(dir_.path() / wal_file_name(sequence, index), bytes);
  }
  // Segments of a live member: entries 1..4, 5..8, 9..12; term grows at 5.
  std::vector<Buffer> three_segments() {
    std::vector<Buffer> out;
    std::uint32_t crc = 0;
    for (std::uint64_t s = 0; s < 3; s++) {
      WalSegment segment(crc);
      segment.metadata(MemberId(7), ClusterId(8));
      if (s == 0) segment.snapshot({});
      for (std::uint64_t i = 4 * s + 1; i <= 4 * s + 4; i++) segment.entry({RaftEntry::Kind::normal, s + 1, i, {}});
      segment.state({s + 1, MemberId(7), 4 * s + 3});
      out.emplace_back(segment.bytes().begin(), segment.bytes().end());
      out.back().resize(out.back().size() + (s < 2 ? 0 : 1000));
      crc = segment.crc();
    }
    return out;
  }
  void write_three() {
    const auto segments = three_segments();
    for (std::size_t s = 0; s < segments.size(); s++) add(s, 4 * s, segments[s]);
  }
  Errc code() {
    const auto log = read_wal(dir_.path());
    return log ? Errc::cancelled : log.error().code;
  }
  io::TempDir dir_ = io::TempDir::create().value();
};

TEST_F(WalDir, SegmentsContinueEachOther) {
  write_three();
  put_file(dir_.path() / "0.tmp", as_bytes("preallocated"));
  std::uint64_t heard = 0;
  const auto log = read_wal(dir_.path(), [&](const RaftEntry& entry) -> Status {
    EXPECT_EQ(entry.index, ++heard);
    return {};
  });
  ASSERT_TRUE(log) << log.error().what;
  EXPECT_EQ(heard, 12U);
  EXPECT_EQ(log->first_index, 1U);
  EXPECT_EQ(log->last_index, 12U);
  EXPECT_EQ(log->last_term, 3U);
  EXPECT_EQ(log->state.commit, 11U);
  EXPECT_EQ(log->segments, 3U);
  EXPECT_EQ(log->metadata.node, MemberId(7));
  EXPECT_TRUE(log->torn.empty());
}

TEST_F(WalDir, OldSegmentsMayBePurged) {
  write_three();
  std::filesystem::remove(dir_.path() / wal_file_name(0, 0));
  const auto log = read_wal(dir_.path());
  ASSERT_TRUE(log) << log.error().what;
  EXPECT_EQ(log->first_index, 5U);
  EXPECT_EQ(log->entries, 8U);
}

TEST_F(WalDir, MissingSegmentIsCorrupt) {
  write_three();
  std::filesystem::remove(dir_.path() / wal_file_name(1, 4));
  EXPECT_EQ(code(), Errc::corrupt);
}

TEST_F(WalDir, EmptyIsNotFound) {
  EXPECT_EQ(code(), Errc::not_found);
  EXPECT_EQ(read_wal(dir_.path() / "nowhere").error().code, Errc::not_found);
}

TEST_F(WalDir, TornOnlyAtTheVeryEnd) {
  auto segments = three_segments();
  segments[2].resize(50);
  for (std::size_t s = 0; s < 3; s++) add(s, 4 * s, segments[s]);
  const auto log = read_wal(dir_.path());
  ASSERT_TRUE(log) << log.error().what;
  EXPECT_FALSE(log->torn.empty());
  EXPECT_EQ(log->last_index, 8U);

  segments[1].resize(50);
  add(1, 4, segments[1]);
  EXPECT_EQ(code(), Errc::corrupt);
}

TEST_F(WalDir, SegmentsOfAnotherLogAreCorrupt) {
  write_three();
  WalSegment other(0x12345678);
  other.metadata(MemberId(7), ClusterId(8));
  add(1, 4, other.bytes());
  EXPECT_EQ(code(), Errc::corrupt);
}

TEST_F(WalDir, EntryRules) {
  const struct {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> term_index;
    bool good;
    std::uint64_t entries;
    const char* why;
  } rows[] = {
      {{{1, 1}, {1, 2}, {2, 3}}, true, 3, "plain"},
      {{{1, 1}, {1, 2}, {2, 2}}, true, 2, "a new leader replaces the tail"},
      {{{1, 1}, {2, 2}, {3, 3}, {2, 2}, {2, 3}}, true, 3, "replaced tails take their term with them"},
      {{{1, 1}, {1, 3}}, false, 0, "hole"},
      {{{2, 1}, {1, 2}}, false, 0, "term falls"},
      {{{1, 0}}, false, 0, "no index"},
  };
  for (const auto& row : rows) {
    WalSegment segment;
    segment.metadata(MemberId(7), ClusterId(8));
    for (const auto& [term, index] : row.term_index) segment.entry({RaftEntry::Kind::normal, term, index, {}});
    add(0, 0, segment.bytes());
    const auto log = read_wal(dir_.path());
    EXPECT_EQ(log.has_value(), row.good) << row.why;
    if (log) {
      EXPECT_EQ(log->entries, row.entries) << row.why;
    }
  }
}

TEST_F(WalDir, MetadataMustAgree) {
  WalSegment segment;
  segment.metadata(MemberId(7), ClusterId(8));
  segment.metadata(MemberId(9), ClusterId(8));
  add(0, 0, segment.bytes());
  EXPECT_EQ(code(), Errc::corrupt);
  WalSegment none;
  none.snapshot({});
  add(0, 0, none.bytes());
  EXPECT_EQ(code(), Errc::corrupt);
}

}  // namespace
}  // namespace tidemark::etcd
