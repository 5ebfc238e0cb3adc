// A cluster in memory: as much of an API server and its controllers as a plan meets.
//
// Uids and resource versions are given, defaults that matter are filled in, status is a thing apart, an owner that is
// gone takes its dependants along, and what the server refuses is refused: a uid in a body, a field that cannot be
// changed, a reference without uid.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "live/plan.h"

namespace tidemark::live::testing {

class Cluster {
 public:
  Cluster() = default;
  explicit Cluster(const std::vector<Found>& objects);

  // As a client would send it. Returns why it was refused; empty: done.
  std::string create(const Found& found);
  std::string replace(const std::string& id, const nlohmann::json& body);
  void erase(const std::string& id);
  bool has(const std::string& id) const { return objects_.contains(id); }
  Found& at(const std::string& id) { return objects_.at(id); }

  // Step by step, in its order. Returns each refusal; empty: all was done.
  std::vector<std::string> apply(const Plan& plan);
  // What no owner has any more goes, as often as it takes.
  void collect_garbage();

  std::vector<Found> all() const;
  std::vector<std::string> ids() const;

 private:
  std::string apply_step(const Step& step);
  std::string fill_owners(const Step& step, nlohmann::json& body) const;
  void fill_in(Found& found);

  std::map<std::string, Found> objects_{};
  int uids_ = 0, versions_ = 100;
};

}  // namespace tidemark::live::testing
