// The client when things go wrong: members die or freeze, tokens expire, certificates are not the right ones.
#include <gtest/gtest.h>

#include <thread>

#include "io/file.h"
#include "kit/etcd_process.h"
#include "kit/etcd_writer.h"
#include "kit/record_drill.h"
#include "kit/tls_files.h"
#include "link/etcd_client.h"

namespace tidemark::testing {
namespace {

using Ms = std::chrono::milliseconds;
using std::chrono::steady_clock;

#define ASSERT_OK(expression)                                                    \
  do {                                                                           \
    const auto& tm_ok = (expression);                                            \
    ASSERT_TRUE(tm_ok.has_value()) << #expression << ": " << tm_ok.error().what; \
  } while (false)

link::EtcdOptions options_for(std::vector<std::string> endpoints) {
  link::EtcdOptions options;
  options.endpoints = std::move(endpoints);
  return options;
}

// The error that connecting with these options ends in.
Error refusal_of(const link::EtcdOptions& options) {
  const auto client = link::connect_etcd(options);
  return client ? Error{Errc::io, "it was let in", {}} : client.error();
}

Result<Revision> next_revision(etcd::WatchFeed& feed) {
  const auto deadline = steady_clock::now() + kPatience;
  while (steady_clock::now() < deadline) {
    TM_LET(const auto batch, feed.next(Ms(100)));
    if (batch && !batch->events.empty()) return batch->events.back().kv.mod;
  }
  return fail(Errc::timeout, "no event");
}

class EveryEtcd : public ::testing::TestWithParam<EtcdVersion> {};
INSTANTIATE_TEST_SUITE_P(Versions, EveryEtcd, ::testing::ValuesIn(kEtcdVersions),
                         [](const auto& row) { return "v" + std::string(version_name(row.param)).erase(1, 1); });

TEST(LinkOptions, AreChecked) {
  const auto with = [](auto change) {
    link::EtcdOptions options = options_for({"http://127.0.0.1:1"});
    change(options);
    return options;
  };
  const link::EtcdOptions rows[] = {
      with([](auto& o) { o.endpoints.clear(); }),
      with([](auto& o) { o.endpoints = {"127.0.0.1"}; }),
      with([](auto& o) { o.cert_file = "/x"; }),
      with([](auto& o) { o.key_file = "/x"; }),
      with([](auto& o) { o.password = "x"; }),
      with([](auto& o) {
        o.ca_file = "/x";
        o.skip_server_check = true;
      }),
  };
  for (const auto& options : rows) EXPECT_EQ(refusal_of(options).code, Errc::invalid) << refusal_of(options).what;
}

// A refused connection is told at once: it would wait for an hour.
TEST(LinkFaults, NobodyThere) {
  const auto port = free_port();
  ASSERT_OK(port);
  link::EtcdOptions options = options_for({fmt::format("http://127.0.0.1:{}", *port)});
  options.dial_timeout = options.call_timeout = std::chrono::hours(1);
  const Error refused = refusal_of(options);
  EXPECT_EQ(refused.code, Errc::unavailable) << refused.what;
  EXPECT_NE(refused.what.find(std::to_string(*port)), std::string::npos) << refused.what;
}

TEST_P(EveryEtcd, AnotherMemberTakesOverWhenOneDies) {
  auto cluster = EtcdCluster::start(GetParam(), 3);
  ASSERT_OK(cluster);
  link::EtcdOptions options = options_for(cluster->client_urls());
  options.endpoints.insert(options.endpoints.begin(), "http://127.0.0.1:1");  // nobody listens there
  auto client = link::connect_etcd(options);
  ASSERT_OK(client);
  auto survivor = EtcdWriter::connect((*cluster)[2]);
  ASSERT_OK(survivor);
  ASSERT_OK(survivor->put("k", "1"));
  auto feed = (*client)->watch(Revision(1));
  ASSERT_OK(feed);
  ASSERT_EQ(next_revision(**feed).value_or(Revision()).raw(), 2);
  EXPECT_EQ((*client)->status().value_or(etcd::MemberStatus{}).endpoint, (*cluster)[0].client_url());
  EXPECT_EQ((*client)->members().value_or(std::vector<etcd::ClusterMember>{}).size(), 3U);

  (*cluster)[0].kill();
  const auto broken = next_revision(**feed);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Errc::unavailable) << broken.error().what;
  // A new leader may have to be elected first: unavailable is an honest answer until then.
  Result<Revision> head = fail(Errc::io, "not asked");
  const auto deadline = steady_clock::now() + kPatience;
  while (!(head = (*client)->head()) && steady_clock::now() < deadline) std::this_thread::sleep_for(Ms(100));
  ASSERT_OK(head);
  EXPECT_EQ(head->raw(), 2);
  EXPECT_NE((*client)->status().value_or(etcd::MemberStatus{}).endpoint, (*cluster)[0].client_url());
  auto again = (*client)->watch(Revision(3));
  ASSERT_OK(again);
  ASSERT_OK(survivor->put("k", "2"));
  EXPECT_EQ(next_revision(**again).value_or(Revision()).raw(), 3);
}

TEST_P(EveryEtcd, MemberWithoutLeaderIsLeft) {
  auto cluster = EtcdCluster::start(GetParam(), 3);
  ASSERT_OK(cluster);
  auto client = link::connect_etcd(options_for({(*cluster)[0].client_url()}));
  ASSERT_OK(client);
  auto feed = (*client)->watch(Revision(1));
  ASSERT_OK(feed);
  (*cluster)[1].kill();
  (*cluster)[2].kill();
  const auto lost = next_revision(**feed);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Errc::unavailable) << lost.error().what;
  EXPECT_NE(lost.error().what.find("no leader"), std::string::npos) << lost.error().what;
  const auto head = (*client)->head();
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().code, Errc::unavailable) << head.error().what;
  EXPECT_TRUE((*client)->status().has_value()) << "a member without a leader still tells its status";
}

TEST_P(EveryEtcd, FrozenMemberEndsInADeadlineAndIsLeft) {
  auto frozen = EtcdProcess::start(GetParam());
  auto other = EtcdProcess::start(GetParam());
  ASSERT_OK(frozen);
  ASSERT_OK(other);
  link::EtcdOptions options = options_for({frozen->client_url(), other->client_url()});
  options.call_timeout = Ms(2000);
  options.keepalive_time = Ms(1000);
  options.keepalive_timeout = Ms(1000);
  auto client = link::connect_etcd(options);
  ASSERT_OK(client);
  auto alone = link::connect_etcd([&] {
    link::EtcdOptions one = options;
    one.endpoints.pop_back();
    return one;
  }());
  ASSERT_OK(alone);
  auto feed = (*alone)->watch(Revision(1));
  ASSERT_OK(feed);

  frozen->pause();
  EXPECT_EQ((*client)->status().value_or(etcd::MemberStatus{}).endpoint, other->client_url());
  const auto timed_out = (*alone)->status();
  ASSERT_FALSE(timed_out);
  EXPECT_TRUE(timed_out.error().code == Errc::timeout || timed_out.error().code == Errc::unavailable)
      << timed_out.error().what;
  const auto dead = next_revision(**feed);  // keepalive finds out
  ASSERT_FALSE(dead);
  EXPECT_EQ(dead.error().code, Errc::unavailable) << dead.error().what;
  frozen->resume();
  EXPECT_TRUE((*alone)->head().has_value());
}

TEST_P(EveryEtcd, RestartUnderTheClient) {
  auto etcd = EtcdProcess::start(GetParam());
  ASSERT_OK(etcd);
  auto client = link::connect_etcd(options_for({etcd->client_url()}));
  ASSERT_OK(client);
  ASSERT_OK((*client)->head());
  etcd->kill();  // SIGTERM would wait some seconds for our connection to end
  EXPECT_FALSE((*client)->status().has_value());
  ASSERT_OK(etcd->restart());
  ASSERT_OK((*client)->head());
}

TEST_P(EveryEtcd, PasswordAndExpiringToken) {
  EtcdSetup setup;
  setup.more_flags = {"--auth-token-ttl=1"};
  auto etcd = EtcdProcess::start(GetParam(), setup);
  ASSERT_OK(etcd);
  link::EtcdOptions options = options_for({etcd->client_url()});
  options.user = "root";
  options.password = "secret-of-root";
  auto early = link::connect_etcd(options);  // connected while authentication was still off
  ASSERT_OK(early);
  ASSERT_OK((*early)->head());

  auto writer = EtcdWriter::connect(*etcd);
  ASSERT_OK(writer);
  const auto lease = writer->lease_grant(300);
  ASSERT_OK(lease);
  ASSERT_OK(writer->put("hidden", "1", *lease));
  ASSERT_OK(writer->role_add("root", "", ""));
  ASSERT_OK(writer->role_add("reader", "a", "b"));
  ASSERT_OK(writer->user_add("root", options.password, "root"));
  ASSERT_OK(writer->user_add("small", "small", "reader"));
  ASSERT_OK(writer->auth_enable());

  auto client = link::connect_etcd(options);
  ASSERT_OK(client);
  for (int i = 0; i < 3; i++) {
    EXPECT_TRUE((*client)->head().has_value());
    EXPECT_TRUE((*early)->head().has_value());
    const auto leases = (*client)->leases();
    ASSERT_OK(leases);
    EXPECT_EQ(leases->size(), 1U);
    io::BufferSink sink;
    EXPECT_TRUE((*client)->snapshot(sink, nullptr).has_value());
    const auto feed = (*client)->watch(Revision(1));
    ASSERT_OK(feed);
    EXPECT_EQ(next_revision(**feed).value_or(Revision()).raw(), 2);
    std::this_thread::sleep_for(Ms(2200));  // the token is gone
    const auto after = (*client)->watch(Revision(1));
    ASSERT_OK(after);
  }

  const auto wrong = [&](const std::string& user, const std::string& password) -> Error {
    link::EtcdOptions other = options;
    other.user = user;
    other.password = password;
    auto who = link::connect_etcd(other);
    if (!who) return who.error();
    const auto head = (*who)->head();
    return head ? Error{Errc::io, "it was let in", {}} : head.error();
  };
  for (const auto& [user, password] : {std::pair{"root", "guess"}, {"nobody", "x"}, {"small", "small"}, {"", ""}}) {
    const Error refused = wrong(user, password);
    EXPECT_EQ(refused.code, Errc::denied) << user << ": " << refused.what;
    EXPECT_EQ(refused.what.find(options.password), std::string::npos);
    EXPECT_EQ(refused.what.find("guess"), std::string::npos);
  }
  // Who may not read everything gets neither a watch nor a snapshot.
  link::EtcdOptions small = options;
  small.user = small.password = "small";
  auto little = link::connect_etcd(small);
  ASSERT_OK(little);
  const auto feed = (*little)->watch(Revision(1));
  ASSERT_FALSE(feed);
  EXPECT_EQ(feed.error().code, Errc::denied) << feed.error().what;
  io::BufferSink sink;
  const auto snapshot = (*little)->snapshot(sink, nullptr);
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().code, Errc::denied) << snapshot.error().what;
}

TEST_P(EveryEtcd, ClientCertificates) {
  auto temp = io::TempDir::create();
  ASSERT_OK(temp);
  const auto files = make_tls_files(temp->path());
  ASSERT_OK(files);
  EtcdSetup setup;
  setup.tls = EtcdTls{files->ca, files->server_cert, files->server_key, true};
  setup.unix_socket = true;
  auto etcd = EtcdProcess::start(GetParam(), setup);
  ASSERT_OK(etcd);
  link::EtcdOptions good = options_for({etcd->client_url()});
  good.ca_file = files->ca;
  good.cert_file = files->client_cert;
  good.key_file = files->client_key;
  good.dial_timeout = good.call_timeout = kPatience;
  auto client = link::connect_etcd(good);
  ASSERT_OK(client);
  ASSERT_OK((*client)->head());

  const auto with = [&](auto change) {
    link::EtcdOptions options = good;
    change(options);
    return options;
  };
  const std::string bare = etcd->client_url().substr(8);
  ASSERT_OK(link::connect_etcd(with([&](auto& o) { o.endpoints = {bare}; })));
  ASSERT_OK(link::connect_etcd(with([&](auto& o) { o.endpoints = {etcd->unix_url()}; })));
  ASSERT_OK(link::connect_etcd(with([&](auto& o) { o.server_name = "localhost"; })));
  ASSERT_OK(link::connect_etcd(with([&](auto& o) {
    o.ca_file.clear();
    o.skip_server_check = true;
  })));

  struct Row {
    std::string_view why;
    link::EtcdOptions options;
    bool surely_denied;  // false: the server just hangs up, which looks like any lost connection
  };
  const Row rows[] = {
      {"another authority's server", with([&](auto& o) { o.ca_file = files->other_ca; }), true},
      {"system's authorities", with([&](auto& o) { o.ca_file.clear(); }), true},
      {"another name", with([&](auto& o) { o.server_name = "etcd.example"; }), true},
      {"no such file", with([&](auto& o) { o.ca_file = temp->path() / "none"; }), true},
      {"key is no PEM", with([&](auto& o) { o.key_file = etcd->log(); }), true},
      {"another authority's client", with([&](auto& o) {
         o.cert_file = files->other_cert;
         o.key_file = files->other_key;
       }),
       false},
      {"no client certificate", with([&](auto& o) {
         o.cert_file.clear();
         o.key_file.clear();
       }),
       false},
      {"plain", with([&](auto& o) { o.endpoints = {"http://" + bare}; }), false},
  };
  for (Row row : rows) {
    if (!row.surely_denied) row.options.dial_timeout = row.options.call_timeout = Ms(2500);
    const Error refused = refusal_of(row.options);
    if (row.surely_denied) {
      EXPECT_EQ(errc_name(refused.code), errc_name(Errc::denied)) << row.why << ": " << refused.what;
    } else {
      EXPECT_TRUE(refused.code == Errc::denied || refused.code == Errc::unavailable || refused.code == Errc::timeout)
          << row.why << ": " << refused.what;
    }
  }

  // Renewed files are read for the next connection: a client that begins with a wrong pair recovers without a restart.
  const io::Path cert = temp->path() / "current.crt", key = temp->path() / "current.key";
  std::filesystem::copy_file(files->client_cert, cert);
  std::filesystem::copy_file(files->client_key, key);
  auto renewing = link::connect_etcd(with([&](auto& o) {
    o.cert_file = cert;
    o.key_file = key;
    o.dial_timeout = o.call_timeout = Ms(2500);
  }));
  ASSERT_OK(renewing);
  const auto overwrite = std::filesystem::copy_options::overwrite_existing;
  std::filesystem::copy_file(files->other_cert, cert, overwrite);
  std::filesystem::copy_file(files->other_key, key, overwrite);
  etcd->kill();  // SIGTERM would wait some seconds for our connection to end
  EXPECT_FALSE((*renewing)->status().has_value());
  ASSERT_OK(etcd->restart());
  EXPECT_FALSE((*renewing)->status().has_value()) << "the new files are of an authority that nobody trusts";
  std::filesystem::copy_file(files->client_cert, cert, overwrite);
  std::filesystem::copy_file(files->client_key, key, overwrite);
  EXPECT_TRUE(eventually([&] { return (*renewing)->status().has_value(); }));
}

}  // namespace
}  // namespace tidemark::testing
