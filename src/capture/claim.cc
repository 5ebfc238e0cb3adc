#include "capture/claim.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <set>

namespace tidemark::capture {

// Nothing: there is no such claim.
Result<std::optional<catalog::Claim>> Claims::at(Revision start, std::uint32_t epoch) {
  const std::string key = catalog::claim_key(start, epoch);
  const auto text = store_.get(key, catalog::kMaxSidecarBytes);
  if (!text && text.error().code == Errc::not_found) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  TM_LET(catalog::Claim claim, named(key, catalog::parse_claim(as_text(*text))));
  if (claim.start != start || claim.epoch != epoch) {
    return fail(Errc::corrupt, "claim '{}' says it is for revision {} in epoch {}", key, claim.start, claim.epoch);
  }
  return claim;
}

Result<std::vector<catalog::Claim>> Claims::of(Revision start) {
  TM_LET(const auto objects, store_.list(catalog::claims_of(start)));
  std::set<std::uint32_t> listed;
  for (const store::ObjectInfo& object : objects) {
    const auto id = catalog::parse_claim_key(object.key);
    if (id && id->first == start) listed.insert(id->second);
  }
  const std::uint32_t highest = listed.empty() ? 0 : *listed.rbegin();
  // Epochs have no holes: each is one more than one that was seen. So what a list leaves out is found by its name, near
  // the highest and above it; further below no list is behind, and a name may say any number.
  constexpr std::uint32_t kNear = 64;
  const std::uint32_t near = highest > kNear ? highest - kNear : 1;
  std::vector<catalog::Claim> claims;
  for (const std::uint32_t epoch : listed) {
    if (epoch >= near) break;
    TM_LET(auto claim, at(start, epoch));
    if (claim) claims.push_back(*std::move(claim));
  }
  for (std::uint32_t epoch = near;; epoch++) {
    TM_LET(auto claim, at(start, epoch));
    if (claim) {
      claims.push_back(*std::move(claim));
    } else if (epoch > highest) {
      return claims;
    }
  }
}

Result<bool> Claims::take(Revision start, std::uint32_t epoch, const std::string& object) {
  catalog::Claim claim;
  claim.start = start;
  claim.epoch = epoch;
  claim.recorder = recorder_;
  claim.object = object;
  claim.created = clock_.now();
  steps_.about_to("claim");
  auto put = store_.put(catalog::claim_key(start, epoch), as_bytes(catalog::print_sidecar(claim)));
  if (put) return true;
  if (put.error().code == Errc::already_exists) return false;
  return std::unexpected(std::move(put).error());
}

Result<std::string> recorder_id(const io::Path& spool_dir, Steps& steps) {
  constexpr std::size_t kUuidSize = 36;
  const io::Path path = spool_dir / "recorder";
  if (auto text = io::read_file(path, 4096); text && text->size() >= kUuidSize) {
    return std::string(as_text(Bytes(*text).first(kUuidSize)));
  } else if (!text && text.error().code != Errc::not_found) {
    return std::unexpected(std::move(text).error());
  }
  std::array<std::byte, 16> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    return sys_fail("read randomness from", "getrandom");
  }
  random[6] = (random[6] & std::byte{0x0F}) | std::byte{0x40};  // RFC 9562: version 4, variant 10
  random[8] = (random[8] & std::byte{0x3F}) | std::byte{0x80};
  std::string id = to_hex(random);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) id.insert(at, "-");
  steps.about_to("write the recorder's name");
  TM_CHECK(io::write_file_durably(path, as_bytes(id + "\n")));
  return id;
}

}  // namespace tidemark::capture
