#include "kube/object_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/proto.h"
#include "kube/schema.h"
#include "kube/selector.h"

namespace tidemark::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Buffer field(std::uint32_t number, Bytes bytes) {
  Buffer to;
  proto::append_field(to, number, bytes);
  return to;
}
Buffer field(std::uint32_t number, std::string_view text) { return field(number, as_bytes(text)); }

Buffer joined(std::initializer_list<Buffer> parts) {
  Buffer all;
  for (const Buffer& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Buffer stored(const Buffer& message, std::string_view kind = "ConfigMap") {
  const Buffer magic = {std::byte{'k'}, std::byte{'8'}, std::byte{'s'}, std::byte{0}};
  return joined({magic, field(1, joined({field(1, "v1"), field(2, kind)})), field(2, message)});
}

TEST(ObjectMetadata, OfProtobufIsFieldOne) {
  const Buffer meta = joined({field(1, "settings"), field(3, "shop"), field(5, "u-1"),
                              field(11, joined({field(1, "app"), field(2, "web")})), field(11, field(1, "empty")),
                              field(11, joined({field(1, "app"), field(2, "db")})), field(12, "\x0a\x03raw")});
  const Buffer value = stored(joined({field(1, meta), field(2, "data of no interest")}));
  ObjectMetadata read;
  ASSERT_TRUE(read_metadata(value, read));
  EXPECT_EQ(read.api_version, "v1");
  EXPECT_EQ(read.kind, "ConfigMap");
  EXPECT_EQ(read.name, "settings");
  EXPECT_EQ(read.name_space, "shop");
  EXPECT_EQ(read.uid, "u-1");
  EXPECT_THAT(read.labels, ElementsAre(Pair("app", "web"), Pair("empty", ""), Pair("app", "db")));
  EXPECT_TRUE(LabelSelector::parse("app=db,empty=,!none")->matches_labels_of(read)) << "the last of a key counts";
  EXPECT_FALSE(LabelSelector::parse("app=web")->matches_labels_of(read));
}

// What the reader builds on.
TEST(ObjectMetadata, EveryKindHasItInFieldOne) {
  const Schema& schema = Schema::built_in();
  std::size_t with = 0;
  for (std::uint32_t i = 0; i < schema.messages(); i++) {
    for (const Field& field : schema.message(i).fields) {
      if (field.name != "metadata" || field.type.base != Base::message) continue;
      const std::string_view type = schema.message(field.type.message).name;
      if (type != "meta/v1.ObjectMeta") continue;
      EXPECT_EQ(field.number, 1U) << schema.message(i).name;
      with++;
    }
  }
  EXPECT_GT(with, 80U);
}

TEST(ObjectMetadata, OfJsonIsReadUpToItsEnd) {
  struct Row {
    const char* text;
    const char* name;
    std::size_t labels;
  };
  for (
      const Row& row : std::vector<Row>{
          {R"({"apiVersion":"a/v1","kind":"K","metadata":{"name":"n","labels":{"a":"1","b":"2"}},"spec":{)", "n", 2},
          {R"( { "kind" : "K" , "metadata" : { "annotations":{"x":"{\"a\":[1,\"}\"]}"}, "name":"n" , "labels": {} } ,
               "apiVersion" : "a/v1" } )",
           "n", 0},
          {R"({"spec":{"list":[1,-2.5e3,true,null,"]\\\"",{"a":[[]]}],"n":{}},"metadata":{"labels":{"z":""},"name":"m"}})",
           "m", 1},
          {R"({"metadata":{"name":"m","generation":12,"ownerReferences":[{"uid":"u"}],"labels":{"k/l":"v"}},"kind":""})",
           "m", 1},
      }) {
    ObjectMetadata read;
    ASSERT_TRUE(read_metadata(as_bytes(std::string_view(row.text)), read)) << row.text;
    EXPECT_EQ(read.name, row.name) << row.text;
    EXPECT_EQ(read.labels.size(), row.labels) << row.text;
  }
}

TEST(ObjectMetadata, WhatIsNotPlainIsForTheDecoder) {
  ObjectMetadata read;
  for (const char* text : {
           "",
           "{",
           "{}",
           "[]",
           "7",
           R"({"metadata":7})",
           R"({"metadata":{"name":"n"})",
           R"({"metadata":{"name":7}})",
           R"({"metadata":{"labels":{"a":null}}})",
           R"({"metadata":{"labels":[]}})",
           R"({"metadata":{"labels":{"a":"\u0041"}}})",
           R"({"metadata":{"labels":{"\u0061":"b"}}})",
           R"({"metadata":{"name":"m\"n"}})",
           "{\"metadata\":{\"name\":\"\xc3\xa4\"}}",
           R"({"meta\u0064ata":{}})",
           R"({"kind":"\u004b","metadata":{"name":"n"},"apiVersion":"v1"})",
           R"({"metadata" {"name":"n"}})",
           R"({"metadata":{"name":"n",}})",
           R"({"a":"\"})",
           "k8s:enc:aescbc:v1:key:rest",
           "\xd9\xd9\xf7\xa1",
           "k8s",
       }) {
    EXPECT_FALSE(read_metadata(as_bytes(std::string_view(text)), read)) << text;
  }
  const Buffer meta = field(1, "n");
  for (const Buffer& message :
       {Buffer(), field(2, "data"), joined({field(1, meta), field(1, meta)}), field(1, field(1, "n\xff")),
        field(1, field(11, field(1, "a\nb"))), field(1, Buffer{std::byte{0x08}, std::byte{1}}),
        field(1, Buffer{std::byte{0x0a}}), joined({field(1, meta), Buffer{std::byte{0x12}, std::byte{9}}})}) {
    EXPECT_FALSE(read_metadata(stored(message), read));
  }
  const Buffer good = stored(field(1, meta));
  ASSERT_TRUE(read_metadata(good, read));
  for (std::size_t size = 0; size < good.size(); size++) {
    EXPECT_FALSE(read_metadata(Bytes(good).first(size), read)) << size;
  }
}

}  // namespace
}  // namespace tidemark::kube
