#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace tidemark {

std::string_view errc_name(Errc code) {
  switch (code) {
    case Errc::invalid: return "invalid";
    case Errc::not_found: return "not_found";
    case Errc::already_exists: return "already_exists";
    case Errc::corrupt: return "corrupt";
    case Errc::torn: return "torn";
    case Errc::unsupported: return "unsupported";
    case Errc::denied: return "denied";
    case Errc::unavailable: return "unavailable";
    case Errc::timeout: return "timeout";
    case Errc::compacted: return "compacted";
    case Errc::conflict: return "conflict";
    case Errc::no_space: return "no_space";
    case Errc::io: return "io";
    case Errc::cancelled: return "cancelled";
  }
  return "unknown";
}

static Errc code_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT: return Errc::no_space;
    case EACCES:
    case EPERM:
    case EROFS: return Errc::denied;
    case ENOENT: return Errc::not_found;
    case EEXIST:
    case ENOTEMPTY: return Errc::already_exists;
    default: return Errc::io;
  }
}

std::unexpected<Error> sys_fail(std::string_view doing, std::string_view object, int error_number) {
  char text[128];
  // GNU's strerror_r returns the text, which need not be in the buffer.
  const char* reason = ::strerror_r(error_number, text, sizeof text);
  return fail(code_of(error_number), "{} '{}': {}", doing, object, reason);
}

std::unexpected<Error> sys_fail(std::string_view doing, std::string_view object) {
  return sys_fail(doing, object, errno);
}

}  // namespace tidemark
