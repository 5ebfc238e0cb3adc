// The fixture of the drills of `tidemark serve` over a real cluster: its control plane, filled; what it answers; and
// what the past has to say then.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kit/bed_process.h"
#include "kit/record_drill.h"
#include "kit/serving.h"

namespace tidemark::testing {

std::string id_of(const nlohmann::json& object);  // "apps/v1 Deployment shop/web"

// Kinds that are stored in an older version than the one in which a server prefers to show them: they are served as
// stored. Kubernetes keeps the older one for a release, so that the release before can read it.
struct StoredOlder {
  const char* kind;
  const char* stored;
  const char* preferred;
};
inline constexpr StoredOlder kStoredOlder[] = {
    {"MutatingAdmissionPolicy", "admissionregistration.k8s.io/v1beta1", "admissionregistration.k8s.io/v1"},
    {"MutatingAdmissionPolicyBinding", "admissionregistration.k8s.io/v1beta1", "admissionregistration.k8s.io/v1"},
};

// Kinds that have no key of their own, and so no past.
bool has_no_past(const std::string& resource);

class ServeDrill : public Recording {
 protected:
  using Objects = std::map<std::string, nlohmann::json>;
  struct Moment {
    Revision at;
    Objects objects;
    std::map<std::string, std::string> printed;  // what kubectl printed of the living cluster then, by the kinds
  };

  static void SetUpTestSuite();
  static void TearDownTestSuite() { bed_.reset(); }
  void SetUp() override;

  static Result<Moment> now(const io::Path& dir);
  void record(const std::string& kind) const;
  std::string store_url() const { return "dir:" + store_dir().native(); }

  // Every kind of the living cluster that can have a past, with commas between.
  static Result<std::string> every_kind();
  // A custom resource whose columns ask for every type, and for what is not there; and an object of it.
  static Status define_dials(const io::Path& dir);
  // A table for each kind: the columns of all of them, as the living server prints them.
  static void expect_tables(const Serving& past, const std::string& kinds, const std::vector<std::string>& more);
  // By kubectl's own dynamic client: every kind that our discovery names, all namespaces.
  static void expect_everything(const Serving& past, const Moment& moment);

  static inline std::unique_ptr<BedProcess> bed_;
  static inline bool filled_ = false;
};

}  // namespace tidemark::testing
