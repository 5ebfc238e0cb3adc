// Environment variables as a value, so that tests bring their own.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace tidemark::store {

// The value of a variable; empty when it is not set.
using Environment = std::function<std::string(std::string_view name)>;

// The process's own. Threads: any, as long as nobody sets variables.
Environment process_environment();

}  // namespace tidemark::store
