// A look-alike of Google Cloud Storage for one test: fake-gcs-server on a free loopback port, all in its memory.
//
// It is built by testbed/gcs/build (Errc::not_found says so). Going out of scope it is killed.
// It is not Google's: it adds up what it is sent in a resumable session without looking at the ranges, takes the
// question how far a session came for its end, and checks no credentials, keys or retention. What the store does about
// those is tested against src/store/testing/gcs_server.h.
// Threads: one object, one thread; start from a thread that lives as long as the server shall.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "io/file.h"
#include "kit/program.h"

namespace tidemark::testing {

struct GcsSetup {
  bool tls = false;  // a certificate for 127.0.0.1 of an authority of its own: ca_file()
};

class GcsProcess {
 public:
  static Result<GcsProcess> start(const GcsSetup& setup = {});

  std::string endpoint() const;                                 // http(s)://127.0.0.1:port
  std::string url(const std::string& bucket_and_prefix) const;  // gs://…?endpoint=…[&anonymous=1&ca-file=…]
  const std::string& ca_file() const { return ca_file_; }
  Child& child() { return *child_; }

  Status make_bucket(const std::string& name, bool versioned = false);

 private:
  GcsProcess() = default;
  GcsSetup setup_;
  std::unique_ptr<io::TempDir> temp_;
  std::string ca_file_;
  int port_ = 0;
  std::optional<Child> child_;  // after temp_: it ends before its directory goes
};

}  // namespace tidemark::testing
