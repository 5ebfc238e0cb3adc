#include "link/kube_pod_exec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "kube/json_text.h"
#include "link/kube_path.h"
#include "link/kube_refusal.h"

namespace tidemark::link {
namespace {

using nlohmann::json;

constexpr std::string_view kV5 = "v5.channel.k8s.io";
constexpr std::string_view kV4 = "v4.channel.k8s.io";

// The first byte of a message says what the rest is for.
enum class Channel : std::uint8_t { input = 0, output = 1, errors = 2, status = 3, close = 255 };

constexpr std::size_t kPiece = 32UL << 10U;

Result<std::string> pod_path(const KubePodCommand& what, const char* subresource) {
  const KubeKind pods{.version = "v1", .resource = "pods", .kind = "Pod", .namespaced = true};
  return object_path(pods, {.name_space = what.name_space, .name = what.pod, .subresource = subresource});
}

// A server takes no pod of several containers without the name of one; which it is when nobody says so is agreed on
// among clients (kubectl.kubernetes.io/default-container, else the first).
Result<std::string> container_of(KubeWire& wire, const KubePodCommand& what, const std::string& doing,
                                 const std::stop_token& stop) {
  if (!what.container.empty()) return what.container;
  KubeCall call{.doing = doing};
  TM_LET(call.path, pod_path(what, ""));
  TM_LET(const json pod, wire.ask(call, stop));
  const json named =
      pod.value(json::json_pointer("/metadata/annotations/kubectl.kubernetes.io~1default-container"), json());
  if (named.is_string()) return named.get<std::string>();
  const json first = pod.value(json::json_pointer("/spec/containers/0/name"), json());
  if (first.is_string()) return first.get<std::string>();
  return fail(Errc::corrupt, "{}: a pod without containers", doing);
}

Result<std::string> exec_path(const KubePodCommand& what, const std::string& container) {
  TM_LET(std::string path, pod_path(what, "exec"));
  path += what.input ? "?stdin=true&stdout=true&stderr=true" : "?stdout=true&stderr=true";
  path += "&container=" + net::percent_encode(container);
  for (const std::string& word : what.command) path += "&command=" + net::percent_encode(word);  // their order counts
  return path;
}

Status send_on(net::WebSocket& socket, Channel channel, Bytes bytes) {
  Buffer message;
  message.reserve(bytes.size() + 1);
  message.push_back(static_cast<std::byte>(channel));
  message.insert(message.end(), bytes.begin(), bytes.end());
  return socket.write(message);
}

Status send_input(net::WebSocket& socket, Bytes input) {
  while (!input.empty()) {
    const std::size_t n = std::min(input.size(), kPiece);
    TM_CHECK(send_on(socket, Channel::input, input.first(n)));
    input = input.subspan(n);
  }
  return send_on(socket, Channel::close, std::array{static_cast<std::byte>(Channel::input)});
}

Status hand_out(const std::function<Status(Bytes)>& to, Bytes bytes) {
  return to && !bytes.empty() ? to(bytes) : Status();
}

// What kept the end from being told once the command was started.
std::unexpected<Error> cut(std::string_view doing, const Error& why) {
  Error error{why.code, fmt::format("{}: {}", doing, why.what), why.hint};
  if (is_no_answer(error.code)) error.hint = "it was started, and may still run or be done: look before doing it again";
  return std::unexpected(std::move(error));
}

// Until the command's end is told.
Result<int> follow(net::WebSocket& socket, const KubePodOutput& output, std::string_view doing) {
  std::string status;
  for (;;) {
    const auto read = socket.read();
    if (!read) return cut(doing, read.error());
    if (!*read) break;
    const Bytes message = **read;
    if (message.empty()) continue;
    const Bytes rest = message.subspan(1);
    switch (static_cast<Channel>(message.front())) {
      case Channel::output: TM_CHECK(hand_out(output.out, rest)); break;
      case Channel::errors: TM_CHECK(hand_out(output.err, rest)); break;
      case Channel::status: status += as_text(rest); break;
      case Channel::input:
      case Channel::close: break;
      default:
        return fail(Errc::corrupt, "{}: a message for channel {}, which there is not", doing,
                    std::to_integer<int>(message.front()));
    }
  }
  if (status.empty()) return cut(doing, {Errc::unavailable, "the connection was closed before the command's end", {}});
  return read_exit(status, doing);
}

}  // namespace

Result<int> read_exit(std::string_view status, std::string_view doing) {
  auto parsed = kube::parse_json(as_bytes(status));
  if (!parsed || !parsed->is_object()) {
    return fail(Errc::corrupt, "{}: how it ended is told by something else than a Status: '{}'", doing,
                status.substr(0, 200));
  }
  if (parsed->value("status", json()) == "Success") return 0;
  (*parsed)["kind"] = "Status";  // which is left out here
  const KubeRefusal refusal = read_refusal(500, parsed->dump());
  for (const KubeRefusal::Cause& cause : refusal.causes) {
    int code = 0;
    const char* const end = cause.message.data() + cause.message.size();
    if (cause.reason == "ExitCode" &&
        std::from_chars(cause.message.data(), end, code) == std::from_chars_result{.ptr = end, .ec = std::errc()}) {
      return code;
    }
  }
  // The runtime could not start it: no such program, no permission. To ask again would not help.
  Error error = error_of(refusal, doing);
  error.code = Errc::invalid;
  return std::unexpected(std::move(error));
}

std::span<const std::string> pod_exec_protocols() {
  static const std::array both{std::string(kV5), std::string(kV4)};
  return both;
}

Result<int> exec_in_pod(KubeWire& wire, const KubePodCommand& what, const KubePodOutput& output,
                        const std::stop_token& stop, std::span<const std::string> protocols) {
  if (what.pod.empty()) return fail(Errc::invalid, "run a command in a pod: its name is missing");
  if (what.command.empty() || what.command.front().empty()) {
    return fail(Errc::invalid, "run a command in pod '{}/{}': it is empty", what.name_space, what.pod);
  }
  // The answer is no representation of anything: whoever names one is told 406.
  KubeCall call{.doing = fmt::format("run '{}' in pod '{}/{}'", what.command.front(), what.name_space, what.pod),
                .accept = "*/*",
                .repeatable = false};
  TM_LET(const std::string container, container_of(wire, what, call.doing, stop));
  TM_LET(call.path, exec_path(what, container));
  call.lasts = what.within;
  call.silence = what.within + wire.options().call_within;
  TM_LET(const std::unique_ptr<net::WebSocket> socket, wire.upgrade(call, protocols, stop));
  if (what.input) {
    if (socket->protocol() != kV5) {
      return fail(Errc::unsupported, "{}: input needs {}, and this server speaks {}", call.doing, kV5,
                  socket->protocol());
    }
    if (const Status sent = send_input(*socket, *what.input); !sent && !is_no_answer(sent.error().code)) {
      return cut(call.doing, sent.error());
    }  // a command that ends before it has read everything: what it says comes all the same
  }
  return follow(*socket, output, call.doing);
}

}  // namespace tidemark::link
