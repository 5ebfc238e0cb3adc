// Both sides of a restore: the objects that are meant as they were at a moment, and what the running cluster has of
// them.
//
//   TM_LET(Survey survey, take_survey(*moment, client, {.objects = wish, .everything = words.empty()}));
//   TM_LET(const Plan plan, make_plan(survey.input, options));
//
// Nothing is changed. Memory: the objects of both sides. Threads: one at a time.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "history/objects.h"
#include "live/gather.h"
#include "live/plan.h"

namespace tidemark::live {

struct SurveyWish {
  history::ObjectWish objects{};
  bool cluster_scoped = false;                      // of everything: also what is in no namespace
  bool prune = false;                               // what was not there then counts: all kinds must be readable
  std::map<std::string, std::string> namespaces{};  // then -> now
  // Also what the objects refer to (references_of()), what that refers to, and the definitions of custom ones. What is
  // in no namespace and is there stays out: others use it, too.
  bool with_needed = false;
  bool everything() const { return objects.words.empty(); }
};

struct Survey {
  PlanInput input{};
  ServedKinds served;
  std::vector<Error> unreadable{};                             // wanted objects that cannot be read
  std::vector<std::pair<std::string, std::string>> missing{};  // asked for by name, not there then: kind, name
  std::vector<std::string> notes{};
};

// Errc::invalid, not_found: as history::Selection. Errc::denied: a kind that we may not read; before anything else.
Result<Survey> take_survey(history::Moment& moment, link::KubeClient& client, const SurveyWish& wish,
                           const std::stop_token& stop = {});

}  // namespace tidemark::live
