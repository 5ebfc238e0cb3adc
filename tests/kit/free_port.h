// A port of 127.0.0.1 for a server of one test, which no other test takes while this process lives.
//
// Why not "bind to port 0 and close": between the close and the server's bind a second test, another port of the same
// cluster or anybody's outgoing connection may get that port; three members take nine ports, and each start of a
// cluster was a draw. Here a port is outside of the range the kernel gives to outgoing connections
// (/proc/sys/net/ipv4/ip_local_port_range), was bound once to see that it is free, and is held by the name of an
// abstract Unix socket, which is one of the network namespace, as ports are, and goes with the process that holds it.
// Threads: any.
#pragma once

#include "base/result.h"

namespace tidemark::testing {

// Errc::io when no port is left or the kernel refuses sockets. The port is never given out again by this process.
Result<int> free_port();

}  // namespace tidemark::testing
