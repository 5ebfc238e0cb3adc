#include "restore/testing/live_state.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/base64.h"
#include "bucket/testing/bucket_fixtures.h"
#include "etcd/row.h"
#include "io/compress.h"

namespace tidemark::restore::testing {
namespace {

std::string from_base64(const std::string& text) {
  Buffer bytes(text.size());
  const auto size = base64_decode(text, bytes.data());
  return size ? std::string(as_text(Bytes(bytes).first(*size))) : std::string("(bad base64)");
}

std::string print(const Live& live) {
  return fmt::format("create {} mod {} version {} lease {:x} value of {} bytes", live.create, live.mod, live.version,
                     live.lease, live.value.size());
}

}  // namespace

Result<LiveState> live_state(const bolt::Reader& database, Revision at) {
  LiveState state;
  TM_LET(const auto rows, database.bucket("key"));
  TM_CHECK(database.for_each(rows, [&](const bolt::Element& row) -> Status {
    TM_LET(const auto id, etcd::decode_row_key(row.key));
    if (id.main > at) return {};
    TM_LET(const auto kv, etcd::decode_key_value(row.value));
    const std::string key(as_text(kv.key));
    if (id.tombstone) {
      state.erase(key);
    } else {
      state[key] = {std::string(as_text(kv.value)), kv.create.raw(), kv.mod.raw(), kv.version, kv.lease.raw()};
    }
    return {};
  }));
  return state;
}

Result<LiveState> expected_state(const io::Path& jsonl_gz) {
  TM_LET(auto file, io::FileSource::open(jsonl_gz));
  TM_LET(const auto text, io::decompressing(io::Codec::gzip, std::make_unique<io::FileSource>(std::move(file))));
  TM_LET(const Buffer all, io::read_all(*text, 1UL << 30U));
  std::istringstream lines{std::string(as_text(all))};
  LiveState state;
  for (std::string line; std::getline(lines, line);) {
    const auto kv = nlohmann::json::parse(line);
    state[from_base64(kv.at("key"))] = {from_base64(kv.at("value")), kv.at("create_revision"), kv.at("mod_revision"),
                                        kv.at("version"), kv.at("lease")};
  }
  return state;
}

std::string difference(const LiveState& is, const LiveState& should) {
  std::string text;
  int told = 0;
  const auto tell = [&](const std::string& line) {
    if (++told <= 5) text += line + "\n";
  };
  for (const auto& [key, live] : should) {
    const auto at = is.find(key);
    if (at == is.end()) {
      tell(fmt::format("missing '{}': {}", key, print(live)));
    } else if (at->second != live) {
      tell(fmt::format("'{}': {} instead of {}", key, print(at->second), print(live)));
    }
  }
  for (const auto& [key, live] : is) {
    if (!should.contains(key)) tell(fmt::format("too many '{}': {}", key, print(live)));
  }
  if (told > 5) text += fmt::format("and {} more\n", told - 5);
  return text;
}

Result<bool> Listener::approve(const Plan& plan, bool) {
  plans.push_back(plan);
  return true;
}

void Listener::say(std::string_view line) { said += std::string(line) + "\n"; }

}  // namespace tidemark::restore::testing
