#include "store/azure_options.h"

#include <gtest/gtest.h>

#include <map>

#include "io/file.h"

namespace tidemark::store {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

Environment environment(Variables all) {
  return [all = std::move(all)](std::string_view name) {
    const auto it = all.find(name);
    return it == all.end() ? std::string() : it->second;
  };
}

TEST(AzureOptions, UrlsThatAreGood) {
  const Variables connection{
      {"AZURE_STORAGE_CONNECTION_STRING", "AccountName=acc;AccountKey=QQ==;EndpointSuffix=core.chinacloudapi.cn"}};
  struct Row {
    const char* url;
    Variables variables;
    const char *container, *prefix, *endpoint;
  };
  const Row rows[] = {
      {"az://acc/con", {}, "con", "", "https://acc.blob.core.windows.net"},
      {"az://acc/con/", {}, "con", "", "https://acc.blob.core.windows.net"},
      {"az://acc/con/a/b/", {}, "con", "a/b", "https://acc.blob.core.windows.net"},
      {"az://acc/$root/a", {}, "$root", "a", "https://acc.blob.core.windows.net"},
      {"az://acc/con?endpoint=https://acc.blob.core.usgovcloudapi.net/",
       {},
       "con",
       "",
       "https://acc.blob.core.usgovcloudapi.net"},
      {"az://acc/con?endpoint=acc.privatelink.example", {}, "con", "", "https://acc.privatelink.example"},
      {"az://acc/con/p?endpoint=http://127.0.0.1:10000", {}, "con", "p", "http://127.0.0.1:10000/acc"},
      {"az://acc/con/p?endpoint=http://127.0.0.1:10000/other", {}, "con", "p", "http://127.0.0.1:10000/other"},
      {"az://acc/con/p?endpoint=http://127.0.0.1:10000&account-in-path=0", {}, "con", "p", "http://127.0.0.1:10000"},
      {"az://acc/con/p?endpoint=https://stack.example&account-in-path=1", {}, "con", "p", "https://stack.example/acc"},
      {"az://acc/con", connection, "con", "", "https://acc.blob.core.chinacloudapi.cn"},
      {"az://other/con", connection, "con", "", "https://other.blob.core.windows.net"},
      {"az://acc/con?endpoint=h.example", connection, "con", "", "https://h.example"},
      {"az://devstoreaccount1/con",
       {{"AZURE_STORAGE_CONNECTION_STRING", "UseDevelopmentStorage=true"}},
       "con",
       "",
       "http://127.0.0.1:10000/devstoreaccount1"},
  };
  for (const Row& row : rows) {
    const auto o = parse_azure_url(row.url, environment(row.variables));
    ASSERT_TRUE(o) << row.url << ": " << o.error().what;
    EXPECT_EQ(o->url, row.url);
    EXPECT_EQ(o->container, row.container) << row.url;
    EXPECT_EQ(o->prefix, row.prefix) << row.url;
    EXPECT_EQ(o->endpoint, row.endpoint) << row.url;
  }
}

TEST(AzureOptions, UrlsThatAreNot) {
  struct Row {
    const char *url, *text;
  };
  const Row rows[] = {
      {"az:", "az://account/container/prefix"},
      {"az:acc/con", "az://account/container/prefix"},
      {"az://", "no name of a storage account"},
      {"az://ab/con", "no name of a storage account"},
      {"az://Account/con", "no name of a storage account"},
      {"az://account-1/con", "no name of a storage account"},
      {"az://abcdefghijklmnopqrstuvwxy/con", "no name of a storage account"},
      {"az://acc", "no container given"},
      {"az://acc/", "no container given"},
      {"az://acc/?endpoint=h", "no container given"},
      {"az://acc/co", "no name of a container"},
      {"az://acc/Con", "no name of a container"},
      {"az://acc/-con", "no name of a container"},
      {"az://acc/con-", "no name of a container"},
      {"az://acc/c--n", "no name of a container"},
      {"az://acc/con/a//b", "an empty part"},
      {"az://acc/con/../b", "has a part '..'"},
      {"az://acc/con?sig=abc", "unknown option 'sig'"},
      {"az://acc/con?endpoint=ftp://h", "no http:// or https://"},
      {"az://acc/con?endpoint=https://h/?a=b", "all that it may have"},
      {"az://acc/con?account-in-path=yes", "expected 0 or 1"},
      {"az://acc/con?access-tier=Archive", "expected Hot, Cool or Cold"},
      {"az://acc/con?encryption-key-file=/does/not/exist", "/does/not/exist"},
      {"az://acc/con?a=%zz", "hexadecimal"},
  };
  for (const Row& row : rows) {
    const auto o = parse_azure_url(row.url, environment({}));
    ASSERT_FALSE(o) << row.url;
    EXPECT_NE(o.error().what.find(row.text), std::string::npos) << o.error().what;
  }
  const auto leaked = parse_azure_url("az://acc/con?sv=1&sig=secret", environment({}));
  EXPECT_EQ(leaked.error().what.find("secret"), std::string::npos) << leaked.error().what;
}

TEST(AzureOptions, ACustomersKeyIs32BytesAndGoesOverHttpsOnly) {
  const auto dir = io::TempDir::create().value();
  const auto file = [&](const char* name, std::string_view text) {
    const io::Path path = dir.path() / name;
    EXPECT_TRUE(io::write_file_durably(path, as_bytes(text)));
    return path.string();
  };
  const std::string raw(32, 'k');
  const std::string good = file("raw", raw);
  const std::string coded = file("base64", "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=\n");
  for (const std::string& path : {good, coded}) {
    const auto o = parse_azure_url("az://acc/con?encryption-key-file=" + path, environment({}));
    ASSERT_TRUE(o) << o.error().what;
    EXPECT_EQ(as_text(o->encryption_key), raw);
  }
  const Variables variable{{"TIDEMARK_AZURE_ENCRYPTION_KEY_FILE", good}};
  EXPECT_EQ(as_text(parse_azure_url("az://acc/con", environment(variable)).value().encryption_key), raw);
  EXPECT_TRUE(parse_azure_url("az://acc/con?endpoint=http://127.0.0.1:1", environment(variable)));
  EXPECT_FALSE(parse_azure_url("az://acc/con?endpoint=http://h.example", environment(variable)));
  EXPECT_FALSE(parse_azure_url("az://acc/con?endpoint=http://10.0.0.1:1", environment(variable)));
  EXPECT_FALSE(parse_azure_url("az://acc/con?encryption-scope=s", environment(variable)));
  EXPECT_EQ(parse_azure_url("az://acc/con?encryption-scope=s", environment({})).value().encryption_scope, "s");
  for (const std::string& text : {std::string(), std::string(31, 'k'), std::string(33, 'k'), std::string("a2s=")}) {
    const auto o = parse_azure_url("az://acc/con?encryption-key-file=" + file("bad", text), environment({}));
    ASSERT_FALSE(o);
    EXPECT_EQ(o.error().code, Errc::invalid);
    EXPECT_EQ(o.error().what.find("kkk"), std::string::npos);
  }
}

TEST(AzureConnection, Strings) {
  const auto key =
      parse_azure_connection("DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=QUJD+/==;").value();
  EXPECT_EQ(key.account, "acc");
  EXPECT_EQ(key.key, "QUJD+/==");
  EXPECT_EQ(key.blob_endpoint, "https://acc.blob.core.windows.net");
  const auto sas =
      parse_azure_connection("BlobEndpoint=https://x.example/acc/;SharedAccessSignature=?sv=1&sig=a%3D").value();
  EXPECT_EQ(sas.account, "");
  EXPECT_EQ(sas.sas, "sv=1&sig=a%3D");
  EXPECT_EQ(sas.blob_endpoint, "https://x.example/acc");
  for (const char* bad : {"", ";;", "AccountName=acc", "AccountKey", "secret", "BlobEndpoint=https://h"}) {
    const auto none = parse_azure_connection(bad);
    ASSERT_FALSE(none) << bad;
    EXPECT_EQ(none.error().code, Errc::invalid);
    EXPECT_EQ(none.error().what.find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace tidemark::store
