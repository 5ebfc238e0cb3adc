#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "io/compress.h"

namespace tidemark::io {

namespace {

// Room for bytes that somebody is about to write: it is not set to zero first.
class Room {
 public:
  explicit Room(std::size_t capacity = 0)
      : bytes_(capacity == 0 ? nullptr : std::make_unique_for_overwrite<std::byte[]>(capacity)), capacity_(capacity) {}

  void clear_for(std::size_t capacity) {
    if (capacity > capacity_) *this = Room(capacity);
    size_ = 0;
  }
  MutableBytes free() const { return {bytes_.get() + size_, capacity_ - size_}; }
  void grow(std::size_t n) { size_ += n; }
  Bytes bytes() const { return {bytes_.get(), size_}; }
  std::size_t size() const { return size_; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t capacity_ = 0, size_ = 0;
};

constexpr std::size_t kReadBytes = 256UL << 10U;  // at once, so that a source can be told to stop in between

// One thread's compressor. Its state is large, so it is made once and used for every member.
class MemberCompressor {
 public:
  MemberCompressor() : level_buffer_(ISAL_DEF_LVL1_DEFAULT) {}

  // A whole member; `out` is replaced.
  Status compress(Bytes text, Room& out) {
    isal_deflate_stateless_init(stream_.get());
    stream_->level = 1;
    stream_->level_buf = reinterpret_cast<std::uint8_t*>(level_buffer_.data());
    stream_->level_buf_size = static_cast<std::uint32_t>(level_buffer_.size());
    stream_->gzip_flag = IGZIP_GZIP;
    stream_->end_of_stream = 1;
    stream_->flush = NO_FLUSH;
    out.clear_for(most(text.size()));
    const MutableBytes room = out.free();
    stream_->next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(text.data()));
    stream_->avail_in = static_cast<std::uint32_t>(text.size());
    stream_->next_out = reinterpret_cast<std::uint8_t*>(room.data());
    stream_->avail_out = static_cast<std::uint32_t>(room.size());
    const int code = isal_deflate_stateless(stream_.get());
    if (code != COMP_OK || stream_->avail_in != 0) {
      return fail(Errc::io, "deflate of {} bytes failed with code {}", text.size(), code);
    }
    out.grow(room.size() - stream_->avail_out);
    return {};
  }

  // Stored blocks cost five bytes per 64 KiB - 1; header and trailer 18.
  static std::size_t most(std::size_t text) { return text + 5 * (text / 65535 + 1) + 18 + ISAL_DEF_MAX_HDR_SIZE; }

 private:
  std::unique_ptr<isal_zstream> stream_ = std::make_unique<isal_zstream>();
  Buffer level_buffer_;
};

// A member on its way: filled and written by the caller's thread, compressed by a worker.
struct Member {
  Room text, compressed;
  Status status;
  bool taken = false, done = false;
};

}  // namespace

class GzipSink::Work {
 public:
  Work(Sink& to, std::size_t member_bytes, unsigned threads)
      : to_(to), member_bytes_(std::clamp<std::size_t>(member_bytes, 1, 1UL << 30U)), threads_(threads) {}

  ~Work() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      wake_.notify_all();
    }
    workers_.clear();  // joins before the members go
  }

  Status write(Bytes bytes) {
    TM_CHECK(failed_);
    while (!bytes.empty()) {
      if (filling_ == nullptr) begin_member();
      const MutableBytes room = filling_->text.free();
      const std::size_t n = std::min(bytes.size(), room.size());
      std::copy_n(bytes.begin(), n, room.begin());
      TM_CHECK(filled(n));
      bytes = bytes.subspan(n);
    }
    return {};
  }

  Result<std::uint64_t> take(Source& from) {
    TM_CHECK(failed_);
    std::uint64_t taken = 0;
    for (;;) {
      if (filling_ == nullptr) begin_member();
      const MutableBytes room = filling_->text.free();
      TM_LET(const std::size_t n, from.read(room.first(std::min(room.size(), kReadBytes))));
      if (n == 0) {
        if (filling_->text.size() == 0) spare_.push_back(std::move(filling_));  // nothing came: no member
        return taken;
      }
      taken += n;
      TM_CHECK(filled(n));
    }
  }

  Status cut() {
    TM_CHECK(failed_);
    if (filling_ == nullptr) return {};
    if (threads_ == 0) {
      filling_->status = own_.compress(filling_->text.bytes(), filling_->compressed);
      queue_.push_back(std::move(filling_));
      queue_.back()->done = true;
      return failed_ = write_first();
    }
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(filling_));
      wake_.notify_one();
    }
    if (workers_.size() < threads_ && workers_.size() < queue_.size()) {
      workers_.emplace_back([this] { work(); });
    }
    // threads_ members in work, one waiting for each: nobody idles while the caller fills the next.
    while (queue_.size() > 2UL * threads_) {
      if (failed_ = write_first(); !failed_) return failed_;
    }
    return {};
  }

  Status finish() {
    TM_CHECK(failed_);
    if (filling_ == nullptr && members_.empty() && queue_.empty()) begin_member();  // no text is one empty member
    TM_CHECK(cut());
    while (!queue_.empty()) {
      if (failed_ = write_first(); !failed_) return failed_;
    }
    return failed_ = to_.finish();
  }

  const std::vector<GzipMember>& members() const { return members_; }
  std::uint64_t compressed_bytes() const { return compressed_bytes_; }

 private:
  void begin_member() {
    if (spare_.empty()) {
      filling_ = std::make_unique<Member>();
      filling_->text.clear_for(member_bytes_);
      return;
    }
    filling_ = std::move(spare_.back());
    spare_.pop_back();
    filling_->text.clear_for(member_bytes_);
    filling_->taken = filling_->done = false;
  }

  Status filled(std::size_t n) {
    filling_->text.grow(n);
    return filling_->text.size() == member_bytes_ ? cut() : Status{};
  }

  // Waits for the oldest member and writes it.
  Status write_first() {
    std::unique_ptr<Member> first;
    {
      std::unique_lock lock(mutex_);
      done_.wait(lock, [&] { return queue_.front()->done; });
      first = std::move(queue_.front());
      queue_.pop_front();
    }
    TM_CHECK(first->status);
    members_.push_back({compressed_bytes_, written_text_});
    TM_CHECK(to_.write(first->compressed.bytes()));
    compressed_bytes_ += first->compressed.size();
    written_text_ += first->text.size();
    spare_.push_back(std::move(first));
    return {};
  }

  void work() {
    MemberCompressor compressor;
    std::unique_lock lock(mutex_);
    for (;;) {
      Member* next = nullptr;
      wake_.wait(lock, [&] {
        const auto waiting = std::find_if(queue_.begin(), queue_.end(), [](const auto& m) { return !m->taken; });
        next = waiting == queue_.end() ? nullptr : waiting->get();
        return stopping_ || next != nullptr;
      });
      if (stopping_) return;
      next->taken = true;
      lock.unlock();
      Status status = compressor.compress(next->text.bytes(), next->compressed);
      lock.lock();
      next->status = std::move(status);
      next->done = true;
      done_.notify_one();
    }
  }

  Sink& to_;
  const std::size_t member_bytes_;
  const unsigned threads_;
  MemberCompressor own_;
  Status failed_;
  std::unique_ptr<Member> filling_;
  std::vector<std::unique_ptr<Member>> spare_;
  std::vector<GzipMember> members_;
  std::uint64_t written_text_ = 0, compressed_bytes_ = 0;

  std::mutex mutex_;  // guards queue_ against the workers (only the caller changes its length), and the flags
  std::condition_variable wake_, done_;
  std::deque<std::unique_ptr<Member>> queue_;
  bool stopping_ = false;
  std::vector<std::jthread> workers_;
};

GzipSink::GzipSink(Sink& to, std::size_t member_bytes, unsigned threads)
    : work_(std::make_unique<Work>(to, member_bytes, threads)) {}
GzipSink::~GzipSink() = default;
Status GzipSink::write(Bytes bytes) { return work_->write(bytes); }
Result<std::uint64_t> GzipSink::take(Source& from) { return work_->take(from); }
Status GzipSink::cut() { return work_->cut(); }
Status GzipSink::finish() { return work_->finish(); }
const std::vector<GzipMember>& GzipSink::members() const { return work_->members(); }
std::uint64_t GzipSink::compressed_bytes() const { return work_->compressed_bytes(); }

}  // namespace tidemark::io
