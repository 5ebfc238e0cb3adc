// Values encrypted at rest: by the real transformers of Kubernetes (testbed/goldens), and in a real cluster's etcd.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/testing/scale.h"
#include "base/testing/source_dir.h"
#include "cli/testing/run.h"
#include "io/compress.h"
#include "kit/goldens.h"
#include "kube/encryption.h"
#include "kube/storage_value.h"
#include "link/key_service.h"

namespace tidemark::testing {
namespace {

using nlohmann::json;

bool is_object(Bytes plain) {
  const kube::Encoding encoding = kube::encoding_of(plain);
  return encoding == kube::Encoding::protobuf || encoding == kube::Encoding::json || encoding == kube::Encoding::cbor;
}

// What the real transformers open we open, to the same bytes; what they refuse we refuse. Values of a KMS aside, which
// are named.
TEST(Encryption, AsTheServersOwnTransformers) {
  const io::TempDir temp = io::TempDir::create().value();
  const io::Path file = temp.path() / "goldens";
  const auto goldens = make_goldens("goldens-encryption", {"--seed", "1", "--random", "50"}, file);
  ASSERT_TRUE(goldens) << goldens.error().what << " - " << goldens.error().hint;
  ASSERT_GT(goldens->size(), 1000U);
  const Buffer yaml = io::read_file(file.string() + ".yaml", 1UL << 20U).value();
  auto providers = kube::read_encryption_configuration(yaml);
  ASSERT_TRUE(providers) << providers.error().what;
  kube::Decryptor decryptor(*std::move(providers));
  std::size_t opened = 0, refused = 0, kms = 0;
  for (const Golden& golden : *goldens) {
    const std::string &name = golden.at("case"), &stored = golden.at("stored"), &plain = golden.at("plain");
    if (kube::encoding_of(as_bytes(stored)) != kube::Encoding::encrypted) {
      EXPECT_EQ(plain, stored) << name;
      continue;
    }
    const auto ours = decryptor.open(as_bytes(stored), golden.at("key"));
    if (stored.starts_with("k8s:enc:kms:")) {
      kms++;
      EXPECT_FALSE(ours) << name;
      continue;
    }
    const bool theirs = golden.at("failure").empty();
    // CBC proves nothing: one wrong key in 256 opens a value to noise, and the server stops there. We go on to the next
    // key of that name, and call noise of all of them not opened.
    if (theirs && !is_object(as_bytes(plain))) {
      EXPECT_TRUE(!ours || is_object(*ours)) << name;
      continue;
    }
    ASSERT_EQ(ours.has_value(), theirs) << name << ": " << (ours ? "opened" : ours.error().what)
                                        << ", the server: " << golden.at("failure");
    if (ours) {
      opened++;
      EXPECT_EQ(as_text(*ours), plain) << name;
    } else {
      refused++;
      EXPECT_TRUE(ours.error().code == Errc::denied || ours.error().code == Errc::corrupt) << name;
    }
  }
  EXPECT_GT(opened, 500U);
  EXPECT_GT(refused, 100U);
  EXPECT_GT(kms, 200U);
}

// ---- values of a key management service, asked over its socket

TEST(Encryption, KeyManagementServicesOpenTheirs) {
  const io::TempDir temp = io::TempDir::create().value();
  const io::Path file = temp.path() / "goldens";
  const auto service = GoldensService::start(
      "goldens-encryption", {"--seed", "3", "--random", "20", "--sockets", temp.path().string()}, file);
  ASSERT_TRUE(service) << service.error().what;
  const auto goldens = service->goldens();
  ASSERT_TRUE(goldens) << goldens.error().what;
  const Buffer yaml = io::read_file(file.string() + ".yaml", 1UL << 20U).value();
  link::GrpcKeyService keys;
  kube::Decryptor decryptor(kube::read_encryption_configuration(yaml).value(), &keys);
  std::size_t opened = 0, refused = 0;
  for (const Golden& golden : *goldens) {
    const std::string& stored = golden.at("stored");
    if (!stored.starts_with("k8s:enc:kms:")) continue;
    const auto ours = decryptor.open(as_bytes(stored), golden.at("key"));
    const bool theirs = golden.at("failure").empty();
    if (theirs && !is_object(as_bytes(golden.at("plain")))) {  // noise, by an old value's CBC
      EXPECT_TRUE(!ours || is_object(*ours)) << golden.at("case");
      continue;
    }
    ASSERT_EQ(ours.has_value(), theirs) << golden.at("case") << ": " << (ours ? "opened" : ours.error().what)
                                        << ", the server: " << golden.at("failure");
    if (ours) {
      EXPECT_EQ(as_text(*ours), golden.at("plain")) << golden.at("case");
    }
    (ours ? opened : refused)++;
  }
  EXPECT_GT(opened, 100U);
  EXPECT_GT(refused, 20U);
}

TEST(Encryption, AServiceThatDoesNotAnswerIsNamed) {
  kube::KeyProvider provider;
  provider.kind = kube::KeyProvider::Kind::kms_v2;
  provider.timeout = std::chrono::milliseconds(500);
  provider.endpoint = "unix:///nowhere/kms.sock";
  const auto answer = link::GrpcKeyService().open_key(provider, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::unavailable);
  EXPECT_NE(answer.error().what.find("unix:///nowhere/kms.sock"), std::string::npos);
  const auto no_socket = link::GrpcKeyService("http://localhost").open_key(provider, {});
  EXPECT_EQ(no_socket.error().code, Errc::invalid);
}

// ---- a real cluster, where each stage was encrypted otherwise

const io::Path kFixture = io::Path(source_dir()) / "testdata/kubernetes-1.36-encrypted";

cli::testing::Ran get(std::vector<std::string> args) {
  args.insert(args.begin(), "get");
  args.insert(args.end(), {"--store", "file:" + (kFixture / "snapshot.db.gz").string(), "--progress", "none"});
  return cli::testing::run(args);
}

// A list that the server sent, by its file's name.
json served(const std::string& name) {
  auto file = io::FileSource::open(kFixture / "json.tar.gz");
  auto text = io::decompressing(io::Codec::gzip, std::make_unique<io::FileSource>(*std::move(file)));
  const Buffer tar = io::read_all(**text, 1UL << 30U).value();
  const std::string_view all = as_text(tar);
  for (std::size_t at = 0; at + 512 <= all.size() && all[at] != '\0';) {
    const std::size_t size = std::stoul(std::string(all.substr(at + 124, 11)), nullptr, 8);
    if (std::string(all.substr(at, 100).data()) == "json/" + name + ".json")
      return json::parse(all.substr(at + 512, size));
    at += 512 + (size + 511) / 512 * 512;
  }
  return {};
}

TEST(Encryption, AClusterIsReadFullyWithItsConfiguration) {
  for (const auto& [kind, file] :
       {std::pair{"secrets", "api_v1_secrets"}, std::pair{"widgets", "apis_shop.example.com_v1_widgets"},
        std::pair{"regions", "apis_shop.example.com_v1_regions"}}) {
    const auto ran = get({kind, "-A", "-o", "json", "--show-managed-fields", "--encryption-config",
                          (kFixture / "encryption.yaml").string()});
    ASSERT_EQ(ran.code, 0) << ran.err;
    const json ours = json::parse(ran.out);
    json theirs = served(file);
    ASSERT_FALSE(theirs.at("items").empty()) << kind;
    for (json& item : theirs["items"]) {
      item["apiVersion"] = theirs.at("apiVersion");
      item["kind"] = theirs.at("kind").get<std::string>().substr(0, theirs.at("kind").get<std::string>().size() - 4);
    }
    EXPECT_EQ(ours.at("items"), theirs.at("items"))
        << json::diff(theirs.at("items"), ours.at("items")).dump(1).substr(0, 2000);
  }
}

// Each line of providers.txt: "k8s:enc:aescbc:v1:one: /registry/…", or "plain /registry/…".
TEST(Encryption, WithoutTheKeyEachValueIsNamed) {
  const auto none = get({"secrets,widgets,regions", "-A", "-o", "json"});
  EXPECT_EQ(none.code, 3) << none.err;
  const auto names = get({"secrets,widgets,regions", "-A", "-o", "name"});
  const auto older = get({"secrets,widgets,regions", "-A", "-o", "json", "--encryption-config",
                          (kFixture / "encryption-before.yaml").string()});
  EXPECT_EQ(older.code, 3) << older.err;
  std::ifstream lines(kFixture / "providers.txt");
  std::string how, key;
  std::size_t sealed = 0, plain = 0;
  while (lines >> how >> key) {
    if (how == "plain") {
      plain++;
      EXPECT_EQ(none.err.find(key + ":"), std::string::npos) << key;
      continue;
    }
    sealed++;
    // "k8s:enc:aescbc:v1:one:" -> "aescbc, key 'one'"
    const std::string provider = how.substr(8, how.find(':', 8) - 8);
    const std::string name = how.substr(how.rfind(':', how.size() - 2) + 1);
    const std::string told =
        fmt::format("{}: encrypted with {}, key '{}'", key, provider, name.substr(0, name.size() - 1));
    EXPECT_NE(none.err.find(told), std::string::npos) << told << "\n" << none.err;
    EXPECT_EQ(older.err.find(told) != std::string::npos, provider == "secretbox") << told;
    const std::string object = "/" + key.substr(key.rfind('/') + 1) + "\n";
    EXPECT_NE(names.out.find(object), std::string::npos) << object;
  }
  EXPECT_GT(sealed, 30U);
  EXPECT_EQ(json::parse(none.out).at("items").size(), plain);
  EXPECT_NE(none.err.find("hint: --encryption-config FILE"), std::string::npos);

  const auto one = get({"secret/basic", "-n", "stage3-rotated", "-o", "yaml"});
  EXPECT_EQ(one.code, 6) << one.err;
  EXPECT_EQ(one.out, "");
}

}  // namespace
}  // namespace tidemark::testing
