#include "store/gcs_writer.h"

#include <algorithm>

#include "base/log.h"
#include "crypto/crc32c.h"
#include "store/json_fields.h"
#include "store/resuming_source.h"

namespace tidemark::store {
namespace {

constexpr int kSessionGoesOn = 308;

// Pieces in memory, one after the other.
class PiecesSource final : public io::Source {
 public:
  explicit PiecesSource(std::vector<Bytes> pieces) : pieces_(std::move(pieces)) {}
  Result<std::size_t> read(MutableBytes into) override {
    while (at_ < pieces_.size() && pieces_[at_].empty()) ++at_;
    if (at_ == pieces_.size()) return 0;
    Bytes& piece = pieces_[at_];
    const std::size_t n = std::min(piece.size(), into.size());
    std::copy_n(piece.begin(), n, into.begin());
    piece = piece.subspan(n);
    return n;
  }

 private:
  std::vector<Bytes> pieces_;
  std::size_t at_ = 0;
};

// "bytes=0-1048575" is 1048576; no header is nothing yet.
std::optional<std::uint64_t> kept_bytes(std::string_view range) {
  if (range.empty()) return 0;
  constexpr std::string_view kBegin = "bytes=0-";
  if (!range.starts_with(kBegin)) return std::nullopt;
  range.remove_prefix(kBegin.size());
  const auto last = parse_decimal(range);
  if (!last || *last == UINT64_MAX) return std::nullopt;
  return *last + 1;
}

}  // namespace

GcsWriter::GcsWriter(std::shared_ptr<GcsClient> client, std::string key, std::size_t chunk_bytes)
    : client_(std::move(client)), key_(std::move(key)), chunk_bytes_(chunk_bytes), mark_(client_->fresh_mark()) {}

GcsWriter::~GcsWriter() {
  if (done_ || session_.empty()) return;
  // 499 is its yes. What is not given up is forgotten after a week, and costs nothing until then.
  const auto answer = client_->once({.what = "give up upload of", .key = key_, .method = "DELETE", .url = session_});
  if (!answer) log_debug("an upload was not given up", "key={} reason=\"{}\"", key_, answer.error().what);
}

Status GcsWriter::write(Bytes bytes) {
  crc_ = crypto::crc32c(crc_, bytes);
  while (!bytes.empty()) {
    // Sent only when more comes: what fits into one chunk goes in one call.
    if (buffer_.size() == chunk_bytes_) TM_CHECK(push(Chunk::middle));
    const std::size_t n = std::min(bytes.size(), chunk_bytes_ - buffer_.size());
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    bytes = bytes.subspan(n);
  }
  return {};
}

Status GcsWriter::commit() {
  TM_CHECK(session_.empty() ? put_whole() : push(Chunk::last));
  done_ = true;
  return {};
}

std::string GcsWriter::metadata(bool with_checksum) const {
  nlohmann::json fields = {{"name", key_}, {"metadata", {{"tidemark-write", mark_}}}};
  fields["contentType"] = "application/octet-stream";
  if (with_checksum) fields["crc32c"] = print_crc32c(crc_);
  if (!client_->options().storage_class.empty()) fields["storageClass"] = client_->options().storage_class;
  return fields.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

net::Query GcsWriter::object_query(const char* type) const {
  net::Query query = {{"uploadType", type}, {"name", key_}, {"ifGenerationMatch", "0"}};
  if (!client_->options().kms_key.empty()) query.emplace_back("kmsKeyName", client_->options().kms_key);
  return query;
}

Status GcsWriter::check_kept(std::string_view json) {
  TM_LET(const GcsObject object, named(fmt::format("put '{}'", key_), parse_gcs_object(json)));
  if (object.size == total() && object.crc32c == crc_) return {};
  // It must not stay: nobody could tell it from a good one by its name.
  const GcsCall call{.what = "remove damaged",
                     .key = key_,
                     .method = "DELETE",
                     .url = client_->object_url(key_, {{"generation", object.generation}})};
  const auto removed = client_->call(call);
  return fail(Errc::corrupt, "put '{}': {} bytes with CRC-32C {:08x} were sent, {} with {} arrived; {}", key_, total(),
              crc_, object.size, object.crc32c ? fmt::format("{:08x}", *object.crc32c) : "none",
              removed && removed->ok() ? "they are removed again" : "and they could not be removed");
}

Status GcsWriter::settle(const GcsCall& call, const Result<net::Answer>& answer, int tries) {
  const auto as_told = [&]() -> Status {
    if (!answer) return std::unexpected(answer.error());
    return client_->refused(call, *answer);
  };
  // A try that was not heard may have done it, and libcurl itself sends again what an old connection swallowed. So
  // whatever may mean "it is there already" is looked at.
  const bool taken = answer && answer->status == 412;
  const bool unclear = !answer || taken || tries > 1 || answer->status >= 500 || answer->status == 404 ||
                       answer->status == 410 || answer->status == 409;
  if (!unclear) return as_told();
  if (!answer && answer.error().code == Errc::cancelled) return as_told();
  const Result<GcsObject> found = client_->stat(key_);
  if (found && found->mark == mark_ && found->crc32c == crc_ && found->size == total()) return {};
  // The look failed as well: it may be ours, so nobody is told that it is another's.
  if (taken && !found && is_no_answer(found.error().code)) return std::unexpected(found.error());
  if (taken || found) return fail(Errc::already_exists, "put '{}': the key is taken", key_);
  return as_told();
}

Status GcsWriter::put_whole() {
  // Three parts as RFC 2387 has them; the mark is random, so no body holds it.
  const std::string boundary = "tidemark-" + mark_;
  const std::string head = fmt::format(
      "--{}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{}\r\n--{}\r\n"
      "Content-Type: application/octet-stream\r\n\r\n",
      boundary, metadata(true), boundary);
  const std::string tail = fmt::format("\r\n--{}--\r\n", boundary);
  GcsCall call{.what = "put",
               .key = key_,
               .method = "POST",
               .url = client_->upload_url(object_query("multipart")),
               .headers = client_->customer_key_headers()};
  call.headers.push_back({"Content-Type", "multipart/related; boundary=" + boundary});
  call.open_body = [&]() -> Result<std::unique_ptr<io::Source>> {
    return std::make_unique<PiecesSource>(std::vector<Bytes>{as_bytes(head), buffer_, as_bytes(tail)});
  };
  call.body_size = head.size() + buffer_.size() + tail.size();
  const Result<net::Answer> answer = client_->call(call);
  if (answer && answer->ok()) return check_kept(answer->text());
  return settle(call, answer, answer ? answer->tries : 1);
}

Status GcsWriter::begin_session() {
  const std::string fields = metadata(false);
  GcsCall call{.what = "begin upload of",
               .key = key_,
               .method = "POST",
               .url = client_->upload_url(object_query("resumable")),
               .headers = client_->customer_key_headers(),
               .body = as_bytes(fields)};
  call.headers.push_back({"Content-Type", "application/json; charset=UTF-8"});
  call.headers.push_back({"X-Upload-Content-Type", "application/octet-stream"});
  TM_LET(const net::Answer answer, client_->call(call));
  if (answer.status == 412) return fail(Errc::already_exists, "put '{}': the key is taken", key_);
  if (!answer.ok()) return client_->refused(call, answer);
  session_ = answer.header("Location");
  if (session_.empty()) return fail(Errc::corrupt, "begin upload of '{}': the answer has no Location", key_);
  return {};
}

// `ask`: nothing is sent, only asked how far it came; once all is there, that also ends the upload.
GcsCall GcsWriter::next_call(Chunk chunk, bool ask) const {
  GcsCall call{.what = "upload", .key = key_, .method = "PUT", .url = session_};
  call.headers = client_->customer_key_headers();
  if (!ask) call.body = Bytes(buffer_).subspan(kept_ - base_);
  const std::string whole = chunk == Chunk::last ? std::to_string(total()) : "*";
  call.headers.push_back({"Content-Range", call.body.empty()
                                               ? fmt::format("bytes */{}", whole)
                                               : fmt::format("bytes {}-{}/{}", kept_, total() - 1, whole)});
  if (chunk == Chunk::last) call.headers.push_back({"X-Goog-Hash", "crc32c=" + print_crc32c(crc_)});
  return call;
}

Status GcsWriter::take_progress(const net::Answer& answer) {
  const auto kept = kept_bytes(answer.header("Range"));
  if (!kept || *kept < base_ || *kept > total()) {
    return fail(Errc::corrupt, "upload '{}': bytes {} to {} were sent, the session says that it keeps '{}'", key_,
                base_, total(), answer.header("Range"));
  }
  kept_ = *kept;
  return {};
}

Status GcsWriter::push(Chunk chunk) {
  if (session_.empty()) TM_CHECK(begin_session());
  std::optional<net::Attempts> attempts;
  bool ask = false;
  for (;;) {
    if (!attempts) attempts.emplace(client_->gate(), client_->stop());
    TM_CHECK(attempts->ready());
    const GcsCall call = next_call(chunk, ask);
    const Result<net::Answer> answer = client_->once(call);
    if (answer && answer->ok()) {
      if (chunk == Chunk::last) return check_kept(answer->text());
      return fail(Errc::corrupt, "upload '{}': the session ended after {} bytes, before all was sent", key_, total());
    }
    net::Verdict verdict;
    if (answer && answer->status == kSessionGoesOn) {
      const std::uint64_t before = kept_;
      TM_CHECK(take_progress(*answer));
      if (chunk == Chunk::middle && kept_ == total()) break;
      const bool on = ask || kept_ > before;
      ask = false;
      if (kept_ > before) attempts.reset();
      if (on) continue;
      verdict.fault = net::Fault::passing;  // it took nothing of what it was sent
    } else {
      verdict = answer ? client_->judge(*answer) : net::verdict_of(answer.error());
      ask = true;
    }
    const Error why = answer ? client_->refused(call, *answer).error() : answer.error();
    if (verdict.fault == net::Fault::lasting || !attempts->again(why, verdict)) {
      return settle(call, answer, attempts->tries());
    }
  }
  base_ = total();
  buffer_.clear();
  return {};
}

}  // namespace tidemark::store
