#include "link/fault.h"

#include <array>
#include <cstddef>

namespace tidemark::link {

namespace {

// Etcd's words, the part after "etcdserver: ".
struct Known {
  std::string_view words;
  Errc code;
  bool try_elsewhere, needs_token;
};
constexpr std::array kKnown = {
    Known{"required revision has been compacted", Errc::compacted, false, false},
    Known{"required revision is a future revision", Errc::not_found, false, false},
    Known{"invalid auth token", Errc::denied, false, true},
    Known{"user name is empty", Errc::denied, false, true},
    Known{"revision of auth store is old", Errc::denied, false, true},
    Known{"authentication failed", Errc::denied, false, false},
    Known{"permission denied", Errc::denied, false, false},
    Known{"database space exceeded", Errc::no_space, false, false},
    Known{"requested lease not found", Errc::not_found, false, false},
    Known{"no leader", Errc::unavailable, true, false},
    Known{"not supported for learner", Errc::unavailable, true, false},
    Known{"leader changed", Errc::unavailable, true, false},
    Known{"request timed out", Errc::timeout, true, false},
    Known{"too many requests", Errc::unavailable, true, false},
    Known{"server stopped", Errc::unavailable, true, false},
    Known{"corrupt cluster", Errc::corrupt, false, false},
    // TLS: gRPC reports a refused handshake as an unavailable endpoint.
    Known{"CERTIFICATE_VERIFY_FAILED", Errc::denied, true, false},
    Known{"certificate verify failed", Errc::denied, true, false},
    Known{"BAD_CERTIFICATE", Errc::denied, true, false},
    Known{"CERTIFICATE_REQUIRED", Errc::denied, true, false},
    Known{"UNKNOWN_CA", Errc::denied, true, false},
    Known{"is not in peer certificate", Errc::denied, true, false},
    Known{"Hostname Verification Check failed", Errc::denied, true, false},
    Known{"is not trusted by peer", Errc::denied, true, false},
    Known{"not verified", Errc::denied, true, false},
};

Known by_code(WireCode code) {
  switch (code) {
    case WireCode::cancelled: return {"", Errc::cancelled, false, false};
    case WireCode::deadline_exceeded: return {"", Errc::timeout, true, false};
    case WireCode::not_found: return {"", Errc::not_found, false, false};
    case WireCode::already_exists: return {"", Errc::already_exists, false, false};
    case WireCode::permission_denied: return {"", Errc::denied, false, false};
    case WireCode::unauthenticated: return {"", Errc::denied, false, true};
    case WireCode::invalid_argument:
    case WireCode::failed_precondition:
    case WireCode::out_of_range: return {"", Errc::invalid, false, false};
    case WireCode::unimplemented: return {"", Errc::unsupported, false, false};
    case WireCode::data_loss: return {"", Errc::corrupt, false, false};
    default: return {"", Errc::unavailable, true, false};  // also internal: broken streams come as that
  }
}

Known classify(WireCode code, std::string_view message) {
  for (const Known& known : kKnown) {
    if (message.find(known.words) != std::string_view::npos) return known;
  }
  return by_code(code);
}

// What to check when nobody was reached; empty where the server's own words say it.
std::string hint_of(WireCode code, std::string_view message, std::string_view endpoint) {
  const auto says = [&](std::string_view words) { return message.find(words) != std::string_view::npos; };
  if (says("Connection refused") || says("No such file or directory")) {
    return fmt::format("nothing listens on {}: check --endpoints, and that etcd runs there", endpoint);
  }
  if (says("DNS resolution failed") || says("Domain name not found")) {
    return fmt::format("the host of {} has no address: check --endpoints and the resolver", endpoint);
  }
  if (code == WireCode::deadline_exceeded) {
    return fmt::format("{} stays silent: check --endpoints, firewalls, and whether etcd has a leader", endpoint);
  }
  return {};
}

}  // namespace

Fault judge(WireCode code, std::string_view message, std::string_view endpoint, std::string_view doing) {
  const Known known = classify(code, message);
  Fault fault;
  fault.error = {known.code, fmt::format("{}: {}: {}", endpoint, doing, message.empty() ? "no reason given" : message),
                 hint_of(code, message, endpoint)};
  fault.try_elsewhere = known.try_elsewhere;
  fault.needs_token = known.needs_token;
  fault.auth_is_off = message.find("authentication is not enabled") != std::string_view::npos;
  const bool servers_words = message.find("etcdserver:") != std::string_view::npos;
  fault.lost_connection = !servers_words && (code == WireCode::unavailable || code == WireCode::deadline_exceeded ||
                                             code == WireCode::internal || code == WireCode::unknown);
  return fault;
}

Fault judge_cancelled_watch(std::string_view reason, std::string_view endpoint) {
  return judge(WireCode::unavailable,
               reason.empty() ? "etcdserver: the server cancelled it and gave no reason" : reason, endpoint, "watch");
}

}  // namespace tidemark::link
