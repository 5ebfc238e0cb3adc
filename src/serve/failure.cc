#include "serve/failure.h"

#include <nlohmann/json.hpp>

#include "kube/json_text.h"

namespace tidemark::serve {
namespace {

const char* reason_of(int code) {
  switch (code) {
    case 400: return "BadRequest";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "NotFound";
    case 405: return "MethodNotAllowed";
    case 406: return "NotAcceptable";
    case 410: return "Expired";
    case 413: return "RequestEntityTooLarge";
    case 415: return "UnsupportedMediaType";
    case 500: return "InternalError";
    case 503: return "ServiceUnavailable";
    case 504: return "Timeout";
    default: return "";
  }
}

int code_of(Errc code) {
  switch (code) {
    case Errc::invalid:
    case Errc::unsupported: return 400;
    case Errc::not_found: return 404;
    case Errc::denied: return 403;
    case Errc::compacted: return 410;
    case Errc::unavailable:
    case Errc::timeout:
    case Errc::cancelled: return 503;
    case Errc::already_exists:
    case Errc::corrupt:
    case Errc::torn:
    case Errc::conflict:
    case Errc::no_space:
    case Errc::io: break;
  }
  return 500;
}

}  // namespace

Failure failure(int code, std::string message) {
  return {.code = code, .reason = reason_of(code), .message = std::move(message), .group = {}, .kind = {}, .name = {}};
}

Failure failure_of(const Error& error) {
  return failure(code_of(error.code), error.hint.empty() ? error.what : error.what + "; " + error.hint);
}

nlohmann::json status_of(const Failure& failure) {
  nlohmann::json details = nlohmann::json::object();
  if (!failure.name.empty()) details["name"] = failure.name;
  if (!failure.group.empty()) details["group"] = failure.group;
  if (!failure.kind.empty()) details["kind"] = failure.kind;
  return {{"kind", "Status"},
          {"apiVersion", "v1"},
          {"metadata", nlohmann::json::object()},
          {"status", "Failure"},
          {"message", failure.message},
          {"reason", failure.reason},
          {"details", std::move(details)},
          {"code", failure.code}};
}

std::string json_text(const nlohmann::json& value) {
  std::string text;
  kube::JsonWriter to(text, kube::JsonWriter::Style::compact);
  kube::print_json(value, to);
  return text;
}

}  // namespace tidemark::serve
