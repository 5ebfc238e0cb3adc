#include "link/endpoint.h"

#include <gtest/gtest.h>

namespace tidemark::link {
namespace {

TEST(Endpoint, Parse) {
  struct Row {
    std::string_view text;
    bool tls_given;
    std::string_view target;  // empty: refused
    bool tls;
  };
  const Row rows[] = {
      {"http://127.0.0.1:2379", false, "dns:///127.0.0.1:2379", false},
      {"http://127.0.0.1:2379", true, "dns:///127.0.0.1:2379", false},  // what was written wins over --cacert
      {"https://etcd.example:2379/", false, "dns:///etcd.example:2379", true},
      {"etcd-0:2379", false, "dns:///etcd-0:2379", false},
      {"etcd-0:2379", true, "dns:///etcd-0:2379", true},
      {"[::1]:2379", false, "dns:///[::1]:2379", false},
      {"unix:///run/etcd.sock", true, "unix:/run/etcd.sock", false},
      {"unix:/run/etcd.sock:0", false, "unix:/run/etcd.sock:0", false},
      {"unix:relative.sock", false, "unix:relative.sock", false},
      {"unixs:///run/etcd.sock", false, "unix:/run/etcd.sock", true},

      {"", false, "", false},
      {"127.0.0.1", false, "", false},
      {"127.0.0.1:", false, "", false},
      {"127.0.0.1:0", false, "", false},
      {"127.0.0.1:65536", false, "", false},
      {"127.0.0.1:2379x", false, "", false},
      {":2379", false, "", false},
      {"::1:2379", false, "", false},  // an IPv6 address needs brackets: is 2379 its last part or the port?
      {"http://h:2379/v3", false, "", false},
      {"http://user@h:2379", false, "", false},
      {"http://h :2379", false, "", false},
      {"ftp://h:2379", false, "", false},
      {"https://", false, "", false},
      {"unix:", false, "", false},
      {"unix://", false, "", false},
      {"unix:///", false, "", false},
      {"[]:2379", false, "", false},
  };
  for (const Row& row : rows) {
    const auto got = parse_endpoint(row.text, row.tls_given);
    ASSERT_EQ(got.has_value(), !row.target.empty()) << row.text;
    if (!got) {
      EXPECT_EQ(got.error().code, Errc::invalid) << row.text;
      continue;
    }
    EXPECT_EQ(got->target, row.target) << row.text;
    EXPECT_EQ(got->tls, row.tls) << row.text;
    EXPECT_EQ(got->text, row.text);
  }
}

}  // namespace
}  // namespace tidemark::link
