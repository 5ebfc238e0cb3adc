// Who may ask: those who call the server by a name of its own (a page in a browser that points its name at this address
// cannot), and have the token.
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/failure.h"

namespace tidemark::serve {

class Gate {
 public:
  // `hosts`: names and addresses, without ports. Without a token everybody may pass who calls it by one of them.
  Gate(const std::vector<std::string>& hosts, int port, std::string token);

  // nullopt: may pass. `host`, `authorization`: the headers, empty without one. 421: another host; 401: no token, or
  // another one, compared in constant time.
  std::optional<Failure> stopped(std::string_view host, std::string_view authorization) const;

 private:
  std::vector<std::string> hosts_;  // as the header has them, in lower case
  const std::string token_;
};

// 32 random bytes, for an Authorization header.
std::string make_token();

}  // namespace tidemark::serve
