#include "bucket/name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tidemark::bucket {

namespace {

constexpr struct {
  Compression compression;
  std::string_view suffix;
} kSuffixes[] = {
    {Compression::none, ""}, {Compression::gzip, ".gz"}, {Compression::lzw, ".Z"}, {Compression::zlib, ".zlib"}};
constexpr std::string_view kFinal = ".final";

// Decimal digits only: no sign, no blanks, within 63 bits.
std::optional<std::int64_t> parse_number(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, c - '0', &value)) {
      return std::nullopt;
    }
  }
  return value;
}

std::string_view cut_until(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view head = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return head;
}

// "ends in v1" as etcd-backup-restore's parser sees it: it searches for the letters "v1/", not for a folder "v1".
bool ends_in_version(std::string_view component) { return component.ends_with("v1") || component.ends_with("v2"); }

}  // namespace

std::string print_name(const SnapshotName& name) {
  std::string text = fmt::format("{}-{:08}-{:08}-{}", name.kind == Kind::full ? "Full" : "Incr", name.span.first.raw(),
                                 name.span.last.raw(), name.unix_s);
  for (const auto& known : kSuffixes) {
    if (known.compression == name.compression) text += known.suffix;
  }
  if (name.final_mark) text += kFinal;
  return text;
}

Result<SnapshotName> parse_name(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(Errc::invalid, "'{}' is not a snapshot's name: {}", text, why);
  };
  SnapshotName name;
  std::string_view left = text;
  std::array<std::string_view, 4> part;
  for (auto& p : part) p = cut_until(left, '-');
  if (std::count(text.begin(), text.end(), '-') != 3) return bad("not four parts joined by '-'");
  if (part[0] == "Full") {
    name.kind = Kind::full;
  } else if (part[0] == "Incr") {
    name.kind = Kind::delta;
  } else {
    return bad("the kind is neither Full nor Incr");
  }
  const auto first = parse_number(part[1]), last = parse_number(part[2]);
  if (!first || !last) return bad("a revision is not a decimal number");
  if (*last < *first) return bad("the revisions run backwards");
  // Whoever asks what follows it would wrap around.
  if (*last == INT64_MAX) return bad("no revision could follow it");
  name.span = {Revision(*first), Revision(*last)};

  const std::size_t dot = std::min(part[3].find('.'), part[3].size());
  const auto unix_s = parse_number(part[3].substr(0, dot));
  if (!unix_s) return bad("the time is not a decimal number");
  name.unix_s = *unix_s;
  std::string_view suffix = part[3].substr(dot);
  if (suffix.ends_with(kFinal)) {
    name.final_mark = true;
    suffix.remove_suffix(kFinal.size());
  }
  for (const auto& known : kSuffixes) {
    if (known.suffix != suffix) continue;
    name.compression = known.compression;
    return name;
  }
  return fail(Errc::unsupported, "snapshot '{}' has the unknown suffix '{}'", text, suffix);
}

std::optional<SnapshotName> parse_key(std::string_view key) {
  std::string_view left = key;
  const std::string_view version = cut_until(left, '/');
  if (version == "v1") {
    std::string_view folder = cut_until(left, '/');
    static constexpr std::string_view kBackup = "Backup-";
    if (!folder.starts_with(kBackup) || !parse_number(folder.substr(kBackup.size()))) return std::nullopt;
  } else if (version != "v2") {
    return std::nullopt;
  }
  // A chunk has one more folder: its '/' is no part of any name.
  if (left.find('/') != std::string_view::npos) return std::nullopt;
  const auto name = parse_name(left);
  return name ? std::optional(*name) : std::nullopt;
}

std::string v2_key(const SnapshotName& name) { return "v2/" + print_name(name); }

Status check_prefix(std::string_view prefix) {
  if (prefix.empty()) return {};
  std::string_view left = prefix;
  if (left.ends_with('/')) left.remove_suffix(1);
  for (;;) {
    const bool more = left.find('/') != std::string_view::npos;
    const std::string_view component = cut_until(left, '/');
    if (component.empty() || component == "." || component == "..") {
      return fail(Errc::invalid, "store prefix '{}': etcd-backup-restore would rewrite the component '{}'", prefix,
                  component);
    }
    if (ends_in_version(component)) {
      return fail(Errc::invalid,
                  "store prefix '{}': etcd-backup-restore takes '{}' for the version folder and would find no backup",
                  prefix, component);
    }
    if (!more) return {};
  }
}

}  // namespace tidemark::bucket
