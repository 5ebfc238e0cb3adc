// The program: its verbs, the options they share, and how failures become exit codes and words.
//
// A verb lives in a file of its own, with one function named in cli/verbs.h:
//
//   void add_list(Program& program) {
//     auto wish = std::make_shared<ListWish>();
//     CLI::App& app = program.verb("list", "the points that exist", "tidemark list --store dir:/backups/prod\n",
//                                  [wish](Program& p) { return list(p, *wish); });
//     program.add_store(app, wish->store);
//     app.add_option("--kind", wish->kind, "…");
//   }
//
// Tests run the whole program in-process: Program with string streams, then run({"list", "--store", …}).
// Threads: one, but progress() may be updated from any.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/steps.h"
#include "cli/progress.h"
#include "cli/store_access.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tidemark::store {
struct StoreTally;
}

namespace tidemark::cli {

// Exit codes are part of the surface: scripts depend on them.
enum class Exit : int {
  done = 0,
  failed = 1,  // nothing changed, or all undone
  usage = 2,
  partly = 3,     // the output names what is missing
  not_found = 4,  // or not restorable at that point
  corrupt = 5,
  denied = 6,
  timed_out = 7,
  unreachable = 8,
  findings = 10,
};
Exit exit_of(Errc code);

enum class Format { table, wide, json, yaml, name };

// What the program meets outside. References must outlive the Program.
struct Surroundings {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  const Clock& clock = system_clock();
  std::stop_token stop = {};          // asked to stop: SIGINT, SIGTERM
  bool in_is_terminal = false;        // somebody can answer a question
  Steps* steps = &unwatched_steps();  // never null: told in front of what a crash could cut
  Screen err_screen = {};             // whether a progress bar can be drawn, and how wide
};

class Program {
 public:
  explicit Program(Surroundings around);  // with all verbs
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Arguments without the program's name. Prints failures; returns the exit code.
  int run(std::span<const std::string> args);

  // ---- for verbs, before run

  using Run = std::function<Result<Exit>(Program&)>;
  // `summary`: one line for the list of verbs. `examples`: commands with comments, a line each; shown first in the
  // help.
  CLI::App& verb(const std::string& name, const std::string& summary, const std::string& examples, Run run);
  // A verb of a verb: `restore etcd`.
  CLI::App& verb_of(CLI::App& parent, const std::string& name, const std::string& summary, const std::string& examples,
                    Run run);
  // --store, or TIDEMARK_STORE; required. With the options that name age identities.
  void add_store(CLI::App& app, std::string& url);
  void add_identities(CLI::App& app);              // those options alone
  CLI::Option* add_recipients(CLI::App& app);      // --age-recipients, for verbs that write into stores
  void add_format(CLI::App& app, Format& format);  // -o, --output
  void add_yes(CLI::App& app, bool& yes);          // --yes, -y
  // What shells complete behind an option: words with blanks between. Not needed where the option checks for them.
  void completes(const CLI::Option& option, std::string words) { words_[&option] = std::move(words); }

  // ---- for verbs, while running

  std::ostream& out() { return around_.out; }
  std::ostream& err() { return around_.err; }
  const Clock& clock() const { return around_.clock; }
  Time now() const { return around_.clock.now(); }
  const std::stop_token& stop() const { return around_.stop; }
  Steps& steps() { return *around_.steps; }
  Progress& progress();
  // The store at a URL, encrypted when it is: every verb opens its stores here. A store that is written to is encrypted
  // to --age-recipients. Errc::invalid: it is encrypted, and there are none.
  // Its waits end when `stop` is asked for; without one, when the program is. `tally`: counts what it is asked, and
  // outlives it.
  Result<std::unique_ptr<store::ObjectStore>> open_store(std::string_view url, bool read_only);
  Result<std::unique_ptr<store::ObjectStore>> open_store(std::string_view url, bool read_only,
                                                         const std::stop_token& stop,
                                                         store::StoreTally* tally = nullptr);
  const AgeWish& age() const { return age_; }
  // Asks on the terminal; true only for "y" or "yes". Errc::invalid, with the hint --yes, when nobody can answer.
  Result<bool> confirm(std::string_view question);

  CLI::App& root() { return *app_; }
  const std::string& examples_of(const CLI::App& app) const;
  std::string words_of(const CLI::Option& option) const;  // empty: any

 private:
  void add_global_options();
  void add_help_and_completion();
  int fail_with(const Error& error);
  Status explain(std::span<const std::string> verbs);
  int usage(std::string_view what, const std::string& hint);
  int unknown_word(const std::string& word);

  Surroundings around_;
  std::unique_ptr<CLI::App> app_;
  std::map<const CLI::App*, std::string> examples_;
  std::map<const CLI::App*, Run> runs_;
  std::map<const CLI::Option*, std::string> words_;
  std::map<const CLI::App*, AgeWish> ages_;  // each verb's own: CLI11 reads the environment for all of them
  AgeWish age_;                              // of the verb that runs
  std::optional<store::AgeKeys> age_keys_;
  std::string log_level_ = "info";
  std::string progress_mode_ = "auto";
  std::unique_ptr<Progress> progress_;
};

}  // namespace tidemark::cli
