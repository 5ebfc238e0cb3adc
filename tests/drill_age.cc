// Encrypted backups as a user makes them: recorded from a real etcd, opened with Debian's age, restored, copied,
// rekeyed.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "age/stream.h"
#include "bolt/reader.h"
#include "etcd/hashkv.h"
#include "kit/etcd_process.h"
#include "kit/etcd_writer.h"
#include "kit/program.h"
#include "store/dir_store.h"

namespace tidemark::testing {
namespace {

class AgeDrill : public ::testing::Test {
 protected:
  std::string at(std::string_view name) const { return (dir_.path() / name).native(); }
  // Makes a key with age-keygen; returns the recipient.
  std::string make_key(const std::string& name) {
    const auto made = run_program({"age-keygen", "-o", at(name)});
    EXPECT_TRUE(made && made->exit_code == 0) << "Debian's age is needed (package age)";
    const auto recipient = output_of({"age-keygen", "-y", at(name)});
    EXPECT_TRUE(recipient);
    return recipient->substr(0, recipient->find('\n'));
  }
  ProgramResult tidemark(std::vector<std::string> args) {
    args.insert(args.begin(), tidemark_program());
    const auto ran = run_program(args);
    EXPECT_TRUE(ran) << ran.error().what;
    return *ran;
  }
  void must(std::vector<std::string> args) {
    const std::string verb = args.front();
    const ProgramResult ran = tidemark(std::move(args));
    ASSERT_EQ(ran.exit_code, 0) << verb << ": " << ran.err << ran.out;
  }
  std::uint32_t restored_hash(const std::string& store, const std::string& data, std::vector<std::string> more) {
    std::vector<std::string> args = {"restore", "etcd",           "--store",         store, "--data-dir",
                                     at(data),  "--keep-history", "--revision-bump", "none"};
    args.insert(args.end(), more.begin(), more.end());
    const ProgramResult ran = tidemark(args);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    const auto database = bolt::Reader::open(io::Path(at(data)) / "member/snap/db");
    EXPECT_TRUE(database);
    return database ? etcd::hash_kv(*database, Revision{}, etcd::kNeverCompacted)->hash : 0;
  }
  std::vector<std::string> files_below(const std::string& root) {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.is_regular_file()) all.push_back(std::filesystem::relative(entry.path(), root).native());
    }
    std::ranges::sort(all);
    return all;
  }

  io::TempDir dir_ = io::TempDir::create().value();
};

TEST_F(AgeDrill, RecordedEncryptedOpenedWithAgeRestoredCopiedRekeyed) {
  const std::string ann = make_key("ann.txt"), bob = make_key("bob.txt");
  ASSERT_TRUE(io::write_file_durably(at("team.txt"), as_bytes("# the team\n" + ann + "\n")));
  auto etcd = EtcdProcess::start(EtcdVersion::v34, {});
  ASSERT_TRUE(etcd) << etcd.error().what;
  auto writer = EtcdWriter::connect(*etcd);
  ASSERT_TRUE(writer);
  const std::string secret = "/registry/secrets/default/crown-jewels";
  const auto write = [&](int from, int to) {
    for (int i = from; i < to; ++i) ASSERT_TRUE(writer->put(fmt::format("{}-{}", secret, i), std::string(700, 'x')));
  };
  const std::string store = at("store/prod");
  const auto record = [&](const std::string& once) {
    const ProgramResult ran = tidemark({"record", "--store", store, "--endpoints", etcd->client_url(), "--spool-dir",
                                        at("spool"), "--once", once, "--age-recipients", at("team.txt")});
    EXPECT_EQ(ran.exit_code, 0) << ran.err << ran.out;
    // The Secrets are in clear in etcd, not for whoever gets at the store.
    EXPECT_EQ(ran.err.find("readable in this store"), std::string::npos) << ran.err;
    EXPECT_EQ(ran.err.find("readable with the store's keys") != std::string::npos, once == "full") << ran.err;
  };
  write(0, 100);
  record("full");
  write(100, 150);
  record("delta");
  write(150, 160);
  record("delta");

  // Nothing but metadata is open, and each encrypted object is what plain age opens.
  std::size_t objects = 0;
  for (const std::string& file : files_below(store)) {
    const Buffer body = io::read_file(io::Path(store) / file, 1UL << 30U).value();
    EXPECT_EQ(as_text(body).find("crown-jewels"), std::string_view::npos) << file;
    EXPECT_FALSE(file.starts_with("v2/")) << file;
    if (!file.starts_with("age/")) continue;
    ++objects;
    std::string key = file.substr(4, file.size() - 8);
    std::filesystem::create_directories(io::Path(at("plain/prod") + "/" + key).parent_path());
    const auto opened =
        run_program({"age", "-d", "-i", at("ann.txt"), "-o", at("plain/prod/") + key, store + "/" + file});
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->exit_code, 0) << file << ": " << opened->err;
  }
  EXPECT_GE(objects, 3U);
  // What age made of it is an open store.
  const std::uint32_t hash = restored_hash(store, "data-1", {"--age-identity", at("ann.txt")});
  EXPECT_EQ(restored_hash(at("plain/prod"), "data-2", {}), hash);
  EXPECT_NE(hash, 0U);
  const auto list = output_of({tidemark_program(), "list", "--store", store});
  ASSERT_TRUE(list) << "names and sizes need no key: " << list.error().what;
  const auto plain_list = output_of({tidemark_program(), "list", "--store", at("plain/prod")});
  ASSERT_TRUE(plain_list);
  EXPECT_EQ(list->substr(0, list->find("lineage ")), *plain_list);

  // Without the key, with the wrong one, with a command that has it.
  const auto restore = [&](const std::string& data, std::vector<std::string> more) {
    std::vector<std::string> args{"restore", "etcd", "--store", store, "--data-dir", at(data)};
    args.insert(args.end(), more.begin(), more.end());
    return tidemark(args);
  };
  const ProgramResult none = restore("data-3", {});
  EXPECT_EQ(none.exit_code, 6) << none.err;
  EXPECT_NE(none.err.find("--age-identity"), std::string::npos) << none.err;
  const ProgramResult wrong = restore("data-3", {"--age-identity", at("bob.txt")});
  EXPECT_EQ(wrong.exit_code, 6) << wrong.err;
  EXPECT_FALSE(std::filesystem::exists(at("data-3") + "/member"));
  EXPECT_EQ(restore("data-4", {"--age-identity-command", "cat " + at("ann.txt")}).exit_code, 0);
  EXPECT_EQ(restore("data-5", {"--age-identity-command", "false"}).exit_code, 6);

  // A plain copy, and an encrypted copy of that one for somebody else.
  must({"copy", "--store", store, "--age-identity", at("ann.txt"), "--to", at("open-copy")});
  EXPECT_EQ(restored_hash(at("open-copy"), "data-6", {}), hash);
  must({"copy", "--store", at("open-copy"), "--to", at("bobs-copy"), "--age-recipients", bob});
  EXPECT_EQ(restored_hash(at("bobs-copy"), "data-7", {"--age-identity", at("bob.txt")}), hash);
  const ProgramResult careless = tidemark({"copy", "--store", at("open-copy"), "--to", at("bobs-copy")});
  EXPECT_EQ(careless.exit_code, 2) << careless.err;

  // Bob joins: without a byte of the objects written anew he reads everything, also by plain age and the store key.
  const auto before = files_below(store);
  must({"rekey", "--store", store, "--age-recipients", ann + "," + bob, "--age-identity", at("ann.txt")});
  EXPECT_EQ(restored_hash(store, "data-8", {"--age-identity", at("bob.txt")}), hash);
  std::size_t opened_by_bob = 0;
  for (const std::string& file : files_below(store)) {
    if (std::ranges::binary_search(before, file)) continue;
    ASSERT_TRUE(file.starts_with("tidemark-age/keys/")) << file;
    ASSERT_TRUE(output_of({"age", "-d", "-i", at("bob.txt"), "-o", at("store-key.txt"), store + "/" + file}));
    for (const std::string& object : before) {
      if (!object.starts_with("age/v2/")) continue;
      const auto opened =
          run_program({"age", "-d", "-i", at("store-key.txt"), "-o", "/dev/null", store + "/" + object});
      opened_by_bob += opened && opened->exit_code == 0 ? 1 : 0;
    }
  }
  EXPECT_GE(opened_by_bob, 3U);
}

TEST_F(AgeDrill, WhatAgeSealsIsReadHere) {
  const std::string ann = make_key("ann.txt"), bob = make_key("bob.txt");
  const Buffer keys = io::read_file(at("bob.txt"), 10'000).value();
  const auto identities = age::parse_identities(as_text(keys));
  ASSERT_TRUE(identities) << identities.error().what;
  EXPECT_EQ(identities->front().recipient().print(), bob);
  for (const std::size_t size : {0UL, 1UL, 65535UL, 65536UL, 65537UL, 1'000'000UL}) {
    const std::string text(size, 'z');
    const auto sealed = run_program({"age", "-r", ann, "-r", bob}, {.input = text});
    ASSERT_TRUE(sealed && sealed->exit_code == 0);
    const auto opened = age::decrypt(as_bytes(sealed->out), *identities, 1UL << 30U);
    ASSERT_TRUE(opened) << opened.error().what;
    EXPECT_EQ(as_text(*opened), text);
    // And the other way round.
    const age::Recipient recipient = identities->front().recipient();
    const Buffer ours = age::encrypt(as_bytes(text), {&recipient, 1});
    const auto theirs = run_program({"age", "-d", "-i", at("bob.txt")}, {.input = std::string(as_text(ours))});
    ASSERT_TRUE(theirs && theirs->exit_code == 0) << theirs->err;
    EXPECT_EQ(theirs->out, text);
  }
}

}  // namespace
}  // namespace tidemark::testing
