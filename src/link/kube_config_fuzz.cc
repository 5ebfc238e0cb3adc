// Laws: whatever stands in a kubeconfig, or is printed by a plugin, it is read or refused, and a refusal names the
// file. The first byte chooses.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "kube/yaml_text.h"
#include "link/kube_access.h"
#include "link/kube_exec.h"

namespace {

using namespace tidemark;

void must_name_the_file(const Status& status) {
  if (!status && !status.error().what.starts_with("config: ")) std::abort();
}

void read_entry(Bytes text, bool is_user) {
  const auto document = kube::parse_yaml(text);
  if (!document) return;
  const link::KubeFields fields(*document, "config", "entry");
  link::KubeAccess access;
  must_name_the_file(is_user ? link::read_user(fields, access) : link::read_cluster(fields, access));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes rest = std::as_bytes(std::span(data, size)).subspan(1);
  switch (data[0] % 3) {
    case 0: read_entry(rest, true); return 0;
    case 1: read_entry(rest, false); return 0;
    default: break;
  }
  link::ExecPlugin plugin;
  plugin.where = "config: exec";
  plugin.api_version = "client.authentication.k8s.io/v1";
  const auto answer = link::read_exec_answer(plugin, as_text(rest));
  must_name_the_file(answer ? Status() : Status(std::unexpected(answer.error())));
  if (answer && answer->token.empty() && answer->certificate.empty()) std::abort();
  return 0;
}
