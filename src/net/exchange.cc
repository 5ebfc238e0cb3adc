#include "net/exchange.h"

#include <algorithm>
#include <charconv>

#include "net/url.h"

namespace tidemark::net {

using std::chrono::milliseconds;

namespace {

// Nothing but visible characters and blanks: a line break would be the next header.
bool plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= ' ' && c != 0x7f) || c == '\t'; });
}

long as_ms(std::chrono::nanoseconds time) {
  return std::max(1L, static_cast<long>(std::chrono::duration_cast<milliseconds>(time).count()));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

Exchange::Exchange(std::unique_ptr<Lane> lane, GiveBack give_back, const ClientOptions& options, const Clock& clock,
                   std::shared_ptr<Traffic> traffic, std::stop_token stop)
    : lane_(std::move(lane)),
      give_back_(std::move(give_back)),
      options_(options),
      clock_(clock),
      traffic_(std::move(traffic)),
      stop_(std::move(stop)) {}

Exchange::~Exchange() {
  wake_.reset();  // it wakes the lane, which is another's from here on
  if (attached_) curl_multi_remove_handle(lane_->multi.get(), lane_->easy.get());
  curl_easy_reset(lane_->easy.get());
  if (silent_) lane_.reset();  // an HTTP/2 connection outlives its stream, and the next call would wait for it as long
  give_back_(std::move(lane_));
}

// The URL without its query, which may hold a signature.
std::string Exchange::where() const { return method_ + " " + url_.substr(0, url_.find('?')); }

Status Exchange::begin(const Request& request) {
  ++traffic_->requests;
  request_ = &request;
  const Status began = set_up(request);
  const Status sent = began ? run_until([this] { return head_done_ && left_to_send_ == 0; }) : began;
  request_ = nullptr;
  source_.reset();
  body_ = {};
  if (!sent) ++traffic_->failures;
  return sent;
}

Status Exchange::connect(const Request& request) {
  ++traffic_->requests;
  TM_CHECK(set_up(request));
  set(CURLOPT_CONNECT_ONLY, 1L);
  set(CURLOPT_HTTPPROXYTUNNEL, 1L);                                     // a proxy would read what follows as requests
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));  // what is agreed on in the TLS handshake
  head_done_ = true;                                                    // none is coming
  Status connected = run_until([this] { return ended_; });
  if (connected) connected = failure();
  if (!connected) ++traffic_->failures;
  return connected;
}

Result<std::optional<std::size_t>> Exchange::receive(MutableBytes into) {
  std::size_t got = 0;
  const CURLcode code = curl_easy_recv(lane_->easy.get(), into.data(), into.size(), &got);
  if (code == CURLE_AGAIN) return std::nullopt;
  if (code != CURLE_OK) return fail(Errc::unavailable, "{}: {}", where(), curl_easy_strerror(code));
  traffic_->received_bytes += got;
  return got;
}

Result<std::size_t> Exchange::transmit(Bytes bytes) {
  std::size_t sent = 0;
  const CURLcode code = curl_easy_send(lane_->easy.get(), bytes.data(), bytes.size(), &sent);
  if (code != CURLE_OK && code != CURLE_AGAIN) {
    return fail(Errc::unavailable, "{}: {}", where(), curl_easy_strerror(code));
  }
  traffic_->sent_bytes += sent;
  return sent;
}

int Exchange::socket() const {
  curl_socket_t found = CURL_SOCKET_BAD;
  curl_easy_getinfo(lane_->easy.get(), CURLINFO_ACTIVESOCKET, &found);
  return found;
}

Status Exchange::set_up(const Request& request) {
  method_ = request.method;
  url_ = request.url;
  connect_within_ = request.connect_within;
  silence_ = request.silence;
  deadline_ = request.deadline;
  if (!plain(url_) || url_.find(' ') != std::string::npos) return fail(Errc::invalid, "'{}' is no URL", where());
  set(CURLOPT_URL, url_.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);  // what was signed is what is sent
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(options_.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a name that is being looked up is not waited for: nothing can end getaddrinfo()
  set(CURLOPT_BUFFERSIZE, 128L << 10U);
  set(CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10U);
  set(CURLOPT_MAXCONNECTS, 4L);
  set(CURLOPT_USERAGENT, options_.user_agent.c_str());
  set(CURLOPT_ERRORBUFFER, error_text_.data());
  set(CURLOPT_CONNECTTIMEOUT_MS, as_ms(connect_within_));
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set_tls();
  if (options_.proxy) {
    set(CURLOPT_PROXY, options_.proxy->c_str());
    set(CURLOPT_NOPROXY, options_.no_proxy.c_str());
  }

  set(
      CURLOPT_HEADERFUNCTION, +[](char* text, std::size_t size, std::size_t n, void* self) -> std::size_t {
        return static_cast<Exchange*>(self)->on_header({text, size * n});
      });
  set(CURLOPT_HEADERDATA, this);
  set(
      CURLOPT_WRITEFUNCTION, +[](char* text, std::size_t size, std::size_t n, void* self) -> std::size_t {
        return static_cast<Exchange*>(self)->on_write(as_bytes({text, size * n}));
      });
  set(CURLOPT_WRITEDATA, this);
  // libcurl sends a request again by itself when a connection that it used before ends without a byte of an answer. The
  // other side may have heard it: whether to send it twice is for our caller to say.
  set(
      CURLOPT_PREREQFUNCTION, +[](void* self, char*, char*, int, int) -> int {
        return std::exchange(static_cast<Exchange*>(self)->sent_, true) ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
      });
  set(CURLOPT_PREREQDATA, this);
  set_body(request);
  TM_CHECK(source_status_);
  TM_CHECK(set_headers(request));
  TM_CHECK(set_server_name());
  if (curl_multi_add_handle(lane_->multi.get(), lane_->easy.get()) != CURLM_OK) {
    return fail(Errc::io, "{}: no HTTP handle", where());
  }
  attached_ = true;
  began_ = moved_ = clock_.ticks();
  wake_.emplace(stop_, std::function<void()>([multi = lane_->multi.get()] { curl_multi_wakeup(multi); }));
  return {};
}

void Exchange::set_tls() {
  const auto blob = [this](CURLoption option, const std::string& text) {
    curl_blob bytes{.data = const_cast<char*>(text.data()), .len = text.size(), .flags = CURL_BLOB_NOCOPY};
    set(option, &bytes);
  };
  if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
  if (!options_.ca_pem.empty()) blob(CURLOPT_CAINFO_BLOB, options_.ca_pem);
  if (options_.only_these_authorities) set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  if (!options_.cert_file.empty()) set(CURLOPT_SSLCERT, options_.cert_file.c_str());
  if (!options_.key_file.empty()) set(CURLOPT_SSLKEY, options_.key_file.c_str());
  if (!options_.cert_pem.empty()) blob(CURLOPT_SSLCERT_BLOB, options_.cert_pem);
  if (!options_.key_pem.empty()) blob(CURLOPT_SSLKEY_BLOB, options_.key_pem);
  if (options_.skip_server_check) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

// libcurl takes the name from the URL: so it gets a URL of that name, and is told where this host really is.
Status Exchange::set_server_name() {
  if (options_.server_name.empty()) return {};
  TM_LET(const Url url, parse_url(url_));
  if (url.scheme != "https") return {};
  const std::size_t colon = url.host.rfind(':');
  const bool has_port = colon != std::string::npos && url.host.find(']', colon) == std::string::npos;
  const std::string port = has_port ? url.host.substr(colon + 1) : "443";
  const std::string host = url.host.substr(0, has_port ? colon : std::string::npos);
  const std::string line = fmt::format("{}:{}:{}:{}", options_.server_name, port, host, port);
  connect_list_.reset(curl_slist_append(nullptr, line.c_str()));
  set(CURLOPT_CONNECT_TO, connect_list_.get());
  header_list_.reset(curl_slist_append(header_list_.release(), ("Host: " + url.host_header()).c_str()));
  set(CURLOPT_HTTPHEADER, header_list_.get());
  const std::string named = fmt::format("https://{}:{}{}", options_.server_name, port,
                                        url_.substr(std::string_view("https://").size() + url.host.size()));
  set(CURLOPT_URL, named.c_str());
  return {};
}

Status Exchange::set_headers(const Request& request) {
  const auto append = [this](const std::string& line) {
    header_list_.reset(curl_slist_append(header_list_.release(), line.c_str()));
  };
  append("Expect:");  // many servers never say "continue"
  for (const Header& header : request.headers) {
    if (!plain(header.name) || !plain(header.value) || header.name.find(':') != std::string::npos) {
      return fail(Errc::invalid, "{}: header '{}' has characters that none may have", where(), header.name);
    }
    append(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  set(CURLOPT_HTTPHEADER, header_list_.get());
  return {};
}

void Exchange::set_body(const Request& request) {
  left_to_send_ = request.open_body ? request.body_size : request.body.size();
  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (left_to_send_ != 0 || request.open_body || request.method == "PUT" || request.method == "POST") {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(left_to_send_));
    set(
        CURLOPT_READFUNCTION, +[](char* text, std::size_t size, std::size_t n, void* self) -> std::size_t {
          return static_cast<Exchange*>(self)->on_read({reinterpret_cast<std::byte*>(text), size * n});
        });
    set(CURLOPT_READDATA, this);
    set(
        CURLOPT_SEEKFUNCTION, +[](void* self, curl_off_t offset, int origin) -> int {
          return origin == SEEK_SET ? static_cast<Exchange*>(self)->on_seek(static_cast<std::uint64_t>(offset))
                                    : CURL_SEEKFUNC_CANTSEEK;
        });
    set(CURLOPT_SEEKDATA, this);
    on_seek(0);
  }
  if (request.method != "HEAD") set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

int Exchange::on_seek(std::uint64_t offset) {
  if (request_ == nullptr || offset != 0) return CURL_SEEKFUNC_CANTSEEK;
  if (!request_->open_body) {
    body_ = request_->body;
    left_to_send_ = body_.size();
    return CURL_SEEKFUNC_OK;
  }
  auto source = request_->open_body();
  left_to_send_ = request_->body_size;
  if (!source) {
    source_status_ = std::unexpected(source.error());
    return CURL_SEEKFUNC_FAIL;
  }
  source_ = *std::move(source);
  return CURL_SEEKFUNC_OK;
}

std::size_t Exchange::on_read(MutableBytes into) {
  if (request_ == nullptr) return CURL_READFUNC_ABORT;
  into = into.first(std::min<std::uint64_t>(into.size(), left_to_send_));
  std::size_t n = into.size();
  if (source_ != nullptr && n != 0) {
    const auto got = source_->read(into);
    if (got && *got == 0) {
      source_status_ = fail(Errc::io, "{}: the body ended {} bytes early", where(), left_to_send_);
    } else if (!got) {
      source_status_ = std::unexpected(got.error());
    }
    if (!source_status_) return CURL_READFUNC_ABORT;
    n = *got;
  } else if (n != 0) {
    std::ranges::copy(body_.first(n), into.begin());
    body_ = body_.subspan(n);
  }
  left_to_send_ -= n;
  traffic_->sent_bytes += n;
  moved_ = clock_.ticks();
  return n;
}

std::size_t Exchange::on_header(std::string_view line) {
  constexpr std::size_t kMostHeaders = 1000;
  moved_ = clock_.ticks();
  const std::string_view text = trimmed(line);
  if (text.starts_with("HTTP/")) {
    headers_.clear();
    status_ = 0;
    const std::size_t blank = text.find(' ');
    if (blank != std::string_view::npos) std::from_chars(text.data() + blank + 1, text.data() + text.size(), status_);
    return line.size();
  }
  if (text.empty()) {
    if (status_ >= 200) head_done_ = true;  // 1xx: the real one follows
    return line.size();
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || headers_.size() >= kMostHeaders) return 0;
  if (!head_done_)
    headers_.push_back({std::string(text.substr(0, colon)), std::string(trimmed(text.substr(colon + 1)))});
  return line.size();
}

std::size_t Exchange::on_write(Bytes bytes) {
  if (buffer_.size() - used_ >= options_.buffer_bytes) {
    paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
  used_ = 0;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  traffic_->received_bytes += bytes.size();
  moved_ = clock_.ticks();
  return bytes.size();
}

Result<std::size_t> Exchange::read(MutableBytes into) {
  if (into.empty()) return 0;
  if (used_ == buffer_.size() && !ended_) {
    moved_ = clock_.ticks();  // the reader's own pause is not the server's silence
    if (paused_) {
      paused_ = false;
      curl_easy_pause(lane_->easy.get(), CURLPAUSE_CONT);
    }
    TM_CHECK(run_until([this] { return used_ != buffer_.size(); }));
  }
  const std::size_t n = std::min(into.size(), buffer_.size() - used_);
  if (n == 0) {
    TM_CHECK(failure());
    return 0;
  }
  std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(used_), n, into.begin());
  used_ += n;
  return n;
}

template <class Done>
Status Exchange::run_until(const Done& done) {
  for (;;) {
    if (stop_.stop_requested()) return fail(Errc::cancelled, "{}: asked to stop", where());
    int running = 0;
    const CURLMcode moved = curl_multi_perform(lane_->multi.get(), &running);
    if (moved != CURLM_OK) return fail(Errc::io, "{}: {}", where(), curl_multi_strerror(moved));
    take_result();
    if (done()) return {};
    if (ended_) return failure();
    const Ticks now = clock_.ticks();
    TM_CHECK(check_time(now));
    curl_multi_poll(lane_->multi.get(), nullptr, 0, static_cast<int>(next_look(now).count()), nullptr);
  }
}

Status Exchange::check_time(Ticks now) {
  if (deadline_.count() != 0 && now - began_ >= deadline_) {
    silent_ = true;  // or as good as that
    return fail(Errc::timeout, "{}: not done within {} s", where(), as_ms(deadline_) / 1000.0);
  }
  if (now - moved_ >= silence_) {
    silent_ = true;
    return fail(Errc::timeout, "{}: no byte for {} s", where(), as_ms(silence_) / 1000.0);
  }
  return {};
}

milliseconds Exchange::next_look(Ticks now) const {
  auto wait = std::chrono::nanoseconds(std::chrono::seconds(1));
  wait = std::min(wait, std::chrono::nanoseconds(moved_ + silence_ - now));
  if (deadline_.count() != 0) wait = std::min(wait, std::chrono::nanoseconds(began_ + deadline_ - now));
  return milliseconds(std::clamp(as_ms(wait), 1L, 1000L));
}

void Exchange::take_result() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(lane_->multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    ended_ = true;
    result_ = message->data.result;
  }
  // A server that has heard enough answers before all is sent; the rest is not wanted.
  if (ended_ && head_done_) left_to_send_ = 0;
}

Status Exchange::failure() const {
  if (!source_status_) return source_status_;
  const auto failed = [this](Errc code) {
    const std::string_view text = error_text_[0] != 0 ? error_text_.data() : curl_easy_strerror(result_);
    return fail(code, "{}: {}", where(), text);
  };
  switch (result_) {
    case CURLE_OK:
      if (head_done_) return {};
      [[fallthrough]];
    case CURLE_ABORTED_BY_CALLBACK:
      return fail(Errc::unavailable, "{}: the connection ended without an answer", where());
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE: return failed(Errc::invalid);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return failed(Errc::denied);
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT: return failed(Errc::io);
    // All others are the wire's: no such host, refused, reset, cut, no TLS, a connection that took too long to make.
    default: return failed(Errc::unavailable);
  }
}

}  // namespace tidemark::net
