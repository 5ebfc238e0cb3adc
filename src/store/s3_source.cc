#include "store/s3_source.h"

#include <charconv>

namespace tidemark::store {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The first byte of "bytes 5-9/100".
std::optional<std::uint64_t> first_of_range(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  return number(text.substr(0, text.find('-')));
}

class S3Source final : public io::Source {
 public:
  S3Source(std::shared_ptr<S3Client> client, std::string key, std::string version, std::uint64_t offset,
           std::uint64_t length)
      : client_(std::move(client)),
        key_(std::move(key)),
        version_(std::move(version)),
        offset_(offset),
        left_(length) {}

  // Asks for what is left.
  Status ask();
  Result<std::size_t> read(MutableBytes into) override;

 private:
  Status go_on(const Error& why);
  Status take(const S3Call& call, net::Answer& answer);

  std::shared_ptr<S3Client> client_;
  const std::string key_, version_;
  std::uint64_t offset_, left_;  // left: of what was asked for; from the first answer on, of what there is
  std::string etag_;
  std::optional<net::Response> stream_;
  std::optional<net::Attempts> attempts_;  // since the last byte
};

Status S3Source::ask() {
  stream_.reset();
  S3Call call{.what = "get", .key = key_, .headers = client_->customer_key_headers()};
  if (!version_.empty()) call.query.emplace_back("versionId", version_);
  const bool to_end = left_ > UINT64_MAX - offset_;
  if (offset_ != 0 || !to_end) {
    call.headers.push_back({"Range", to_end ? fmt::format("bytes={}-", offset_)
                                            : fmt::format("bytes={}-{}", offset_, offset_ + left_ - 1)});
  }
  if (!etag_.empty()) call.headers.push_back({"If-Match", etag_});
  TM_LET(net::Answer answer, client_->stream(call));
  return take(call, answer);
}

Status S3Source::take(const S3Call& call, net::Answer& answer) {
  if (answer.status == 416) {  // it begins behind the end
    left_ = 0;
    return {};
  }
  if (answer.status == 412) return fail(Errc::conflict, "get '{}': it was replaced while it was read", key_);
  if (!answer.ok()) return client_->refused(call, answer);
  if (answer.status == 200 && offset_ != 0) {
    return fail(Errc::unsupported, "get '{}': the server does not give ranges", key_);
  }
  if (answer.status == 206 && first_of_range(answer.header("Content-Range")) != offset_) {
    return fail(Errc::corrupt, "get '{}': byte {} was asked for, the answer is '{}'", key_, offset_,
                answer.header("Content-Range"));
  }
  const auto length = number(answer.header("Content-Length"));
  if (!length) return fail(Errc::corrupt, "get '{}': the answer has no length", key_);
  left_ = std::min(left_, *length);
  etag_ = answer.header("ETag");
  stream_ = std::move(answer.stream);
  return {};
}

// Waits and asks again, until there is an answer or the tries are used up.
Status S3Source::go_on(const Error& why) {
  if (!attempts_) attempts_.emplace(client_->gate(), client_->stop());
  TM_CHECK(named(fmt::format("get '{}' from byte {}", key_, offset_), attempts_->again(why, net::verdict_of(why))));
  return ask();
}

Result<std::size_t> S3Source::read(MutableBytes into) {
  into = into.first(std::min<std::uint64_t>(into.size(), left_));
  while (!into.empty()) {
    const Result<std::size_t> got = stream_->read(into);
    if (got && *got > 0) {
      attempts_.reset();
      offset_ += *got;
      left_ -= *got;
      return *got;
    }
    const Error why = got ? Error{Errc::unavailable, "the answer ended early", {}} : got.error();
    TM_CHECK(go_on(why));
    if (left_ == 0 || !stream_) return fail(Errc::conflict, "get '{}': it became shorter while it was read", key_);
    into = into.first(std::min<std::uint64_t>(into.size(), left_));
  }
  return 0;
}

}  // namespace

Result<std::unique_ptr<io::Source>> open_s3(const std::shared_ptr<S3Client>& client, const std::string& key,
                                            const std::string& version, std::uint64_t offset, std::uint64_t length) {
  auto source = std::make_unique<S3Source>(client, key, version, offset, length);
  TM_CHECK(source->ask());
  return source;
}

}  // namespace tidemark::store
