// Lists and watches of one kind. Private to link/.
#pragma once

#include "link/kube_client.h"
#include "link/kube_wire.h"

namespace tidemark::link {

Result<KubeListEnd> list_all(KubeWire& wire, const KubeKind& kind, const KubeListOptions& options,
                             const KubeClient::OnObject& on_object, const std::stop_token& stop);
Status watch_all(KubeWire& wire, const KubeKind& kind, const KubeWatchOptions& options,
                 const KubeClient::OnEvent& on_event, const std::stop_token& stop);
Result<KubeDiscovery> discover_all(KubeWire& wire, DiscoveryForm form, const std::stop_token& stop);

}  // namespace tidemark::link
