// The product against a real cluster: recorded under churn, a namespace deleted, the cluster put back to the moment
// before; and a recorder that goes on while the control plane fails around it.
//
// One bed serves the suite, with Secrets encrypted at rest, filled with objects of every kind. A dump is every object
// that the API server lists at one resource version, which is one revision of etcd.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/testing/scale.h"
#include "kit/bed_process.h"
#include "kit/record_drill.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Every wait is for a condition; this is for what hangs, where everything else goes first.

constexpr const char* kEncryption = R"(apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - aescbc: {keys: [{name: one, secret: c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4=}]}
  - identity: {}
)";

struct Dump {
  Revision at;
  std::map<std::string, json> objects;  // by "apiVersion kind namespace/name"
};

std::string name_of(const json& object) {
  const json& meta = object.at("metadata");
  return fmt::format("{} {} {}/{}", object.at("apiVersion").get<std::string>(), object.at("kind").get<std::string>(),
                     meta.value("namespace", ""), meta.at("name").get<std::string>());
}

Result<Dump> dump(const BedProcess& bed) {
  TM_LET(const io::TempDir temp, io::TempDir::create());
  const io::Path file = temp.path() / "dump";
  TM_LET(const std::string said, bed.bed({"dump", "--out", file.string()}));
  Dump dump{.at = Revision(std::stoll(json::parse(said).at("resource_version").get<std::string>())), .objects = {}};
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    json object = json::parse(line);
    std::string name = name_of(object);
    dump.objects.emplace(std::move(name), std::move(object));
  }
  return dump;
}

// What an API server changes by coming up, though nobody told it to: all that may differ from the dump of then.
struct Exception {
  const char* name;  // with which the object's begins
  std::vector<const char*> fields;
  const char* why;
};
const std::vector<Exception>& exceptions() {
  static const std::vector<Exception> kAll = {
      {"coordination.k8s.io/v1 Lease kube-system/apiserver-",
       {"/metadata/creationTimestamp", "/metadata/uid", "/metadata/resourceVersion", "/metadata/managedFields/0/time",
        "/spec/holderIdentity", "/spec/renewTime"},
       "each kube-apiserver that starts makes its own lease anew"},
  };
  return kAll;
}

json without_exceptions(const std::string& name, const json& object) {
  json rest = object;
  for (const Exception& exception : exceptions()) {
    if (!name.starts_with(exception.name)) continue;
    for (const char* field : exception.fields) {
      const json::json_pointer at(field);
      if (rest.contains(at)) rest.at(at.parent_pointer()).erase(at.back());
    }
  }
  return rest;
}

void expect_same(const Dump& is, const Dump& was) {
  for (const auto& [name, object] : was.objects) {
    const auto found = is.objects.find(name);
    if (found == is.objects.end()) {
      ADD_FAILURE() << name << " is missing";
      continue;
    }
    const json before = without_exceptions(name, object), after = without_exceptions(name, found->second);
    EXPECT_EQ(after, before) << name << "\n" << json::diff(before, after).dump(1);
  }
  for (const auto& [name, object] : is.objects) EXPECT_TRUE(was.objects.contains(name)) << name << " is new";
}

// With all controllers at work what was restored stays: each object of the filling is there and is the same one, not
// one that was made anew.
void expect_kept(const Dump& is, const Dump& was) {
  int kept = 0;
  for (const auto& [name, object] : was.objects) {
    const auto found = is.objects.find(name);
    if (found == is.objects.end()) {
      const std::string in = object.at("metadata").value("namespace", "");
      EXPECT_FALSE(in.starts_with("fill-")) << name << " is missing";
      continue;
    }
    if (without_exceptions(name, object) != object) continue;  // made anew by each start
    EXPECT_EQ(found->second.at("metadata").value("uid", ""), object.at("metadata").value("uid", "")) << name;
    kept++;
  }
  EXPECT_GT(kept, 100);
}

// Objects come, change and go until it is stopped.
class Churn {
 public:
  Churn(const BedProcess& bed, io::Path log) : log_(std::move(log)) {
    auto child =
        bed.bed_in_background({"churn", "--rate", "10", "--for", "1h", "--seed", std::to_string(seed())}, log_);
    EXPECT_TRUE(child) << child.error().what;
    if (child) child_.emplace(*std::move(child));
  }
  // How many calls came through.
  int stop() {
    child_->signal(SIGTERM);
    const auto code = child_->wait(kPatience);
    const json said = json::parse(child_->log_tail(1), nullptr, false);
    EXPECT_TRUE(code && *code == 0 && said.is_object()) << child_->log_tail();
    return said.is_object() ? said.value("succeeded", 0) : 0;
  }

 private:
  io::Path log_;
  std::optional<Child> child_;
};

class ClusterDrill : public Recording {
 protected:
  static void SetUpTestSuite() {
    const io::TempDir temp = io::TempDir::create().value();
    const io::Path encryption = temp.path() / "encryption.yaml";
    ASSERT_TRUE(io::write_file_durably(encryption, as_bytes(std::string_view(kEncryption))));
    auto bed = BedProcess::start({.encryption = encryption});
    ASSERT_TRUE(bed) << bed.error().what;
    bed_ = std::make_unique<BedProcess>(*std::move(bed));
    const auto filled =
        bed_->bed({"fill", "--objects", std::to_string(scaled(500)), "--seed", std::to_string(seed() % 100'000)});
    ASSERT_TRUE(filled) << filled.error().what;
    filled_ = true;
  }
  static void TearDownTestSuite() { bed_.reset(); }

  void SetUp() override {
    ASSERT_TRUE(filled_) << "there is no bed";
    Recording::SetUp();
  }

  // Until a full is published.
  Result<Child> record(const std::string& delta_period) {
    TM_LET(Child recorder, start_recorder(bed_->etcd_url(), {"--delta-period", delta_period}));
    if (!wait_until([&] { return metric(metrics_port_, "fulls_total") >= 1; }, kPatience)) {
      return fail(Errc::timeout, "no full:\n{}", log());
    }
    return recorder;
  }
  void stop(Child& recorder) const {
    recorder.signal(SIGTERM);
    MUST(const int code, recorder.wait(kPatience));
    EXPECT_EQ(code, 0) << log();
  }
  // Into the bed's folder, or another.
  Status restore(const std::string& at, const io::Path& data_dir, std::vector<std::string> more) const {
    std::vector<std::string> argv = {
        tidemark_program(), "restore",        "etcd", "--yes", "--store", "dir:" + store_dir().native(), "--at", at,
        "--data-dir",       data_dir.native()};
    argv.insert(argv.end(), more.begin(), more.end());
    TM_CHECK(output_of(argv));
    return {};
  }

  static std::unique_ptr<BedProcess> bed_;
  static bool filled_;
};
std::unique_ptr<BedProcess> ClusterDrill::bed_;
bool ClusterDrill::filled_ = false;

// Everything that etcd holds, and its revision.
Result<std::vector<StoredKey>> everything(const std::string& url, Revision* head) {
  TM_LET(EtcdWriter reader, EtcdWriter::connect(url.substr(url.rfind('/') + 1)));
  return reader.read_all({}, head);
}

int cut_connections(const BedProcess& bed) {
  const auto status = bed.bed({"status"});
  return status ? json::parse(*status).at("listeners").at("etcd").value("broken", 0) : 0;
}

// The API server and etcd are killed and start again, then connections to etcd are cut after every 20 kB: every
// revision is recorded, and a restore has what etcd has.
TEST_F(ClusterDrill, TheRecorderGoesOnWhileTheControlPlaneFails) {
  MUST(Child recorder, record("1s"));
  Churn churn(*bed_, dir_.path() / "churn.log");
  for (const char* program : {"kube-apiserver", "etcd"}) {
    const std::int64_t before = acknowledged();
    MUST(const std::string restarted, bed_->bed({"restart", program}));
    EXPECT_TRUE(wait_until([&] { return acknowledged() > before + 30; }, kPatience)) << program << "\n" << log();
  }
  MUST(const std::string broken, bed_->bed({"break", "etcd", "--cut-after", "20000"}));
  EXPECT_TRUE(wait_until([&] { return cut_connections(*bed_) >= 3; }, kPatience)) << log();
  MUST(const std::string healed, bed_->bed({"heal", "etcd"}));
  EXPECT_GE(churn.stop(), 40);

  // With no API server nobody writes: what etcd has now is the end.
  MUST(const std::string killed, bed_->bed({"kill", "kube-apiserver"}));
  Revision head;
  MUST(const std::vector<StoredKey> source, everything(bed_->etcd_url(), &head));
  EXPECT_TRUE(wait_until([&] { return acknowledged() >= head.raw(); }, kPatience)) << log();
  stop(recorder);
  expect_complete(head);
  MUST(const std::string back_again, bed_->bed({"restart", "kube-apiserver"}));

  std::size_t secrets = 0;
  for (const StoredKey& key : source) {
    if (!key.key.starts_with("/registry/secrets/")) continue;
    secrets++;
    EXPECT_THAT(key.value, StartsWith("k8s:enc:aescbc:v1:one:")) << key.key;
  }
  EXPECT_GT(secrets, 20U);
  const io::Path data = dir_.path() / "data";
  const Status restored = restore("latest", data, {"--revision-bump", "none"});
  ASSERT_TRUE(restored) << restored.error().what;
  MUST(EtcdProcess copy, EtcdProcess::start(EtcdVersion::v36, {.name = "default", .data_dir = data}));
  Revision copied;
  MUST(const std::vector<StoredKey> keys, everything(copy.client_url(), &copied));
  EXPECT_EQ(copied, head);
  EXPECT_EQ(keys.size(), source.size());
  EXPECT_TRUE(keys == source);
}

// The namespace with most in it.
std::string fullest_namespace(const Dump& dump) {
  std::map<std::string, int> count;
  for (const auto& [name, object] : dump.objects) {
    const std::string in = object.at("metadata").value("namespace", "");
    if (in.starts_with("fill-")) count[in]++;
  }
  const auto most = std::ranges::max_element(count, {}, [](const auto& pair) { return pair.second; });
  return most == count.end() || most->second < 20 ? "" : most->first;
}

TEST_F(ClusterDrill, ADeletedNamespaceIsBackWithEverythingElse) {
  MUST(Child recorder, record("2s"));
  Churn churn(*bed_, dir_.path() / "churn.log");
  const std::int64_t before = acknowledged();
  ASSERT_TRUE(wait_until([&] { return acknowledged() > before + 40; }, kPatience)) << log();
  MUST(const Dump then, dump(*bed_));
  const std::string victim = fullest_namespace(then);
  ASSERT_NE(victim, "");
  MUST(const std::string deleted, bed_->kubectl({"delete", "namespace", victim, "--timeout=5m"}, 320s));
  EXPECT_THAT(deleted, HasSubstr("deleted"));
  EXPECT_GE(churn.stop(), 40);
  MUST(const Dump after, dump(*bed_));
  for (const auto& [name, object] : after.objects)
    EXPECT_NE(object.at("metadata").value("namespace", ""), victim) << name;
  ASSERT_FALSE(after.objects.contains("v1 Namespace /" + victim));
  ASSERT_TRUE(wait_until([&] { return acknowledged() >= after.at.raw(); }, kPatience)) << log();
  stop(recorder);

  const Status stopped = bed_->stop();
  ASSERT_TRUE(stopped) << stopped.error().what;
  const Status restored = restore(fmt::format("rev:{}", then.at.raw()), bed_->data_dir(),
                                  {"--replace", "--name", "bed", "--initial-cluster", "bed=http://127.0.0.1:2380",
                                   "--initial-advertise-peer-urls", "http://127.0.0.1:2380"});
  ASSERT_TRUE(restored) << restored.error().what;

  // No controller acts yet: the API server answers what it answered then.
  const Status up = bed_->again({.controllers = false, .scheduler = false});
  ASSERT_TRUE(up) << up.error().what;
  MUST(const Dump back, dump(*bed_));
  EXPECT_GT(back.at, after.at);
  expect_same(back, then);

  // And it is a cluster that works: controllers take up what is there, and act on what is new.
  const Status stopped_again = bed_->stop();
  ASSERT_TRUE(stopped_again) << stopped_again.error().what;
  const Status whole = bed_->again({});
  ASSERT_TRUE(whole) << whole.error().what;
  MUST(const std::string made, bed_->kubectl({"create", "namespace", "made-later"}));
  EXPECT_THAT(made, HasSubstr("created"));
  EXPECT_TRUE(wait_until(
      [&] { return bed_->kubectl({"get", "serviceaccount", "default", "--namespace", "made-later"}).has_value(); },
      kPatience))
      << bed_->log_tails();
  MUST(const Dump later, dump(*bed_));
  expect_kept(later, then);
}

}  // namespace
}  // namespace tidemark::testing
