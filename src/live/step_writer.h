// Does one step of a plan in the running cluster, so that doing it once more changes nothing.
//
// Every write carries the identity of what was planned on: another object of the same name, or one that somebody has
// changed meanwhile, is never written over. A state that differs only in what servers and controllers write by
// themselves (status, resourceVersion, bookkeeping.h) is the same one, and is asked for again. Threads: one at a time.
#pragma once

#include <chrono>
#include <map>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/steps.h"
#include "live/plan.h"

namespace tidemark::live {

struct StepTools {
  link::KubeClient& client;
  const Clock& clock;
  Steps& steps;
  std::stop_token stop;
  // For a definition to be served, a namespace to be there, a deleted object to be gone; of all that was going when the
  // plan was made, from the first step on.
  std::chrono::nanoseconds settle_within = std::chrono::seconds(60);
  // For a server that gives no answer to be there again, as after a restart.
  std::chrono::nanoseconds server_back_within = std::chrono::seconds(60);
};

class StepWriter {
 public:
  // Requires: `plan` and what `tools` refers to outlive it.
  StepWriter(const StepTools& tools, const Plan& plan);

  enum class Done { wrote, already };
  // Errc::conflict: somebody else has changed it since the plan. Errc::timeout: it did not settle. Else the server's.
  Result<Done> write(const Step& step);
  // Is it as it was to be? Errc::conflict names the first field that is not.
  Status verify(const Step& step);

  // Of what was created: Step::id() -> its uid.
  const std::map<std::string, std::string>& made() const { return made_; }

 private:
  Result<Done> create(const Step& step);
  Result<Done> create_again(const Step& step, const nlohmann::json& body);
  Result<Done> change(const Step& step);
  Result<Done> recreate(const Step& step);
  Result<Done> remove(const Step& step);
  Status remove_as_planned(const Step& step, nlohmann::json live, const char* propagation);
  Result<Done> put_over(const Step& step, nlohmann::json body, const nlohmann::json& live);
  Status write_status(const Step& step);
  Status settle(const Step& step);
  Status await_its_end(const Step& step, const std::string& uid);
  // What is sent, with the uids that its owners have now.
  Result<nlohmann::json> body_of(const Step& step);
  Result<std::string> uid_of_owner(const Step& owner);
  Result<nlohmann::json> live_of(const Step& step);
  // "the namespace is new": what is in it already, the cluster made by itself.
  bool in_new_namespace(const Step& step) const;

  StepTools tools_;
  const Plan& plan_;
  const Ticks begun_;
  std::map<std::string, const Step*, std::less<>> by_id_;
  std::map<std::string, std::string> made_;
};

}  // namespace tidemark::live
