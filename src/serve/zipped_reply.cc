#include "serve/zipped_reply.h"

#include <algorithm>

namespace tidemark::serve {
namespace {

std::string_view trim(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

ReplyHeaders with_gzip(ReplyHeaders headers) {
  headers.emplace_back("Content-Encoding", "gzip");
  headers.emplace_back("Vary", "Accept-Encoding");
  return headers;
}

}  // namespace

bool takes_gzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    const std::size_t comma = std::min(accept_encoding.find(','), accept_encoding.size());
    const std::string_view one = accept_encoding.substr(0, comma);
    accept_encoding.remove_prefix(std::min(comma + 1, accept_encoding.size()));
    const std::size_t semicolon = std::min(one.find(';'), one.size());
    if (trim(one.substr(0, semicolon)) != "gzip") continue;
    const std::string_view weight = trim(one.substr(std::min(semicolon + 1, one.size())));
    // "q=0", "q=0.000".
    return !weight.starts_with("q=0") || weight.find_first_not_of("0.", 3) != std::string_view::npos;
  }
  return false;
}

Status ZippedReply::send(int code, const ReplyHeaders& headers, std::string body) {
  if (body.size() < kLeastBytes) return to_.send(code, headers, std::move(body));
  io::BufferSink zipped;
  io::GzipStreamSink zip(zipped);
  TM_CHECK(zip.write(as_bytes(body)));
  TM_CHECK(zip.finish());
  return to_.send(code, with_gzip(headers), std::string(as_text(zipped.buffer())));
}

Status ZippedReply::begin(int code, const ReplyHeaders& headers, bool last) {
  if (last) return to_.begin(code, headers, last);
  waiting_ = true;
  code_ = code;
  headers_ = headers;
  return {};
}

Status ZippedReply::decide(bool zipped) {
  waiting_ = false;
  if (zipped) zip_ = std::make_unique<io::GzipStreamSink>(wire_);
  return to_.begin(code_, zipped ? with_gzip(std::move(headers_)) : headers_, /*last=*/false);
}

Status ZippedReply::write(std::string_view piece) {
  if (piece.empty()) return {};
  if (waiting_) TM_CHECK(decide(piece.size() >= kLeastBytes));
  return zip_ ? zip_->write(as_bytes(piece)) : to_.write(piece);
}

Status ZippedReply::end() {
  if (waiting_) TM_CHECK(decide(/*zipped=*/false));
  if (zip_) TM_CHECK(zip_->finish());
  return to_.end();
}

}  // namespace tidemark::serve
