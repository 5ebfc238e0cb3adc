// A real Blob service for one test: azurite on a free loopback port, its blobs in memory.
//
// It is installed by testbed/azurite/build (Errc::not_found says so). Going out of scope it is killed and its directory
// removed. Threads: one object, one thread; start from a thread that lives as long as the service shall.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "io/file.h"
#include "kit/program.h"
#include "store/environment.h"

namespace tidemark::testing {

class AzureProcess {
 public:
  // `tls`: a certificate for 127.0.0.1 of an authority of its own.
  static Result<AzureProcess> start(bool tls = false);

  std::string endpoint() const;                                    // http(s)://127.0.0.1:port
  std::string url(const std::string& container_and_prefix) const;  // az://…?endpoint=…[&ca-file=…]
  enum class Right { key, connection, sas };
  store::Environment environment(Right right = Right::key) const;  // the credentials, and nothing else
  std::vector<std::string> variables() const;                      // of the key, for a child: "NAME=value"
  Status make_container(const std::string& name) const;
  Child& child() { return *child_; }

 private:
  AzureProcess() = default;
  std::unique_ptr<io::TempDir> temp_;
  std::string ca_file_;
  int port_ = 0;
  std::optional<Child> child_;  // after temp_: it ends before its directory goes
};

}  // namespace tidemark::testing
