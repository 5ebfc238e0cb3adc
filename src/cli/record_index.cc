#include "cli/record_index.h"

#include "crypto/crc32c.h"
#include "history/index_published.h"

namespace tidemark::cli {
namespace {

// A full is indexed beside the watch, and a recorder lives in little memory.
constexpr std::size_t kMostMemory = 8UL << 20U, kMostKept = 8UL << 20U;

class IndexWitness final : public capture::Witness {
 public:
  IndexWitness(bucket::Kind kind, const io::Path& scratch, bool values)
      : kind_(kind),
        maker_(kind, {.scratch = scratch, .most_memory = kMostMemory, .most_kept = values ? kMostKept : 0}) {}

  Status saw(const etcd::RowId& id, const etcd::KeyValue& kv, Bytes text, std::uint64_t at, Time received) override {
    if (kind_ == bucket::Kind::full) return maker_.add_row(id, kv, text, at);
    if (first_ == Revision(0)) first_ = id.main;
    if (last_ != Revision(0) && id.main > last_.next())
      return fail(Errc::invalid, "revision {} follows {}", id.main, last_);
    last_ = id.main;
    const history::Place place{.offset = at, .bytes = text.size(), .crc = crypto::crc32c(0, text), .kept = false};
    return maker_.add_event(id, kv, place, received);
  }

  Result<std::uint64_t> published(store::ObjectStore& store, const Published& object) override {
    if (kind_ == bucket::Kind::delta && object.span != RevisionSpan{first_, last_}) {
      return fail(Errc::invalid, "revisions {} to {} went into it", first_, last_);
    }
    maker_.about().span = object.span;
    maker_.about().text_bytes = object.text_bytes;
    maker_.about().members = object.members;
    return history::publish_block(maker_, store, object.key, object.stored_bytes);
  }

 private:
  bucket::Kind kind_;
  Revision first_, last_;  // of the events
  history::BlockMaker maker_;
};

}  // namespace

capture::NewWitness index_witness(bool values) {
  return [values](bucket::Kind kind, const io::Path& scratch) {
    return std::make_unique<IndexWitness>(kind, scratch, values);
  };
}

}  // namespace tidemark::cli
