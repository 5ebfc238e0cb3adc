#include "link/kube_proof.h"

#include "crypto/sign.h"
#include "net/url.h"

namespace tidemark::link {
namespace {

constexpr std::uint64_t kMostToken = 1UL << 20U;
// What expires on its way is refused.
constexpr std::chrono::seconds kBeforeExpiry{10};

Result<std::string> read_token_file(const std::string& path) {
  TM_LET(const Buffer bytes, io::read_file(path, kMostToken));
  std::string_view text = as_text(bytes);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  if (text.empty()) return fail(Errc::denied, "the token file {} is empty", path);
  if (text.find_first_of("\r\n") != std::string_view::npos) {
    return fail(Errc::denied, "the token file {} has more than one line", path);
  }
  return std::string(text);
}

void impersonate(const Impersonation& as, net::Headers& headers) {
  if (as.user.empty()) return;
  headers.push_back({"Impersonate-User", as.user});
  if (!as.uid.empty()) headers.push_back({"Impersonate-Uid", as.uid});
  for (const std::string& group : as.groups) headers.push_back({"Impersonate-Group", group});
  for (const auto& [name, value] : as.extra) {
    headers.push_back({"Impersonate-Extra-" + net::percent_encode(name), value});
  }
}

}  // namespace

Status KubeProof::ask(std::chrono::nanoseconds within, const std::stop_token& stop) {
  if (answer_ && (!answer_->expires || clock_.now() + kBeforeExpiry < *answer_->expires)) return {};
  TM_LET(ExecAnswer fresh, ask_plugin(access_, within, stop));
  const bool same = answer_ && answer_->certificate == fresh.certificate && answer_->key == fresh.key;
  if (!same) issue_++;
  answer_ = std::move(fresh);
  return {};
}

Result<Proof> KubeProof::get(std::chrono::nanoseconds within, const std::stop_token& stop) {
  Proof proof{.certificate = access_.certificate, .key = access_.key};
  std::string& token = proof.token;
  token = access_.token;
  if (!access_.token_file.empty()) {
    TM_LET(token, read_token_file(access_.token_file));
  }
  if (access_.exec) {
    const std::scoped_lock lock(mutex_);
    TM_CHECK(ask(within, stop));
    token = answer_->token;
    if (!answer_->certificate.empty()) {
      proof.certificate = {.text = answer_->certificate, .file = {}};
      proof.key = {.text = answer_->key, .file = {}};
    }
    proof.issue = issue_;
    proof.can_be_newer = true;
  }
  if (!token.empty()) {
    proof.headers.push_back({"Authorization", "Bearer " + token});
  } else if (!access_.basic_user.empty()) {
    const std::string both = access_.basic_user + ":" + access_.basic_password;
    proof.headers.push_back({"Authorization", "Basic " + crypto::to_base64(as_bytes(both))});
  }
  impersonate(access_.as, proof.headers);
  return proof;
}

void KubeProof::refused(const Proof& proof) {
  const std::scoped_lock lock(mutex_);
  if (!answer_ || !proof.can_be_newer) return;
  // Another thread may have asked since.
  if (proof.issue == issue_ && proof.token == answer_->token) answer_->expires = Time();
}

}  // namespace tidemark::link
