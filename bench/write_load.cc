// Writes to an etcd at a steady rate, as a busy Kubernetes cluster would.
//
//   write_load 127.0.0.1:2379 --rate 1000 --bytes 2000 --seconds 60 [--threads 8] [--keys 20000]
//
// Prints how many writes were acknowledged and in how many seconds. A rate that etcd cannot keep shows there.
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "kit/etcd_writer.h"

namespace {

struct Wanted {
  std::string endpoint;
  std::uint64_t rate = 1000, bytes = 2000, seconds = 60, threads = 8, keys = 20'000;
};

// Half text that repeats, half digits that do not.
std::string value(std::mt19937_64& random, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes / 2) text += "\"apiVersion\":\"v1\",\"labels\":{\"app\":\"web\"},";
  while (text.size() < bytes) text += std::to_string(random());
  text.resize(bytes);
  return text;
}

std::uint64_t write(const Wanted& wanted, std::uint64_t seed) {
  auto etcd = tidemark::testing::EtcdWriter::connect(wanted.endpoint).value();
  std::mt19937_64 random(seed);
  const auto step = std::chrono::nanoseconds(1'000'000'000ULL * wanted.threads / wanted.rate);
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + std::chrono::seconds(wanted.seconds);
  std::uint64_t done = 0;
  for (auto next = begin; next < end; next += step) {
    std::this_thread::sleep_until(next);
    if (std::chrono::steady_clock::now() >= end) break;
    const std::string key = "/registry/pods/load/pod-" + std::to_string(random() % wanted.keys);
    if (!etcd.put(key, value(random, wanted.bytes))) return done;
    done++;
  }
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  Wanted wanted;
  for (int i = 1; i < argc; i++) {
    const std::string word = argv[i];
    std::uint64_t* to = word == "--rate"      ? &wanted.rate
                        : word == "--bytes"   ? &wanted.bytes
                        : word == "--seconds" ? &wanted.seconds
                        : word == "--threads" ? &wanted.threads
                        : word == "--keys"    ? &wanted.keys
                                              : nullptr;
    if (to == nullptr) {
      wanted.endpoint = word;
    } else if (i + 1 < argc) {
      *to = std::strtoull(argv[++i], nullptr, 10);
    }
  }
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::uint64_t> done(wanted.threads);
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < wanted.threads; i++) {
      threads.emplace_back([&wanted, &done, i] { done[i] = write(wanted, i + 1); });
    }
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t n : done) sum += n;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%llu %.2f\n", static_cast<unsigned long long>(sum), took.count());
  return 0;
}
