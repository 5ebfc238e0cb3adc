#include "capture/testing/kill_at.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <regex>

namespace tidemark::capture::testing {

KillAt::KillAt(const io::Path& journal, Cut cut)
    : journal_(io::open_file(journal, O_WRONLY | O_CREAT | O_APPEND).value()), cut_(std::move(cut)) {}

void KillAt::about_to(std::string_view action) {
  const std::lock_guard lock(mutex_);
  (void)io::write_all(journal_.get(), as_bytes(std::string(action) + "\n"), "journal");
  if (action == cut_.step && ++seen_ == cut_.nth) ::kill(::getpid(), SIGKILL);
}

std::map<std::string, int> read_journal(const io::Path& journal) {
  std::map<std::string, int> counts;
  std::ifstream lines(journal);
  for (std::string line; std::getline(lines, line);) counts[line]++;
  return counts;
}

std::vector<std::string> steps_in_sources(const io::Path& folder) {
  std::vector<std::string> names;
  const std::regex call("about_to\\(\\s*\"([^\"]+)\"");
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const io::Path& path = entry.path();
    if (path.extension() != ".cc" || path.stem().native().ends_with("_test")) continue;
    std::ifstream in(path);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    for (std::sregex_iterator at(text.begin(), text.end(), call), end; at != end; ++at) names.push_back((*at)[1]);
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  EXPECT_TRUE(twice == names.end()) << "two steps are called '" << *twice << "'";
  return names;
}

}  // namespace tidemark::capture::testing
