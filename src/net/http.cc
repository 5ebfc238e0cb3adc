#include "net/http.h"

#include <algorithm>
#include <charconv>
#include <mutex>

#include "net/duplex.h"
#include "net/exchange.h"

namespace tidemark::net {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

// libcurl wants this once a process, before anything else; it has no partner, because a process ends once.
bool curl_ready() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

Status hinted_for_tls(Status done) {
  if (done || done.error().code != Errc::denied) return done;
  return hinted(std::move(done), "give the authority that signed its certificate (a PEM file)");
}

}  // namespace

std::string_view header_value(const Headers& headers, std::string_view name) {
  const auto found = std::ranges::find_if(headers, [&](const Header& h) { return same_name(h.name, name); });
  return found == headers.end() ? std::string_view() : std::string_view(found->value);
}

// Handles that nobody uses now, with their open connections; the one used last is used next.
class Client::Lanes {
 public:
  std::unique_ptr<Lane> take() {
    const std::scoped_lock lock(mutex_);
    if (idle_.empty()) return std::make_unique<Lane>();
    auto lane = std::move(idle_.back());
    idle_.pop_back();
    return lane;
  }
  void give_back(std::unique_ptr<Lane> lane) {
    constexpr std::size_t kMostIdle = 16;
    std::vector<std::unique_ptr<Lane>> silent;  // after the lock: their ends take time
    const std::scoped_lock lock(mutex_);
    if (lane == nullptr) {
      silent.swap(idle_);
    } else if (idle_.size() < kMostIdle) {
      idle_.push_back(std::move(lane));
    }
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Lane>> idle_;
};

Client::Client(ClientOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), traffic_(std::make_shared<Traffic>()) {
  if (curl_ready()) lanes_ = std::make_shared<Lanes>();
}

Client::~Client() = default;

Result<Response> Client::send(const Request& request, std::stop_token stop) {
  if (lanes_ == nullptr) return fail(Errc::io, "libcurl does not start");
  auto lane = lanes_->take();
  if (lane->easy == nullptr || lane->multi == nullptr) return fail(Errc::io, "no HTTP handle");
  auto exchange = std::make_unique<Exchange>(
      std::move(lane), [lanes = lanes_](std::unique_ptr<Lane> used) { lanes->give_back(std::move(used)); }, options_,
      clock_, traffic_, std::move(stop));
  TM_CHECK(hinted_for_tls(exchange->begin(request)));
  return Response(std::move(exchange));
}

Result<std::unique_ptr<Duplex>> Client::connect(const Request& request, std::stop_token stop) {
  if (lanes_ == nullptr) return fail(Errc::io, "libcurl does not start");
  auto lane = std::make_unique<Lane>();
  if (lane->easy == nullptr || lane->multi == nullptr) return fail(Errc::io, "no HTTP handle");
  // The connection is no HTTP connection afterwards: nobody else gets the lane.
  auto exchange = std::make_unique<Exchange>(
      std::move(lane), [](const std::unique_ptr<Lane>&) {}, options_, clock_, traffic_, stop);
  TM_CHECK(hinted_for_tls(exchange->connect(request)));
  return std::make_unique<Duplex>(std::move(exchange), request, clock_, std::move(stop));
}

Response::Response(std::unique_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
Response::Response(Response&&) noexcept = default;
Response& Response::operator=(Response&&) noexcept = default;
Response::~Response() = default;

int Response::status() const { return exchange_->status(); }
const Headers& Response::headers() const { return exchange_->headers(); }
Result<std::size_t> Response::read(MutableBytes into) { return exchange_->read(into); }

std::optional<std::uint64_t> Response::content_length() const {
  const std::string_view text = header("Content-Length");
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return length;
}

}  // namespace tidemark::net
