// Google Cloud Storage as its documentation has it, for one bucket "bkt", and breaking where the test says.
//
// Held to: ifGenerationMatch=0 at the beginning and at the end of an upload; resumable sessions that keep multiples of
// 256 KiB, answer 308 with the range that they keep, are asked with "bytes */n", refuse bytes they did not expect, and
// give the finished object again; generations; CRC-32C declared and checked; pages; tokens (when `token` is set);
// holds. Threads: any.
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "net/testing/http_server.h"

namespace tidemark::store::testing {

enum class GcsFault {
  none,
  drop_before,    // the connection ends; nothing happened
  drop_after,     // it happened, then the connection ends
  busy,           // 503
  too_many,       // 429
  rate_limit,     // 403 rateLimitExceeded
  keep_half,      // of an upload's bytes only a part is kept, then the connection ends
  cut_body,       // the answer's body ends early
  flip_body,      // one byte of a read object is wrong
  flip_upload,    // one byte of what was sent arrives wrong
  forget_upload,  // the session is gone (410)
};

class GcsServer {
 public:
  GcsServer() : http_([this](const net::testing::Received& r) { return handle(r); }) {}

  std::string url() const { return "gs://bkt/etcd?endpoint=" + http_.url(); }
  net::testing::HttpServer& http() { return http_; }

  // The n-th request from now on (the first is 1) breaks; n = 0: every one.
  void break_request(int n, GcsFault fault);
  bool fired() const;
  int requests() const;  // since break_request()

  struct Object {
    std::string body{}, metadata{};  // metadata: JSON
    std::uint64_t generation = 1;
    bool held = false;
  };
  // Objects by their keys in the bucket, for the test to look at and to change.
  std::map<std::string, Object> objects();
  void put(const std::string& key, Object object);
  // Removed, and still to be had in a bucket that keeps versions: what is removed by its generation is gone for good.
  bool noncurrent(const std::string& key) const;
  std::size_t open_sessions() const;
  std::size_t page_size = 3;

 private:
  struct Session {
    std::string key, metadata, bytes;
    bool done = false;
  };
  struct Target;
  net::testing::Reply handle(const net::testing::Received& r);
  net::testing::Reply route(const net::testing::Received& r, GcsFault fault);
  net::testing::Reply insert(const net::testing::Received& r, const Target& target, GcsFault fault);
  net::testing::Reply session(const net::testing::Received& r, const std::string& id, GcsFault fault);
  net::testing::Reply read(const net::testing::Received& r, const Target& target, GcsFault fault);
  net::testing::Reply list(const Target& target);
  net::testing::Reply create(const std::string& key, const std::string& metadata, const std::string& body);
  net::testing::Reply resource(const std::string& key);

  mutable std::mutex mutex_;
  int requests_ = 0, fault_at_ = -1;
  GcsFault fault_ = GcsFault::none;
  bool fired_ = false;
  std::uint64_t generation_ = 1000;
  std::map<std::string, Object> objects_;
  std::set<std::string> noncurrent_;
  std::map<std::string, Session> sessions_;
  net::testing::HttpServer http_;  // last: it ends before what it serves
};

}  // namespace tidemark::store::testing
