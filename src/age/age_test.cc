// The age format: foreign vectors, every truncation, flips, ranges.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "age/bech32.h"
#include "age/stream.h"
#include "base/testing/source_dir.h"
#include "io/compress.h"
#include "io/file.h"

namespace tidemark::age {
namespace {

using ::testing::HasSubstr;

// RFC 7748 and the age specification's own example pair.
constexpr std::string_view kSecret = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
constexpr std::string_view kPublic = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

TEST(Keys, ArePrintedAsTheyAreRead) {
  const auto identity = parse_identity(kSecret);
  ASSERT_TRUE(identity) << identity.error().what;
  EXPECT_EQ(identity->print(), kSecret);
  EXPECT_EQ(identity->recipient().print(), kPublic);
  EXPECT_EQ(parse_recipient(kPublic).value(), identity->recipient());
  for (int i = 0; i < 20; ++i) {
    const Identity fresh = Identity::generate();
    EXPECT_EQ(parse_identity(fresh.print())->secret().bytes(), fresh.secret().bytes());
  }
}

struct KeyRow {
  std::string text;
  Errc code;
};

TEST(Keys, WhatIsNoneIsRefusedWithoutShowingIt) {
  std::string flipped(kPublic), secret(kSecret), mixed(kPublic), lower(kSecret);
  flipped[20] = flipped[20] == 'q' ? 'p' : 'q';
  secret[30] = secret[30] == 'Q' ? 'P' : 'Q';
  mixed[10] = 'A';
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  const KeyRow recipients[] = {
      {"", Errc::invalid},
      {"age1", Errc::invalid},
      {flipped, Errc::invalid},
      {mixed, Errc::invalid},
      {std::string(kSecret), Errc::invalid},
      {std::string(kPublic.substr(0, 50)), Errc::invalid},
      {"ssh-ed25519 AAAA", Errc::unsupported},
      {"age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t", Errc::unsupported}};
  for (const KeyRow& row : recipients) {
    const auto parsed = parse_recipient(row.text);
    ASSERT_FALSE(parsed) << row.text;
    EXPECT_EQ(parsed.error().code, row.code) << row.text << ": " << parsed.error().what;
  }
  const KeyRow identities[] = {{"", Errc::invalid},
                               {secret, Errc::invalid},
                               {lower, Errc::invalid},
                               {std::string(kPublic), Errc::invalid},
                               {std::string(kSecret) + "Q", Errc::invalid},
                               {"AGE-PLUGIN-YUBIKEY-1QQQ", Errc::unsupported},
                               {"-----BEGIN OPENSSH PRIVATE KEY-----", Errc::unsupported}};
  for (const KeyRow& row : identities) {
    const auto parsed = parse_identity(row.text);
    ASSERT_FALSE(parsed) << row.text;
    EXPECT_EQ(parsed.error().code, row.code) << row.text << ": " << parsed.error().what;
    if (row.text.size() > 30) {
      EXPECT_EQ(parsed.error().what.find(row.text.substr(16, 20)), std::string::npos);
    }
  }
}

TEST(Keys, FilesHaveOneALine) {
  const std::string file = fmt::format("# made today\n\n{}\r\n   \n{}", kSecret, Identity::generate().print());
  EXPECT_EQ(parse_identities(file)->size(), 2U);
  EXPECT_EQ(parse_identities("# nothing\n").error().code, Errc::invalid);
  const auto wrong = parse_identities(fmt::format("{}\nwrong\n", kSecret));
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().what, HasSubstr("line 2"));
  EXPECT_EQ(parse_recipients(fmt::format("{}\n", kPublic))->front().print(), kPublic);
}

struct Vector {
  std::map<std::string, std::string> facts;
  std::vector<Identity> identities;
  Buffer file;
};

Vector read_vector(const io::Path& path) {
  const Buffer all = io::read_file(path, 1UL << 30U).value();
  std::string_view text = as_text(all);
  Vector vector;
  for (;;) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty()) break;
    const std::size_t colon = line.find(": ");
    const std::string name(line.substr(0, colon)), value(line.substr(colon + 2));
    if (const auto identity = parse_identity(value); name == "identity" && identity)
      vector.identities.push_back(*identity);
    vector.facts[name] = value;
  }
  vector.file.assign(as_bytes(text).begin(), as_bytes(text).end());
  if (vector.facts["compressed"] == "zlib") {
    auto source = io::decompressing(io::Codec::zlib, std::make_unique<io::BytesSource>(vector.file)).value();
    Buffer plain = io::read_all(*source, 1UL << 30U).value();
    vector.file = std::move(plain);
  }
  return vector;
}

OpenRange ranges_of(Bytes file) {
  return [file](std::uint64_t offset, std::uint64_t length) -> Result<std::unique_ptr<io::Source>> {
    Bytes part = file.subspan(std::min<std::uint64_t>(offset, file.size()));
    return std::make_unique<io::BytesSource>(part.first(std::min<std::uint64_t>(length, part.size())));
  };
}

Unlock unlock_with(const std::vector<Identity>& identities) {
  return [&identities](const Header& header) { return unlock(header, identities); };
}

TEST(Foreign, VectorsHaveTheAnswerThatTheySay) {
  int seen = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(io::Path(tidemark::testing::source_dir()) / "testdata/age/cctv")) {
    const std::string name = entry.path().filename().native();
    const Vector vector = read_vector(entry.path());
    const std::string& expect = vector.facts.at("expect");
    // Kinds of recipients that are not read here: their files are other people's.
    const bool hybrid = name.starts_with("hybrid");
    auto source = decrypting(ranges_of(vector.file), unlock_with(vector.identities));
    crypto::Sha256 digest;
    std::optional<Error> error;
    if (!source) error = source.error();
    for (Buffer chunk(50'000); !error;) {
      const auto n = (*source)->read(chunk);
      if (!n) error = n.error();
      if (!n || *n == 0) break;
      digest.update(Bytes(chunk).first(*n));
    }
    const std::string where = name + (error ? ": " + error->what : "");
    if (expect == "success") {
      EXPECT_FALSE(error && !hybrid) << where;
    } else if (expect == "no match") {
      ASSERT_TRUE(error) << where;
      EXPECT_EQ(error->code, Errc::denied) << where;
    } else {
      ASSERT_TRUE(error) << where;
      EXPECT_NE(error->code, Errc::denied) << where;
    }
    if (source && (expect == "success" || expect == "payload failure")) {
      EXPECT_EQ(to_hex(digest.finish()), vector.facts.at("payload")) << where;
    }
    ++seen;
  }
  EXPECT_GT(seen, 60);
}

Buffer sample(std::size_t size) {
  Buffer text(size);
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<std::byte>(i * 131 + i / 251);
  return text;
}

TEST(Stream, EverySizeAroundTheChunksComesBack) {
  const Identity identity = Identity::generate();
  const Recipient recipients[] = {Identity::generate().recipient(), identity.recipient()};
  for (const std::size_t size : {0UL, 1UL, 100UL, kChunk - 1, kChunk, kChunk + 1, 2 * kChunk, 3 * kChunk + 17}) {
    const Buffer text = sample(size);
    const Buffer file = encrypt(text, recipients);
    const Header header = parse_header(file).value();
    EXPECT_EQ(file.size(), sealed_size(size, header.size)) << size;
    EXPECT_EQ(text_size(file.size(), header.size).value(), size);
    EXPECT_EQ(decrypt(file, {&identity, 1}).value(), text) << size;
    EXPECT_NE(encrypt(text, recipients), file) << "nothing is sealed twice alike";
  }
}

TEST(Stream, AnyRangeComesBack) {
  const std::vector<Identity> identities{Identity::generate()};
  const Recipient recipient = identities.front().recipient();
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, kChunk, 3 * kChunk, 3 * kChunk + 5}) {
    const Buffer text = sample(size);
    const Buffer file = encrypt(text, {&recipient, 1});
    std::vector<std::uint64_t> edges{0, 1, 9, 10, 11, UINT64_MAX};
    for (std::size_t k = 1; k <= 4; ++k) {
      for (int d = -1; d <= 1; ++d) edges.push_back(k * kChunk + static_cast<std::uint64_t>(d));
    }
    for (const std::uint64_t offset : edges) {
      for (const std::uint64_t length : edges) {
        auto source = decrypting(ranges_of(file), unlock_with(identities), offset, length);
        ASSERT_TRUE(source);
        const auto part = io::read_all(**source, 1UL << 30U);
        ASSERT_TRUE(part) << size << " " << offset << "+" << length << ": " << part.error().what;
        Bytes expected = Bytes(text).subspan(std::min<std::uint64_t>(offset, size));
        expected = expected.first(std::min<std::uint64_t>(length, expected.size()));
        ASSERT_TRUE(compare(*part, expected) == 0) << size << " " << offset << "+" << length;
      }
    }
  }
}

TEST(Stream, EveryTruncationIsFoundOut) {
  const Identity identity = Identity::generate();
  const Recipient recipient = identity.recipient();
  for (const std::size_t size : {0UL, 700UL}) {
    const Buffer file = encrypt(sample(size), {&recipient, 1});
    for (std::size_t cut = 0; cut < file.size(); ++cut) {
      const auto text = decrypt(Bytes(file).first(cut), {&identity, 1});
      ASSERT_FALSE(text) << cut;
      ASSERT_TRUE(text.error().code == Errc::torn || text.error().code == Errc::corrupt) << text.error().what;
      if (cut < parse_header(file)->size + kStreamNonce) {
        ASSERT_EQ(text.error().code, Errc::torn) << cut;
      }
    }
  }
  // At the seams of chunks.
  const Buffer file = encrypt(sample(3 * kChunk), {&recipient, 1});
  const std::size_t begin = parse_header(file)->size + kStreamNonce;
  for (std::size_t k = 0; k < 3; ++k) {
    const auto text = decrypt(Bytes(file).first(begin + k * kSealedChunk), {&identity, 1});
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, Errc::torn) << text.error().what;
  }
}

TEST(Stream, EveryFlipIsFoundOut) {
  const Identity identity = Identity::generate();
  const Recipient recipient = identity.recipient();
  const Buffer good = encrypt(sample(300), {&recipient, 1});
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const unsigned bit : {0U, 5U, 7U}) {
      Buffer file = good;
      file[at] ^= std::byte{1} << bit;
      ASSERT_FALSE(decrypt(file, {&identity, 1})) << at << " bit " << bit;
    }
  }
}

TEST(Header, WhoCannotOpenItIsToldByTypesAlone) {
  const Identity stranger = Identity::generate();
  const Recipient recipients[] = {Identity::generate().recipient(), Identity::generate().recipient()};
  FileKey key{};
  const Stanza extra{"tidemark-pad", {"x"}, {}};
  const Header header = parse_header(as_bytes(print_header(key, recipients, {&extra, 1}))).value();
  const auto opened = unlock(header, {&stranger, 1});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::denied);
  EXPECT_EQ(opened.error().what, "none of 1 identities opens it; it is encrypted to 2 x X25519, 1 x tidemark-pad");
}

TEST(Header, OneThatNeverEndsIsNotReadToItsEnd) {
  std::string text = "age-encryption.org/v1\n-> X25519 ";
  text.append(2 * kMaxHeader, 'a');
  EXPECT_EQ(parse_header(as_bytes(text)).error().code, Errc::corrupt);
}

}  // namespace
}  // namespace tidemark::age
