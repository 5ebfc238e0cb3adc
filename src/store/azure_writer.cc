#include "store/azure_writer.h"

#include <algorithm>

namespace tidemark::store {
namespace {

constexpr const char* kNonceHeader = "x-ms-meta-tidemarkwrite";  // a name with a dash would be refused
constexpr std::string_view kOverwrite = "UnauthorizedBlobOverwrite";
constexpr std::size_t kMostBlocks = 50'000;

void append(net::Headers& to, net::Headers more) {
  to.insert(to.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
}

// The blocks of one blob share their names, whoever sends them, and must all be equally long, those of writers that
// died included: so 10 bytes, as etcd-backup-restore has them, and of these 8 are ours alone.
std::string block_id(std::uint64_t nonce, std::size_t index) {
  std::array<std::byte, 10> raw{};
  store_be(raw.data(), nonce);
  store_be(raw.data() + 8, static_cast<std::uint16_t>(index));
  return crypto::to_base64(raw);
}

}  // namespace

AzureWriter::AzureWriter(std::shared_ptr<AzureClient> client, std::string key, std::size_t block_bytes)
    : client_(std::move(client)), key_(std::move(key)), block_bytes_(block_bytes), nonce_(client_->fresh_nonce()) {}

Status AzureWriter::write(Bytes bytes) {
  while (!bytes.empty()) {
    // Sent only when more comes: what fits into one block goes in one call.
    if (buffer_.size() == block_bytes_) TM_CHECK(send_block());
    const std::size_t n = std::min(bytes.size(), block_bytes_ - buffer_.size());
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    bytes = bytes.subspan(n);
  }
  return {};
}

net::Headers AzureWriter::blob_headers() const {
  net::Headers headers{{kNonceHeader, fmt::format("{:016x}", nonce_)}, {"If-None-Match", "*"}};
  const std::string& tier = client_->options().access_tier;
  if (!tier.empty()) headers.push_back({"x-ms-access-tier", tier});
  append(headers, client_->write_headers());
  return headers;
}

Status AzureWriter::send_block() {
  if (block_ids_.size() >= kMostBlocks)
    return fail(Errc::invalid, "'{}' is too large for {} blocks", key_, kMostBlocks);
  const std::string id = block_id(nonce_, block_ids_.size());
  AzureCall call{.what = "put a block of",
                 .method = "PUT",
                 .key = key_,
                 .query = {{"comp", "block"}, {"blockid", id}},
                 .headers = client_->write_headers(),
                 .body = buffer_};
  call.headers.push_back({"Content-MD5", crypto::to_base64(crypto::md5(buffer_))});  // the server checks it
  TM_CHECK(client_->demand(call));
  md5_.update(buffer_);
  block_ids_.push_back(id);
  buffer_.clear();
  return {};
}

Result<AzureWriter::Whose> AzureWriter::whose() {
  const AzureCall call{.what = "stat", .method = "HEAD", .key = key_, .headers = client_->key_headers()};
  TM_LET(const net::Answer answer, client_->call(call));
  if (answer.status == 404) return Whose::nobodys;
  if (!answer.ok()) return client_->refused(call, answer);
  return answer.header(kNonceHeader) == fmt::format("{:016x}", nonce_) ? Whose::ours : Whose::others;
}

// The end of a conditional write whose answer was not simply yes.
Status AzureWriter::settle(const AzureCall& call, const Result<net::Answer>& answer) {
  if (answer && answer->ok()) return {};
  const auto as_told = [&]() -> Status {
    if (!answer) return std::unexpected(answer.error());
    return client_->refused(call, *answer);
  };
  if (!answer && answer.error().code == Errc::cancelled) return as_told();
  const std::string code = answer ? read_azure_refusal(*answer).code : "";
  // The third is said to who may create but not write.
  const bool taken = answer && (code == "BlobAlreadyExists" || answer->status == 412 || code == kOverwrite);
  // A try that was not heard may have done it. And some refusals come before the one that would say "it is there":
  // policies that keep it from being replaced, and blocks that went when somebody else's blob came.
  const bool look =
      !answer || answer->tries > 1 || answer->status >= 500 || answer->status == 409 || code == "InvalidBlockList";
  if (!taken && !look) return as_told();
  const Result<Whose> found = whose();
  if (found && *found == Whose::ours) return {};
  // The look failed as well: it may be ours, so nobody is told that it is another's.
  if (taken && !found && is_no_answer(found.error().code)) return std::unexpected(found.error());
  if (taken || (found && *found == Whose::others)) {
    return fail(Errc::already_exists, "put '{}': the key is taken", key_);
  }
  if (code == "InvalidBlockList") {
    return fail(Errc::conflict, "put '{}': its blocks are gone, somebody else wrote and removed it meanwhile", key_);
  }
  return as_told();
}

Status AzureWriter::put_whole() {
  AzureCall call{.what = "put", .method = "PUT", .key = key_, .headers = blob_headers(), .body = buffer_};
  call.headers.push_back({"x-ms-blob-type", "BlockBlob"});
  call.headers.push_back({"Content-MD5", crypto::to_base64(crypto::md5(buffer_))});
  return settle(call, client_->call(call));
}

Status AzureWriter::commit_blocks() {
  std::string xml = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
  for (const std::string& id : block_ids_) xml += fmt::format("<Uncommitted>{}</Uncommitted>", id);
  xml += "</BlockList>";
  AzureCall call{.what = "commit the blocks of",
                 .method = "PUT",
                 .key = key_,
                 .query = {{"comp", "blocklist"}},
                 .headers = blob_headers(),
                 .body = as_bytes(xml),
                 .silence = std::chrono::minutes(5)};
  call.headers.push_back({"Content-MD5", crypto::to_base64(crypto::md5(as_bytes(xml)))});
  call.headers.push_back({"x-ms-blob-content-md5", crypto::to_base64(md5_.finish())});
  return settle(call, client_->call(call));
}

Status AzureWriter::commit() {
  if (block_ids_.empty()) return put_whole();
  if (!buffer_.empty()) TM_CHECK(send_block());
  return commit_blocks();
}

}  // namespace tidemark::store
