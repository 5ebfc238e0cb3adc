#include "restore/origin.h"

#include <sys/stat.h>

#include "io/compress.h"

namespace tidemark::restore {
namespace {

io::Codec codec_of(bucket::Compression compression) {
  switch (compression) {
    case bucket::Compression::none: return io::Codec::none;
    case bucket::Compression::gzip: return io::Codec::gzip;
    case bucket::Compression::lzw: return io::Codec::lzw;
    case bucket::Compression::zlib: return io::Codec::zlib;
  }
  return io::Codec::none;
}

class StoreOrigin final : public Origin {
 public:
  explicit StoreOrigin(store::ObjectStore& store) : store_(store) {}
  Result<catalog::Timeline> timeline() override { return catalog::read_timeline(store_); }
  Result<std::unique_ptr<io::Source>> body(const catalog::Point& point) override {
    TM_LET(auto object, store_.open(point.key));
    return io::decompressing(codec_of(point.name.compression), std::move(object));
  }
  std::optional<catalog::State> sampled(const std::string& key) override {
    const auto text = store_.get(catalog::state_key(key), catalog::kMaxSidecarBytes);
    if (!text) return std::nullopt;
    auto state = catalog::parse_state(as_text(*text));
    if (!state) return std::nullopt;  // it helps, it is not needed
    return *std::move(state);
  }
  std::string url() const override { return store_.url(); }

 private:
  store::ObjectStore& store_;
};

class FileOrigin final : public Origin {
 public:
  FileOrigin(io::Path file, catalog::Point point) : file_(std::move(file)), point_(std::move(point)) {}
  Result<catalog::Timeline> timeline() override {
    catalog::Timeline timeline;
    timeline.fulls.push_back(point_);
    return timeline;
  }
  Result<std::unique_ptr<io::Source>> body(const catalog::Point& point) override {
    TM_LET(auto file, io::FileSource::open(file_));
    return io::decompressing(codec_of(point.name.compression), std::make_unique<io::FileSource>(std::move(file)));
  }
  std::optional<io::Path> plain_file(const catalog::Point&) override {
    if (point_.name.compression != bucket::Compression::none) return std::nullopt;
    return file_;
  }
  bool nameless() const override { return true; }
  std::string url() const override { return "file:" + file_.string(); }

 private:
  io::Path file_;
  catalog::Point point_;
};

}  // namespace

std::unique_ptr<Origin> store_origin(store::ObjectStore& store) { return std::make_unique<StoreOrigin>(store); }

Result<std::unique_ptr<Origin>> file_origin(const io::Path& file) {
  struct stat about{};
  if (::stat(file.c_str(), &about) != 0) return sys_fail("open", file.string());
  catalog::Point point;
  point.key = file.filename().string();
  point.size = static_cast<std::uint64_t>(about.st_size);
  point.name.kind = bucket::Kind::full;
  point.name.span = {Revision(0), Revision(1)};  // a lower bound: it is learned when the file is opened
  point.name.unix_s = about.st_mtim.tv_sec;
  std::byte magic[2] = {};
  TM_LET(auto head, io::FileSource::open(file));
  TM_LET(const std::size_t got, io::read_full(head, magic));
  const bool gzip = got == 2 && magic[0] == std::byte{0x1f} && magic[1] == std::byte{0x8b};
  point.name.compression = gzip ? bucket::Compression::gzip : bucket::Compression::none;
  return std::make_unique<FileOrigin>(file, std::move(point));
}

}  // namespace tidemark::restore
