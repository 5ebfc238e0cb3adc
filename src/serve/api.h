// The Kubernetes API of a moment of the past: what each request is answered with. Nothing can be changed through it.
//
//   GET     discovery, objects, lists, tables, watches, /version, /openapi, health
//   POST    reviews of what the caller may do, which create nothing
//   others  403, with the moment in the message
//
// Threads: any; a request has one.
#pragma once

#include <string>

#include "base/clock.h"
#include "serve/gate.h"
#include "serve/moments.h"
#include "serve/reply.h"

namespace tidemark::serve {

class Api {
 public:
  struct Options {
    std::string version;  // of this program
    const Clock& clock;
  };
  // Requires: `moments` outlives it.
  Api(Moments& moments, Gate gate, Options options)
      : moments_(moments), gate_(std::move(gate)), options_(std::move(options)) {}

  // Always answers, unless the other side goes away. Counts it (Moments::counters()), and logs it at debug level.
  void answer(const Request& request, Reply& reply) const;

 private:
  void answer_plain(const Request& request, Reply& reply) const;
  Moments& moments_;
  const Gate gate_;
  const Options options_;
};

}  // namespace tidemark::serve
