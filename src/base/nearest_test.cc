#include "base/nearest.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

namespace tidemark {
namespace {

TEST(Nearest, OneErrorInFourLetters) {
  const std::vector<std::string_view> words = {"deployments", "deploy", "jobs", "job", "po", "--store", "--since"};
  const std::tuple<std::string, std::string_view> rows[] = {
      {"deplyo", "deploy"},             // neighbours exchanged
      {"deploments", "deployments"},    // one missing
      {"deployyments", "deployments"},  // one too many
      {"dwploymwnts", "deployments"},   // two others of eleven
      {"dwploymwntz", ""},              // three
      {"job", "job"},
      {"jbo", "job"},
      {"frobs", ""},
      {"dep", "deployments"},  // the beginning, of the first
      {"de", ""},
      {"", ""},
      {"p", "po"},
      {"--stroe", "--store"},
      {"--sinc", "--since"},
      {"JOB", ""},
  };
  for (const auto& [typed, meant] : rows) {
    Nearest nearest(typed);
    for (const std::string_view word : words) nearest.consider(word);
    EXPECT_EQ(nearest.found(), meant) << typed;
  }
}

}  // namespace
}  // namespace tidemark
