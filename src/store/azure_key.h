// Azure's SharedKey: what says who sent a request and that nobody changed it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "net/http.h"

namespace tidemark::store {

// What is signed: the verb, eleven headers, the x-ms-* headers, and the account with path and query. Of Blob service
// versions 2015-02-21 and later. Errc::invalid: the URL is none.
Result<std::string> azure_text_to_sign(const net::Request& request, std::string_view account);

// Adds x-ms-date and Authorization; nothing may be added afterwards. `key`: decoded.
Status sign_azure(net::Request& request, std::string_view account, Bytes key, Time now);

}  // namespace tidemark::store
