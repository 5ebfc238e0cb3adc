#include "restore/target.h"

#include <charconv>

#include "base/rfc3339.h"

namespace tidemark::restore {
namespace {

Result<Target> parse_revision(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value < 1) {
    return fail(Errc::invalid, "'rev:{}' is not a revision: a whole number from 1 on is needed", digits);
  }
  return Target::at(Revision(value));
}

}  // namespace

Result<Target> parse_target(std::string_view text, Time now) {
  if (text == "latest") return Target::newest();
  if (text.starts_with("rev:")) return parse_revision(text.substr(4));
  if (text.starts_with("pin:") || text.starts_with("before:")) {
    const bool pin = text.starts_with("pin:");
    return hinted(Result<Target>(fail(Errc::unsupported, "'{}': {}", text,
                                      pin ? "this version keeps no pins"
                                          : "only what shows, restores or serves a moment reads this form")),
                  "use latest, rev:1234, -2h or 2024-05-01T12:00:00Z");
  }
  if (text.starts_with('-')) {
    TM_LET(const auto back, named("as a duration back", parse_duration(text)));
    return Target::at(now + back);
  }
  auto when = parse_rfc3339(text);
  if (!when) {
    return hinted(Result<Target>(fail(Errc::invalid, "'{}' is not a moment: {}", text, when.error().what)),
                  "use latest, rev:1234, -2h or 2024-05-01T12:00:00Z");
  }
  if (*when > now) return fail(Errc::invalid, "'{}' has not come yet", text);
  return Target::at(*when);
}

std::string print_target(const Target& target) {
  switch (target.kind) {
    case Target::Kind::latest: return "latest";
    case Target::Kind::revision: return fmt::format("rev:{}", target.revision);
    case Target::Kind::time: return print_rfc3339_nano(target.time);
  }
  return {};
}

}  // namespace tidemark::restore
