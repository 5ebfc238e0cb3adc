// Damaged data directories of every etcd: what `doctor --data-dir` says of them, and what the etcd that wrote them
// does.
//
// The law: never "healthy" when etcd refuses to start; what doctor says of etcd's start ("yes", "no") is what happens.
// Each row's verdict is also what it must be by the rules, whatever etcd makes of it: much that is corrupt starts.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "base/testing/scale.h"
#include "bolt/reader.h"
#include "etcd/data_dir.h"
#include "etcd/wal.h"
#include "inspect/data_dir.h"
#include "kit/etcd_process.h"
#include "kit/etcd_writer.h"
#include "restore/origin.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;
using inspect::Starts;
using inspect::Verdict;
namespace fs = std::filesystem;

Buffer bytes_of(const io::Path& file) { return io::read_file(file, 1UL << 30U).value(); }

void change(const io::Path& file, std::uint64_t at, const std::function<void(std::byte&)>& how) {
  std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
  char c = 0;
  f.seekg(static_cast<std::streamoff>(at));
  f.get(c);
  auto b = static_cast<std::byte>(c);
  how(b);
  f.seekp(static_cast<std::streamoff>(at));
  f.put(static_cast<char>(b));
  ASSERT_TRUE(f.good()) << file << " at " << at;
}
void flip(const io::Path& file, std::uint64_t at) {
  change(file, at, [](std::byte& b) { b ^= std::byte{0x10}; });
}

io::Path newest(const io::Path& folder, std::string_view suffix) {
  io::Path found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().native().ends_with(suffix) && entry.path() > found) found = entry.path();
  }
  EXPECT_FALSE(found.empty()) << folder << suffix;
  return found;
}

// Where the records of a segment are; the last is the end of them all.
std::vector<std::uint64_t> record_offsets(const io::Path& segment) {
  const Buffer bytes = bytes_of(segment);
  etcd::WalSegmentReader reader(bytes, segment.native());
  std::vector<std::uint64_t> offsets;
  for (;;) {
    const auto record = reader.next();
    EXPECT_TRUE(record) << record.error().what;
    if (!record || !*record) break;
    offsets.push_back((*record)->offset);
  }
  offsets.push_back(reader.offset());
  return offsets;
}

// A page of a tree with rows in it, told by its header.
std::uint64_t leaf_offset(const io::Path& database, std::uint16_t at_least = 8) {
  const Buffer bytes = bytes_of(database);
  const auto reader = bolt::Reader::over(bytes, "db").value();
  const bolt::Bucket rows = reader.bucket("key").value();
  bolt::Page page = reader.top_page(rows).value();
  while (!page.is_leaf()) page = reader.page(page.child(0)->page).value();
  EXPECT_GE(page.count(), at_least);
  return page.id() * reader.meta().page_size;
}

// Of everything below: name -> bytes and time of the last change.
std::map<std::string, std::pair<Buffer, fs::file_time_type>> picture(const io::Path& dir) {
  std::map<std::string, std::pair<Buffer, fs::file_time_type>> all;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    all[entry.path().native()] = {entry.is_regular_file() ? bytes_of(entry.path()) : Buffer{}, entry.last_write_time()};
  }
  return all;
}

struct Damage {
  const char* name;
  Verdict verdict;
  std::function<void(const etcd::DataDir&, const etcd::DataDir& foreign)> how;
};

void keep_head(const io::Path& segment, std::uint64_t bytes) {
  // As a crash leaves it: the file keeps its preallocated length, what was not written reads as zeros.
  const auto size = fs::file_size(segment);
  fs::resize_file(segment, bytes);
  fs::resize_file(segment, size);
}

const std::vector<Damage>& damages() {
  using D = const etcd::DataDir&;
  static const std::vector<Damage> all{
      {"none", Verdict::healthy, [](D, D) {}},
      {"leftovers", Verdict::healthy,
       [](D d, D) {
         std::ofstream(d.snap() / "db.tmp.123") << "x";
         std::ofstream(d.wal() / "0.tmp") << "x";
         std::ofstream(d.wal() / "note.txt") << "x";
       }},
      {"junk behind the end of the log", Verdict::healthy,
       [](D d, D) { flip(newest(d.wal(), ".wal"), record_offsets(newest(d.wal(), ".wal")).back() + 4096); }},
      {"the last record never written", Verdict::repairable,
       [](D d, D) {
         const io::Path file = newest(d.wal(), ".wal");
         const auto records = record_offsets(file);
         keep_head(file, records[records.size() - 2] + 8);
       }},
      {"log cut by half", Verdict::corrupt,
       [](D d, D) {
         const io::Path file = newest(d.wal(), ".wal");
         const auto records = record_offsets(file);
         keep_head(file, records[records.size() / 2]);
       }},
      {"a byte of an entry", Verdict::corrupt,
       [](D d, D) {
         const io::Path file = newest(d.wal(), ".wal");
         const auto records = record_offsets(file);
         flip(file, records[records.size() / 2] + 24);
       }},
      {"no log", Verdict::corrupt, [](D d, D) { fs::remove_all(d.wal()); }},
      {"a byte of the snap file", Verdict::repairable,
       [](D d, D) { flip(newest(d.snap(), ".snap"), fs::file_size(newest(d.snap(), ".snap")) / 2); }},
      {"no snap files", Verdict::repairable,
       [](D d, D) {
         for (const auto& entry : fs::directory_iterator(d.snap())) {
           if (entry.path().native().ends_with(".snap")) fs::remove(entry.path());
         }
       }},
      {"one meta page", Verdict::repairable, [](D d, D) { flip(d.database(), 64); }},
      {"both meta pages", Verdict::corrupt,
       [](D d, D) {
         flip(d.database(), 64);
         flip(d.database(), 4096 + 64);
       }},
      {"database cut", Verdict::corrupt, [](D d, D) { fs::resize_file(d.database(), 4 * 4096); }},
      {"a page's number", Verdict::corrupt, [](D d, D) { flip(d.database(), leaf_offset(d.database())); }},
      {"a page's kind", Verdict::corrupt, [](D d, D) { flip(d.database(), leaf_offset(d.database()) + 8); }},
      {"a row's revision", Verdict::corrupt,
       [](D d, D) {
         const Buffer bytes = bytes_of(d.database());
         const auto page = leaf_offset(d.database());
         const auto pos = load_le<std::uint32_t>(Bytes(bytes).subspan(page + 16 + 3 * 16 + 4));
         flip(d.database(), page + 16 + 3 * 16 + pos + 7);
       }},
      {"no database", Verdict::corrupt, [](D d, D) { fs::remove(d.database()); }},
      {"a foreign database", Verdict::corrupt,
       [](D d, D f) { fs::copy_file(f.database(), d.database(), fs::copy_options::overwrite_existing); }},
      {"a foreign log", Verdict::corrupt,
       [](D d, D f) {
         fs::remove_all(d.wal());
         fs::copy(f.wal(), d.wal());
       }},
  };
  return all;
}

class DoctorDrill : public ::testing::TestWithParam<EtcdVersion> {
 protected:
  // A member with a life behind it; `name` makes its ids different.
  etcd::DataDir make(const std::string& name, int keys) {
    EtcdSetup setup;
    setup.name = name;
    setup.data_dir = temp_.path() / name;
    setup.more_flags = {"--snapshot-count", "50"};
    auto etcd = EtcdProcess::start(GetParam(), setup);
    EXPECT_TRUE(etcd) << etcd.error().what;
    if (!etcd) std::abort();
    auto writer = EtcdWriter::connect(*etcd).value();
    const LeaseId lease = writer.lease_grant(3600).value();
    for (int i = 0; i < keys; ++i) {
      EXPECT_TRUE(writer.put(fmt::format("/registry/pods/{}", i % 60), std::string(100 + i % 50, 'x'),
                             i % 7 == 0 ? lease : LeaseId{}));
      if (i % 10 == 9) {
        EXPECT_TRUE(writer.del(fmt::format("/registry/pods/{}", i % 60)));
      }
      if (i == keys / 2) {
        EXPECT_TRUE(writer.compact(Revision(keys / 4)));
      }
    }
    EXPECT_TRUE(etcd->stop());
    // Not 64 MB of zeros for every copy.
    const etcd::DataDir dir{setup.data_dir};
    const io::Path segment = newest(dir.wal(), ".wal");
    fs::resize_file(segment, record_offsets(segment).back() + (256UL << 10U));
    return dir;
  }

  // A copy of `from` with the damage done.
  etcd::DataDir damaged(const etcd::DataDir& from, const std::function<void(const etcd::DataDir&)>& how) {
    const etcd::DataDir dir{temp_.path() / fmt::format("copy-{}", ++copies_)};
    fs::copy(from.root, dir.root, fs::copy_options::recursive);
    how(dir);
    return dir;
  }

  // One that is said to start gets the time that a busy machine needs; of the others most end at once, and some hang.
  bool boots(const etcd::DataDir& dir, Starts said, std::string& why) {
    EtcdSetup setup;
    setup.name = "tm";
    setup.data_dir = dir.root;
    setup.ready_within = said == Starts::yes ? 60s : 3s;
    auto etcd = EtcdProcess::start(GetParam(), setup);
    if (!etcd) why = etcd.error().what;
    return etcd.has_value();
  }

  io::TempDir temp_ = *io::TempDir::create();
  int copies_ = 0;
};

std::string told(const inspect::DataDirReport& report) {
  std::string text =
      fmt::format("{}, starts: {}\n", inspect::verdict_word(report.verdict()), inspect::starts_word(report.starts()));
  for (const inspect::Finding& f : report.findings) {
    text += fmt::format("  {} {} {}: {}\n", inspect::verdict_word(f.weight), inspect::starts_word(f.etcd), f.file,
                        f.reason);
  }
  return text;
}

TEST_P(DoctorDrill, TheVerdictIsWhatEtcdDoes) {
  const etcd::DataDir good = make("tm", 170), foreign = make("other", 120);
  if (HasFailure()) return;
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.name);
    const etcd::DataDir dir = damaged(good, [&](const etcd::DataDir& d) { damage.how(d, foreign); });
    const auto before = picture(dir.root);
    const auto report = inspect::inspect_data_dir(dir.root);
    ASSERT_TRUE(report) << report.error().what;
    EXPECT_TRUE(before == picture(dir.root)) << "doctor wrote";
    // 3.7 starts from the log's own record and does not need a .snap.
    const bool moot = GetParam() == EtcdVersion::v37 && damage.name == std::string_view("no snap files");
    EXPECT_EQ(report->verdict(), moot ? Verdict::healthy : damage.verdict) << told(*report);
    std::string why;
    const bool started = boots(dir, report->starts(), why);
    if (report->starts() == Starts::yes) {
      EXPECT_TRUE(started) << told(*report) << why;
    }
    if (report->starts() == Starts::no) {
      EXPECT_FALSE(started) << told(*report);
    }
    if (std::getenv("TM_TELL") != nullptr) {
      std::cerr << version_name(GetParam()) << " | " << damage.name << " | " << (started ? "boots" : "dies") << " | "
                << told(*report);
    }
    for (const inspect::Finding& finding : report->findings) {
      if (finding.weight != Verdict::healthy) {
        EXPECT_NE(finding.help, "") << finding.reason;
      }
    }
    fs::remove_all(dir.root);
  }
}

// A byte anywhere that matters: etcd may not notice, doctor may not see more than etcd, but never less.
TEST_P(DoctorDrill, NeverHealthyWhenEtcdRefuses) {
  const etcd::DataDir good = make("tm", 170);
  if (HasFailure()) return;
  std::mt19937_64 random(seed());
  for (int i = 0; i < scaled(4); ++i) {
    std::string what;
    const etcd::DataDir dir = damaged(good, [&](const etcd::DataDir& d) {
      const bool log = i % 2 == 0;
      const io::Path file = log ? newest(d.wal(), ".wal") : d.database();
      const std::uint64_t used = log ? record_offsets(file).back() : bolt::Reader::open(file)->meta().high_water * 4096;
      const std::uint64_t at = random() % used;
      what = fmt::format("{} at {}", file.native(), at);
      flip(file, at);
    });
    SCOPED_TRACE(what);
    const auto report = inspect::inspect_data_dir(dir.root);
    ASSERT_TRUE(report) << report.error().what;
    std::string why;
    if (report->starts() == Starts::unknown) continue;
    const bool started = boots(dir, report->starts(), why);
    EXPECT_EQ(started, report->starts() == Starts::yes) << told(*report) << why;
    if (!started) {
      EXPECT_NE(report->verdict(), Verdict::healthy) << why;
    }
    fs::remove_all(dir.root);
  }
}

// What a kill leaves is no damage; what the database had not taken from the log yet is counted, not lost silently.
TEST_P(DoctorDrill, AKilledEtcdHasMoreInItsLog) {
  EtcdSetup setup;
  setup.data_dir = temp_.path() / "killed";
  auto etcd = EtcdProcess::start(GetParam(), setup);
  ASSERT_TRUE(etcd) << etcd.error().what;
  auto writer = EtcdWriter::connect(*etcd).value();
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(writer.put(fmt::format("k{}", i), "v"));
  }
  etcd->kill();
  const auto report = inspect::inspect_data_dir(setup.data_dir);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->verdict(), Verdict::healthy) << told(*report);

  auto origin = restore::data_dir_origin(setup.data_dir);
  ASSERT_TRUE(origin) << origin.error().what;
  const Revision held = (*origin)->timeline()->fulls.at(0).name.span.last;
  std::int64_t left_out = 0;
  for (const std::string& sentence : (*origin)->left_out()) left_out += std::stoll(sentence);
  origin->reset();  // while it is there, an etcd waits for bbolt's lock
  ASSERT_TRUE(etcd->restart());
  const auto head = EtcdWriter::connect(*etcd)->head();
  ASSERT_TRUE(head) << head.error().what;
  // Its start may log a request of its own (the cluster's version), never less than what changed the rows.
  EXPECT_GE(left_out, head->raw() - held.raw());
  EXPECT_LE(left_out, head->raw() - held.raw() + 3) << told(*report);
}

TEST_P(DoctorDrill, ALivingEtcdIsLeftAlone) {
  const auto etcd = EtcdProcess::start(GetParam());
  ASSERT_TRUE(etcd) << etcd.error().what;
  const auto report = inspect::inspect_data_dir(etcd->data_dir());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Errc::conflict);
}

INSTANTIATE_TEST_SUITE_P(Etcd, DoctorDrill, ::testing::ValuesIn(kEtcdVersions), [](const auto& row) {
  std::string name = "v" + std::string(version_name(row.param));
  name.replace(name.find('.'), 1, "_");
  return name;
});

}  // namespace
}  // namespace tidemark::testing
