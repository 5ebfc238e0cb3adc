// `tidemark serve` in a process of its own, and kubectl with its kubeconfig.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kit/program.h"

namespace tidemark::testing {

class Serving {
 public:
  // Returns when it answers. `more`: further arguments.
  static Result<std::unique_ptr<Serving>> start(const std::string& store, const std::string& at,
                                                const std::vector<std::string>& more = {});

  // By a signal, as it should end. Its exit code.
  int stop();

  Result<ProgramResult> try_kubectl(std::vector<std::string> arguments, const std::string& input = {}) const;
  // The standard output; what is on the other one too, when there is somebody to take it. A failure fails the test.
  std::string kubectl(const std::vector<std::string>& arguments, std::string* warnings = nullptr) const;
  nlohmann::json got(std::vector<std::string> arguments) const;
  // What it is refused with. That it is not fails the test.
  std::string refused(const std::vector<std::string>& arguments, const std::string& input = {}) const;

  io::Path kubeconfig() const { return temp_.path() / "kubeconfig"; }
  std::string url() const { return config_.at("clusters").front().at("cluster").at("server"); }
  std::string token() const { return config_.at("users").front().at("user").at("token"); }
  std::string log() const;
  const io::Path& dir() const { return temp_.path(); }

 private:
  io::TempDir temp_ = io::TempDir::create().value();
  io::Path kubectl_;
  nlohmann::json config_;
  std::optional<Child> child_;
};

// Lines with single blanks, without what depends on when one looks.
std::string without_ages(const std::string& text);

}  // namespace tidemark::testing
