// A reply that is compressed where that is worth it: for clients that say they take gzip, answers from 64 KiB on. What
// is still growing (a watch) is never compressed, for it has to arrive piece by piece.
// Threads: that of the request.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/gzip_stream.h"
#include "serve/reply.h"

namespace tidemark::serve {

// "gzip, deflate;q=0.5": whether gzip is among them, and not with q=0.
bool takes_gzip(std::string_view accept_encoding);

class ZippedReply final : public Reply {
 public:
  static constexpr std::size_t kLeastBytes = 64UL << 10U;

  // Requires: `to` outlives it.
  explicit ZippedReply(Reply& to) : to_(to), wire_(to) {}
  Status send(int code, const ReplyHeaders& headers, std::string body) override;
  // Nothing goes out before the first piece shows whether it is worth it.
  Status begin(int code, const ReplyHeaders& headers, bool last) override;
  Status write(std::string_view piece) override;
  Status end() override;
  bool quiet_until(Ticks deadline) override { return to_.quiet_until(deadline); }

 private:
  class Wire final : public io::Sink {
   public:
    explicit Wire(Reply& to) : to_(to) {}
    Status write(Bytes bytes) override { return to_.write(as_text(bytes)); }
    Status finish() override { return {}; }

   private:
    Reply& to_;
  };
  Status decide(bool zipped);

  Reply& to_;
  Wire wire_;
  bool waiting_ = false;  // for the first piece
  int code_ = 0;
  ReplyHeaders headers_;
  std::unique_ptr<io::GzipStreamSink> zip_;  // nullptr: plain
};

}  // namespace tidemark::serve
