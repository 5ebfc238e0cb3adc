#include "kit/tls_files.h"

#include "kit/program.h"

namespace tidemark::testing {

namespace {

struct Pair {
  io::Path cert, key;
};

Result<Pair> make_ca(const io::Path& dir, const std::string& name) {
  Pair ca{dir / (name + ".crt"), dir / (name + ".key")};
  TM_CHECK(output_of({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-days", "3650", "-subj", "/CN=" + name, "-keyout", ca.key.string(), "-out", ca.cert.string()}));
  return ca;
}

Result<Pair> make_leaf(const io::Path& dir, const std::string& file, const std::string& name, const Pair& ca) {
  Pair leaf{dir / (file + ".crt"), dir / (file + ".key")};
  const std::string request = (dir / (file + ".csr")).string();
  const io::Path extensions = dir / (file + ".ext");
  const std::string text =
      "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=CA:FALSE\n";
  TM_CHECK(io::write_file_durably(extensions, as_bytes(text)));
  TM_CHECK(output_of({"openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-subj", "/CN=" + name, "-keyout", leaf.key.string(), "-out", request}));
  TM_CHECK(
      output_of({"openssl", "x509", "-req", "-in", request, "-CA", ca.cert.string(), "-CAkey", ca.key.string(),
                 "-CAcreateserial", "-days", "3650", "-extfile", extensions.string(), "-out", leaf.cert.string()}));
  return leaf;
}

}  // namespace

Result<TlsFiles> make_tls_files(const io::Path& dir, const std::string& client_name) {
  TM_LET(const Pair ca, make_ca(dir, "ca"));
  TM_LET(const Pair other_ca, make_ca(dir, "other-ca"));
  TM_LET(const Pair server, make_leaf(dir, "server", "server", ca));
  TM_LET(const Pair client, make_leaf(dir, "client", client_name, ca));
  TM_LET(const Pair other, make_leaf(dir, "other", client_name, other_ca));
  return TlsFiles{ca.cert, server.cert, server.key, client.cert, client.key, other_ca.cert, other.cert, other.key};
}

}  // namespace tidemark::testing
