#include "io/write_behind.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <utility>

namespace tidemark::io {

static constexpr std::size_t kSparesKept = 8, kLargestSpare = 1UL << 20U;

AlignedBuffer::AlignedBuffer(std::size_t capacity) : capacity_(capacity) {
  memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kDirectBlock, capacity)));
  if (!memory_) throw std::bad_alloc();
}

Result<std::unique_ptr<WriteBehind>> WriteBehind::open(const Path& path, std::size_t most_queued) {
  TM_LET(Fd cached, open_file(path, O_WRONLY));
  auto direct = open_file(path, O_WRONLY | O_DIRECT);
  if (!direct) return fail(Errc::unsupported, "'{}' cannot be written past the page cache", path.native());
  return std::unique_ptr<WriteBehind>(new WriteBehind(path, *std::move(direct), std::move(cached), most_queued));
}

WriteBehind::WriteBehind(Path path, Fd direct, Fd cached, std::size_t most_queued)
    : path_(std::move(path)),
      direct_(std::move(direct)),
      cached_(std::move(cached)),
      queue_(most_queued),
      thread_([this] { run(); }) {}

WriteBehind::~WriteBehind() { queue_.abort(); }

Status WriteBehind::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

Status WriteBehind::write(std::uint64_t offset, AlignedBuffer memory, std::size_t size) {
  if (failed_) return status();
  const std::size_t held = memory.capacity();  // what it costs, however little of it is used
  if (queue_.push({offset, std::move(memory), size}, held)) return {};
  return fail(Errc::io, "'{}': written after its end", path_.native());
}

AlignedBuffer WriteBehind::recycled(std::size_t capacity) {
  const std::lock_guard lock(mutex_);
  if (spare_.empty() || spare_.back().capacity() != capacity) return {};
  AlignedBuffer memory = std::move(spare_.back());
  spare_.pop_back();
  return memory;
}

Status WriteBehind::drain() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
  return status();
}

void WriteBehind::run() {
  while (auto piece = queue_.pop()) {
    if (failed_) continue;  // those that wait for room must get on
    auto written = write_now(*piece);
    const std::lock_guard lock(mutex_);
    if (!written) {
      status_ = std::move(written);
      failed_ = true;
    } else if (spare_.size() < kSparesKept && piece->memory.capacity() <= kLargestSpare) {
      spare_.push_back(std::move(piece->memory));
    }
  }
}

Status WriteBehind::write_now(const Piece& piece) {
  Bytes left(piece.memory.data(), piece.size);
  std::uint64_t offset = piece.offset;
  while (!left.empty()) {
    const ssize_t n = ::pwrite(direct_.get(), left.data(), left.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    // Some file systems take the flag and then refuse the write; and after a short one the rest may not be whole
    // blocks.
    if (n < 0 && errno == EINVAL) return pwrite_all(cached_.get(), left, offset, path_);
    if (n < 0) return sys_fail("write", path_.native());
    const std::size_t whole = static_cast<std::size_t>(n) / kDirectBlock * kDirectBlock;
    if (whole == 0) return pwrite_all(cached_.get(), left, offset, path_);
    left = left.subspan(whole);
    offset += whole;
  }
  return {};
}

}  // namespace tidemark::io
