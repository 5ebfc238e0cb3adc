#include "net/duplex.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "net/exchange.h"

namespace tidemark::net {
namespace {

constexpr std::size_t kMostKept = 8UL << 20U;

}  // namespace

// Readable once a stop was asked for.
class Duplex::Waker {
 public:
  explicit Waker(const std::stop_token& stop)
      : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), on_stop_(stop, Ring{fd_}) {}
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;
  ~Waker() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  struct Ring {
    int fd;
    void operator()() const {
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(fd, &one, sizeof one);  // fails only when it is full, so readable
    }
  };
  const int fd_;
  std::stop_callback<Ring> on_stop_;
};

Duplex::Duplex(std::unique_ptr<Exchange> exchange, const Request& request, const Clock& clock, std::stop_token stop)
    : exchange_(std::move(exchange)),
      clock_(clock),
      where_(exchange_->where()),
      silence_(request.silence),
      deadline_(request.deadline),
      began_(clock.ticks()),
      stop_(std::move(stop)),
      waker_(std::make_unique<Waker>(stop_)) {}

Duplex::~Duplex() = default;

// Until the socket is ready, or it is time to look again.
Status Duplex::wait(bool to_write, Ticks since) {
  if (stop_.stop_requested()) return fail(Errc::cancelled, "{}: asked to stop", where_);
  const Ticks now = clock_.ticks();
  const auto seconds = [](std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); };
  if (deadline_.count() != 0 && now - began_ >= deadline_) {
    return fail(Errc::timeout, "{}: not done within {} s", where_, seconds(deadline_));
  }
  if (now - since >= silence_) return fail(Errc::timeout, "{}: no byte for {} s", where_, seconds(silence_));
  std::chrono::nanoseconds left = since + silence_ - now;
  if (deadline_.count() != 0) left = std::min(left, std::chrono::nanoseconds(began_ + deadline_ - now));
  const auto slice = std::clamp(std::chrono::ceil<std::chrono::milliseconds>(left), std::chrono::milliseconds(1),
                                std::chrono::milliseconds(1000));  // TLS may want the other direction: look again
  const bool reads = !ended_ && kept_.size() - used_ < kMostKept;  // an end would be ready to be read for ever
  const short events = static_cast<short>((reads ? POLLIN : 0) | (to_write ? POLLOUT : 0));
  std::array<pollfd, 2> of{{{.fd = exchange_->socket(), .events = events, .revents = 0},
                            {.fd = waker_->fd(), .events = POLLIN, .revents = 0}}};
  if (::poll(of.data(), of.size(), static_cast<int>(slice.count())) < 0 && errno != EINTR) {
    return sys_fail("wait for", where_);
  }
  return {};
}

Result<std::optional<std::size_t>> Duplex::receive(MutableBytes into) {
  TM_LET(const std::optional<std::size_t> got, exchange_->receive(into));
  if (got && *got == 0) ended_ = true;
  return got;
}

Result<std::size_t> Duplex::read_some(MutableBytes into) {
  if (into.empty()) return 0;
  if (used_ < kept_.size()) {
    const std::size_t n = std::min(into.size(), kept_.size() - used_);
    std::copy_n(kept_.begin() + static_cast<std::ptrdiff_t>(used_), n, into.begin());
    used_ += n;
    if (used_ == kept_.size()) {
      kept_.clear();
      used_ = 0;
    }
    return n;
  }
  if (ended_) return 0;
  for (const Ticks since = clock_.ticks();;) {
    TM_LET(const std::optional<std::size_t> got, receive(into));
    if (got) return *got;
    TM_CHECK(wait(/*to_write=*/false, since));
  }
}

// What is there now, so that the other side, which may wait for us to read, reads what we write.
Status Duplex::stash() {
  constexpr std::size_t kPiece = 64UL << 10U;
  while (!ended_ && kept_.size() - used_ < kMostKept) {
    const std::size_t before = kept_.size();
    kept_.resize(before + kPiece);
    const auto got = receive(MutableBytes(kept_).subspan(before));
    kept_.resize(before + (got && *got ? **got : 0));
    if (!got) return std::unexpected(got.error());
    if (!*got) break;
  }
  return {};
}

Status Duplex::write(Bytes bytes) {
  Ticks since = clock_.ticks();
  while (!bytes.empty()) {
    TM_LET(const std::size_t sent, exchange_->transmit(bytes));
    if (sent != 0) {
      bytes = bytes.subspan(sent);
      since = clock_.ticks();
      continue;
    }
    TM_CHECK(stash());
    TM_CHECK(wait(/*to_write=*/true, since));
  }
  return {};
}

}  // namespace tidemark::net
