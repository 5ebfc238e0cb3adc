// A real S3 server for one test: versitygw on a free loopback port, its buckets in a temporary directory.
//
// It is built by testbed/s3/build (Errc::not_found says so). Going out of scope it is killed and its directory removed.
// Threads: one object, one thread; start from a thread that lives as long as the server shall.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/file.h"
#include "kit/program.h"
#include "store/environment.h"

namespace tidemark::testing {

struct S3Setup {
  bool tls = false;           // a certificate for 127.0.0.1 of an authority of its own: ca_file()
  bool virtual_host = false;  // buckets as BUCKET.localhost
  std::string region = "eu-test-1";
  bool access_log = false;  // requests() can be asked
};

class S3Process {
 public:
  static Result<S3Process> start(const S3Setup& setup = {});

  std::string endpoint() const;                                 // http(s)://127.0.0.1:port
  std::string url(const std::string& bucket_and_prefix) const;  // s3://…?endpoint=…&region=…[&ca-file=…]
  store::Environment environment() const;                       // the right credentials, and nothing else
  std::vector<std::string> variables() const;                   // the same for a child: "NAME=value"
  const std::string& ca_file() const { return ca_file_; }
  int port() const { return port_; }
  Child& child() { return *child_; }
  // Every request so far, as the server tells it: a line each.
  std::vector<std::string> requests() const;

  enum class Kind { plain, versioned, locked };  // locked: object lock, which keeps versions
  Status make_bucket(const std::string& name, Kind kind = Kind::plain);

 private:
  S3Process() = default;
  S3Setup setup_;
  std::unique_ptr<io::TempDir> temp_;
  std::string ca_file_;
  int port_ = 0;
  std::optional<Child> child_;  // after temp_: it ends before its directory goes
};

}  // namespace tidemark::testing
