// Parsers of where AWS credentials stand in text: ini files and JSON answers.
#include <nlohmann/json.hpp>

#include "base/rfc3339.h"
#include "store/aws_credentials.h"

namespace tidemark::store {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string_view without_comment(std::string_view line) {
  if (line.starts_with('#') || line.starts_with(';')) return {};
  for (const std::string_view mark : {" #", " ;", "\t#", "\t;"}) line = line.substr(0, line.find(mark));
  return line;
}

}  // namespace

Result<std::optional<AwsProfile>> find_aws_profile(std::string_view text, std::string_view section) {
  std::optional<AwsProfile> found;
  bool inside = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view whole = without_comment(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view line = trimmed(whole);
    if (line.empty()) continue;
    if (line.starts_with('[')) {
      if (!line.ends_with(']')) return fail(Errc::invalid, "line {}: '[' without ']'", number);
      inside = trimmed(line.substr(1, line.size() - 2)) == section;
      if (inside && !found) found.emplace();
      continue;
    }
    // Indented lines belong to a setting above ("s3 =" with its own settings below); none of them is ours.
    if (!inside || whole.front() == ' ' || whole.front() == '\t') continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return fail(Errc::invalid, "line {}: no '='", number);
    found->insert_or_assign(std::string(trimmed(line.substr(0, equals))),
                            std::string(trimmed(line.substr(equals + 1))));
  }
  return found;
}

Result<AwsCredentials> parse_aws_credentials_json(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return fail(Errc::corrupt, "credentials are no JSON object");
  const auto field = [&](const char* name) {
    const auto it = json.find(name);
    return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  AwsCredentials got{field("AccessKeyId"), field("SecretAccessKey"), field("Token"), {}};
  if (got.access_key.empty() || got.secret_key.empty()) {
    const std::string why = field("Message").empty() ? field("message") : field("Message");
    return fail(Errc::denied, "no AccessKeyId and SecretAccessKey in the answer{}{}", why.empty() ? "" : ": ", why);
  }
  if (const std::string expires = field("Expiration"); !expires.empty()) {
    TM_LET(got.expires, named("Expiration", parse_rfc3339(expires)));
  }
  return got;
}

}  // namespace tidemark::store
