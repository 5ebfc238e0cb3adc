#include "cli/man_page.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/program.h"
#include "cli/version.h"

namespace tidemark::cli {
namespace {

constexpr std::string_view kExits[][2] = {{"0", "done"},
                                          {"1", "failed: nothing changed, or all undone"},
                                          {"2", "wrong usage"},
                                          {"3", "partly done: the output names what is missing"},
                                          {"4", "not found, or not restorable at that point"},
                                          {"5", "corrupt input"},
                                          {"6", "denied, before the first step"},
                                          {"7", "timed out, or not ready"},
                                          {"8", "store or cluster not reachable"},
                                          {"10", "findings: something needs attention"}};

// Text as roff takes it: no control characters at the beginning of a line, no escapes, real hyphens.
std::string escaped(std::string_view text) {
  std::string safe;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) safe += "\\&";
    line_begins = c == '\n';
    if (c == '\\') {
      safe += "\\e";
    } else if (c == '-') {
      safe += "\\-";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string full_name(const CLI::App& app, std::string_view between) {
  if (app.get_parent() == nullptr) return app.get_name();
  return full_name(*app.get_parent(), between) + std::string(between) + app.get_name();
}

std::vector<const CLI::App*> visible_verbs(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
}

std::string option_entry(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : option.get_snames()) names += (names.empty() ? "" : ", ") + ("-" + name);
  for (const std::string& name : option.get_lnames()) names += (names.empty() ? "" : ", ") + ("--" + name);
  std::string text = ".TP\n\\fB" + escaped(names.empty() ? option.get_name() : names) + "\\fR";
  if (option.get_type_size() != 0 && !names.empty()) text += " \\fI" + escaped(option.get_type_name()) + "\\fR";
  text += "\n" + escaped(option.get_description());
  if (!option.get_default_str().empty()) text += ".\nDefault: " + escaped(option.get_default_str());
  if (!option.get_envname().empty()) text += ".\nVariable: " + escaped(option.get_envname());
  if (option.get_required()) text += ".\nRequired";
  return text + ".\n";
}

std::string options(const CLI::App& app, bool positional) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    const bool named = !option->get_lnames().empty() || !option->get_snames().empty();
    if (option->get_group().empty() || named == positional) continue;
    text += option_entry(*option);
  }
  return text;
}

std::string synopsis(const CLI::App& app) {
  std::string text = "\\fB" + escaped(full_name(app, " ")) + "\\fR [options]";
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional() || option->get_group().empty()) continue;
    text += option->get_required() ? " \\fI" + escaped(option->get_name(true)) + "\\fR"
                                   : " [\\fI" + escaped(option->get_name(true)) + "\\fR]";
  }
  if (!visible_verbs(app).empty()) text += " [verb]";
  return text + "\n";
}

std::string see_also(const CLI::App& app) {
  if (app.get_parent() != nullptr) return ".BR tidemark (1)\n";
  std::string text;
  for (const CLI::App* verb : visible_verbs(app)) {
    if (!text.empty()) text.insert(text.size() - 1, " ,");
    text += fmt::format(".BR {} (1)\n", escaped(full_name(*verb, "-")));
  }
  return text;
}

std::string page(const Program& program, const CLI::App& app) {
  const std::string name = full_name(app, "-");
  std::string title = name;
  for (char& c : title) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  std::string text =
      fmt::format(".TH {} 1 {} \"tidemark {}\" \"User Commands\"\n", escaped(title), built_date(), version_number());
  text += ".SH NAME\n" + escaped(name) + " \\- " + escaped(app.get_description()) + "\n";
  text += ".SH SYNOPSIS\n" + synopsis(app);
  if (const std::string& examples = program.examples_of(app); !examples.empty()) {
    text += ".SH EXAMPLES\n.nf\n" + escaped(examples) + ".fi\n";
  }
  if (const std::string words = options(app, true); !words.empty()) text += ".SH ARGUMENTS\n" + words;
  text += ".SH OPTIONS\n" + options(app, false);
  if (app.get_parent() != nullptr) text += ".PP\nOptions of every verb are in\n.BR tidemark (1).\n";
  if (const auto verbs = visible_verbs(app); !verbs.empty()) {
    text += ".SH VERBS\n";
    for (const CLI::App* verb : verbs) {
      text += ".TP\n\\fB" + escaped(verb->get_name()) + "\\fR\n" + escaped(verb->get_description()) + "\n";
    }
  }
  text += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : kExits) text += fmt::format(".TP\n{}\n{}\n", code, meaning);
  return text + ".SH SEE ALSO\n" + see_also(app);
}

void add_pages(const Program& program, const CLI::App& app, std::vector<ManPage>& pages) {
  pages.push_back({full_name(app, "-"), page(program, app)});
  for (const CLI::App* verb : visible_verbs(app)) add_pages(program, *verb, pages);
}

}  // namespace

std::vector<ManPage> man_pages(const Program& program, const CLI::App& root) {
  std::vector<ManPage> pages;
  add_pages(program, root, pages);
  return pages;
}

}  // namespace tidemark::cli
