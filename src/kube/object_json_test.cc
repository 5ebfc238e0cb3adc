// Each rule of what is printed, on messages made by hand against a small table. That the real table and these rules
// together print what the real types do is proven by tests/drill_kubernetes.cc.
#include "kube/object_json.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/proto.h"
#include "kube/json_text.h"

namespace tidemark::kube {
namespace {

using proto::append_field;
using namespace std::string_view_literals;

constexpr std::string_view kTypes = R"(tidemark-kube-schema 1
M 0 test/v1.Thing
F 1 metadata m1 O
F 2 spec m2 O
F 3 zz s O
M 1 meta/v1.ObjectMeta
F 1 name s O
F 4 selfLink s O
F 6 resourceVersion s O
F 8 creationTimestamp t Z34-
F 11 labels {s O
F 17 managedFields [s O
M 2 test/v1.Spec
F 1 text s -
F 2 textO s O
F 3 count i O
F 4 pointer *l O
F 5 pointerN *b -
F 6 list [i O
F 7 listN [s -
F 8 bytes y O
F 9 bytesN y -
F 10 map {y O
F 11 inner m3 O
F 12 innerP *m3 O
F 13 inners [m3 O
F 14 - m4 I
F 15 extra {<s O
F 16 quantity q O
F 17 limits {q O
F 18 when *t O
F 19 port x O
F 20 left s O-23
F 21 maximum *d O
F 22 items <s O
F 23 self *m2 O
F 24 - s N
F 25 since t -
F 26 status m3 O,E24-27
M 3 test/v1.Inner
F 1 key s O
F 2 always b -
M 4 test/v1.Source
F 1 alpha *m3 O
F 2 omega s -
R test/v1 Thing 0
)";

Buffer text_field(std::uint32_t number, std::string_view text) {
  Buffer b;
  append_field(b, number, as_bytes(text));
  return b;
}
Buffer number_field(std::uint32_t number, std::int64_t value) {
  Buffer b;
  append_field(b, number, static_cast<std::uint64_t>(value));
  return b;
}
Buffer message_field(std::uint32_t number, const Buffer& message) {
  Buffer b;
  append_field(b, number, Bytes(message));
  return b;
}
Buffer entry(std::uint32_t number, std::string_view key, const Buffer& value) {
  return message_field(number, [&] {
    Buffer e = text_field(1, key);
    e.insert(e.end(), value.begin(), value.end());
    return e;
  }());
}
Buffer operator+(Buffer a, const Buffer& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Buffer thing(const Buffer& message) {
  Buffer value(4);
  std::ranges::copy(as_bytes("k8s\0"sv), value.begin());
  return value + message_field(1, text_field(1, "test/v1") + text_field(2, "Thing")) + message_field(2, message) +
         text_field(3, "") + text_field(4, "");
}

class ObjectJson : public ::testing::Test {
 protected:
  Result<std::string> print(const Buffer& value, ObjectOptions options = {}, Revision revision = Revision(0)) {
    options.style = JsonWriter::Style::compact;
    ObjectPrinter printer(schema_, options);
    std::string text;
    TM_LET(lost_, printer.print(value, revision, text));
    return text;
  }
  // What `spec` is printed as.
  std::string spec(const Buffer& message, int minor = 36) {
    const auto text = print(thing(message_field(2, message)), {.server_minor = minor});
    if (!text) return std::string(text.error().what);
    const std::size_t from = text->find("\"spec\":") + 7;
    return text->substr(from, text->size() - from - 1);
  }
  // What the field adds to an empty spec.
  std::string with(const Buffer& message, int minor = 36) {
    const std::string text = spec(message, minor);
    if (!text.starts_with('{')) return text;
    nlohmann::json full = parse_json(as_bytes(text)).value(), added = nlohmann::json::object();
    const nlohmann::json empty = parse_json(as_bytes(spec({}, minor))).value();
    for (const auto& [key, value] : full.items()) {
      if (!empty.contains(key) || empty[key] != value) added[key] = value;
    }
    std::string printed;
    JsonWriter to(printed);
    print_json(added, to);
    return printed;
  }

  const Schema schema_ = Schema::parse(kTypes).value();
  Lossiness lost_;
};

TEST_F(ObjectJson, NothingOnTheWire) {
  EXPECT_EQ(
      print(thing({})).value(),
      R"({"apiVersion":"test/v1","kind":"Thing","metadata":{},"spec":{"bytesN":null,"inner":{"always":false},"left":"",)"
      R"("listN":null,"omega":"","pointerN":null,"port":0,"quantity":"0","since":null,"text":""}})");
}

TEST_F(ObjectJson, EachRule) {
  const auto inner = text_field(1, "k") + number_field(2, 1);
  struct Row {
    Buffer message;
    std::string_view adds;
  };
  const Row rows[] = {
      {text_field(2, ""), "{}"},
      {text_field(2, "x"), R"({"textO":"x"})"},
      {text_field(2, "x") + text_field(2, "y"), R"({"textO":"y"})"},  // the last counts
      {number_field(3, 0), "{}"},
      {number_field(3, -5), R"({"count":-5})"},
      {number_field(3, 0xffffffff), R"({"count":-1})"},
      {number_field(4, 0), R"({"pointer":0})"},
      {number_field(6, 7) + number_field(6, 0), R"({"list":[7,0]})"},
      {text_field(6, "\x07\x00\x7f"sv), R"({"list":[7,0,127]})"},  // packed
      {text_field(8, ""), "{}"},
      {text_field(8, "\x01"), R"({"bytes":"AQ=="})"},
      {entry(10, "b", text_field(2, "\xff")) + entry(10, "a", {}), R"({"map":{"a":"","b":"/w=="}})"},
      {entry(10, "a", text_field(2, "1")) + entry(10, "a", text_field(2, "2")), R"({"map":{"a":"Mg=="}})"},
      {message_field(12, {}), R"({"innerP":{"always":false}})"},
      {message_field(12, text_field(1, "k")) + message_field(12, number_field(2, 1)),  // merged
       R"({"innerP":{"always":true,"key":"k"}})"},
      {message_field(11, inner) + message_field(11, {}), R"({"inner":{"always":true,"key":"k"}})"},
      {message_field(13, inner) + message_field(13, {}), R"({"inners":[{"always":true,"key":"k"},{"always":false}]})"},
      {message_field(14, message_field(1, inner)), R"({"alpha":{"always":true,"key":"k"}})"},
      {entry(15, "k", message_field(2, text_field(1, "a") + text_field(1, "b"))), R"({"extra":{"k":["a","b"]}})"},
      {entry(15, "k", message_field(2, {})), R"({"extra":{"k":[]}})"},
      {entry(17, "cpu", message_field(2, text_field(1, "2"))) + entry(17, "mem", {}),
       R"({"limits":{"cpu":"2","mem":"0"}})"},
      {message_field(18, {}), R"({"when":null})"},
      {message_field(18, number_field(1, 1)), R"({"when":"1970-01-01T00:00:01Z"})"},
      {message_field(22, text_field(1, "i")), R"({"items":["i"]})"},
      {text_field(24, "hidden"), "{}"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(with(row.message), row.adds);
    EXPECT_EQ(lost_.unknown_fields, 0U);
  }
  Buffer maximum;
  proto::append_varint(maximum, 21 << 3 | static_cast<int>(proto::Wire::fixed64));
  maximum.resize(maximum.size() + 8);
  store_le(maximum.data() + maximum.size() - 8, 2.5);
  EXPECT_EQ(with(maximum), R"({"maximum":2.5})");
}

TEST_F(ObjectJson, MinorsDecide) {
  EXPECT_EQ(spec({}, 28).find("status"), std::string::npos);
  EXPECT_EQ(spec({}, 23).find("status"), std::string::npos);
  for (const int minor : {24, 27}) EXPECT_NE(spec({}, minor).find(R"("status":{"always":false})"), std::string::npos);
  EXPECT_EQ(with(message_field(26, text_field(1, "k"))), R"({"status":{"always":false,"key":"k"}})");
  EXPECT_EQ(with({}, 23), "{}");
  EXPECT_NE(spec({}, 24).find(R"("left":"")"), std::string::npos);
  EXPECT_EQ(spec({}, 23).find("left"), std::string::npos);
  EXPECT_EQ(print(thing({}), {.server_minor = 33}).value().find(R"("metadata":{"creationTimestamp":null})"), 39U);
  EXPECT_EQ(print(thing({}), {.server_minor = 34}).value().find("creationTimestamp"), std::string::npos);
}

TEST_F(ObjectJson, MetadataIsWhatClientsSee) {
  const Buffer meta = text_field(1, "n") + text_field(4, "/self") + text_field(6, "12") + text_field(17, "manager") +
                      entry(11, "b", text_field(2, "2")) + entry(11, "a", text_field(2, "1"));
  const Buffer value = thing(message_field(1, meta) + text_field(3, "last"));
  const std::string without = print(value, {}, Revision(77)).value();
  EXPECT_TRUE(without.find(R"("metadata":{"labels":{"a":"1","b":"2"},"name":"n","resourceVersion":"77"})") !=
              std::string::npos)
      << without;
  EXPECT_TRUE(without.ends_with(R"(,"zz":"last"})")) << without;
  EXPECT_NE(print(value, {.managed_fields = true}).value().find(R"("managedFields":["manager"],"name":"n"})"),
            std::string::npos);
}

TEST_F(ObjectJson, UnknownFieldsAreCounted) {
  const std::string known = print(thing({})).value();
  EXPECT_EQ(print(thing(text_field(99, "new") + message_field(2, number_field(77, 1) + text_field(78, "x")))).value(),
            known);
  EXPECT_EQ(lost_.unknown_fields, 3U);
  EXPECT_EQ(lost_.first_unknown, "test/v1.Thing field 99");
}

TEST_F(ObjectJson, JsonAndCborAreShownAlike) {
  const std::string expected =
      R"({"apiVersion":"a/v1","kind":"W","metadata":{"name":"n","resourceVersion":"5"},"spec":{"a":1,"b":[]}})";
  const std::string text = R"({"spec":{"b":[],"a":1.0},"kind":"W","apiVersion":"a/v1",)"
                           R"("metadata":{"name":"n","selfLink":"/x","managedFields":[{}]}})";
  EXPECT_EQ(print({as_bytes(text).begin(), as_bytes(text).end()}, {}, Revision(5)).value(), expected);
  const auto cbor =
      "\xd9\xd9\xf7\xa4\x64spec\xa2\x61"
      "b\x80\x61"
      "a\x01\x64kind\x61W\x6a"
      "apiVersion\x64"
      "a/v1"
      "\x68metadata\xa1\x64name\x61n"sv;
  EXPECT_EQ(print({as_bytes(cbor).begin(), as_bytes(cbor).end()}, {}, Revision(5)).value(), expected);
}

TEST_F(ObjectJson, WhatCannotBeShownSaysWhy) {
  const auto code = [&](std::string_view value) {
    const auto text = print({as_bytes(value).begin(), as_bytes(value).end()});
    EXPECT_FALSE(text) << value;
    return text ? Errc::io : text.error().code;
  };
  EXPECT_EQ(code("k8s:enc:aescbc:v1:k:xx"), Errc::unsupported);
  EXPECT_EQ(code("123"), Errc::unsupported);
  EXPECT_EQ(code(""), Errc::unsupported);
  EXPECT_EQ(code("{\"a\":"), Errc::corrupt);
  Buffer other = thing({});
  std::ranges::replace(other, std::byte{'T'}, std::byte{'D'});
  EXPECT_EQ(print(other).error().code, Errc::not_found);
  EXPECT_EQ(print(other).error().what, "test/v1 Dhing: no type of that name is known");
  // Of another type than the table says.
  EXPECT_EQ(print(thing(number_field(2, 1))).error().what, "Thing: test/v1.Thing field 2 is of another type");
  // Deeper than any object is.
  Buffer deep;
  for (int i = 0; i < 150; i++) deep = message_field(23, deep);
  EXPECT_EQ(print(thing(message_field(2, deep))).error().code, Errc::corrupt);
}

TEST_F(ObjectJson, EveryTruncationIsDamageOrLess) {
  const Buffer message = message_field(2, text_field(1, "text") + number_field(6, 300) +
                                              entry(17, "cpu", message_field(2, text_field(1, "2"))) +
                                              message_field(14, message_field(1, text_field(1, "k"))));
  for (std::size_t size = 0; size < message.size(); size++) {
    Buffer cut = message;
    cut.resize(size);
    const auto text = print(thing(cut));
    if (text) {
      EXPECT_EQ(size, 0U);
    } else {
      EXPECT_EQ(text.error().code, Errc::corrupt) << text.error().what;
    }
  }
}

}  // namespace
}  // namespace tidemark::kube
