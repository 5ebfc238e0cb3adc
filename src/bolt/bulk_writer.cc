#include "bolt/bulk_writer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "bolt/page_proof.h"
#include "bolt/segment.h"
#include "bolt/tree.h"

namespace tidemark::bolt {

static_assert(BulkWriter::kPageSize == kPageSize);

namespace {

using Segments = std::vector<std::unique_ptr<SegmentWriter>>;

// The value of a bucket's element in the root page.
Buffer bucket_header(PageId root) {
  Buffer value(kBucketHeaderSize);
  store_le(value.data(), root);
  return value;
}

Buffer inline_bucket(std::span<const Row> rows) {
  Buffer value = bucket_header(0);
  value.resize(kBucketHeaderSize + page_bytes(rows));
  store_page(value.data() + kBucketHeaderSize, kLeafPage, rows, 0);
  return value;
}

Status sort_and_check(Segments& segments, std::string_view bucket) {
  std::sort(segments.begin(), segments.end(),
            [](const auto& a, const auto& b) { return compare(a->smallest(), b->smallest()) < 0; });
  for (std::size_t i = 1; i < segments.size(); i++) {
    const Bytes end = segments[i - 1]->largest(), begin = segments[i]->smallest();
    if (compare(end, begin) >= 0)
      return fail(Errc::invalid, "bucket '{}': segments overlap: one ends with key {}, the next begins with {}", bucket,
                  to_hex(end), to_hex(begin));
  }
  return {};
}

bool fits_inline(const Segments& segments) {
  std::size_t bytes = kPageHeaderSize;
  for (const auto& segment : segments) {
    if (!segment->held()) return false;
    bytes += segment->held_bytes() - kPageHeaderSize;
  }
  return bytes <= kMostInline;
}

}  // namespace

class BulkWriter::Work {
 public:
  explicit Work(std::unique_ptr<PageFile> file) : file_(std::move(file)) {}

  std::unique_ptr<Segment> segment(LeafWitness* witness) { return std::make_unique<SegmentWriter>(file_, witness); }
  Status add_tree(std::string_view name, std::vector<std::unique_ptr<Segment>> segments);
  Result<std::uint64_t> finish();

 private:
  struct NamedBucket {
    std::string name;
    Buffer value;
    std::optional<Tree> tree;  // nullopt: inline
    LeafSum leaves;
  };
  Status check_name(std::string_view name) const;
  Result<Segments> sort_out(std::string_view name, std::vector<std::unique_ptr<Segment>> segments) const;
  Result<PageId> write_root();
  Status check_file() const;

  const std::shared_ptr<PageFile> file_;
  std::vector<NamedBucket> buckets_;
  bool finished_ = false;
};

Status BulkWriter::Work::check_name(std::string_view name) const {
  if (name.empty() || name.size() > kMostKey)
    return fail(Errc::invalid, "a bucket's name has 1 to {} bytes, not {}", kMostKey, name.size());
  if (buckets_.size() == kMostElements) return fail(Errc::invalid, "bucket '{}': more than {}", name, kMostElements);
  for (const NamedBucket& bucket : buckets_)
    if (bucket.name == name) return fail(Errc::invalid, "bucket '{}' was added before", name);
  return {};
}

// Ours, closed, without the empty ones, in key order.
Result<Segments> BulkWriter::Work::sort_out(std::string_view name,
                                            std::vector<std::unique_ptr<Segment>> segments) const {
  Segments ours;
  for (auto& any : segments) {
    std::unique_ptr<SegmentWriter> segment(static_cast<SegmentWriter*>(any.release()));
    if (!segment->belongs_to(file_)) return fail(Errc::invalid, "bucket '{}': a segment of another file", name);
    if (!segment->closed()) return fail(Errc::invalid, "bucket '{}': a segment is not closed, or failed", name);
    if (segment->rows() > 0) ours.push_back(std::move(segment));
  }
  TM_CHECK(sort_and_check(ours, name));
  return ours;
}

Status BulkWriter::Work::add_tree(std::string_view name, std::vector<std::unique_ptr<Segment>> segments) {
  TM_CHECK(check_name(name));
  TM_LET(const Segments ours, sort_out(name, std::move(segments)));
  if (fits_inline(ours)) {
    std::vector<Row> rows;
    for (const auto& segment : ours) {
      const auto more = segment->held_rows();
      rows.insert(rows.end(), more.begin(), more.end());
    }
    buckets_.push_back({std::string(name), inline_bucket(rows), std::nullopt, {}});
    return {};
  }
  PageList leaves;
  for (const auto& segment : ours) {
    TM_LET(PageList more, segment->take_leaves());
    leaves.append(std::move(more));
  }
  LeafSum sum;
  for (std::size_t i = 0; i < leaves.size(); i++) sum.add(leaves.key(i), leaves.page(i));
  TM_LET(const Tree tree, write_branches(file_, std::move(leaves)));
  buckets_.push_back({std::string(name), bucket_header(tree.top), tree, sum});
  return {};
}

Result<PageId> BulkWriter::Work::write_root() {
  std::sort(buckets_.begin(), buckets_.end(),
            [](const auto& a, const auto& b) { return compare(as_bytes(a.name), as_bytes(b.name)) < 0; });
  std::vector<Row> rows;
  for (const NamedBucket& bucket : buckets_)
    rows.push_back({.key = as_bytes(bucket.name), .value = bucket.value, .flags = kBucketElement});
  PageWriter writer(file_, kLeafPage);
  TM_CHECK(writer.add(rows));
  TM_CHECK(writer.close());
  return writer.take().page(0);
}

Result<std::uint64_t> BulkWriter::Work::finish() {
  if (finished_) return fail(Errc::invalid, "'{}' is finished", file_->path().native());
  // Each segment holds the file. A live one has pages that neither a tree nor the freelist accounts for.
  if (file_.use_count() != 1)
    return fail(Errc::invalid, "'{}': a segment was neither added nor destroyed", file_->path().native());
  finished_ = true;
  TM_LET(const PageId root, write_root());
  TM_LET(const std::uint64_t size, file_->finish(root));
  if (auto checked = named(file_->path().native(), check_file()); !checked) {
    file_->disown();
    return std::unexpected(std::move(checked).error());
  }
  return size;
}

// The leaves were proven when they were written: here is what leads to them.
Status BulkWriter::Work::check_file() const {
  TM_LET(const Reader reader, Reader::open(file_->path()));
  std::size_t next = 0;
  TM_CHECK(reader.for_each(reader.root(), [&](const Element& element) -> Status {
    const bool same = next < buckets_.size() && element.is_bucket && as_text(element.key) == buckets_[next].name &&
                      compare(element.value, buckets_[next].value) == 0;
    if (!same) return fail(Errc::corrupt, "bucket {} is not what was written", next);
    const NamedBucket& bucket = buckets_[next++];
    return bucket.tree ? check_branches(reader, bucket.tree->top, bucket.tree->levels, bucket.leaves) : Status();
  }));
  if (next != buckets_.size()) return fail(Errc::corrupt, "{} buckets where {} were written", next, buckets_.size());
  return {};
}

BulkWriter::BulkWriter(std::unique_ptr<Work> work) : work_(std::move(work)) {}
BulkWriter::~BulkWriter() = default;

Result<std::unique_ptr<BulkWriter>> BulkWriter::create(const io::Path& path, Cache cache) {
  TM_LET(std::unique_ptr<PageFile> file, PageFile::create(path, cache == Cache::bypass));
  return std::unique_ptr<BulkWriter>(new BulkWriter(std::make_unique<Work>(std::move(file))));
}

std::unique_ptr<BulkWriter::Segment> BulkWriter::segment(LeafWitness* witness) { return work_->segment(witness); }

Status BulkWriter::add_tree(std::string_view bucket_name, std::vector<std::unique_ptr<Segment>> segments) {
  return work_->add_tree(bucket_name, std::move(segments));
}

Result<std::uint64_t> BulkWriter::finish() { return work_->finish(); }

}  // namespace tidemark::bolt
