#include "store/renewed.h"

#include "base/log.h"
#include "base/rfc3339.h"

namespace tidemark::store {

std::optional<Error> FetchPause::still() const {
  const auto since = clock_.ticks() - when_;
  if (!failure_ || since >= kPause) return std::nullopt;
  Error error = *failure_;
  const auto ago = std::chrono::duration_cast<std::chrono::seconds>(since);
  error.what += fmt::format(" (asked {} s ago; not again for {} s)", ago.count(), (kPause - ago).count());
  return error;
}

void FetchPause::failed(const Error& why) {
  if (why.code == Errc::cancelled) return;
  failure_ = why;
  when_ = clock_.ticks();
}

void FetchPause::tell_not_renewed(const Error& why, Time ends) {
  log_warning("credentials are not renewed", "reason=\"{}\" good_until={}", why.what, print_rfc3339(ends));
}

}  // namespace tidemark::store
