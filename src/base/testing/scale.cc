#include "base/testing/scale.h"

#include <cstdio>
#include <cstdlib>
#include <random>

namespace tidemark::testing {

int scale() {
  static const int value = [] {
    const char* text = std::getenv("TM_SCALE");
    const int n = text == nullptr ? 1 : std::atoi(text);
    return n < 1 ? 1 : n;
  }();
  return value;
}

int scaled(int at_one) { return at_one * scale(); }

std::uint64_t seed() {
  static const std::uint64_t value = [] {
    const char* text = std::getenv("TM_SEED");
    const std::uint64_t s = text == nullptr ? std::random_device()() : std::strtoull(text, nullptr, 10);
    std::printf("TM_SEED=%llu\n", static_cast<unsigned long long>(s));
    std::fflush(stdout);
    return s;
  }();
  return value;
}

}  // namespace tidemark::testing
