#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace tidemark {

namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto l = std::make_shared<spdlog::logger>("tidemark", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    l->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %-7l %v", spdlog::pattern_time_type::utc);
    l->set_level(spdlog::level::info);
    return l;
  }();
  return *instance;
}

}  // namespace

void set_log_level(LogLevel least) { logger().set_level(to_spdlog(least)); }

bool parse_log_level(std::string_view word, LogLevel& level) {
  for (const auto& [name, value] : {std::pair{"debug", LogLevel::debug},
                                    {"info", LogLevel::info},
                                    {"warning", LogLevel::warning},
                                    {"error", LogLevel::error}}) {
    if (word == name) {
      level = value;
      return true;
    }
  }
  return false;
}

void log_line(LogLevel level, std::string_view event, std::string_view facts) {
  logger().log(to_spdlog(level), "{}{}{}", event, facts.empty() ? "" : " ", facts);
}

}  // namespace tidemark
