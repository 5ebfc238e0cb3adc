#include "store/s3_writer.h"

#include "base/log.h"
#include "crypto/sha256.h"
#include "crypto/sign.h"
#include "store/xml.h"

namespace tidemark::store {
namespace {

constexpr const char* kNonceHeader = "x-amz-meta-tidemark-write";
constexpr std::size_t kMostParts = 10'000;
constexpr std::size_t kPartsOfOneSize = 2'000;
constexpr int kConflictTries = 5;

void append(net::Headers& to, const net::Headers& more) { to.insert(to.end(), more.begin(), more.end()); }

}  // namespace

S3Writer::S3Writer(std::shared_ptr<S3Client> client, std::string key, std::size_t part_bytes)
    : client_(std::move(client)), key_(std::move(key)), first_part_bytes_(part_bytes), nonce_(client_->fresh_nonce()) {}

S3Writer::~S3Writer() {
  if (!done_) abort();
}

// Equal parts as long as that is possible, because some servers want them equal; then each 2,000 twice as large.
std::size_t S3Writer::part_size() const { return first_part_bytes_ << (parts_.size() / kPartsOfOneSize); }

Status S3Writer::write(Bytes bytes) {
  constexpr std::size_t kSmall = 1UL << 20U;
  TM_CHECK(broken_);
  while (!bytes.empty()) {
    // Sent only when more comes: what fits into one part goes in one call.
    if (buffer_.size() == part_size()) broken_ = send_part();
    TM_CHECK(broken_);
    if (buffer_.size() + bytes.size() > kSmall) buffer_.reserve(part_size());  // never twice as much
    const std::size_t n = std::min(bytes.size(), part_size() - buffer_.size());
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    bytes = bytes.subspan(n);
  }
  return {};
}

net::Headers S3Writer::object_headers() const {
  const S3Options& options = client_->options();
  net::Headers headers{{kNonceHeader, nonce_}};
  if (!options.sse.empty()) headers.push_back({"x-amz-server-side-encryption", options.sse});
  if (!options.kms_key_id.empty()) {
    headers.push_back({"x-amz-server-side-encryption-aws-kms-key-id", options.kms_key_id});
  }
  if (!options.storage_class.empty()) headers.push_back({"x-amz-storage-class", options.storage_class});
  append(headers, client_->customer_key_headers());
  return headers;
}

Status S3Writer::begin_upload() {
  S3Call call{.what = "begin upload of",
              .method = "POST",
              .key = key_,
              .query = {{"uploads", ""}},
              .headers = object_headers()};
  if (client_->options().checksums) call.headers.push_back({"x-amz-checksum-algorithm", "SHA256"});
  TM_LET(const net::Answer answer, client_->demand(call));
  TM_LET(const auto fields, named("begin upload", read_flat_xml(answer.text())));
  const auto id = fields.find("UploadId");
  if (id == fields.end() || id->second.empty()) return fail(Errc::corrupt, "begin upload of '{}': no UploadId", key_);
  upload_id_ = id->second;
  return {};
}

Status S3Writer::send_part() {
  if (upload_id_.empty()) TM_CHECK(begin_upload());
  if (parts_.size() >= kMostParts) return fail(Errc::invalid, "'{}' is too large for {} parts", key_, kMostParts);
  Part part{{}, crypto::to_base64(crypto::sha256(buffer_))};
  S3Call call{.what = "upload part of",
              .method = "PUT",
              .key = key_,
              .query = {{"partNumber", std::to_string(parts_.size() + 1)}, {"uploadId", upload_id_}},
              .headers = client_->customer_key_headers(),
              .body = buffer_};
  if (client_->options().checksums) call.headers.push_back({"x-amz-checksum-sha256", part.sha256});
  TM_LET(const net::Answer answer, client_->demand(call));
  part.etag = answer.header("ETag");
  if (part.etag.empty()) return fail(Errc::corrupt, "upload part of '{}': the answer has no ETag", key_);
  parts_.push_back(std::move(part));
  buffer_.clear();
  return {};
}

Result<S3Writer::Whose> S3Writer::whose() {
  const S3Call call{.what = "stat", .method = "HEAD", .key = key_, .headers = client_->customer_key_headers()};
  TM_LET(const net::Answer answer, client_->call(call));
  if (answer.status == 404) return Whose::nobodys;
  if (!answer.ok()) return client_->refused(call, answer);
  return answer.header(kNonceHeader) == nonce_ ? Whose::ours : Whose::others;
}

// The end of a conditional write whose answer was not simply yes.
Status S3Writer::settle(const S3Call& call, const Result<net::Answer>& answer) {
  if (answer && answer->ok()) return {};
  const auto as_told = [&]() -> Status {
    if (!answer) return std::unexpected(answer.error());
    return client_->refused(call, *answer);
  };
  if (!answer && answer.error().code == Errc::cancelled) return as_told();
  // "Taken" may mean by ourselves, in a try whose answer got lost: the wire sends again without telling, too. And
  // where there was no clear answer it may have been done. So look.
  const bool taken = answer && answer->status == 412;
  const bool unclear = !answer || answer->tries > 1 || answer->status >= 500 || answer->status == 409;
  if (!taken && !unclear) return as_told();
  const Result<Whose> found = whose();
  if (found && *found == Whose::ours) return {};
  // The look failed as well: it may be ours, so nobody is told that it is another's.
  if (taken && !found && is_no_answer(found.error().code)) return std::unexpected(found.error());
  if (taken || (found && *found == Whose::others)) {
    return fail(Errc::already_exists, "put '{}': the key is taken", key_);
  }
  return as_told();
}

Status S3Writer::put_whole() {
  S3Call call{.what = "put", .method = "PUT", .key = key_, .headers = object_headers(), .body = buffer_};
  call.headers.push_back({"If-None-Match", "*"});
  if (client_->options().checksums) {
    call.headers.push_back({"x-amz-checksum-sha256", crypto::to_base64(crypto::sha256(buffer_))});
  }
  Status status;
  for (int i = 0; i < kConflictTries; ++i) {
    const auto answer = client_->call(call);
    status = settle(call, answer);
    // 409: another conditional write of this key was under way, and came to nothing.
    if (!answer || answer->status != 409 || status || status.error().code == Errc::already_exists) break;
  }
  return status;
}

Result<net::Answer> S3Writer::send_complete() {
  std::string xml = "<CompleteMultipartUpload>";
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const std::string checksum =
        client_->options().checksums ? fmt::format("<ChecksumSHA256>{}</ChecksumSHA256>", parts_[i].sha256) : "";
    xml += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag>{}</Part>", i + 1, xml_escape(parts_[i].etag),
                       checksum);
  }
  xml += "</CompleteMultipartUpload>";
  net::Headers headers = client_->customer_key_headers();
  headers.push_back({"If-None-Match", "*"});
  headers.push_back({"Content-Type", "application/xml"});
  return client_->call({.what = "complete upload of",
                        .method = "POST",
                        .key = key_,
                        .query = {{"uploadId", upload_id_}},
                        .headers = std::move(headers),
                        .body = as_bytes(xml),
                        .silence = std::chrono::minutes(10)});
}

Status S3Writer::complete() {
  const S3Call call{.what = "complete upload of", .method = "POST", .key = key_};
  Result<net::Answer> answer = send_complete();
  // S3 may say 200 before it knows, and the failure then stands in the body.
  if (answer && answer->ok()) {
    if (const S3Refusal refusal = read_refusal(*answer); !refusal.code.empty()) {
      answer->status = refusal.code == "PreconditionFailed" ? 412 : 500;
    }
  }
  // An upload that is gone may be the one that a lost answer completed.
  if (answer && answer->status == 404) answer->tries = std::max(answer->tries, 2);
  return settle(call, answer);
}

Status S3Writer::commit() {
  TM_CHECK(broken_);  // bytes are missing
  if (upload_id_.empty()) {
    TM_CHECK(put_whole());
    done_ = true;
    return {};
  }
  if (!buffer_.empty()) TM_CHECK(send_part());
  TM_CHECK(complete());
  done_ = true;
  return {};
}

void S3Writer::abort() {
  if (upload_id_.empty()) return;
  const S3Call call{.what = "give up upload of",
                    .method = "DELETE",
                    .key = key_,
                    .query = {{"uploadId", upload_id_}},
                    .heeds_stop = false};
  const auto answer = client_->call(call);
  if (answer && (answer->ok() || answer->status == 404)) return;
  // Nobody sees its parts, but they are paid for until a rule of the bucket or somebody removes them.
  log_warning("parts of a given-up upload are left", "key={} upload={} reason=\"{}\"", key_, upload_id_,
              answer ? client_->refused(call, *answer).error().what : answer.error().what);
}

}  // namespace tidemark::store
