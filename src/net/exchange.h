// One request on its way and its answer on its way back: a libcurl handle driven by the thread that waits for it.
// Private to net/.
#pragma once

#include <curl/curl.h>

#include <array>

#include "net/http.h"

namespace tidemark::net {

// A handle with the connections that it keeps. One exchange at a time.
struct Lane {
  struct FreeMulti {
    void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
  };
  struct FreeEasy {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };
  std::unique_ptr<CURLM, FreeMulti> multi{curl_multi_init()};
  std::unique_ptr<CURL, FreeEasy> easy{curl_easy_init()};  // after multi: it goes first
};

class Exchange {
 public:
  using GiveBack = std::function<void(std::unique_ptr<Lane>)>;  // none: it fell silent, others may be as dead
  Exchange(std::unique_ptr<Lane> lane, GiveBack give_back, const ClientOptions& options, const Clock& clock,
           std::shared_ptr<Traffic> traffic, std::stop_token stop);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();

  // Sends; returns with the answer's head here and the request's body no longer needed.
  Status begin(const Request& request);
  Result<std::size_t> read(MutableBytes into);

  // Instead of begin(): connects to the URL's server and sends nothing. Then bytes go both ways, as far as they go
  // without waiting (nullopt, 0: no further now; a received 0 is the end); socket() is for poll().
  Status connect(const Request& request);
  Result<std::optional<std::size_t>> receive(MutableBytes into);
  Result<std::size_t> transmit(Bytes bytes);
  int socket() const;
  std::string where() const;

  int status() const { return status_; }
  const Headers& headers() const { return headers_; }

 private:
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  Status set_up(const Request& request);
  void set_tls();
  Status set_server_name();
  Status set_headers(const Request& request);
  void set_body(const Request& request);
  // Moves bytes until `done()` or the end of the exchange.
  template <class Done>
  Status run_until(const Done& done);
  Status check_time(Ticks now);
  std::chrono::milliseconds next_look(Ticks now) const;
  void take_result();
  Status failure() const;

  std::size_t on_header(std::string_view line);
  std::size_t on_write(Bytes bytes);
  std::size_t on_read(MutableBytes into);
  int on_seek(std::uint64_t offset);
  template <class T>
  bool set(CURLoption option, T value) {
    return curl_easy_setopt(lane_->easy.get(), option, value) == CURLE_OK;
  }

  std::unique_ptr<Lane> lane_;
  GiveBack give_back_;
  const ClientOptions options_;
  const Clock& clock_;
  std::shared_ptr<Traffic> traffic_;
  std::stop_token stop_;
  std::optional<std::stop_callback<std::function<void()>>> wake_;

  std::unique_ptr<curl_slist, FreeList> header_list_, connect_list_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  std::string method_, url_;
  std::chrono::nanoseconds connect_within_{}, silence_{}, deadline_{};
  Ticks began_{}, moved_{};  // moved: when the last byte went either way

  Bytes body_;                        // what is left of it
  const Request* request_ = nullptr;  // while its body may be needed
  std::unique_ptr<io::Source> source_;
  std::uint64_t left_to_send_ = 0;
  Status source_status_;

  int status_ = 0;
  Headers headers_;
  bool sent_ = false, head_done_ = false, ended_ = false, attached_ = false, paused_ = false;
  bool silent_ = false;  // the connection may be dead without anybody's having said so
  CURLcode result_ = CURLE_OK;
  Buffer buffer_;
  std::size_t used_ = 0;
};

}  // namespace tidemark::net
