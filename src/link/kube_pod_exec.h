// A command in a container, over the channels that a WebSocket carries. Private to link/; KubeClient::exec() says what
// it does. Source: k8s.io/apimachinery pkg/util/remotecommand (channels, subprotocols), k8s.io/client-go
// tools/remotecommand.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "link/kube_wire.h"

namespace tidemark::link {

std::span<const std::string> pod_exec_protocols();  // the newest first
Result<int> exec_in_pod(KubeWire& wire, const KubePodCommand& command, const KubePodOutput& output,
                        const std::stop_token& stop, std::span<const std::string> protocols = pod_exec_protocols());

// What stands on the error channel at the end: metav1.Status. The exit status, or why there is none.
Result<int> read_exit(std::string_view status, std::string_view doing);

}  // namespace tidemark::link
