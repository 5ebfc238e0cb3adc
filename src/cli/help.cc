#include "cli/help.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "cli/program.h"

namespace tidemark::cli {
namespace {

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : full_name(*app.get_parent()) + " " + app.get_name();
}

std::string indented(std::string_view lines) {
  std::string text;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    text += "  " + std::string(lines.substr(0, end)) + "\n";
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return text;
}

std::vector<const CLI::App*> verbs_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// What can follow `app`: its verbs and options, and the options that every verb takes.
std::string words_after(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* sub : verbs_of(app)) words.push_back(sub->get_name());
  for (const CLI::App* at = &app; at != nullptr; at = at->get_parent()) {
    for (std::string& flag : flags_of(*at)) {
      if (std::ranges::find(words, flag) == words.end()) words.push_back(std::move(flag));
    }
  }
  return joined(words);
}

// One case of a shell's `case` for `app` and each verb below it; `path` is "restore etcd".
void bash_cases(const CLI::App& app, const std::string& path, std::string& to) {
  to += fmt::format("      '{}') words='{}' ;;\n", path, words_after(app));
  for (const CLI::App* sub : verbs_of(app)) {
    bash_cases(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), to);
  }
}

bool takes_value(const CLI::Option& option) { return option.get_expected_max() > 0 && !option.get_positional(); }

// The same for what may follow an option: `path:option`. The root's options stand behind every verb.
void bash_value_cases(const Program& program, const CLI::App& app, const std::string& path, std::string& to) {
  for (const CLI::Option* option : app.get_options()) {
    if (!takes_value(*option)) continue;
    std::vector<std::string> names;
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    std::string patterns;
    for (const std::string& name : names) {
      const std::string before = app.get_parent() == nullptr ? "*" : "'" + path + "'";
      patterns += fmt::format("{}{}:'{}'", patterns.empty() ? "" : "|", before, name);
    }
    if (!names.empty()) to += fmt::format("    {}) words='{}' ;;\n", patterns, program.words_of(*option));
  }
  for (const CLI::App* sub : verbs_of(app)) {
    bash_value_cases(program, *sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), to);
  }
}

std::string all_verbs(const CLI::App& app) {
  std::string names;
  for (const CLI::App* sub : verbs_of(app)) names += (names.empty() ? "" : "|") + sub->get_name();
  for (const CLI::App* sub : verbs_of(app)) {
    if (const std::string below = all_verbs(*sub); !below.empty()) names += "|" + below;
  }
  return names;
}

std::string bash_script(Program& program) {
  std::string cases, values;
  bash_cases(program.root(), "", cases);
  bash_value_cases(program, program.root(), "", values);
  return fmt::format(R"(# bash completion for tidemark:  source <(tidemark completion bash)
_tidemark() {{
  local word path='' words='' current="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD - 1]}}"
  for word in "${{COMP_WORDS[@]:1:$((COMP_CWORD - 1))}}"; do
    case "$word" in
    {}) path="${{path:+$path }}$word" ;;
    esac
  done
  case "$path:$before" in
{}    *)
      case "$path" in
{}      esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ "${{#COMPREPLY[@]}}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}}
complete -F _tidemark tidemark kubectl-tidemark
)",
                     all_verbs(program.root()), values, cases);
}

std::string quoted(std::string text) {
  for (std::size_t at = text.find('\''); at != std::string::npos; at = text.find('\'', at + 2)) text.insert(at, "\\");
  return "'" + text + "'";
}

void fish_lines(const Program& program, const CLI::App& app, const std::string& condition, std::string& to) {
  for (const CLI::App* sub : verbs_of(app)) {
    to += fmt::format("complete -c tidemark -f -n {} -a {} -d {}\n", quoted(condition), sub->get_name(),
                      quoted(sub->get_description()));
    fish_lines(program, *sub, "__fish_seen_subcommand_from " + sub->get_name(), to);
  }
  const std::string when = app.get_parent() == nullptr ? "true" : condition;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      const std::string words = program.words_of(*option);
      const std::string value = words.empty() ? (takes_value(*option) ? " -r" : "") : " -x -a " + quoted(words);
      to += fmt::format("complete -c tidemark -n {} -l {}{} -d {}\n", quoted(when), name, value,
                        quoted(option->get_description()));
    }
  }
}

std::string fish_script(Program& program) {
  std::string lines = "# fish completion for tidemark:  tidemark completion fish | source\n";
  fish_lines(program, program.root(), "__fish_use_subcommand", lines);
  return lines;
}

}  // namespace

std::string help_text(const Program& program, const CLI::App& app) {
  const std::string name = full_name(app);
  std::string text = name + ": " + app.get_description() + "\n";
  if (const std::string& examples = program.examples_of(app); !examples.empty()) {
    text += "\nExamples:\n" + indented(examples);
  }
  CLI::Formatter formatter;
  formatter.column_width(34);
  text += "\n" + formatter.make_usage(&app, name);
  text += formatter.make_positionals(&app);
  text += formatter.make_groups(&app, CLI::AppFormatMode::Normal);
  text += formatter.make_subcommands(&app, CLI::AppFormatMode::Normal);
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

Result<std::string> completion_script(Program& program, std::string_view shell) {
  if (shell == "bash") return bash_script(program);
  if (shell == "fish") return fish_script(program);
  // zsh runs bash's script through its own emulation of `complete`. As a file of its fpath the script is loaded by the
  // first completion, and has to answer that itself.
  if (shell == "zsh") {
    return "#compdef tidemark kubectl-tidemark\nautoload -U +X bashcompinit && bashcompinit\n" + bash_script(program) +
           "[[ $zsh_eval_context[-1] != loadautofunc ]] || _bash_complete -F _tidemark\n";
  }
  return fail(Errc::invalid, "no completion for '{}': bash, zsh and fish are known", shell);
}

}  // namespace tidemark::cli
