// How fast stored Kubernetes objects become JSON, and how fast only their metadata is read, on one core.
//
//   decode FILE...          each a snapshot, or a data directory's db, of a Kubernetes cluster's etcd
//
// Every value under /registry/ is read into memory first. Then all of them are gone through again and again for two
// seconds a question: MB are those of the values as they are stored. Kinds are told one by one, the largest first: a
// large object has more that a reader of metadata need not look at.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "bolt/reader.h"
#include "etcd/row.h"
#include "io/file.h"
#include "kube/object_json.h"
#include "kube/object_metadata.h"
#include "kube/storage_value.h"

namespace tidemark {
namespace {

using Values = std::vector<std::string>;

// By encoding and kind: "protobuf Pod".
Status read_values(const io::Path& file, std::map<std::string, Values>& into) {
  TM_LET(const std::uint64_t size, io::size_of_file(file));
  TM_LET(const bolt::Reader database, bolt::Reader::open(file, size - size % 512));
  TM_LET(const bolt::Bucket rows, database.bucket("key"));
  kube::ObjectMetadata metadata;
  return database.for_each(rows, [&](const bolt::Element& row) -> Status {
    TM_LET(const etcd::RowId id, etcd::decode_row_key(row.key));
    if (id.tombstone) return {};
    TM_LET(const etcd::KeyValue kv, etcd::decode_key_value(row.value));
    if (!as_text(kv.key).starts_with("/registry/") || !kube::read_metadata(kv.value, metadata)) return {};
    const bool json = kube::encoding_of(kv.value) == kube::Encoding::json;
    into[fmt::format("{} {}", json ? "JSON" : "protobuf", metadata.kind)].emplace_back(as_text(kv.value));
    return {};
  });
}

std::uint64_t bytes_of(const Values& values) {
  std::uint64_t bytes = 0;
  for (const std::string& value : values) bytes += value.size();
  return bytes;
}

// MB/s of `work` over all of them.
double rate(const std::vector<const Values*>& all, double seconds, const std::function<void(Bytes)>& work) {
  std::uint64_t bytes = 0;
  const Ticks begin = system_clock().ticks();
  std::chrono::duration<double> took{};
  do {
    for (const Values* values : all) {
      for (const std::string& value : *values) work(as_bytes(value));
      bytes += bytes_of(*values);
    }
    took = system_clock().ticks() - begin;
  } while (took.count() < seconds);
  return static_cast<double>(bytes) / 1e6 / took.count();
}

struct Rates {
  double json = 0, metadata = 0;
};

Rates measure(const std::vector<const Values*>& all, double seconds) {
  kube::ObjectPrinter printer(kube::Schema::built_in(), {.style = kube::JsonWriter::Style::compact});
  std::string text;
  kube::ObjectMetadata metadata;
  std::uint64_t seen = 0;
  Rates rates;
  rates.json = rate(all, seconds, [&](Bytes value) {
    text.clear();
    if (printer.print(value, Revision(7), text)) seen += text.size();
  });
  rates.metadata = rate(all, seconds, [&](Bytes value) { seen += kube::read_metadata(value, metadata) ? 1U : 0U; });
  if (seen == 0) fmt::print("nothing could be read\n");
  return rates;
}

Status run(const std::vector<io::Path>& files) {
  std::map<std::string, Values> kinds;
  for (const io::Path& file : files) TM_CHECK(read_values(file, kinds));
  std::vector<std::pair<std::uint64_t, const std::string*>> order;
  std::map<std::string, std::vector<const Values*>> encodings;
  for (const auto& [kind, values] : kinds) {
    order.emplace_back(bytes_of(values), &kind);
    encodings[kind.substr(0, kind.find(' '))].push_back(&values);
  }
  std::ranges::sort(order, std::greater<>());
  fmt::print("{:<44} {:>8} {:>10} {:>12} {:>14}\n", "", "objects", "bytes", "JSON MB/s", "metadata MB/s");
  const auto line = [](const std::string& what, const std::vector<const Values*>& all, double seconds) {
    std::uint64_t objects = 0, bytes = 0;
    for (const Values* values : all) {
      objects += values->size();
      bytes += bytes_of(*values);
    }
    const Rates rates = measure(all, seconds);
    fmt::print("{:<44} {:>8} {:>10} {:>12.0f} {:>14.0f}\n", what, objects, bytes, rates.json, rates.metadata);
  };
  for (const auto& [encoding, all] : encodings) line("all in " + encoding, all, 2);
  constexpr std::size_t kTold = 8;
  for (const auto& [bytes, kind] : std::span(order).first(std::min(order.size(), kTold))) {
    line(*kind, {&kinds.at(*kind)}, 0.5);
  }
  return {};
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: decode FILE...\n", stderr);
    return 2;
  }
  const tidemark::Status done = tidemark::run({argv + 1, argv + argc});
  if (done) return 0;
  std::fprintf(stderr, "decode: %s\n", done.error().what.c_str());
  return 1;
}
