#include "kit/free_port.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>
#include <mutex>
#include <random>
#include <vector>

#include "io/file.h"

namespace tidemark::testing {

namespace {

constexpr int kLowest = 10'240;

// The first port that the kernel gives to outgoing connections; ours are below.
int first_outgoing() {
  std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
  int first = 0;
  range >> first;
  return first > kLowest + 1'000 ? first : 32'768;
}

// The name of the port is ours from here to the end of the process; not open when another test has it.
io::Fd hold_name(int port) {
  io::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string text = fmt::format("tidemark-test-port-{}", port);
  std::memcpy(name.sun_path + 1, text.data(), text.size());  // a leading zero byte: abstract
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), size) != 0) return {};
  return fd;
}

bool can_be_bound(int port) {
  const io::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
}

}  // namespace

Result<int> free_port() {
  static std::mutex mutex;
  static std::vector<io::Fd> held;
  static std::mt19937 random{std::random_device{}()};
  const std::lock_guard lock(mutex);
  std::uniform_int_distribution<int> draw(kLowest, first_outgoing() - 1);
  for (int attempt = 0; attempt < 1'000; attempt++) {
    const int port = draw(random);
    io::Fd name = hold_name(port);
    if (!name.open() || !can_be_bound(port)) continue;
    held.push_back(std::move(name));
    return port;
  }
  return fail(Errc::io, "no free port of 127.0.0.1 from {} to {} in 1,000 draws", kLowest, first_outgoing() - 1);
}

}  // namespace tidemark::testing
