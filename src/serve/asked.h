// What serve/api.cc has found out about a request, for the parts that answer it. Private to serve/.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "serve/api_request.h"
#include "serve/failure.h"
#include "serve/past_cluster.h"
#include "serve/reply.h"
#include "serve/route.h"

namespace tidemark::serve {

struct Asked {
  const Request& request;
  const ApiTarget& target;
  const Route& route;
  Form form;
  PastCluster& cluster;
  const Clock& clock;
  Reply& reply;
};

void refuse(Reply& reply, const Failure& failure);
void send_json(Reply& reply, int code, const nlohmann::json& value, const ReplyHeaders& more = {});

// serve/objects.cc: one object, a list, a watch.
void answer_objects(const Asked& asked, const ServedKind& kind);
// serve/reviews.cc: what the caller may do. False: it is no review.
bool answer_review(const Asked& asked);
// serve/openapi.cc
nlohmann::json openapi_v2();
nlohmann::json openapi_index(const ServedKinds& kinds);
nlohmann::json openapi_of(const ServedKinds& kinds, std::string_view group, std::string_view version);

}  // namespace tidemark::serve
