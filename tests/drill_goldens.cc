// Thousands of stored objects beside what Kubernetes' own types, serializers and kubectl make of them: src/kube prints
// the same bytes. testbed/goldens makes them anew for each run, from TM_SEED; TM_SCALE makes more.
#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/testing/scale.h"
#include "io/file.h"
#include "kit/golden_reader.h"
#include "kit/program.h"
#include "kube/object_json.h"
#include "kube/object_metadata.h"

namespace tidemark::testing {
namespace {

using nlohmann::json;

struct Golden {
  std::string_view name, group, version, kind, form, printed;
  Bytes storage;
};

// What we made of a golden.
struct Made {
  Result<kube::Lossiness> done;
  std::string text;
};

// A quantity's exact value, as far as goldens need it: a decimal fraction and a factor.
std::optional<long double> quantity(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, long double>, 16> kUnits = {{{"n", 1e-9L},
                                                                                       {"u", 1e-6L},
                                                                                       {"m", 1e-3L},
                                                                                       {"k", 1e3L},
                                                                                       {"M", 1e6L},
                                                                                       {"G", 1e9L},
                                                                                       {"T", 1e12L},
                                                                                       {"P", 1e15L},
                                                                                       {"E", 1e18L},
                                                                                       {"Ki", 0x1p10L},
                                                                                       {"Mi", 0x1p20L},
                                                                                       {"Gi", 0x1p30L},
                                                                                       {"Ti", 0x1p40L},
                                                                                       {"Pi", 0x1p50L},
                                                                                       {"Ei", 0x1p60L},
                                                                                       {"", 1}}};
  if (text.starts_with('+')) text.remove_prefix(1);
  long double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const auto& [name, factor] : kUnits) {
    if (unit == name) return value * factor;
  }
  return std::nullopt;
}

bool same_quantity(const json& a, const json& b) {
  if (!a.is_string() || !b.is_string()) return false;
  const auto x = quantity(a.get<std::string>()), y = quantity(b.get<std::string>());
  // Quantities are kept in billionths, what is smaller is rounded up.
  return x && y && std::abs(*x - *y) <= 1e-9L + std::abs(*x) * 1e-15L;
}

// What an int64 does not hold is read, and printed, as a float64.
bool same_number(const json& a, const json& b) {
  const auto beyond = [](const json& n) { return n.is_number_unsigned() && n.get<std::uint64_t>() > INT64_MAX; };
  return a.is_number() && b.is_number() && (beyond(a) || beyond(b)) && a.get<double>() == b.get<double>();
}

// Equal but for leaves that are the same in that way.
bool same_but(bool (*same)(const json&, const json&), const json& a, const json& b) {
  if (a == b || same(a, b)) return true;
  if (a.type() != b.type() || !a.is_structured() || a.size() != b.size()) return false;
  for (auto x = a.begin(), y = b.begin(); x != a.end(); ++x, ++y) {
    if (a.is_object() && x.key() != y.key()) return false;
    if (!same_but(same, *x, *y)) return false;
  }
  return true;
}

json parsed(std::string_view text) { return json::parse(text, nullptr, false); }

bool failed_with(const Made& made, std::string_view words) {
  return !made.done && made.done.error().code == Errc::corrupt && made.done.error().what.contains(words);
}

// All that may differ, and how it then must be.
struct Residue {
  const char* why;
  bool always;  // some golden shows it whatever the seed
  bool (*is)(const Golden& golden, const Made& made);
};
constexpr Residue kResidue[] = {
    {"a built-in kind that is kept as JSON is shown as stored, not brought through its type", true,
     [](const Golden& golden, const Made& made) {
       return golden.form == "json" && golden.kind != "Widget" && made.done &&
              same_but(same_number, parsed(made.text), parsed(as_text(golden.storage)));
     }},
    {"a quantity that no API server wrote is shown as written, not in the canonical form", true,
     [](const Golden& golden, const Made& made) {
       return golden.name == "foreign-leaves" && made.done &&
              same_but(same_quantity, parsed(made.text), parsed(golden.printed));
     }},
    {"half a surrogate pair in JSON is refused, not shown as U+FFFD", true,
     [](const Golden& golden, const Made& made) {
       return golden.name.starts_with("written-") && failed_with(made, "surrogate");
     }},
    {"JSON that is not UTF-8 is refused, not shown with U+FFFD", true,
     [](const Golden& golden, const Made& made) {
       return golden.name.starts_with("written-") && failed_with(made, "ill-formed UTF-8");
     }},
    {"objects deeper than 200 levels are refused; a server's limit is 10,000", true,
     [](const Golden& golden, const Made& made) {
       return golden.name.starts_with("written-") && failed_with(made, "more than 200 levels");
     }},
    {"a stored resourceVersion or selfLink is not shown: a server, too, shows the row's revision, and no link", false,
     [](const Golden& golden, const Made& made) {
       json printed = parsed(golden.printed);
       const json::json_pointer meta("/metadata");
       if (!golden.name.starts_with("bit-turned-") || !made.done || !printed.contains(meta)) return false;
       const auto erased = printed.at(meta).erase("resourceVersion") + printed.at(meta).erase("selfLink");
       return erased > 0 && parsed(made.text) == printed;
     }},
    {"metadata.clusterName, which this release no longer has, is a field like others: shown, and refused when damaged",
     false,
     [](const Golden& golden, const Made& made) {
       if (!golden.name.starts_with("bit-turned-")) return false;
       if (!made.done) return failed_with(made, "ObjectMeta field 15 is of another type");
       json ours = parsed(made.text);
       const json::json_pointer meta("/metadata");
       return ours.contains(meta) && ours.at(meta).erase("clusterName") > 0 && ours == parsed(golden.printed);
     }},
    {"an entry of a map with a wrong wire type is refused, not read by halves", false,
     [](const Golden& golden, const Made& made) {
       return golden.name.starts_with("bit-turned-") &&
              (failed_with(made, "damaged entry of a map") || failed_with(made, "a map's value is of another type"));
     }},
};

std::string around_difference(std::string_view is, std::string_view should) {
  const auto at = static_cast<std::size_t>(std::ranges::mismatch(is, should).in1 - is.begin());
  const std::size_t from = at > 160 ? at - 160 : 0;
  return fmt::format("is     …{}\nshould …{}", is.substr(from, 300), should.substr(std::min(from, should.size()), 300));
}

class Goldens : public ::testing::TestWithParam<int> {};

// Metadata that is read without the rest is that of the whole. Says whether it could be.
bool has_its_metadata(const Golden& golden, const Made& made) {
  kube::ObjectMetadata read;
  if (!made.done || !kube::read_metadata(golden.storage, read)) return false;
  const json object = json::parse(made.text);
  const json& whole = object.at("metadata");
  std::map<std::string, std::string> labels;
  for (const auto& [key, value] : read.labels) labels[std::string(key)] = value;
  EXPECT_EQ(json(labels), whole.value("labels", json::object())) << made.text;
  EXPECT_EQ(read.name, whole.value("name", "")) << made.text;
  EXPECT_EQ(read.name_space, whole.value("namespace", "")) << made.text;
  EXPECT_EQ(read.uid, whole.value("uid", "")) << made.text;
  EXPECT_EQ(read.kind, object.at("kind").get<std::string>());
  return true;
}

TEST_P(Goldens, AreWhatWePrint) {
  const auto program = goldens_program(GetParam());
  ASSERT_TRUE(program) << program.error().what;
  const auto temp = io::TempDir::create();
  ASSERT_TRUE(temp) << temp.error().what;
  const io::Path path = temp->path() / "goldens";
  const auto made_file = output_of({program->string(), "--seed", std::to_string(seed()), "--random",
                                    std::to_string(scaled(3)), "--out", path.string()},
                                   {.timeout = std::chrono::minutes(10)});
  ASSERT_TRUE(made_file) << made_file.error().what;
  const auto file = io::MappedFile::open(path);
  ASSERT_TRUE(file) << file.error().what;
  auto reader = GoldenReader::open(file->bytes());
  ASSERT_TRUE(reader) << reader.error().what;
  EXPECT_TRUE(reader->header().kubernetes.starts_with(fmt::format("v0.{}.", GetParam())))
      << reader->header().kubernetes;

  kube::ObjectPrinter printer(kube::Schema::built_in(), {.server_minor = GetParam(), .managed_fields = true});
  std::array<int, std::size(kResidue)> residue{};
  int equal = 0, refused = 0, wrong = 0, looked_at = 0, with_metadata = 0;
  std::vector<Bytes> record;
  for (;;) {
    const auto more = reader->next(record);
    ASSERT_TRUE(more) << more.error().what;
    if (!*more) break;
    const auto text = [&](std::string_view name) { return as_text(record.at(reader->column(name).value())); };
    Golden golden{.name = text("case"),
                  .group = text("group"),
                  .version = text("version"),
                  .kind = text("kind"),
                  .form = text("form"),
                  .printed = text("printed"),
                  .storage = as_bytes(text("storage"))};
    Made made{.done = {}, .text = {}};
    made.done = printer.print(golden.storage, Revision(0), made.text);
    made.text += '\n';
    if (++looked_at % 8 == 0 && has_its_metadata(golden, made)) with_metadata++;  // to parse JSON takes its time
    if (golden.printed.empty() && !made.done) {
      refused++;
      continue;
    }
    if (!golden.printed.empty() && made.done && made.text == golden.printed) {
      equal++;
      continue;
    }
    const auto* const row = std::ranges::find_if(kResidue, [&](const Residue& r) { return r.is(golden, made); });
    if (row != std::end(kResidue)) {
      residue.at(static_cast<std::size_t>(row - kResidue))++;
      continue;
    }
    if (++wrong > 10) continue;
    ADD_FAILURE() << fmt::format("{} of {}/{} {} in {}:\n{}", golden.name, golden.group, golden.version, golden.kind,
                                 golden.form,
                                 made.done ? around_difference(made.text, golden.printed) : made.done.error().what);
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(equal, 2500);
  EXPECT_GT(refused, 50);
  EXPECT_GT(with_metadata, 20);
  for (std::size_t i = 0; i < residue.size(); i++) {
    EXPECT_TRUE(residue.at(i) > 0 || !kResidue[i].always) << "not so any more: " << kResidue[i].why;
  }
  fmt::print("Kubernetes {}: {} equal, {} refused by both, residue {}\n", reader->header().kubernetes, equal, refused,
             fmt::join(residue, " + "));
}

INSTANTIATE_TEST_SUITE_P(Kubernetes, Goldens, ::testing::Values(36, 30, 24),
                         [](const auto& minor) { return "v1_" + std::to_string(minor.param); });

// A file as the page of testbed/goldens has it: two records of two columns.
std::string small_file() {
  const auto number = [](std::uint32_t n) {
    std::string bytes(4, '\0');
    store_le(reinterpret_cast<std::byte*>(bytes.data()), n);
    return bytes;
  };
  const auto field = [&](std::string_view text) {
    return number(static_cast<std::uint32_t>(text.size())).append(text);
  };
  return "TMGOLDEN" + number(1) + number(2) + number(7) + number(0) + number(10) + field("v0.36.3") + number(2) +
         field("case") + field("storage") + field("one") + field("{}") + field("two") + field("");
}

Status read_all_of(std::string_view text) {
  TM_LET(GoldenReader reader, GoldenReader::open(as_bytes(text)));
  std::vector<Bytes> record;
  for (;;) {
    TM_LET(const bool more, reader.next(record));
    if (!more) return {};
  }
}

TEST(GoldenReader, ReadsWhatThePageSays) {
  const std::string file = small_file();
  auto reader = GoldenReader::open(as_bytes(file));
  ASSERT_TRUE(reader) << reader.error().what;
  EXPECT_EQ(reader->header().seed, 7U);
  EXPECT_EQ(reader->header().random, 10U);
  EXPECT_EQ(reader->column("storage"), 1U);
  EXPECT_FALSE(reader->column("sent"));
  std::vector<Bytes> record;
  EXPECT_EQ(reader->next(record), true);
  EXPECT_EQ(as_text(record.at(1)), "{}");
  EXPECT_EQ(reader->next(record), true);
  EXPECT_EQ(as_text(record.at(0)), "two");
  EXPECT_EQ(reader->next(record), false);
}

TEST(GoldenReader, RefusesWhatIsCutOffOrChanged) {
  const std::string file = small_file();
  for (std::size_t length = 0; length < file.size(); length++) {
    const Status read = read_all_of(std::string_view(file).substr(0, length));
    ASSERT_FALSE(read) << length;
    EXPECT_EQ(read.error().code, Errc::torn) << length << ": " << read.error().what;
  }
  struct Row {
    std::size_t at;
    char byte;
  };
  for (const Row row : {Row{0, 'X'}, Row{8, 2}, Row{12, 1}, Row{31, 0x7f}, Row{39, 0}, Row{40, 1}}) {
    std::string other = file;
    other.at(row.at) = row.byte;
    const Status read = read_all_of(other);
    ASSERT_FALSE(read) << row.at;
    EXPECT_EQ(read.error().code, Errc::corrupt) << row.at << ": " << read.error().what;
  }
  EXPECT_EQ(read_all_of(file + "x").error().code, Errc::corrupt);
}

}  // namespace
}  // namespace tidemark::testing
