#include "link/fault.h"

#include <gtest/gtest.h>

namespace tidemark::link {
namespace {

TEST(Fault, Judge) {
  struct Row {
    WireCode code;
    std::string_view message;
    Errc want;
    bool try_elsewhere, needs_token, lost_connection;
  };
  const Row rows[] = {
      {WireCode::out_of_range, "etcdserver: mvcc: required revision has been compacted", Errc::compacted, false, false,
       false},
      {WireCode::out_of_range, "etcdserver: mvcc: required revision is a future revision", Errc::not_found, false,
       false, false},
      {WireCode::unauthenticated, "etcdserver: invalid auth token", Errc::denied, false, true, false},
      {WireCode::invalid_argument, "etcdserver: user name is empty", Errc::denied, false, true, false},
      {WireCode::invalid_argument, "etcdserver: revision of auth store is old", Errc::denied, false, true, false},
      {WireCode::invalid_argument, "etcdserver: authentication failed, invalid user ID or password", Errc::denied,
       false, false, false},
      {WireCode::permission_denied, "etcdserver: permission denied", Errc::denied, false, false, false},
      {WireCode::resource_exhausted, "etcdserver: mvcc: database space exceeded", Errc::no_space, false, false, false},
      {WireCode::resource_exhausted, "etcdserver: too many requests", Errc::unavailable, true, false, false},
      {WireCode::unavailable, "etcdserver: no leader", Errc::unavailable, true, false, false},
      {WireCode::unavailable, "etcdserver: rpc not supported for learner", Errc::unavailable, true, false, false},
      {WireCode::failed_precondition, "etcdserver: rpc not supported for learner", Errc::unavailable, true, false,
       false},
      {WireCode::unavailable, "etcdserver: request timed out", Errc::timeout, true, false, false},
      {WireCode::data_loss, "etcdserver: corrupt cluster", Errc::corrupt, false, false, false},
      {WireCode::unavailable, "failed to connect to all addresses; last error: UNKNOWN: Connection refused",
       Errc::unavailable, true, false, true},
      {WireCode::unavailable, "Ssl handshake failed: SSL_ERROR_SSL: CERTIFICATE_VERIFY_FAILED", Errc::denied, true,
       false, true},
      {WireCode::unavailable, "failed to connect to all addresses; last error: Peer name x is not in peer certificate",
       Errc::denied, true, false, true},
      {WireCode::deadline_exceeded, "Deadline Exceeded", Errc::timeout, true, false, true},
      {WireCode::cancelled, "CANCELLED", Errc::cancelled, false, false, false},
      {WireCode::unimplemented, "unknown service etcdserverpb.Maintenance", Errc::unsupported, false, false, false},
      {WireCode::internal, "RST_STREAM", Errc::unavailable, true, false, true},
      {WireCode::failed_precondition, "etcdserver: something new", Errc::invalid, false, false, false},
  };
  for (const Row& row : rows) {
    const Fault got = judge(row.code, row.message, "http://h:1", "status");
    EXPECT_EQ(errc_name(got.error.code), errc_name(row.want)) << row.message;
    EXPECT_EQ(got.try_elsewhere, row.try_elsewhere) << row.message;
    EXPECT_EQ(got.needs_token, row.needs_token) << row.message;
    EXPECT_EQ(got.lost_connection, row.lost_connection) << row.message;
    EXPECT_FALSE(got.auth_is_off);
    EXPECT_EQ(got.error.what, fmt::format("http://h:1: status: {}", row.message));
  }
  EXPECT_TRUE(judge(WireCode::failed_precondition, "etcdserver: authentication is not enabled", "e", "d").auth_is_off);
}

TEST(Fault, WhoeverWasNotReachedGetsAHint) {
  struct Row {
    WireCode code;
    std::string_view message, hint;
  };
  const Row rows[] = {
      {WireCode::unavailable, "failed to connect to all addresses; last error: UNKNOWN: Connection refused",
       "nothing listens on http://h:1: check --endpoints, and that etcd runs there"},
      {WireCode::unavailable, "last error: UNKNOWN: unix:/x: No such file or directory",
       "nothing listens on http://h:1: check --endpoints, and that etcd runs there"},
      {WireCode::unavailable, "DNS resolution failed for h:1: C-ares status is not ARES_SUCCESS",
       "the host of http://h:1 has no address: check --endpoints and the resolver"},
      {WireCode::deadline_exceeded, "Deadline Exceeded",
       "http://h:1 stays silent: check --endpoints, firewalls, and whether etcd has a leader"},
      // A server that answers says itself what is wrong.
      {WireCode::unavailable, "etcdserver: no leader", ""},
      {WireCode::permission_denied, "etcdserver: permission denied", ""},
      {WireCode::unavailable, "Ssl handshake failed: CERTIFICATE_VERIFY_FAILED", ""},
      {WireCode::internal, "RST_STREAM", ""},
      {WireCode::cancelled, "CANCELLED", ""},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(judge(row.code, row.message, "http://h:1", "status").error.hint, row.hint) << row.message;
  }
}

TEST(Fault, CancelledWatch) {
  EXPECT_EQ(judge_cancelled_watch("etcdserver: no leader", "e").error.code, Errc::unavailable);
  EXPECT_EQ(
      judge_cancelled_watch("rpc error: code = PermissionDenied desc = etcdserver: permission denied", "e").error.code,
      Errc::denied);
  const Fault unexplained = judge_cancelled_watch("", "e");
  EXPECT_EQ(unexplained.error.code, Errc::unavailable);
  EXPECT_FALSE(unexplained.lost_connection);
}

}  // namespace
}  // namespace tidemark::link
