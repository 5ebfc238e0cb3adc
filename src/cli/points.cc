#include "cli/points.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/rfc3339.h"

namespace tidemark::cli {

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

}  // namespace tidemark::cli
