#include "bucket/contract.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "bucket/delta.h"
#include "bucket/full.h"
#include "bucket/name.h"
#include "io/compress.h"

namespace tidemark::bucket {

namespace {

struct Named {
  const StoredObject* object;
  SnapshotName name;
};

io::Codec codec_of(Compression compression) {
  switch (compression) {
    case Compression::none: return io::Codec::none;
    case Compression::gzip: return io::Codec::gzip;
    case Compression::lzw: return io::Codec::lzw;
    case Compression::zlib: return io::Codec::zlib;
  }
  return io::Codec::none;
}

// The order in which etcd-backup-restore sorts; where it leaves two objects unordered there is a finding.
auto order_of(const Named& n) { return std::tuple(n.name.span.last, n.name.unix_s, n.name.kind, n.object->key); }

// The events of one delta against its name.
class DeltaCheck {
 public:
  explicit DeltaCheck(RevisionSpan span) : span_(span) {}

  Status event(const DeltaEvent& e) {
    if (Revision(e.mod) != at_) {
      if (Revision(e.mod) < at_) {
        say(Finding::Weight::broken, fmt::format("revision {} follows {}", e.mod, at_));
      } else if (at_.raw() == 0 && Revision(e.mod) != span_.first) {
        say(Finding::Weight::broken, fmt::format("the first event is of revision {}", e.mod));
      } else if (at_.raw() != 0 && Revision(e.mod) != at_.next()) {
        say(Finding::Weight::broken, fmt::format("no event between revisions {} and {}", at_, e.mod));
      }
      end_of_revision();
      at_ = Revision(e.mod);
    }
    if (!keys_.emplace(as_text(e.key)).second) {
      say(Finding::Weight::broken, fmt::format("revision {} changes a key twice", at_));
    }
    bytes_ += e.key.size() + e.value.size();
    check_fields(e);
    if (time_ && e.time < *time_) say(Finding::Weight::warning, fmt::format("revision {}: time runs backwards", at_));
    time_ = e.time;
    return {};
  }

  void end() {
    end_of_revision();
    if (at_ != span_.last) say(Finding::Weight::broken, fmt::format("the last event is of revision {}", at_));
  }

  std::vector<Finding>& findings() { return findings_; }
  std::optional<Time> last_time() const { return time_; }

 private:
  // The first of each kind is enough: a broken delta has thousands.
  void say(Finding::Weight weight, std::string text) {
    if (findings_.size() < 20) findings_.push_back({weight, {}, std::move(text)});
  }

  void check_fields(const DeltaEvent& e) {
    if (e.deletion) {
      if (!e.value.empty() || e.create != 0 || e.version != 0 || e.lease != 0) {
        say(Finding::Weight::broken, fmt::format("revision {}: a deletion with more than its key", at_));
      }
    } else if (e.create < 1 || e.create > e.mod || e.version < 1 || (e.version == 1) != (e.create == e.mod)) {
      say(Finding::Weight::broken,
          fmt::format("revision {}: create {} and version {} cannot be", at_, e.create, e.version));
    }
  }

  void end_of_revision() {
    if (keys_.size() > kMostOpsOfRevision || bytes_ >= kMostBytesOfRevision) {
      say(Finding::Weight::warning,
          fmt::format("revision {} has {} changes of {} bytes: etcd-backup-restore cannot replay it", at_, keys_.size(),
                      bytes_));
    }
    keys_.clear();
    bytes_ = 0;
  }

  const RevisionSpan span_;
  Revision at_;
  std::set<std::string> keys_;  // of the revision
  std::size_t bytes_ = 0;
  std::optional<Time> time_;
  std::vector<Finding> findings_;
};

class Contract {
 public:
  explicit Contract(const ContractCheck& check) : check_(check) {}

  Result<std::vector<Finding>> run(std::span<const StoredObject> objects) {
    for (const StoredObject& object : objects) sort_out(object);
    std::ranges::sort(all_, {}, order_of);
    check_names();
    check_chain();
    for (const Named& n : all_) {
      if (n.name.kind == Kind::full) {
        TM_CHECK(check_full(n));
      } else {
        check_delta(n);
      }
    }
    return std::move(findings_);
  }

 private:
  void broken(std::string_view key, std::string text) {
    findings_.push_back({Finding::Weight::broken, std::string(key), std::move(text)});
  }
  void warn(std::string_view key, std::string text) {
    findings_.push_back({Finding::Weight::warning, std::string(key), std::move(text)});
  }

  // Snapshot objects into all_; of the rest, those that etcd-backup-restore would look at are findings. Its listing
  // keeps every key with "v1" or "v2" anywhere in it, tries to parse it, and complains in its log, once a minute.
  void sort_out(const StoredObject& object) {
    const std::string_view key = object.key;
    if (const auto name = parse_key(key)) {
      if (key.starts_with("v1/")) broken(key, "the v1 layout is only read, never written");
      all_.push_back({&object, *name});
    } else if (passes_for_snapshot(key)) {
      broken(key, "etcd-backup-restore takes it for a snapshot");
    } else if (key.find("v1") != std::string_view::npos || key.find("v2") != std::string_view::npos) {
      warn(key, "no snapshot, but a key that etcd-backup-restore tries to parse");
    }
  }

  // By the rules of its parser, which are laxer than ours: the part behind the last "v1/" or, without one, "v2/"; four
  // parts joined by '-'; anything behind the first dot.
  static bool passes_for_snapshot(std::string_view key) {
    const std::size_t v1 = key.rfind("v1/"), v2 = key.rfind("v2/");
    if (v1 == std::string_view::npos && v2 == std::string_view::npos) return false;
    std::string_view rest = key.substr((v1 != std::string_view::npos ? v1 : v2) + 3);
    if (v1 != std::string_view::npos) rest = rest.substr(std::min(rest.find('/'), rest.size() - 1) + 1);
    if (rest.find('/') != std::string_view::npos) return false;  // a chunk, which it skips
    return std::ranges::count(rest, '-') == 3 && (rest.starts_with("Full-") || rest.starts_with("Incr-"));
  }

  void check_names() {
    for (std::size_t i = 0; i < all_.size(); i++) {
      const auto& [object, name] = all_[i];
      if (!object->key.ends_with(print_name(name))) broken(object->key, "the numbers are not padded to 8 digits");
      if (name.kind == Kind::full && name.span.first.raw() != 0) broken(object->key, "a full starts at 0");
      if (name.kind == Kind::delta && name.final_mark) broken(object->key, "only a full can be final");
      if (i == 0) continue;
      const SnapshotName& before = all_[i - 1].name;
      if (before.span.last == name.span.last && before.unix_s == name.unix_s && before.kind == name.kind) {
        broken(object->key, fmt::format("its order with '{}' is undefined", all_[i - 1].object->key));
      }
    }
  }

  // Deltas join each other, whatever fulls lie between them; the first one that a full needs reaches back to it.
  void check_chain() {
    const Named* before = nullptr;
    Revision newest_full;
    bool any_full = false;
    for (const Named& n : all_) {
      if (n.name.kind == Kind::full) {
        any_full = true;
        newest_full = n.name.span.last;
        continue;
      }
      const Revision first = n.name.span.first;
      if (before != nullptr && !before->name.span.joins(n.name.span)) {
        const RevisionSpan gap{before->name.span.last.next(), first.prev()};
        if (gap.empty()) {
          broken(n.object->key, fmt::format("overlaps '{}'", before->object->key));
        } else if (any_full && newest_full.next() >= first) {
          warn(n.object->key,
               fmt::format("revisions {} to {} are only in the full of {}", gap.first, gap.last, newest_full));
        } else {
          broken(n.object->key, fmt::format("revisions {} to {} are missing before it", gap.first, gap.last));
        }
      } else if (before == nullptr && any_full && newest_full.next() < first) {
        broken(n.object->key,
               fmt::format("revisions {} to {} are missing before it", newest_full.next(), first.prev()));
      }
      before = &n;
    }
    if (!all_.empty() && !any_full) broken("", "there is no full: nothing can be restored");
  }

  Result<std::unique_ptr<io::Source>> body_of(const Named& n) const {
    TM_LET(auto object, n.object->open());
    return io::decompressing(codec_of(n.name.compression), std::move(object));
  }

  Status read_into(DeltaCheck& delta, const Named& n) const {
    TM_LET(const auto body, body_of(n));
    return read_delta(*body, [&](const DeltaEvent& e) { return delta.event(e); });
  }

  void check_delta(const Named& n) {
    DeltaCheck delta(n.name.span);
    if (const Status read = read_into(delta, n); !read) return broken(n.object->key, words(read.error()));
    delta.end();
    for (Finding& f : delta.findings()) {
      f.key = n.object->key;
      findings_.push_back(std::move(f));
    }
    if (delta.last_time() && *delta.last_time() >= Time(std::chrono::seconds(n.name.unix_s + 1))) {
      broken(n.object->key, "its last event is later than its name");
    }
  }

  Status check_full(const Named& n) {
    const io::Path spool = check_.scratch / "full.db";
    TM_CHECK(io::remove_tree(spool));
    const auto full = spooled(n, spool);
    if (!full) {
      if (full.error().code == Errc::io || full.error().code == Errc::no_space) return std::unexpected(full.error());
      broken(n.object->key, words(full.error()));
      return {};
    }
    if (!full->has_digest) broken(n.object->key, "there is no digest behind the database");
    if (check_.true_revision) {
      const auto revision = check_.true_revision(spool);
      if (!revision) {
        broken(n.object->key, words(revision.error()));
      } else if (*revision != n.name.span.last) {
        broken(n.object->key, fmt::format("its true revision is {}", *revision));
      }
    }
    return io::remove_tree(spool);
  }

  Result<FullBody> spooled(const Named& n, const io::Path& to) const {
    TM_LET(const auto body, body_of(n));
    return spool_full(*body, to);
  }

  static std::string words(const Error& e) { return fmt::format("{}: {}", errc_name(e.code), e.what); }

  const ContractCheck& check_;
  std::vector<Named> all_;
  std::vector<Finding> findings_;
};

}  // namespace

Result<std::vector<Finding>> check_contract(std::span<const StoredObject> objects, const ContractCheck& check) {
  return Contract(check).run(objects);
}

std::string print_findings(std::span<const Finding> findings) {
  std::string text;
  for (const Finding& f : findings) {
    text += fmt::format("{} {}: {}\n", f.weight == Finding::Weight::broken ? "broken" : "warning",
                        f.key.empty() ? "the store" : f.key, f.text);
  }
  return text;
}

}  // namespace tidemark::bucket
