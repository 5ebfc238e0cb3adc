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
  to += fmt::format("    '{}') words='{}' ;;\n", path, words_after(app));
  for (const CLI::App* sub : verbs_of(app)) {
    bash_cases(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), to);
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

std::string bash_script(const CLI::App& root) {
  std::string cases;
  bash_cases(root, "", cases);
  return fmt::format(R"(# bash completion for tidemark:  source <(tidemark completion bash)
_tidemark() {{
  local word path='' words='' current="${{COMP_WORDS[COMP_CWORD]}}"
  for word in "${{COMP_WORDS[@]:1:$((COMP_CWORD - 1))}}"; do
    case "$word" in
    {}) path="${{path:+$path }}$word" ;;
    esac
  done
  case "$path" in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ "${{#COMPREPLY[@]}}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}}
complete -F _tidemark tidemark kubectl-tidemark
)",
                     all_verbs(root), cases);
}

std::string quoted(std::string text) {
  for (std::size_t at = text.find('\''); at != std::string::npos; at = text.find('\'', at + 2)) text.insert(at, "\\");
  return "'" + text + "'";
}

void fish_lines(const CLI::App& app, const std::string& condition, std::string& to) {
  for (const CLI::App* sub : verbs_of(app)) {
    to += fmt::format("complete -c tidemark -f -n {} -a {} -d {}\n", quoted(condition), sub->get_name(),
                      quoted(sub->get_description()));
    fish_lines(*sub, "__fish_seen_subcommand_from " + sub->get_name(), to);
  }
  const std::string when = app.get_parent() == nullptr ? "true" : condition;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      to += fmt::format("complete -c tidemark -n {} -l {} -d {}\n", quoted(when), name,
                        quoted(option->get_description()));
    }
  }
}

std::string fish_script(const CLI::App& root) {
  std::string lines = "# fish completion for tidemark:  tidemark completion fish | source\n";
  fish_lines(root, "__fish_use_subcommand", lines);
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

Result<std::string> completion_script(const CLI::App& root, std::string_view shell) {
  if (shell == "bash") return bash_script(root);
  if (shell == "fish") return fish_script(root);
  // zsh runs bash's script through its own emulation of `complete`. As a file of its fpath the script is loaded by the
  // first completion, and has to answer that itself.
  if (shell == "zsh") {
    return "#compdef tidemark kubectl-tidemark\nautoload -U +X bashcompinit && bashcompinit\n" + bash_script(root) +
           "[[ $zsh_eval_context[-1] != loadautofunc ]] || _bash_complete -F _tidemark\n";
  }
  return fail(Errc::invalid, "no completion for '{}': bash, zsh and fish are known", shell);
}

}  // namespace tidemark::cli
