// One line an event, to standard error: time, level, what happened, and key=value facts. Never a secret.
//
// log_info("full published", "key={} revision={} took={}", key, revision, print_duration(d));
// prints   2026-11-21T10:00:00.123Z info  full published key=v2/Full-… revision=1234 took=2.1s
// Threads: any; lines are never mixed.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace tidemark {

enum class LogLevel { debug, info, warning, error };

void set_log_level(LogLevel least);
bool parse_log_level(std::string_view word, LogLevel& level);
void log_line(LogLevel level, std::string_view event, std::string_view facts);

template <class... Args>
void log_debug(std::string_view event, fmt::format_string<Args...> facts, Args&&... args) {
  log_line(LogLevel::debug, event, fmt::format(facts, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(std::string_view event, fmt::format_string<Args...> facts, Args&&... args) {
  log_line(LogLevel::info, event, fmt::format(facts, std::forward<Args>(args)...));
}
template <class... Args>
void log_warning(std::string_view event, fmt::format_string<Args...> facts, Args&&... args) {
  log_line(LogLevel::warning, event, fmt::format(facts, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(std::string_view event, fmt::format_string<Args...> facts, Args&&... args) {
  log_line(LogLevel::error, event, fmt::format(facts, std::forward<Args>(args)...));
}

}  // namespace tidemark
