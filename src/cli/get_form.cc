#include "cli/get_form.h"

#include <sstream>

#include "io/file.h"

namespace tidemark::cli {
namespace {

constexpr std::uint64_t kMostTemplateBytes = 1UL << 20U;

Result<std::string> template_in(const std::string& file) {
  auto text = io::read_file(file, kMostTemplateBytes);
  if (!text) {
    Error error = std::move(text).error();
    if (error.code == Errc::not_found) error.code = Errc::invalid;  // a wrong flag, not a missing object
    return std::unexpected(std::move(error));
  }
  return std::string(as_text(*text));
}

Result<GetForm> path_form(std::string_view text, bool as_json) {
  GetForm form;
  TM_LET(form.path, kube::JsonPath::parse(text));
  form.as_json = as_json;
  return form;
}

Status add_column(GetForm& form, std::string heading, std::string_view path) {
  TM_LET(kube::JsonPath read, named("column " + heading, kube::JsonPath::parse_column(path)));
  form.columns.emplace_back(std::move(heading), std::move(read));
  return {};
}

Result<GetForm> columns_form(std::string_view spec) {
  GetForm form;
  for (std::size_t from = 0; from <= spec.size();) {
    const std::size_t comma = std::min(spec.find(',', from), spec.size());
    const std::string_view column = spec.substr(from, comma - from);
    const std::size_t colon = column.find(':');
    if (colon == std::string_view::npos) {
      return fail(Errc::invalid, "'{}': a column is HEADING:PATH, and a comma stands between two", column);
    }
    TM_CHECK(add_column(form, std::string(column.substr(0, colon)), column.substr(colon + 1)));
    from = comma + 1;
  }
  return form;
}

// A line of headings and a line of paths.
Result<GetForm> columns_of_file(const std::string& file) {
  TM_LET(const std::string text, template_in(file));
  std::istringstream lines(text);
  const auto words = [&] {
    std::vector<std::string> all;
    std::string line, word;
    std::getline(lines, line);
    for (std::istringstream rest(line); rest >> word;) all.push_back(word);
    return all;
  };
  const std::vector<std::string> headings = words(), paths = words();
  if (headings.empty() || headings.size() != paths.size()) {
    return fail(Errc::invalid, "'{}': a line of headings and a line of as many paths expected, there are {} and {}",
                file, headings.size(), paths.size());
  }
  GetForm form;
  for (std::size_t i = 0; i < headings.size(); i++) TM_CHECK(add_column(form, headings[i], paths[i]));
  return form;
}

Result<GetForm> template_form(const std::string& kind, const std::string& text) {
  if (kind == "jsonpath" || kind == "jsonpath-as-json") return path_form(text, kind != "jsonpath");
  if (kind == "custom-columns") return columns_form(text);
  if (kind == "custom-columns-file") return columns_of_file(text);
  TM_LET(const std::string whole, template_in(text));
  return path_form(whole, /*as_json=*/false);
}

}  // namespace

Result<GetForm> read_get_form(const std::string& word) {
  constexpr std::pair<std::string_view, Format> kPlain[] = {{"table", Format::table},
                                                            {"wide", Format::wide},
                                                            {"json", Format::json},
                                                            {"yaml", Format::yaml},
                                                            {"name", Format::name}};
  for (const auto& [name, format] : kPlain) {
    if (word == name) return GetForm{.format = format};
  }
  const std::size_t equals = std::min(word.find('='), word.size());
  const std::string kind = word.substr(0, equals), text = word.substr(std::min(equals + 1, word.size()));
  const bool path = kind == "jsonpath" || kind == "jsonpath-as-json" || kind == "jsonpath-file";
  if (!path && kind != "custom-columns" && kind != "custom-columns-file") {
    return fail(Errc::invalid, "-o '{}': {} expected", word, kGetForms);
  }
  if (text.empty()) {
    return hinted(Result<GetForm>(fail(Errc::invalid, "-o {}: something has to stand behind it", kind)),
                  path ? "-o jsonpath='{.metadata.name}'"
                       : "-o custom-columns=NAME:.metadata.name,AGE:.metadata.creationTimestamp");
  }
  return named("-o " + kind, template_form(kind, text));
}

}  // namespace tidemark::cli
