#include "etcd/row_run.h"

#include "etcd/row_rules.h"

namespace tidemark::etcd {

namespace {

std::unexpected<Error> bad(const RowId& at, std::string_view why) {
  return fail(Errc::corrupt, "row {}/{}: {}", at.main, at.sub, why);
}

}  // namespace

Status RowRun::add(const bolt::Element& row) {
  TM_LET(const RowId at, decode_row_key(row.key));
  if (at.main.raw() < 1) return bad(at, "revisions begin at 1");
  if (last_) {
    TM_CHECK(follow(at));
  } else {
    first_ = at;
  }
  last_ = at;
  rows_++;
  // What etcd's own restore leaves when it bumps the revision: nothing, and all of it is compacted at once.
  if (row.value.empty() && !at.tombstone) {
    excuse(at.main, at, "empty");
    return {};
  }
  const auto kv = decode_key_value(row.value);
  if (!kv) return bad(at, kv.error().what);
  if (kv->key.empty()) return bad(at, "no key");
  if (at.tombstone) return is_bare_deletion(*kv) ? Status() : bad(at, "a deletion holds more than its key");
  std::string why;
  check_put(at, *kv, [&](auto text, const auto&... values) {
    if (why.empty()) why = fmt::format(fmt::runtime(text), values...);
  });
  return why.empty() ? Status() : bad(at, why);
}

Status RowRun::follow(const RowId& at) {
  if (at <= *last_) return bad(at, fmt::format("follows {}/{}", last_->main, last_->sub));
  const Revision by = excused_by(last_, at);
  if (by != Revision(0)) excuse(by, at, "rows before it are missing");
  return {};
}

void RowRun::excuse(Revision by, const RowId& at, std::string_view what) {
  if (by <= excused_by_) return;
  excused_by_ = by;
  missing_ = fmt::format("row {}/{}: {}", at.main, at.sub, what);
}

Status RowRun::join(const RowRun& above) {
  if (!above.first_) return {};
  if (!first_) {
    *this = above;
    return {};
  }
  TM_CHECK(follow(*above.first_));
  last_ = above.last_;
  rows_ += above.rows_;
  if (above.excused_by_ > excused_by_) {
    excused_by_ = above.excused_by_;
    missing_ = above.missing_;
  }
  return {};
}

Status RowRun::whole(Revision compacted) const {
  if (first_) {
    const Revision by = excused_by(std::nullopt, *first_);
    if (by > compacted && by != Revision(0)) return bad(*first_, "rows before it are missing");
  }
  if (excused_by_ > compacted && excused_by_ != Revision(0)) return fail(Errc::corrupt, "{}", missing_);
  return {};
}

}  // namespace tidemark::etcd
