// A real etcd 3.4 to 3.7 over gRPC, as an etcd::Member.
//
// Several endpoints are tried in order; the client stays with one that works and moves on when it does not answer, has
// no leader or is a learner. TLS files are read again for every new connection, so renewed certificates are picked up.
// With a user, a token is fetched when the server asks for one and again when it has expired.
//
// Deadlines: a call ends within `call_timeout` in all, however many endpoints it tried. hash_kv() may read the whole
// database on the server and has its own. A snapshot() may take as long as it likes while bytes keep coming.
// A watch has no deadline; a dead connection under it is found by keepalive pings.
// Threads: as in etcd/member.h.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "etcd/member.h"

namespace tidemark::link {

struct EtcdOptions {
  // http://h:p, https://h:p, h:p (TLS if any TLS option is given), unix:///path, unix:path, unixs:///path.
  std::vector<std::string> endpoints;

  std::string ca_file;    // empty: the system's
  std::string cert_file;  // of the client, with its key
  std::string key_file;
  std::string server_name;         // the name expected in the server's certificate; empty: the endpoint's host
  bool skip_server_check = false;  // any certificate will do. Only when the user said so in these words

  std::string user, password;  // empty user: no authentication

  std::chrono::milliseconds dial_timeout{3'000};
  std::chrono::milliseconds call_timeout{10'000};
  std::chrono::milliseconds hash_timeout{120'000};
  std::chrono::milliseconds chunk_timeout{30'000};  // of a snapshot: the longest wait for the next bytes
  std::chrono::milliseconds keepalive_time{
      10'000};  // silence before a ping; etcd closes connections that ping faster than 5 s
  std::chrono::milliseconds keepalive_timeout{10'000};

  std::size_t watch_buffer = 16UL << 20;  // bytes received and not yet taken, per feed; then the stream waits
};

// Checks the options and connects: at least one endpoint has answered. Errc::invalid: the options make no sense;
// otherwise the error of the last endpoint (unavailable, denied, timeout).
Result<std::unique_ptr<etcd::Member>> connect_etcd(EtcdOptions options);

}  // namespace tidemark::link
