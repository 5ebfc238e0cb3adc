#include "io/gzip_stream.h"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace tidemark::io {

class GzipStreamSink::Work {
 public:
  explicit Work(Sink& to) : to_(to) {
    isal_deflate_init(&stream_);
    stream_.level = 1;
    stream_.level_buf = level_buffer_.data();
    stream_.level_buf_size = static_cast<std::uint32_t>(level_buffer_.size());
    stream_.gzip_flag = IGZIP_GZIP;
    stream_.flush = NO_FLUSH;
  }

  Status add(Bytes bytes, bool last) {
    constexpr std::size_t kMost = 1UL << 20U;  // at once: its counters have 32 bits
    do {
      const Bytes some = bytes.first(std::min(bytes.size(), kMost));
      bytes = bytes.subspan(some.size());
      stream_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(some.data()));
      stream_.avail_in = static_cast<std::uint32_t>(some.size());
      stream_.end_of_stream = last && bytes.empty() ? 1 : 0;
      TM_CHECK(drain());
    } while (!bytes.empty());
    return {};
  }

 private:
  // Until all of the input is taken, and of the last one all is out.
  Status drain() {
    do {
      stream_.next_out = room_.data();
      stream_.avail_out = static_cast<std::uint32_t>(room_.size());
      if (const int code = isal_deflate(&stream_); code != COMP_OK) {
        return fail(Errc::io, "deflate failed with code {}", code);
      }
      const std::size_t made = room_.size() - stream_.avail_out;
      if (made > 0) TM_CHECK(to_.write(std::as_bytes(std::span(room_)).first(made)));
    } while (stream_.avail_out == 0);
    return {};
  }

  Sink& to_;
  isal_zstream stream_{};
  std::array<std::uint8_t, 64UL << 10U> room_{};
  std::vector<std::uint8_t> level_buffer_ = std::vector<std::uint8_t>(ISAL_DEF_LVL1_DEFAULT);
};

GzipStreamSink::GzipStreamSink(Sink& to) : to_(to), work_(std::make_unique<Work>(to)) {}
GzipStreamSink::~GzipStreamSink() = default;

Status GzipStreamSink::write(Bytes bytes) { return bytes.empty() ? Status() : work_->add(bytes, /*last=*/false); }

Status GzipStreamSink::finish() {
  TM_CHECK(work_->add({}, /*last=*/true));
  return to_.finish();
}

}  // namespace tidemark::io
