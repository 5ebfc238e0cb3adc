// Every value of a real cluster's etcd as JSON, beside what its API server answered at that very revision.
// testdata/kubernetes-*/RECIPE tells how both were made.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/testing/source_dir.h"
#include "bolt/reader.h"
#include "etcd/database.h"
#include "io/compress.h"
#include "kube/json_text.h"
#include "kube/object_json.h"
#include "kube/storage_key.h"
#include "kube/storage_value.h"
#include "restore/testing/live_state.h"

namespace tidemark::testing {
namespace {

using nlohmann::json;

const io::Path kFixture = io::Path(source_dir()) / "testdata/kubernetes-1.36";

Buffer gunzipped(const io::Path& path) {
  auto file = io::FileSource::open(path);
  EXPECT_TRUE(file) << file.error().what;
  auto text = io::decompressing(io::Codec::gzip, std::make_unique<io::FileSource>(*std::move(file)));
  EXPECT_TRUE(text) << text.error().what;
  return io::read_all(**text, 1UL << 30U).value();
}

// The files of a tar archive (POSIX ustar: blocks of 512 bytes, a header before each file).
std::map<std::string, std::string> untarred(Bytes tar) {
  std::map<std::string, std::string> files;
  const std::string_view text = as_text(tar);
  for (std::size_t at = 0; at + 512 <= text.size() && text[at] != '\0';) {
    const std::string name(text.substr(at, 100).data());
    const std::size_t size = std::stoul(std::string(text.substr(at + 124, 11)), nullptr, 8);
    if (size > 0) files[name] = text.substr(at + 512, size);
    at += 512 + (size + 511) / 512 * 512;
  }
  return files;
}

// "apps/v1 Deployment ns/name" -> the object as the API server sent it in a list.
std::map<std::string, json> served() {
  std::map<std::string, json> objects;
  for (const auto& [name, text] : untarred(gunzipped(kFixture / "json.tar.gz"))) {
    if (!name.ends_with(".json")) continue;
    const json list = json::parse(text);
    const std::string kind = list.at("kind");
    for (json item : list.at("items")) {
      // Lists of built-in kinds leave out what the list says.
      item["apiVersion"] = list.at("apiVersion");
      item["kind"] = kind.substr(0, kind.size() - 4);
      const json& meta = item.at("metadata");
      objects[fmt::format("{} {} {}/{}", item["apiVersion"].get<std::string>(), item["kind"].get<std::string>(),
                          meta.value("namespace", ""), meta.at("name").get<std::string>())] = item;
    }
  }
  return objects;
}

std::string printed(const json& value) {
  std::string text;
  kube::JsonWriter to(text, kube::JsonWriter::Style::indented);
  kube::print_json(value, to);
  return text;
}

class KubernetesValues : public ::testing::Test {
 protected:
  void SetUp() override {
    const io::Path file = temp_.path() / "db";
    ASSERT_TRUE(io::write_file_durably(file, gunzipped(kFixture / "snapshot.db.gz")));
    const auto size = std::filesystem::file_size(file);
    const auto database = bolt::Reader::open(file, size - 32);  // a snapshot ends in its digest
    ASSERT_TRUE(database) << database.error().what;
    const auto state = etcd::read_state(*database);
    ASSERT_TRUE(state) << state.error().what;
    live_ = restore::testing::live_state(*database, state->revision).value();
  }
  io::TempDir temp_ = io::TempDir::create().value();
  restore::testing::LiveState live_;
};

TEST_F(KubernetesValues, AreWhatTheServerSent) {
  const auto expected = served();
  ASSERT_GT(expected.size(), 500U);
  const kube::ObjectOptions options{.managed_fields = true, .style = kube::JsonWriter::Style::indented};
  kube::ObjectPrinter printer(kube::Schema::built_in(), options);
  std::map<std::string, int> differ, unknown;  // by kind
  std::set<std::string> seen;
  std::string first;
  int equal = 0;
  for (const auto& [key, live] : live_) {
    if (!kube::parse_storage_key(as_bytes(key))) continue;
    std::string text;
    const auto lost = printer.print(as_bytes(live.value), Revision(live.mod), text);
    ASSERT_TRUE(lost) << key << ": " << lost.error().what;
    EXPECT_EQ(lost->unknown_fields, 0U) << key << ": " << lost->first_unknown;
    const json object = json::parse(text);
    const json& meta = object.at("metadata");
    const std::string kind =
        fmt::format("{} {}", object.at("apiVersion").get<std::string>(), object.at("kind").get<std::string>());
    const std::string name =
        fmt::format("{} {}/{}", kind, meta.value("namespace", ""), meta.at("name").get<std::string>());
    const auto found = expected.find(name);
    if (found == expected.end()) {
      unknown[kind]++;
      continue;
    }
    seen.insert(name);
    if (printed(found->second) == text) {
      equal++;
    } else {
      differ[kind]++;
      if (first.empty()) first = fmt::format("{}\nis     {}\nshould {}", key, text, printed(found->second));
    }
  }
  using Counts = std::map<std::string, int>;
  EXPECT_EQ(equal, 880);
  // The server adds what has a default when it reads: volumeClaimTemplates[].apiVersion and kind.
  EXPECT_EQ(differ, (Counts{{"apps/v1 StatefulSet", 3}})) << first;
  // Stored in a version that is not the one it is listed in.
  EXPECT_EQ(unknown, (Counts{{"apiextensions.k8s.io/v1beta1 CustomResourceDefinition", 8},
                             {"groupsnapshot.storage.k8s.io/v1beta2 VolumeGroupSnapshot", 1},
                             {"groupsnapshot.storage.k8s.io/v1beta2 VolumeGroupSnapshotClass", 1},
                             {"groupsnapshot.storage.k8s.io/v1beta2 VolumeGroupSnapshotContent", 1},
                             {"shop.example.com/v1beta1 Region", 5}}));
  // Nothing that was listed is missing: events are listed once more in their other group, and one kind is no key at
  // all.
  int missing = 0;
  for (const auto& [name, object] : expected) {
    const std::string version = object.at("apiVersion"), kind = object.at("kind");
    const bool stored_otherwise =
        kind == "CustomResourceDefinition" || kind == "Region" || kind.starts_with("VolumeGroup");
    if (seen.contains(name) || stored_otherwise || version == "events.k8s.io/v1" || kind == "ComponentStatus") continue;
    missing++;
    ADD_FAILURE() << name << " is in no key";
  }
  EXPECT_EQ(missing, 0);
}

}  // namespace
}  // namespace tidemark::testing
