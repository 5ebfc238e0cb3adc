// A gRPC channel to one endpoint. Only link/'s own files include this: it brings gRPC's headers along.
#pragma once

#include <chrono>
#include <memory>

#include <grpcpp/grpcpp.h>

#include "base/result.h"
#include "link/endpoint.h"
#include "link/etcd_client.h"

namespace tidemark::link {

using Deadline = std::chrono::steady_clock::time_point;

gpr_timespec grpc_deadline(Deadline at);

// Reads the TLS files anew; does not connect yet. Errc::denied: a file is missing, unreadable or no PEM.
// Every channel has connections of its own and no HTTP proxy: an etcd is not behind one, and proxies cut long watches.
Result<std::shared_ptr<grpc::Channel>> open_channel(const Endpoint& endpoint, const EtcdOptions& options);

// Waits until it is connected; false: refused, or the deadline passed. The next call says why.
bool wait_connected(grpc::Channel& channel, Deadline at_most);

}  // namespace tidemark::link
