// The fixture of tests/drill_kube_client.cc: one bed for all its tests, without controllers, so that nothing moves in
// it but what a test does; and what the tests do to it.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/testing/scale.h"
#include "crypto/rsa.h"
#include "crypto/sign.h"
#include "kit/bed_process.h"
#include "link/kube_client.h"

namespace tidemark::testing {

using link::KubeAccess;
using link::KubeClient;
using link::KubeClientOptions;
using link::KubeDiscovery;
using link::KubeKind;
using nlohmann::json;

inline std::string nothing_set(std::string_view) { return {}; }

inline std::string id_of(const json& object) {
  const json& meta = object.at("metadata");
  return fmt::format("{} {} {}/{}", object.at("apiVersion").get<std::string>(), object.at("kind").get<std::string>(),
                     meta.value("namespace", ""), meta.at("name").get<std::string>());
}

using Objects = std::map<std::string, json>;

class KubeClientDrill : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto bed = BedProcess::start({.controllers = false,
                                  .scheduler = false,
                                  .more_flags = {"--flag", "kube-apiserver=--watch-cache-sizes=configmaps#0"}});
    ASSERT_TRUE(bed) << bed.error().what;
    bed_ = std::make_unique<BedProcess>(*std::move(bed));
    const auto filled = bed_->bed({"fill", "--objects", "200", "--seed", std::to_string(seed() % 100'000)});
    ASSERT_TRUE(filled) << filled.error().what;
    filled_ = true;
  }
  static void TearDownTestSuite() { bed_.reset(); }
  void SetUp() override { ASSERT_TRUE(filled_) << "there is no bed"; }

  static KubeAccess access(std::string_view user = "admin") {
    auto read = link::read_kube_config({.file = bed_->kubeconfig(user).string()}, nothing_set);
    EXPECT_TRUE(read) << read.error().what;
    return read.value_or(KubeAccess());
  }
  static KubeClient client(std::string_view user = "admin", const KubeClientOptions& options = {}) {
    return KubeClient(access(user), options);
  }
  static Result<Objects> list(KubeClient& client, const KubeKind& kind, const link::KubeListOptions& options) {
    Objects all;
    TM_LET(const link::KubeListEnd end, client.list(kind, options, [&](json& object) -> Status {
      std::string id = id_of(object);
      if (!all.emplace(std::move(id), std::move(object)).second) return fail(Errc::corrupt, "it came twice");
      return {};
    }));
    EXPECT_EQ(end.objects, all.size());
    return all;
  }

  static inline std::unique_ptr<BedProcess> bed_;
  static inline bool filled_ = false;
};

// Objects of our own, each of some kilobytes, in a namespace of their own.
inline Result<Objects> make_maps(KubeClient& client, const std::string& name_space, int count) {
  TM_LET(const KubeDiscovery served, client.discover());
  const json space{{"metadata", {{"name", name_space}}}};
  TM_CHECK(client.create(*served.find("namespaces"), {}, space));
  Objects all;
  for (int i = 0; i < count; i++) {
    const json map{{"metadata", {{"name", fmt::format("map-{:04}", i)}}}, {"data", {{"text", std::string(2000, 'x')}}}};
    TM_LET(json made, client.create(*served.find("configmaps"), {.name_space = name_space}, map));
    std::string id = id_of(made);
    all.emplace(std::move(id), std::move(made));
  }
  return all;
}

inline int broken(const BedProcess& bed, const char* listener) {
  const auto status = bed.bed({"status"});
  return status ? json::parse(*status).at("listeners").at(listener).value("broken", 0) : 0;
}

// Ends when it goes.
class Break {
 public:
  Break(const BedProcess& bed, std::vector<std::string> how) : bed_(bed), listener_(how.front()) {
    how.insert(how.begin(), "break");
    const auto said = bed.bed(std::move(how));
    EXPECT_TRUE(said) << said.error().what;
  }
  Break(const Break&) = delete;
  Break& operator=(const Break&) = delete;
  ~Break() {
    const auto said = bed_.bed({"heal", listener_});
    EXPECT_TRUE(said) << said.error().what;
  }

 private:
  const BedProcess& bed_;
  std::string listener_;
};

inline std::string from_base64url(std::string text) {
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  while (text.size() % 4 != 0) text += '=';
  const auto bytes = crypto::from_base64(text);
  return bytes ? std::string(as_text(*bytes)) : "";
}

// The same token, signed again, but it expired an hour ago.
inline Result<std::string> expired(const std::string& token, const io::Path& key_file) {
  const std::size_t one = token.find('.'), two = token.rfind('.');
  json claims = json::parse(from_base64url(token.substr(one + 1, two - one - 1)));
  for (const char* name : {"exp", "iat", "nbf"}) claims[name] = claims.at("iat").get<std::int64_t>() - 3600;
  const std::string signed_text = token.substr(0, one + 1) + crypto::to_base64url(as_bytes(claims.dump()));
  TM_LET(const Buffer key, io::read_file(key_file, 1U << 20U));
  TM_LET(const Buffer signature, crypto::sign_rs256(as_text(key), as_bytes(signed_text)));
  return signed_text + "." + crypto::to_base64url(signature);
}

inline std::string pem_of(const link::PemSource& source) {
  if (!source.text.empty()) return source.text;
  const auto bytes = io::read_file(source.file, 1U << 20U);
  return bytes ? std::string(as_text(*bytes)) : "";
}

inline std::size_t resident_kib() {
  std::ifstream lines("/proc/self/status");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  }
  return 0;
}

}  // namespace tidemark::testing
