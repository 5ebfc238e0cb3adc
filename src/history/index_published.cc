#include "history/index_published.h"

#include <fcntl.h>

#include "catalog/sidecar.h"

namespace tidemark::history {

std::string published_identity(std::string_view key, std::uint64_t size) {
  return fmt::format("{}\n{} bytes", key, size);
}

Result<std::uint64_t> publish_block(BlockMaker& maker, store::ObjectStore& store, std::string_view key,
                                    std::uint64_t size) {
  maker.about().identity = published_identity(key, size);
  maker.about().text_in = TextIn::gzip_object;
  maker.about().stored_bytes = size;
  TM_LET(const auto object, store.create(catalog::index_key(key)));
  io::CountingSink counted(*object);
  TM_CHECK(maker.write(counted));
  if (Status committed = object->commit(); !committed) {
    if (committed.error().code == Errc::already_exists) return 0;
    return std::unexpected(std::move(committed).error());
  }
  return counted.bytes();
}

Status PublishedBlocks::check(const Block& block, const Wanted& wanted) const {
  const BlockAbout& about = block.about();
  const bool same = about.identity == published_identity(wanted.point.key, wanted.listed.size) &&
                    about.kind == wanted.point.name.kind && about.text_in == TextIn::gzip_object &&
                    about.stored_bytes == wanted.listed.size;
  if (!same) return fail(Errc::conflict, "it is of another object");
  if (!wanted.values && block.kept_bytes() > 0) return fail(Errc::denied, "it holds copies of values");
  return {};
}

Result<std::uint64_t> PublishedBlocks::bring(const Wanted& wanted, IndexCache& cache) {
  const std::string& object = wanted.point.key;
  const std::string key = catalog::index_key(object);
  if (refused_.contains(object)) return fail(Errc::not_found, "it was no good");
  if (!listed_) {
    TM_LET(const auto all, store_.list(catalog::kIndexPrefix));
    listed_.emplace();
    for (const store::ObjectInfo& info : all) listed_->emplace(info.key, info);
  }
  const auto found = listed_->find(key);
  if (found == listed_->end()) return fail(Errc::not_found, "there is none");
  refuse(object);  // unless all goes well
  // By one clock, the store's. Some tell whole seconds.
  if (std::chrono::ceil<std::chrono::seconds>(found->second.modified) < wanted.listed.modified) {
    return fail(Errc::conflict, "the object is younger than it");
  }
  const io::Path file = wanted.scratch / "index.block";
  TM_CHECK(io::remove_tree(file));
  {
    TM_LET(const auto body, store_.open(key));
    TM_LET(const io::Fd fd, io::open_file(file, O_CREAT | O_EXCL | O_WRONLY));
    io::FdSink sink(fd.get(), file);
    TM_CHECK(io::pump(*body, sink));
  }
  TM_LET(const Block block, Block::open(file));
  TM_CHECK(io::remove_tree(file));
  TM_CHECK(check(block, wanted));
  TM_LET(io::PendingFile pending, cache.begin_block(wanted.identity));
  TM_CHECK(write_as(block, wanted.identity, pending));
  TM_CHECK(cache.publish(pending));
  refused_.erase(object);
  return found->second.size;
}

}  // namespace tidemark::history
