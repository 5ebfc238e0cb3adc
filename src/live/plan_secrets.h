// What Secrets hold, in a plan that is printed: not in clear, and not as a hash either, for whoever has that finds a
// short password by hashing guesses. In the place of each value stands where it is found again.
//
//   printed["body"] = hidden_body(step);                      // "(as it was)", "(as it is now)"
//   if (needs_then(step)) then = ...;                         // of a plan that was read: the object of then
//   TM_CHECK(fill_body(step, then));                          // step.before: the object as it is now
//
// Threads: any.
#pragma once

#include <nlohmann/json.hpp>

#include "live/plan.h"

namespace tidemark::live {

// step.body; of a Secret without its values. Of one that is hidden already: the same.
nlohmann::json hidden_body(const Step& step);

// Some value of its body stands in the object as it was, or as it is.
bool needs_then(const Step& step);
bool needs_now(const Step& step);

// Puts the values back that are in step.before and in `then` (null: not known). Errc::not_found: one is in neither.
Status fill_body(Step& step, const nlohmann::json& then);

// Keeps what it holds from whoever reads.
bool is_secret(const link::KubeKind& kind);

}  // namespace tidemark::live
