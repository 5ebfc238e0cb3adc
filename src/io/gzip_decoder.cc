// gzip (RFC 1952) and zlib (RFC 1950) around deflate. Headers are read here, deflate and trailers by ISA-L.
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>

#include "io/decoders_internal.h"
#include "io/gzip_members.h"

namespace tidemark::io {

namespace {

constexpr std::uint8_t kFlagHeaderCrc = 2, kFlagExtra = 4, kFlagName = 8, kFlagComment = 16, kFlagsReserved = 0xe0;

// ISA-L keeps the last 32 KiB of every call's output: small calls would spend their time copying it.
constexpr std::size_t kLeastOutput = 64UL * 1024, kOutput = 256UL * 1024;

// ISA-L's counters are 32 bits wide.
constexpr std::size_t kMostOutput = 1UL << 30U;

std::string_view reason_of(int code) {
  switch (code) {
    case ISAL_INVALID_BLOCK: return "invalid deflate block";
    case ISAL_INVALID_SYMBOL: return "invalid deflate symbol";
    case ISAL_INVALID_LOOKBACK: return "a match reaches behind the beginning";
    case ISAL_INCORRECT_CHECKSUM: return "wrong checksum or length";
    case ISAL_NEED_DICT: return "a preset dictionary is needed";
    default: return "invalid deflate data";
  }
}

class InflateSource final : public Source {
 public:
  InflateSource(std::unique_ptr<Source> from, bool gzip, std::vector<GzipMember>* members = nullptr)
      : in_(std::move(from)), gzip_(gzip), state_(std::make_unique<inflate_state>()), told_(members) {}

  Result<std::size_t> read(MutableBytes into) override {
    if (into.empty()) return 0UL;
    for (;;) {
      if (begin_ < end_) {
        const std::size_t n = std::min(into.size(), end_ - begin_);
        std::copy_n(out_.begin() + static_cast<std::ptrdiff_t>(begin_), n, into.begin());
        begin_ += n;
        return n;
      }
      if (at_ == At::end) return 0UL;
      if (at_ == At::header) {
        TM_CHECK(begin_member());
        continue;
      }
      if (into.size() >= kLeastOutput) {
        TM_LET(const std::size_t n, inflate(into));
        if (n > 0) return n;
        continue;
      }
      if (out_.empty()) out_.resize(kOutput);
      TM_LET(end_, inflate(out_));
      begin_ = 0;
    }
  }

 private:
  enum class At { header, text, end };

  // Reads the header of the next member, or finds the end.
  Status begin_member() {
    TM_LET(const bool more, in_.fill());
    if (!more) {
      if (members_ == 0) return fail(Errc::torn, "the compressed object is empty");
      at_ = At::end;
      return {};
    }
    member_offset_ = in_.offset();
    if (members_ > 0 && !gzip_) return fail(Errc::corrupt, "bytes follow the zlib stream at {}", member_offset_);
    TM_CHECK(gzip_ ? gzip_header() : zlib_header());
    isal_inflate_reset(state_.get());
    state_->crc_flag = gzip_ ? ISAL_GZIP_NO_HDR_VER : ISAL_ZLIB_NO_HDR_VER;
    members_++;
    if (told_ != nullptr) told_->push_back({member_offset_, text_});
    at_ = At::text;
    return {};
  }

  Result<std::uint8_t> header_byte() {
    TM_LET(const std::uint8_t b, in_.byte("a gzip header"));
    header_crc_ = crc32_gzip_refl(header_crc_, &b, 1);
    return b;
  }

  Status gzip_header() {
    header_crc_ = 0;
    const auto corrupt = [&](std::string_view why) {
      return fail(Errc::corrupt, "gzip member {} at {}: {}", members_ + 1, member_offset_, why);
    };
    TM_LET(const std::uint8_t id1, header_byte());
    if (id1 != 0x1f) return corrupt(members_ == 0 ? "not gzip" : "bytes that are not gzip follow the last member");
    TM_LET(const std::uint8_t id2, header_byte());
    if (id2 != 0x8b) return corrupt(members_ == 0 ? "not gzip" : "bytes that are not gzip follow the last member");
    TM_LET(const std::uint8_t method, header_byte());
    if (method != 8) return corrupt("the method is not deflate");
    TM_LET(const std::uint8_t flags, header_byte());
    if ((flags & kFlagsReserved) != 0) return corrupt("reserved flags are set");
    for (int i = 0; i < 6; i++) TM_CHECK(header_byte());  // time, extra flags, system
    if ((flags & kFlagExtra) != 0) {
      TM_LET(const std::uint8_t low, header_byte());
      TM_LET(const std::uint8_t high, header_byte());
      for (unsigned left = low + 256U * high; left > 0; left--) TM_CHECK(header_byte());
    }
    for (const std::uint8_t field : {kFlagName, kFlagComment}) {
      if ((flags & field) == 0) continue;
      for (;;) {
        TM_LET(const std::uint8_t b, header_byte());
        if (b == 0) break;
      }
    }
    if ((flags & kFlagHeaderCrc) != 0) {
      const std::uint32_t computed = header_crc_ & 0xffffU;
      TM_LET(const std::uint8_t low, header_byte());
      TM_LET(const std::uint8_t high, header_byte());
      if (computed != low + 256U * high) return corrupt("wrong header checksum");
    }
    return {};
  }

  Status zlib_header() {
    TM_LET(const std::uint8_t method, in_.byte("the zlib header"));
    TM_LET(const std::uint8_t flags, in_.byte("the zlib header"));
    if ((method & 15U) != 8 || (method >> 4U) > 7 || (method * 256U + flags) % 31 != 0) {
      return fail(Errc::corrupt, "not a zlib stream");
    }
    if ((flags & 0x20U) != 0) return fail(Errc::unsupported, "the zlib stream needs a preset dictionary");
    return {};
  }

  // Inflates into `into`; 0 when more has to be read or a member ended.
  Result<std::size_t> inflate(MutableBytes into) {
    TM_LET(const bool more, in_.fill());
    const Bytes given = in_.left();
    state_->next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(given.data()));
    state_->avail_in = static_cast<std::uint32_t>(given.size());
    state_->next_out = reinterpret_cast<std::uint8_t*>(into.data());
    state_->avail_out = static_cast<std::uint32_t>(std::min(into.size(), kMostOutput));
    const std::uint32_t room = state_->avail_out;
    const int code = isal_inflate(state_.get());
    in_.drop(given.size() - state_->avail_in);
    if (code < 0 || code == ISAL_NEED_DICT) {
      return fail(Errc::corrupt, "{} {} at {}: {} before {}", gzip_ ? "gzip member" : "zlib stream", members_,
                  member_offset_, reason_of(code), in_.offset());
    }
    const std::size_t produced = room - state_->avail_out;
    text_ += produced;
    if (state_->block_state == ISAL_BLOCK_FINISH) {
      // What ISA-L read ahead: at most seven bytes, fewer than gzip's trailer, but not fewer than zlib's.
      if (!gzip_ && state_->read_in_length >= 8) {
        return fail(Errc::corrupt, "bytes follow the zlib stream before {}", in_.offset());
      }
      at_ = At::header;
    } else if (produced == 0 && !more) {
      return fail(Errc::torn, "the compressed bytes end at {} inside {} {}", in_.offset(),
                  gzip_ ? "gzip member" : "zlib stream", members_);
    }
    return produced;
  }

  PieceReader in_;
  const bool gzip_;
  std::unique_ptr<inflate_state> state_;  // about 90 KB
  At at_ = At::header;
  std::uint64_t members_ = 0, member_offset_ = 0, text_ = 0;
  std::vector<GzipMember>* told_ = nullptr;
  std::uint32_t header_crc_ = 0;
  Buffer out_;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace

std::unique_ptr<Source> gzip_decoder_telling(std::unique_ptr<Source> from, std::vector<GzipMember>& members) {
  return std::make_unique<InflateSource>(std::move(from), true, &members);
}

std::unique_ptr<Source> gzip_decoder(std::unique_ptr<Source> from) {
  return std::make_unique<InflateSource>(std::move(from), true);
}

std::unique_ptr<Source> zlib_decoder(std::unique_ptr<Source> from) {
  return std::make_unique<InflateSource>(std::move(from), false);
}

}  // namespace tidemark::io
