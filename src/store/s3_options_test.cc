#include "store/s3_options.h"

#include <gmock/gmock.h>

#include <map>

#include "crypto/sign.h"
#include "io/file.h"
#include "store/s3_store.h"
#include "store/xml.h"

namespace tidemark::store {
namespace {

using ::testing::HasSubstr;

Environment with(const std::map<std::string, std::string, std::less<>>& variables) {
  return [variables](std::string_view name) {
    const auto it = variables.find(name);
    return it == variables.end() ? std::string() : it->second;
  };
}

TEST(S3Url, SaysWhere) {
  struct Row {
    const char *url, *bucket, *prefix, *endpoint, *region;
    bool path_style;
  };
  for (const Row& row : {
           Row{"s3://bucket", "bucket", "", "", "", false},
           Row{"s3://bucket/", "bucket", "", "", "", false},
           Row{"s3://bucket/a/b/", "bucket", "a/b", "", "", false},
           Row{"s3://my.bucket/a", "my.bucket", "a", "", "", true},
           Row{"s3://Bucket/a", "Bucket", "a", "", "", true},
           Row{"s3://bucket/a?region=eu-1", "bucket", "a", "", "eu-1", false},
           Row{"s3://bucket?endpoint=h:9000&path-style=1", "bucket", "", "https://h:9000", "", true},
           Row{"s3://bucket?endpoint=http%3A%2F%2Fh%2F", "bucket", "", "http://h", "", false},
           Row{"s3://bucket?endpoint=http://10.0.0.1:9000", "bucket", "", "http://10.0.0.1:9000", "", true},
           Row{"s3://bucket?endpoint=http://[::1]:9000", "bucket", "", "http://[::1]:9000", "", true},
           Row{"s3://bucket?endpoint=http://localhost:9&path-style=0", "bucket", "", "http://localhost:9", "", false},
       }) {
    const auto options = parse_s3_url(row.url, with({}));
    ASSERT_TRUE(options) << options.error().what;
    EXPECT_EQ(options->bucket, row.bucket) << row.url;
    EXPECT_EQ(options->prefix, row.prefix) << row.url;
    EXPECT_EQ(options->endpoint, row.endpoint) << row.url;
    EXPECT_EQ(options->region, row.region) << row.url;
    EXPECT_EQ(options->path_style, row.path_style) << row.url;
  }
  const auto options =
      parse_s3_url("s3://bucket", with({{"AWS_ENDPOINT_URL", "https://e"}, {"AWS_REGION", "r"}})).value();
  EXPECT_EQ(options.endpoint + options.region, "https://er");
}

TEST(S3Url, WhatMakesNoSenseIsRefused) {
  for (const auto& [url, words] : std::vector<std::pair<std::string, std::string>>{
           {"s3:bucket", "s3://bucket/prefix"},
           {"s3://", "no name of a bucket"},
           {"s3://ab", "no name of a bucket"},
           {"s3://user:secret@bucket", "no name of a bucket"},
           {"s3://bucket/a//b", "empty part"},
           {"s3://bucket/../b", "'..'"},
           {"s3://bucket?colour=red", "unknown option 'colour'"},
           {"s3://bucket?secret-key=x", "unknown option"},
           {"s3://bucket?path-style=yes", "1 or 0"},
           {"s3://bucket?versions=newest", "oldest or latest"},
           {"s3://bucket?sse=rot13", "AES256"},
           {"s3://bucket?kms-key-id=k", "needs sse=aws:kms"},
           {"s3://bucket?endpoint=ftp://h", "no http://"},
           {"s3://bucket?endpoint=http://h/path", "host and port"},
           {"s3://bucket?endpoint=http://u:p@h", "without user"},
           {"s3://bucket?endpoint=%zz", "hexadecimal"},
           {"s3://bucket?sse-c-key-file=/does/not/exist", "/does/not/exist"},
       }) {
    const auto options = parse_s3_url(url, with({}));
    ASSERT_FALSE(options) << url;
    EXPECT_THAT(options.error().what, HasSubstr(words)) << url;
  }
}

TEST(S3Url, ACustomersKeyIsAFileAndNeverGoesInClear) {
  const auto dir = io::TempDir::create().value();
  const auto file = [&](const char* name, std::string_view text) {
    auto pending = io::PendingFile::create(dir.path() / name, io::PendingFile::Existing::refuse);
    EXPECT_TRUE(pending && pending->write(as_bytes(text)) && pending->commit());
    return (dir.path() / name).string();
  };
  const std::string key(32, '\x07');
  const std::string raw = file("raw", key), coded = file("coded", crypto::to_base64(as_bytes(key)) + "\n");
  const std::string wrong = file("short", "abc");
  for (const std::string& path : {raw, coded}) {
    EXPECT_EQ(as_text(parse_s3_url("s3://bucket?sse-c-key-file=" + path, with({}))->sse_c_key), key);
    EXPECT_EQ(as_text(parse_s3_url("s3://bucket", with({{"TIDEMARK_SSE_C_KEY_FILE", path}}))->sse_c_key), key);
  }
  EXPECT_FALSE(parse_s3_url("s3://bucket?sse-c-key-file=" + wrong, with({})));
  EXPECT_FALSE(parse_s3_url("s3://bucket?sse=AES256&sse-c-key-file=" + raw, with({})));
  EXPECT_FALSE(parse_s3_url("s3://bucket?endpoint=http://h&sse-c-key-file=" + raw, with({})));
  EXPECT_FALSE(parse_s3_url("s3://bucket?endpoint=http://10.0.0.1&sse-c-key-file=" + raw, with({})));
  EXPECT_FALSE(parse_s3_url("s3://bucket?endpoint=http://localhost.example.com&sse-c-key-file=" + raw, with({})));
  EXPECT_TRUE(parse_s3_url("s3://bucket?endpoint=http://127.0.0.1&sse-c-key-file=" + raw, with({})));
}

TEST(Xml, PathsTextsAndEntities) {
  std::vector<std::string> seen;
  ASSERT_TRUE(read_xml("<?xml version=\"1.0\"?><a xmlns=\"u\" xmlns:x=\"v\"><b>1<c>2</c>3</b><x:d/>&amp;&#65;</a>",
                       [&](const XmlElement& e) -> Status {
                         seen.push_back(fmt::format("{}:{}={}", e.root, e.path, e.text));
                         return {};
                       }));
  EXPECT_EQ(seen, (std::vector<std::string>{"a:b/c=2", "a:b=13", "a:d=", "a:=&A"}));
  EXPECT_EQ(xml_escape("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
}

TEST(Xml, WhatIsNoneIsCorrupt) {
  std::string deep;
  for (int i = 0; i < 33; ++i) deep += "<a>";
  const auto pass = [](const XmlElement&) -> Status { return {}; };
  for (const std::string& bad :
       {std::string(), std::string("x"), std::string("<a>"), std::string("<a></b>"), std::string("<a/><b/>"),
        std::string("<a>&unknown;</a>"), std::string("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>"),
        std::string("<a>\xff</a>"), deep}) {
    const Status read = read_xml(bad, pass);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().code, Errc::corrupt) << bad;
  }
  const Status told = read_xml("<a><b/></a>", [](const XmlElement&) -> Status { return fail(Errc::io, "enough"); });
  EXPECT_EQ(told.error().code, Errc::io);
}

}  // namespace
}  // namespace tidemark::store
