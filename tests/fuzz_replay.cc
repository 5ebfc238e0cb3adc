// Runs a fuzz target without libFuzzer: every file of the corpus folders given, then some seeded mutations of each.
// Usage: <target>_fuzz CORPUS_DIR...   A missing or empty corpus is a failure: a target that runs nothing proves
// nothing.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "base/testing/scale.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

void mutate(Input& input, std::mt19937_64& random) {
  for (auto changes = 1 + random() % 4; changes > 0; changes--) {
    if (input.empty()) input.push_back(0);
    const std::size_t at = random() % input.size();
    switch (random() % 4) {
      case 0: input[at] ^= static_cast<std::uint8_t>(1U << (random() % 8)); break;
      case 1: input[at] = static_cast<std::uint8_t>(random()); break;
      case 2: input.resize(at); break;
      default:
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::uint8_t>(random()));
        break;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::mt19937_64 random(tidemark::testing::seed());
  int inputs = 0;
  for (int i = 1; i < argc; i++) {
    if (!std::filesystem::is_directory(argv[i])) continue;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      const Input original{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
      LLVMFuzzerTestOneInput(original.data(), original.size());
      inputs++;
      for (int n = tidemark::testing::scaled(200); n > 0; n--) {
        Input input = original;
        mutate(input, random);
        LLVMFuzzerTestOneInput(input.data(), input.size());
      }
    }
  }
  std::printf("%d corpus inputs\n", inputs);
  return inputs > 0 ? 0 : 1;
}
