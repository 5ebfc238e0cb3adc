// Sources that look at an object's bytes while they pass. Only for src/verify.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "io/compress.h"
#include "io/stream.h"

namespace tidemark::verify {

// Counts, ends when somebody asks to stop, and looks whether a gzip member begins where a seek table says so.
class WatchedSource final : public io::Source {
 public:
  WatchedSource(std::unique_ptr<io::Source> from, std::vector<io::GzipMember> members,
                std::function<void(std::uint64_t)> progress, std::stop_token stop)
      : from_(std::move(from)), members_(std::move(members)), progress_(std::move(progress)), stop_(std::move(stop)) {}

  Result<std::size_t> read(MutableBytes into) override {
    if (stop_.stop_requested()) return fail(Errc::cancelled, "stopped");
    TM_LET(const std::size_t n, from_->read(into));
    look(Bytes(into).first(n));
    at_ += n;
    if (progress_) progress_(at_);
    return n;
  }

  std::uint64_t bytes() const { return at_; }
  // After the end: the first offset of the table where no member begins; nullopt: all is well.
  std::optional<std::uint64_t> wrong_member() const {
    if (wrong_) return wrong_;
    if (next_ < members_.size()) return members_[next_].compressed_offset;
    return std::nullopt;
  }

 private:
  static constexpr std::byte kMagic[] = {std::byte{0x1f}, std::byte{0x8b}};
  void look(Bytes piece) {
    // The two bytes of the magic may lie in two pieces.
    for (; next_ < members_.size() && !wrong_; part_ = 0, ++next_) {
      const std::uint64_t begin = members_[next_].compressed_offset;
      for (; part_ < sizeof kMagic; ++part_) {
        if (begin + part_ >= at_ + piece.size()) return;
        if (begin + part_ < at_ || piece[begin + part_ - at_] != kMagic[part_]) {
          wrong_ = begin;
          return;
        }
      }
    }
  }

  std::unique_ptr<io::Source> from_;
  std::vector<io::GzipMember> members_;
  std::function<void(std::uint64_t)> progress_;
  std::stop_token stop_;
  std::uint64_t at_ = 0;
  std::size_t next_ = 0, part_ = 0;
  std::optional<std::uint64_t> wrong_;
};

// A source that somebody else owns.
class BorrowedSource final : public io::Source {
 public:
  explicit BorrowedSource(io::Source& from) : from_(from) {}
  Result<std::size_t> read(MutableBytes into) override { return from_.read(into); }

 private:
  io::Source& from_;
};

}  // namespace tidemark::verify
