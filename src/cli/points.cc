#include "cli/points.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/rfc3339.h"

namespace tidemark::cli {
namespace {

using catalog::Point;
using catalog::Timeline;

std::optional<Revision> as_revision(std::string_view text) {
  if (text.starts_with("rev:")) text.remove_prefix(4);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1) return std::nullopt;
  return Revision(value);
}

// The object that a reader would take for this revision: a full of exactly it, else the delta that holds it.
const Point* holding(const Timeline& timeline, Revision revision) {
  const Point* found = nullptr;
  for (const Point& p : timeline.deltas) {
    if (p.name.span.contains(revision) && (found == nullptr || (found->stray && !p.stray))) found = &p;
  }
  for (const Point& p : timeline.fulls) {
    if (p.name.span.last == revision) found = &p;
  }
  return found;
}

const Point* by_name(const Timeline& timeline, std::string_view name) {
  for (const auto* points : {&timeline.fulls, &timeline.deltas}) {
    for (const Point& p : *points) {
      if (p.key == name || (p.key.ends_with(name) && p.key[p.key.size() - name.size() - 1] == '/')) return &p;
    }
  }
  return nullptr;
}

}  // namespace

std::string_view kind_word(bucket::Kind kind) { return kind == bucket::Kind::full ? "full" : "delta"; }

std::string_view codec_word(bucket::Compression codec) {
  switch (codec) {
    case bucket::Compression::none: return "none";
    case bucket::Compression::gzip: return "gzip";
    case bucket::Compression::lzw: return "lzw";
    case bucket::Compression::zlib: return "zlib";
  }
  return "unknown";
}

std::string span_words(RevisionSpan span) {
  return span.first == span.last ? fmt::format("{}", span.last) : fmt::format("{}..{}", span.first, span.last);
}

std::string revisions_of(const catalog::Point& point) {
  const RevisionSpan span = point.name.span;
  return point.name.kind == bucket::Kind::full ? fmt::format("{}", span.last) : span_words(span);
}

std::string_view state_word(const catalog::Point& point, const std::vector<RevisionSpan>& restorable) {
  if (point.name.kind == bucket::Kind::full) return "ok";
  if (point.stray) return "stray";
  const RevisionSpan span = point.name.span;
  const bool used = std::ranges::any_of(
      restorable, [&](const RevisionSpan& reach) { return span.first <= reach.last && span.last > reach.first; });
  return used ? "ok" : "cut off";
}

nlohmann::ordered_json point_fields(const catalog::Point& point, const std::vector<RevisionSpan>& restorable) {
  nlohmann::ordered_json fields{{"kind", kind_word(point.name.kind)}, {"object", point.key}};
  if (point.name.kind == bucket::Kind::full) {
    fields["revision"] = point.name.span.last.raw();
  } else {
    fields["first"] = point.name.span.first.raw();
    fields["last"] = point.name.span.last.raw();
  }
  fields["created"] = print_rfc3339(catalog::created(point.name));
  fields["size"] = point.size;
  fields["compression"] = codec_word(point.name.compression);
  if (point.name.final_mark) fields["final"] = true;
  fields["state"] = state_word(point, restorable);
  return fields;
}

Result<const catalog::Point*> find_point(const catalog::Timeline& timeline, const std::string& wanted) {
  const Point* found = nullptr;
  if (wanted == "latest") {
    const auto chain = catalog::newest_chain(timeline);
    if (chain.empty()) return fail(Errc::not_found, "nothing can be restored: there is no full snapshot");
    found = chain.back();
  } else if (const auto revision = as_revision(wanted)) {
    found = holding(timeline, *revision);
  } else {
    found = by_name(timeline, wanted);
  }
  if (found == nullptr) {
    return std::unexpected(Error{Errc::not_found, fmt::format("no point '{}'", wanted), "tidemark list names them"});
  }
  return found;
}

std::string proof_words(const catalog::ProofMark* proof) {
  if (proof == nullptr) return "-";
  return fmt::format("{}{} {}", proof->sound ? "" : "BAD ", catalog::level_word(proof->level),
                     print_rfc3339(proof->when));
}

nlohmann::ordered_json proof_fields(const catalog::ProofMark* proof) {
  if (proof == nullptr) return nullptr;
  return {{"level", catalog::level_word(proof->level)},
          {"sound", proof->sound},
          {"time", print_rfc3339(proof->when)},
          {"object", proof->key}};
}

}  // namespace tidemark::cli
