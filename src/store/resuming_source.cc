#include "store/resuming_source.h"

#include <algorithm>
#include <charconv>

namespace tidemark::store {
namespace {

// The first byte of "bytes 5-9/100".
std::optional<std::uint64_t> first_of_range(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  return parse_decimal(text.substr(0, text.find('-')));
}

class ResumingSource final : public io::Source {
 public:
  ResumingSource(RangeRead range, net::RetryGate& gate, std::stop_token stop)
      : what_(std::move(range.what)),
        ask_(std::move(range.ask)),
        promised_md5_(std::move(range.promised_md5)),
        gate_(gate),
        stop_(std::move(stop)),
        offset_(range.offset),
        left_(range.length) {}

  // Asks for what is left.
  Status ask();
  Result<std::size_t> read(MutableBytes into) override;

 private:
  Status take(net::Answer& answer);
  Status go_on(const Error& why);
  Status check_md5(Bytes piece);

  const std::string what_;
  const std::function<Result<net::Answer>(const net::Headers&)> ask_;
  const std::function<std::optional<crypto::Md5Digest>(const net::Answer&)> promised_md5_;
  net::RetryGate& gate_;
  const std::stop_token stop_;

  std::uint64_t offset_, left_;  // left: of what was asked for; from the first answer on, of what there is
  bool asked_ = false;
  std::string etag_;
  std::optional<crypto::Md5Digest> expected_;
  crypto::Md5 md5_;
  std::optional<net::Response> stream_;
  std::optional<net::Attempts> attempts_;  // since the last byte
};

Status ResumingSource::ask() {
  stream_.reset();
  net::Headers headers;
  const bool to_end = left_ == UINT64_MAX || left_ > UINT64_MAX - offset_;
  if (offset_ != 0 || !to_end) {
    headers.push_back({"Range", to_end ? fmt::format("bytes={}-", offset_)
                                       : fmt::format("bytes={}-{}", offset_, offset_ + left_ - 1)});
  }
  if (!etag_.empty()) headers.push_back({"If-Match", etag_});
  TM_LET(net::Answer answer, ask_(headers));
  return take(answer);
}

Status ResumingSource::take(net::Answer& answer) {
  if (answer.status == 416 && !asked_) {  // it begins behind the end
    left_ = 0;
    return {};
  }
  if (answer.status == 412 || answer.status == 416) {
    return fail(Errc::conflict, "{}: it was replaced while it was read", what_);
  }
  if (answer.status == 200 && offset_ != 0) return fail(Errc::unsupported, "{}: the server gives no ranges", what_);
  if (answer.status == 206 && first_of_range(answer.header("Content-Range")) != offset_) {
    return fail(Errc::corrupt, "{}: byte {} was asked for, the answer is '{}'", what_, offset_,
                answer.header("Content-Range"));
  }
  const auto length = parse_decimal(answer.header("Content-Length"));
  if (!length || !answer.stream) return fail(Errc::corrupt, "{}: the answer has no length", what_);
  if (asked_ && *length < left_) return fail(Errc::conflict, "{}: it became shorter while it was read", what_);
  if (!asked_) {
    // Where a server ignores the end of a range, what is promised is not what will be read.
    if (promised_md5_ && *length <= left_) expected_ = promised_md5_(answer);
    etag_ = answer.header("ETag");
    asked_ = true;
  }
  left_ = std::min(left_, *length);
  stream_ = std::move(answer.stream);
  return {};
}

// Waits and asks again, until there is an answer or the tries are used up.
Status ResumingSource::go_on(const Error& why) {
  if (!attempts_) attempts_.emplace(gate_, stop_);
  TM_CHECK(named(fmt::format("{}, byte {}", what_, offset_), attempts_->again(why, net::verdict_of(why))));
  return ask();
}

Status ResumingSource::check_md5(Bytes piece) {
  if (!expected_) return {};
  md5_.update(piece);
  if (left_ > 0 || md5_.finish() == *expected_) return {};
  return fail(Errc::corrupt, "{}: its MD5 is not the one that the store says it has", what_);
}

Result<std::size_t> ResumingSource::read(MutableBytes into) {
  while (left_ > 0 && !into.empty()) {
    if (!stream_) return fail(Errc::unavailable, "{}: reading it has failed before", what_);
    const MutableBytes room = into.first(std::min<std::uint64_t>(into.size(), left_));
    const Result<std::size_t> got = stream_->read(room);
    if (got && *got > 0) {
      attempts_.reset();
      offset_ += *got;
      left_ -= *got;
      TM_CHECK(check_md5(room.first(*got)));
      return *got;
    }
    TM_CHECK(go_on(got ? Error{Errc::unavailable, "the answer ended early", {}} : got.error()));
  }
  return 0;
}

}  // namespace

Result<std::unique_ptr<io::Source>> open_resuming(RangeRead range, net::RetryGate& gate, std::stop_token stop) {
  auto source = std::make_unique<ResumingSource>(std::move(range), gate, std::move(stop));
  TM_CHECK(source->ask());
  return source;
}

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace tidemark::store
