// Where on an API server things are. Private to link/.
#pragma once

#include <string>

#include "base/result.h"
#include "link/kube_client.h"
#include "net/url.h"

namespace tidemark::link {

// "/api/v1/namespaces/a/configmaps/b/status". A name is optional; Errc::invalid: a name that is no part of a path, or a
// namespace where there is none and the other way round.
Result<std::string> object_path(const KubeKind& kind, const KubePlace& place);
// Of all namespaces, when it is empty.
Result<std::string> list_path(const KubeKind& kind, const std::string& name_space);

// "list configmaps in 'a'", "get configmaps 'a/b'": for messages.
std::string doing(std::string_view verb, const KubeKind& kind, const KubePlace& place);

}  // namespace tidemark::link
