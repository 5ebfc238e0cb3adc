#include "store/azure_key.h"

#include <gtest/gtest.h>

namespace tidemark::store {
namespace {

struct KeyRow {
  const char* name;
  net::Request request;
  const char* text;
};

std::string text_of(const net::Request& request, std::string_view account = "myaccount") {
  const auto text = azure_text_to_sign(request, account);
  return text ? *text : "failed: " + text.error().what;
}

TEST(AzureKey, TextsAsTheServicesManualHasThem) {
  const std::string eleven = "hello world";
  const KeyRow rows[] = {
      {"container metadata",
       {.url = "https://myaccount.blob.core.windows.net/mycontainer?restype=container&comp=metadata&timeout=20",
        .headers = {{"x-ms-version", "2015-02-21"}, {"x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"}}},
       "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n"
       "/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20"},
      {"a parameter given three times",
       {.url = "https://myaccount.blob.core.windows.net/mycontainer?restype=container&comp=list&include=snapshots"
               "&include=metadata&include=uncommittedblobs"},
       "GET\n\n\n\n\n\n\n\n\n\n\n\n/myaccount/mycontainer\ncomp:list\ninclude:metadata,snapshots,uncommittedblobs\n"
       "restype:container"},
      {"a body, its headers, metadata with blanks, names in capitals",
       {.method = "PUT",
        .url = "https://myaccount.blob.core.windows.net/mycontainer/hello.txt",
        .headers = {{"Content-Type", "text/plain; charset=UTF-8"},
                    {"X-Ms-Meta-M2", " v2  "},
                    {"x-ms-meta-m1", "v1"},
                    {"If-None-Match", "*"},
                    {"Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww=="},
                    {"Accept", "not signed"},
                    {"x-ms-blob-type", "BlockBlob"}},
        .body = as_bytes(eleven)},
       "PUT\n\n\n11\nXrY7u+Ae7tCTyyK7j1rNww==\ntext/plain; charset=UTF-8\n\n\n\n*\n\n\n"
       "x-ms-blob-type:BlockBlob\nx-ms-meta-m1:v1\nx-ms-meta-m2:v2\n/myaccount/mycontainer/hello.txt"},
      {"the path as it is sent, the query decoded, conditions and a range",
       {.url = "https://myaccount.blob.core.windows.net/c/a%20b/%C3%A4?prefix=a%2Fb%20c&Empty=",
        .headers = {{"Range", "bytes=5-9"}, {"If-Match", "\"0x8D\""}}},
       "GET\n\n\n\n\n\n\n\n\"0x8D\"\n\n\nbytes=5-9\n/myaccount/c/a%20b/%C3%A4\nempty:\nprefix:a/b c"},
      {"an emulator has the account in its path too",
       {.method = "DELETE", .url = "http://127.0.0.1:10000/myaccount/c/k"},
       "DELETE\n\n\n\n\n\n\n\n\n\n\n\n/myaccount/myaccount/c/k"},
      {"no path", {.url = "https://h"}, "GET\n\n\n\n\n\n\n\n\n\n\n\n/myaccount/"},
      {"no URL", {.url = "nowhere"}, "failed: 'nowhere' is no http:// or https:// URL"},
      {"a broken query", {.url = "https://h/?a=%1"}, "failed: '%1': a '%' without two hexadecimal digits"},
  };
  for (const KeyRow& row : rows) EXPECT_EQ(text_of(row.request), row.text) << row.name;
}

// The signatures were made by: printf TEXT | openssl dgst -sha256 -mac HMAC -macopt hexkey:6b6579 -binary | base64
TEST(AzureKey, SignsWithTheDateAndNothingElseChanges) {
  net::Request request{.url = "https://h/c?comp=list&restype=container", .headers = {{"x-ms-version", "2021-12-02"}}};
  const Time now(std::chrono::seconds(784'111'777));
  ASSERT_TRUE(sign_azure(request, "acc", as_bytes("key"), now));
  ASSERT_EQ(request.headers.size(), 3U);
  EXPECT_EQ(request.headers[1].name + request.headers[1].value, "x-ms-dateSun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(request.headers[2].value, "SharedKey acc:OfaIwSs0pVlzBTeBMgraezhJ6kYMrwiWaC+xXxXNlPE=");

  const std::string good = request.headers[2].value;
  const auto sign = [&](net::Request r, std::string_view account, std::string_view key, Time at) {
    EXPECT_TRUE(sign_azure(r, account, as_bytes(key), at));
    return std::string(net::header_value(r.headers, "Authorization"));
  };
  const net::Request plain{.url = "https://h/c?comp=list&restype=container",
                           .headers = {{"x-ms-version", "2021-12-02"}}};
  EXPECT_EQ(sign(plain, "acc", "key", now), good);
  EXPECT_NE(sign(plain, "acd", "key", now), good);
  EXPECT_NE(sign(plain, "acc", "kez", now), good);
  EXPECT_NE(sign(plain, "acc", "key", now + std::chrono::seconds(1)), good);
  for (const char* url : {"https://h/d?comp=list&restype=container", "https://h/c?comp=lisu&restype=container",
                          "https://h/c?comp=list"}) {
    net::Request other = plain;
    other.url = url;
    EXPECT_NE(sign(other, "acc", "key", now), good) << url;
  }
  for (const char* header : {"x-ms-a", "Range", "If-Match", "If-None-Match", "Content-Type", "Content-MD5"}) {
    net::Request other = plain;
    other.headers.push_back({header, "1"});
    EXPECT_NE(sign(other, "acc", "key", now), good) << header;
  }
  net::Request bad{.url = "nowhere"};
  EXPECT_FALSE(sign_azure(bad, "acc", as_bytes("key"), now));
}

}  // namespace
}  // namespace tidemark::store
