#include "cli/version.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/output.h"
#include "cli/program.h"
#include "cli/verbs.h"

namespace tidemark::cli {
namespace {

using Json = nlohmann::ordered_json;

struct FormatRow {
  std::string_view name, reads, writes;
};

constexpr FormatRow kFormats[] = {
    {"etcd data directory", "3.4 to 3.7", "3.4 to 3.7"},
    {"etcd snapshot", "with and without digest", "with digest"},
    {"etcd-backup-restore bucket", "v1, v2; none, gzip, zlib, lzw", "v2; gzip"},
    {"tidemark sidecars", "1", "1"},
    {"age file", "v1, X25519", "v1, X25519"},
};
constexpr std::string_view kRecords = "etcd 3.4 to 3.7";  // over its API

std::string compiler() {
#ifdef __clang__
  // "19.1.7 (++20250804...)": its number alone.
  const std::string_view version = __clang_version__;
  return fmt::format("clang {}", version.substr(0, version.find(' ')));
#else
  return fmt::format("gcc {}", __VERSION__);
#endif
}

#ifdef __OPTIMIZE__
constexpr bool kOptimised = true;
#else
constexpr bool kOptimised = false;
#endif

struct Library {
  std::string name, version;
};

// TM_LIBRARIES is "OpenSSL 3.0.17,fmt 9.1.0", as CMake found them.
std::vector<Library> libraries() {
  std::vector<Library> all;
  std::string_view left = TM_LIBRARIES;
  while (!left.empty()) {
    const std::string_view one = left.substr(0, left.find(','));
    left.remove_prefix(std::min(one.size() + 1, left.size()));
    const std::size_t blank = one.find(' ');
    if (blank + 1 < one.size()) all.push_back({std::string(one.substr(0, blank)), std::string(one.substr(blank + 1))});
  }
  all.push_back({"CLI11", CLI11_VERSION});
  all.push_back({"nlohmann-json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                                              NLOHMANN_JSON_VERSION_PATCH)});
  return all;
}

Result<Exit> version(Program& program, Format format) {
  switch (format) {
    case Format::json: program.out() << print_json(version_json()); break;
    case Format::yaml: program.out() << print_yaml(version_json()); break;
    case Format::name: program.out() << TM_VERSION << "\n"; break;
    case Format::table:
    case Format::wide: program.out() << version_report(); break;
  }
  return Exit::done;
}

}  // namespace

std::string_view version_number() { return TM_VERSION; }

std::string version_text() {
  const std::string commit = built_commit().empty() ? "" : fmt::format("{}, ", built_commit());
  return fmt::format("tidemark {} ({}{}, {})", TM_VERSION, commit, compiler(),
                     kOptimised ? "optimised" : "not optimised");
}

std::string version_report() {
  std::string text = version_text() + "\n";
  const auto line = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) text += fmt::format("{:<12}{}\n", name, value);
  };
  line("commit", built_commit());
  line("build type", TM_BUILD_TYPE);
  line("sanitizers", TM_SANITIZE);
  line("records", kRecords);
  for (const FormatRow& row : kFormats) {
    line("format", fmt::format("{}: reads {}; writes {}", row.name, row.reads, row.writes));
  }
  for (const Library& library : libraries()) line("library", library.name + " " + library.version);
  return text;
}

Json version_json() {
  Json all{{"kind", "Version"}, {"formatVersion", 1}, {"version", TM_VERSION}};
  all["commit"] = built_commit().empty() ? Json(nullptr) : Json(built_commit());
  all["compiler"] = compiler();
  all["optimised"] = kOptimised;
  all["buildType"] = TM_BUILD_TYPE;
  all["sanitizers"] = TM_SANITIZE;
  all["records"] = kRecords;
  all["formats"] = Json::array();
  for (const FormatRow& row : kFormats) {
    all["formats"].push_back(Json{{"name", row.name}, {"reads", row.reads}, {"writes", row.writes}});
  }
  all["libraries"] = Json::object();
  for (const Library& library : libraries()) all["libraries"][library.name] = library.version;
  return all;
}

void add_version(Program& program) {
  auto format = std::make_shared<Format>(Format::table);
  CLI::App& app = program.verb("version", "how this program was built, and what it reads and writes",
                               "tidemark version                   # for a bug report\n"
                               "tidemark version -o json | jq -r .version\n",
                               [format](Program& p) { return version(p, *format); });
  program.add_format(app, *format);
}

}  // namespace tidemark::cli
