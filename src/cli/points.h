// What `list` and `show` say about a timeline's points, in words and as JSON fields.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/chain.h"
#include "catalog/proof.h"
#include "catalog/timeline.h"

namespace tidemark::cli {

std::string_view kind_word(bucket::Kind kind);           // "full", "delta"
std::string_view codec_word(bucket::Compression codec);  // "none", "gzip", "lzw", "zlib"
std::string span_words(RevisionSpan span);               // "309..434", or "308"
std::string revisions_of(const catalog::Point& point);   // the span of a delta, the revision of a full

// "ok": part of what can be restored. "stray": another object's claim won. "cut off": no full leads to it.
std::string_view state_word(const catalog::Point& point, const std::vector<RevisionSpan>& restorable);

// The point that a user names: "latest", a revision ("rev:1234", "1234": a full of exactly it, else the delta that
// holds it), or an object's key or its last part. Errc::not_found, with a hint.
Result<const catalog::Point*> find_point(const catalog::Timeline& timeline, const std::string& wanted);

nlohmann::ordered_json point_fields(const catalog::Point& point, const std::vector<RevisionSpan>& restorable);

std::string proof_words(const catalog::ProofMark* proof);  // "replay 2026-11-21T10:00:00Z", "BAD digest …", "-"
nlohmann::ordered_json proof_fields(const catalog::ProofMark* proof);  // null without one

}  // namespace tidemark::cli
