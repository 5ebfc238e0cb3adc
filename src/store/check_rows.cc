#include "store/check_rows.h"

#include "base/rfc3339.h"
#include "net/http_date.h"

namespace tidemark::store {

using Verdict = Finding::Verdict;

Finding clock_finding(const net::Answer& answer, const Clock& clock, std::string_view refused_at) {
  const auto theirs = net::parse_http_date(answer.header("Date"));
  if (!theirs) return {"clock", Verdict::advice, "the server does not say what time it is"};
  const auto ahead = std::chrono::round<std::chrono::seconds>(clock.now() - *theirs);
  const auto apart = ahead < ahead.zero() ? -ahead : ahead;
  if (apart < std::chrono::minutes(1)) return {"clock", Verdict::good, "ours and the server's agree"};
  return {
      "clock", Verdict::advice,
      fmt::format("ours is {} {} the server's", print_duration(apart), ahead < ahead.zero() ? "behind" : "ahead of"),
      fmt::format("at {} every request is refused: set this machine's clock", refused_at)};
}

Finding transport_finding(std::string_view endpoint) {
  if (endpoint.starts_with("http://")) {
    return {"transport", Verdict::advice, "http: backups, Secrets included, go over the wire in clear",
            "use an https endpoint"};
  }
  return {"transport", Verdict::good, "TLS, certificate checked"};
}

}  // namespace tidemark::store
