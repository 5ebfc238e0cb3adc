#include "cli/program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "base/log.h"
#include "base/nearest.h"
#include "cli/help.h"
#include "cli/verbs.h"
#include "cli/version.h"
#include "store/metered_store.h"
#include "store/open.h"

namespace tidemark::cli {
namespace {

const std::map<std::string, Format>& formats() {
  static const std::map<std::string, Format> all{{"table", Format::table},
                                                 {"wide", Format::wide},
                                                 {"json", Format::json},
                                                 {"yaml", Format::yaml},
                                                 {"name", Format::name}};
  return all;
}

const std::map<std::string, Progress::Mode>& progress_modes() {
  static const std::map<std::string, Progress::Mode> all{{"auto", Progress::Mode::automatic},
                                                         {"bar", Progress::Mode::bar},
                                                         {"plain", Progress::Mode::plain},
                                                         {"json", Progress::Mode::json},
                                                         {"none", Progress::Mode::none}};
  return all;
}

// The verb that was given, at its deepest: `restore etcd` rather than `restore`.
CLI::App& deepest(CLI::App& app) {
  const auto given = app.get_subcommands();
  return given.empty() ? app : deepest(*given.front());
}

// The flag or verb that was probably meant; empty: none is near.
std::string nearest(const CLI::App& app, const std::string& word) {
  Nearest near(word);
  for (const CLI::App* at = &app; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) near.consider("--" + name);
    }
  }
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) near.consider(sub->get_name());
  return near.found();
}

}  // namespace

Exit exit_of(Errc code) {
  switch (code) {
    case Errc::invalid: return Exit::usage;
    case Errc::not_found:
    case Errc::compacted: return Exit::not_found;
    case Errc::corrupt:
    case Errc::torn: return Exit::corrupt;
    case Errc::denied: return Exit::denied;
    case Errc::timeout: return Exit::timed_out;
    case Errc::unavailable: return Exit::unreachable;
    case Errc::already_exists:
    case Errc::unsupported:
    case Errc::conflict:
    case Errc::no_space:
    case Errc::io:
    case Errc::cancelled: return Exit::failed;
  }
  return Exit::failed;
}

Program::Program(Surroundings around)
    : around_(std::move(around)),
      app_(std::make_unique<CLI::App>("point-in-time backup and restore of Kubernetes' etcd", "tidemark")) {
  examples_[app_.get()] =
      "tidemark record --endpoints https://127.0.0.1:2379 --store dir:/backups/prod   # record until stopped\n"
      "tidemark list --store dir:/backups/prod                                        # what can be restored\n"
      "tidemark restore etcd --store dir:/backups/prod --at -2h --data-dir /var/lib/etcd\n";
  add_global_options();
  add_record(*this);
  add_list(*this);
  add_show(*this);
  add_get(*this);
  add_log(*this);
  add_diff(*this);
  add_serve(*this);
  add_restore(*this);
  add_undo(*this);
  add_apply(*this);
  add_copy(*this);
  add_store_verbs(*this);
  add_verify(*this);
  add_doctor(*this);
  add_rekey(*this);
  add_version(*this);
  add_man(*this);
  add_help_and_completion();
}

Program::~Program() = default;

void Program::add_global_options() {
  app_->set_version_flag("--version", version_text(), "print the version in one line; the verb version has more");
  app_->add_option("--log-level", log_level_, "the least important lines to log")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  app_->add_option("--progress", progress_mode_,
                   "how to show progress: a bar, a line every 10 s, JSON lines; auto: a bar on a terminal, else plain")
      ->check(CLI::IsMember({"auto", "bar", "plain", "json", "none"}))
      ->capture_default_str();
}

void Program::add_help_and_completion() {
  // Listed like a verb, but taken by run() before anything is parsed: to a parser `help list` is the verb list.
  CLI::App& help = verb("help", "explain a verb, examples first", "tidemark help restore etcd\n", {});
  help.add_option("VERB", "the verb, and the verb below it");

  auto shell = std::make_shared<std::string>();
  CLI::App& completion = verb("completion", "print a completion script", "source <(tidemark completion bash)\n",
                              [shell](Program& p) -> Result<Exit> {
                                TM_LET(const std::string script, completion_script(p, *shell));
                                p.out() << script;
                                return Exit::done;
                              });
  completion.add_option("SHELL", *shell, "bash, zsh or fish")->required();
}

// An option that checks for its words names them behind its type: "TEXT:{full,delta}".
std::string Program::words_of(const CLI::Option& option) const {
  if (const auto known = words_.find(&option); known != words_.end()) return known->second;
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{'), close = type.find('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  std::string words = type.substr(open + 1, close - open - 1);
  std::ranges::replace(words, ',', ' ');
  return words;
}

CLI::App& Program::verb(const std::string& name, const std::string& summary, const std::string& examples, Run run) {
  return verb_of(*app_, name, summary, examples, std::move(run));
}

CLI::App& Program::verb_of(CLI::App& parent, const std::string& name, const std::string& summary,
                           const std::string& examples, Run run) {
  CLI::App& app = *parent.add_subcommand(name, summary);
  app.fallthrough();  // global options may stand behind the verb
  examples_[&app] = examples;
  runs_[&app] = std::move(run);
  return app;
}

void Program::add_store(CLI::App& app, std::string& url) {
  app.add_option("--store", url,
                 "where the backups are: dir:/path, a path, s3://bucket/prefix, gs://bucket/prefix or "
                 "az://account/container/prefix")
      ->envname("TIDEMARK_STORE")
      ->required()
      ->type_name("URL");
  add_identities(app);
}

void Program::add_identities(CLI::App& app) {
  AgeWish& age = ages_[&app];
  app.add_option("--age-identity", age.identity_files, "files with age identities, to read an encrypted store")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->envname("TIDEMARK_AGE_IDENTITY")
      ->type_name("FILE");
  app.add_option("--age-identity-command", age.identity_command, "a program that prints an age identity")
      ->type_name("CMD");
}

CLI::Option* Program::add_recipients(CLI::App& app) {
  return app
      .add_option("--age-recipients", ages_[&app].recipients,
                  "encrypt what is written to these: age1... keys, or files with one a line")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->envname("TIDEMARK_AGE_RECIPIENTS")
      ->type_name("KEY|FILE");
}

Result<std::unique_ptr<store::ObjectStore>> Program::open_store(std::string_view url, bool read_only) {
  return open_store(url, read_only, around_.stop);
}

Result<std::unique_ptr<store::ObjectStore>> Program::open_store(std::string_view url, bool read_only,
                                                                const std::stop_token& stop, store::StoreTally* tally) {
  if (!age_keys_) {
    // The command may ask for a touch: once is enough.
    TM_LET(age_keys_, read_age_keys(age_, stop));
  }
  TM_LET(auto inner, store::open_store(url, read_only, stop));
  if (tally != nullptr) inner = std::make_unique<store::MeteredStore>(std::move(inner), clock(), *tally);
  TM_LET(std::unique_ptr<store::ObjectStore> store, store::EncryptedStore::open(std::move(inner), *age_keys_));
  return store;
}

void Program::add_format(CLI::App& app, Format& format) {
  CLI::Option* const output = app.add_option("-o,--output", format, "table, wide, json, yaml or name");
  completes(*output, "table wide json yaml name");
  output
      ->transform(CLI::Validator(
          [](std::string& word) {
            const auto found = formats().find(word);
            if (found == formats().end()) return "'" + word + "': table, wide, json, yaml or name expected";
            word = std::to_string(static_cast<int>(found->second));
            return std::string();
          },
          ""))
      ->type_name("FORMAT");
}

void Program::add_yes(CLI::App& app, bool& yes) { app.add_flag("-y,--yes", yes, "do not ask"); }

Progress& Program::progress() {
  if (!progress_) {
    progress_ =
        std::make_unique<Progress>(around_.err, progress_modes().at(progress_mode_), around_.err_screen, around_.clock);
  }
  return *progress_;
}

Result<bool> Program::confirm(std::string_view question) {
  if (!around_.in_is_terminal) {
    return std::unexpected(Error{Errc::invalid, fmt::format("nobody is there to answer: {}", question), "add --yes"});
  }
  around_.err << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(around_.in, answer);
  return answer == "y" || answer == "yes";
}

const std::string& Program::examples_of(const CLI::App& app) const {
  static const std::string none;
  const auto found = examples_.find(&app);
  return found == examples_.end() ? none : found->second;
}

Status Program::explain(std::span<const std::string> verbs) {
  CLI::App* app = app_.get();
  for (const std::string& name : verbs) {
    const auto named_so = app->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == name; });
    if (named_so.empty()) return fail(Errc::invalid, "there is no verb '{}'", name);
    app = named_so.front();
  }
  around_.out << help_text(*this, *app);
  return {};
}

int Program::unknown_word(const std::string& word) {
  const CLI::App& app = deepest(*app_);
  const std::string near = nearest(app, word.substr(0, word.find('=')));
  const std::string hint = near.empty() ? "" : "did you mean " + near + "?";
  if (word.starts_with('-')) return usage(fmt::format("unknown flag '{}'", word), hint);
  if (&app == app_.get()) return usage(fmt::format("there is no verb '{}'", word), hint);
  return usage(fmt::format("unexpected word '{}'", word), hint);
}

int Program::usage(std::string_view what, const std::string& hint) {
  around_.err << "tidemark: " << what << "\n";
  std::string verbs;
  for (const CLI::App* app = &deepest(*app_); app->get_parent() != nullptr; app = app->get_parent()) {
    verbs = " " + app->get_name() + verbs;
  }
  // One hint: what is known to be meant, else where to read.
  around_.err << "hint: " << (hint.empty() ? "tidemark help" + verbs : hint) << "\n";
  return static_cast<int>(Exit::usage);
}

int Program::fail_with(const Error& error) {
  around_.err << "tidemark: " << error.what << "\n";
  if (!error.hint.empty()) around_.err << "hint: " << error.hint << "\n";
  return static_cast<int>(exit_of(error.code));
}

int Program::run(std::span<const std::string> args) {
  if (!args.empty() && args.front() == "help") {
    const Status explained = explain(args.subspan(1));
    return explained ? 0 : fail_with(explained.error());
  }
  try {
    app_->parse(std::vector<std::string>(args.rbegin(), args.rend()));
  } catch (const CLI::CallForHelp&) {
    around_.out << help_text(*this, deepest(*app_));
    return 0;
  } catch (const CLI::CallForVersion& version) {
    around_.out << version.what() << "\n";
    return 0;
  } catch (const CLI::ParseError& error) {
    // What is unknown goes before what is missing: a misspelt flag often explains the missing one.
    if (const auto unknown = app_->remaining(/*recurse=*/true); !unknown.empty()) return unknown_word(unknown.front());
    const bool store = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr &&
                       std::string_view(error.what()).starts_with("--store ");
    return usage(error.what(), store ? "--store dir:/path, or the variable TIDEMARK_STORE" : "");
  }
  LogLevel level{};
  if (parse_log_level(log_level_, level)) set_log_level(level);

  CLI::App& app = deepest(*app_);
  const auto run = runs_.find(&app);
  if (run == runs_.end() || !run->second) {
    around_.out << help_text(*this, app);
    return static_cast<int>(Exit::usage);
  }
  age_ = ages_[&app];
  const Result<Exit> result = run->second(*this);
  progress_.reset();  // ends an open line before anything else is printed
  if (!result) return fail_with(result.error());
  return static_cast<int>(*result);
}

}  // namespace tidemark::cli
