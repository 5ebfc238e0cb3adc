// Certificates for tests, made by the openssl program: one authority, a server for 127.0.0.1 and localhost, a client,
// and a client of another authority that nobody trusts.
#pragma once

#include "base/result.h"
#include "io/file.h"

namespace tidemark::testing {

struct TlsFiles {
  io::Path ca, server_cert, server_key, client_cert, client_key;
  io::Path other_ca, other_cert, other_key;
};

// Requires: `dir` exists. `client_name` is the client's common name (an etcd user, with auth on). Takes about 0.2 s.
Result<TlsFiles> make_tls_files(const io::Path& dir, const std::string& client_name = "root");

}  // namespace tidemark::testing
