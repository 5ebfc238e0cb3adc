#include "serve/counters.h"

#include <algorithm>

#include "serve/api_request.h"
#include "serve/route.h"

namespace tidemark::serve {

Verb verb_of(const Request& request) {
  const auto target = read_target(request.target);
  if (!target) return Verb::none;
  const Route route = route_of(target->path);
  const bool objects = route.to == Route::To::objects || route.to == Route::To::object;
  const bool reviews = route.group == "authorization.k8s.io" || route.group == "authentication.k8s.io";
  if (request.method == "POST" && objects && reviews) return Verb::review;
  if (request.method != "GET") return Verb::write;
  if (!objects) return Verb::discovery;
  if (route.watch || target->flag("watch")) return Verb::watch;
  return route.to == Route::To::object ? Verb::get : Verb::list;
}

void RequestTally::add(Verb verb, int code, std::chrono::nanoseconds took, std::uint64_t bytes) {
  const double seconds = std::chrono::duration<double>(took).count();
  const std::lock_guard lock(mutex_);
  Row& row = rows_[static_cast<std::size_t>(verb)];
  row.codes[code]++;
  row.count++;
  row.seconds += seconds;
  row.bytes += bytes;
  const auto* const bound = std::ranges::lower_bound(kBounds, seconds);
  if (bound != kBounds.end()) row.within[static_cast<std::size_t>(bound - kBounds.begin())]++;
}

RequestTally::Rows RequestTally::rows() const {
  const std::lock_guard lock(mutex_);
  return rows_;
}

Status CountedReply::send(int code, const ReplyHeaders& headers, std::string body) {
  code_ = code;
  bytes_ += body.size();
  return to_.send(code, headers, std::move(body));
}

Status CountedReply::begin(int code, const ReplyHeaders& headers, bool last) {
  code_ = code;
  return to_.begin(code, headers, last);
}

Status CountedReply::write(std::string_view piece) {
  bytes_ += piece.size();
  return to_.write(piece);
}

}  // namespace tidemark::serve
