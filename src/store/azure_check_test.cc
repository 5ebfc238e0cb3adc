#include "store/azure_check.h"

#include <gmock/gmock.h>

#include <map>

#include "net/testing/http_server.h"

namespace tidemark::store {
namespace {

using net::testing::Received;
using net::testing::Reply;
using ::testing::HasSubstr;
using Verdict = Finding::Verdict;

TEST(AzureCheck, WhatAContainersHeadersMean) {
  struct Row {
    net::Headers headers;
    std::vector<std::pair<std::string, Verdict>> rows;
  };
  const Row rows[] = {
      {{}, {{"immutability", Verdict::advice}}},
      {{{"x-ms-has-immutability-policy", "false"}, {"x-ms-has-legal-hold", "false"}},
       {{"immutability", Verdict::advice}}},
      {{{"x-ms-has-immutability-policy", "TRUE?"}}, {{"immutability", Verdict::advice}}},
      {{{"x-ms-has-immutability-policy", "true"}}, {{"immutability", Verdict::good}}},
      {{{"x-ms-immutable-storage-with-versioning-enabled", "true"}}, {{"immutability", Verdict::good}}},
      {{{"x-ms-has-legal-hold", "true"}}, {{"immutability", Verdict::good}, {"legal hold", Verdict::advice}}},
      {{{"x-ms-blob-public-access", "container"}},
       {{"immutability", Verdict::advice}, {"public access", Verdict::unfit}}},
  };
  for (const Row& row : rows) {
    std::vector<std::pair<std::string, Verdict>> got;
    for (const Finding& f : azure_container_findings(row.headers)) got.emplace_back(f.name, f.verdict);
    EXPECT_EQ(got, row.rows);
  }
}

TEST(AzureCheck, SoftDeleteIsOnOffOrNotKnown) {
  const auto found = [](std::string_view inner) {
    return azure_soft_delete_finding(fmt::format(
        "<StorageServiceProperties><DeleteRetentionPolicy>{}</DeleteRetentionPolicy></StorageServiceProperties>",
        inner));
  };
  EXPECT_THAT(found("<Enabled>true</Enabled><Days>14</Days>")->detail, HasSubstr("14 days"));
  EXPECT_EQ(found("<Enabled>true</Enabled><Days>14</Days>")->verdict, Verdict::good);
  EXPECT_EQ(found("<Enabled>false</Enabled>")->verdict, Verdict::advice);
  EXPECT_EQ(found("")->verdict, Verdict::advice);
  EXPECT_THAT(azure_soft_delete_finding("")->detail, HasSubstr("not ours to read"));
  EXPECT_FALSE(azure_soft_delete_finding("<html>"));
  EXPECT_FALSE(azure_soft_delete_finding("{}"));
}

// An account whose service says what the test says.
class AzureAccount : public ::testing::Test {
 protected:
  Reply answer(const Received& r) {
    if (r.target.find("restype=service") != std::string::npos) {
      EXPECT_TRUE(r.target.starts_with("/acc/?")) << r.target;
      return service_;
    }
    if (r.target.find("restype=account") != std::string::npos) return account_;
    if (r.target.find("restype=container") != std::string::npos) return {};
    return r.method == "PUT" ? put_ : Reply{.status = 202};
  }
  Result<std::map<std::string, Finding>> rows() {
    const auto store = AzureStore::open(
        "az://acc/con/p?endpoint=" + server_.url(),
        {.environment = [](std::string_view name) { return name == "AZURE_STORAGE_KEY" ? "a2V5" : ""; },
         .seed = 1,
         .wait = [](auto, const std::stop_token&) { return true; }});
    EXPECT_TRUE(store) << store.error().what;
    TM_LET(const auto findings, inspect_container(**store, system_clock()));
    std::map<std::string, Finding> rows;
    for (const Finding& finding : findings) rows.insert_or_assign(finding.name, finding);
    return rows;
  }

  Reply service_{.body = "<StorageServiceProperties/>"};
  Reply account_{.headers = {{"x-ms-sku-name", "Standard_ZRS"}, {"x-ms-is-hns-enabled", "false"}}};
  Reply put_{.status = 201};
  net::testing::HttpServer server_{[this](const Received& r) { return answer(r); }};
};

TEST_F(AzureAccount, EachSettingIsARow) {
  auto found = rows().value();
  EXPECT_THAT(found["address"].detail, HasSubstr("Standard_ZRS"));
  EXPECT_EQ(found["versioning"].verdict, Verdict::advice);
  EXPECT_EQ(found["soft delete"].verdict, Verdict::advice);
  EXPECT_EQ(found["hierarchical namespace"].verdict, Verdict::good);
  EXPECT_EQ(found["transport"].verdict, Verdict::advice);
  put_.headers = {{"x-ms-version-id", "2026-11-21T10:00:00.0000000Z"}};
  account_.headers = {{"x-ms-is-hns-enabled", "true"}};
  service_.body = "<S><DeleteRetentionPolicy><Enabled>true</Enabled><Days>7</Days></DeleteRetentionPolicy></S>";
  found = rows().value();
  EXPECT_EQ(found["versioning"].verdict, Verdict::good);
  EXPECT_EQ(found["soft delete"].verdict, Verdict::good);
  EXPECT_EQ(found["hierarchical namespace"].verdict, Verdict::advice);
}

TEST_F(AzureAccount, WhatIsNotOursToReadIsToldAndWhatIsBrokenFails) {
  service_ = account_ = put_ = {.status = 403};
  auto found = rows().value();
  for (const char* name : {"versioning", "soft delete", "hierarchical namespace"}) {
    EXPECT_EQ(found[name].verdict, Verdict::advice) << name;
    EXPECT_THAT(found[name].detail, HasSubstr("not ours to read")) << name;
  }
  service_ = {.body = "<html>"};
  EXPECT_EQ(rows().error().code, Errc::corrupt);
  service_ = {.status = 503};
  EXPECT_EQ(rows().error().code, Errc::unavailable);
}

}  // namespace
}  // namespace tidemark::store
