// `restore` of objects into a running cluster: everything of the verb but `restore etcd`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/live_run.h"
#include "cli/object_reading.h"
#include "live/survey.h"

namespace CLI {
class App;
}

namespace tidemark::cli {

struct RestoreObjectsWish {
  std::string at = "latest";
  ObjectReading reading;
  LiveWish live;
  live::PlanOptions plan;
  std::vector<std::string> namespaces;  // "a=b"
  bool cluster_scoped = false, with_deps = false;
  std::uint32_t resume = 0;
};

// WHAT, --at, -n ..., --existing, --prune, ...
void add_restore_objects_options(Program& program, CLI::App& app, RestoreObjectsWish& wish);
Result<Exit> restore_objects(Program& program, RestoreObjectsWish& wish, bool namespace_given);

// How a wish is told in an undo point: "restore deploy/web -n shop --at -2h".
std::string words_of(std::string_view verb, const history::ObjectWish& objects, std::string_view when);

// What a survey found that is no part of a plan. False: some of what was asked for is missing.
bool tell_survey(Program& program, const live::Survey& survey);

}  // namespace tidemark::cli
