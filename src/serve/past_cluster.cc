#include "serve/past_cluster.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "history/wanted.h"
#include "kube/json_text.h"
#include "kube/storage_value.h"

namespace tidemark::serve {
namespace {

using nlohmann::json;

// So many objects of a kind are looked at for the version in which it is stored: some may be gone by the end.
constexpr std::size_t kSamples = 8;
// What a row costs beside its key and value.
constexpr std::uint64_t kRowBytes = 160;
// And what is kept of no row at all.
constexpr std::uint64_t kStockBytes = 512;

std::uint64_t size_of(const history::Rows& rows) {
  std::uint64_t bytes = 0;
  for (const auto& [key, row] : rows) bytes += key.size() + row.value.size() + kRowBytes;
  return bytes;
}

// No name has a line's end in it that is any object's.
std::string name_of(const ServedKind& kind, const Part& part) {
  return fmt::format("{}/{}\n{}\n{}", kind.api_version(), kind.resource.plural, part.ns, part.name);
}

// Empty: it does not say.
std::string api_version_of(const json& object) {
  const auto found = object.find("apiVersion");
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}
std::string stored_version_of(Bytes value) {
  if (kube::encoding_of(value) == kube::Encoding::protobuf) {
    const auto envelope = kube::read_envelope(value);
    return envelope ? std::string(envelope->api_version) : std::string();
  }
  const auto object = kube::parse_json_or_cbor(value);
  return object ? api_version_of(*object) : std::string();
}

}  // namespace

Result<json> PastCluster::Reader::read(const std::string& key, const history::Row& row) {
  if (past_.decryptor == nullptr || kube::encoding_of(as_bytes(row.value)) != kube::Encoding::encrypted) {
    return reader_.read(key, row, kind_.resource);
  }
  const std::lock_guard lock(past_.opening);
  return reader_.read(key, row, kind_.resource);
}

Result<std::shared_ptr<PastCluster>> PastCluster::open(Past& past, const restore::Target& target) {
  TM_LET(io::TempDir scratch, io::TempDir::create(past.options.scratch));
  const std::shared_ptr<PastCluster> cluster = std::unique_ptr<PastCluster>(new PastCluster(past, std::move(scratch)));
  history::MomentOptions options = past.options;
  options.scratch = cluster->scratch_.path();
  const std::lock_guard lock(past.reading);
  TM_LET(cluster->moment_, history::Moment::open(past.origin, target, options));
  TM_CHECK(cluster->survey());
  return cluster;
}

PastCluster::PastCluster(Past& past, io::TempDir scratch) : past_(past), scratch_(std::move(scratch)) {
  past_.counters.moments++;
}

PastCluster::~PastCluster() {
  past_.counters.moments--;
  past_.counters.cache_bytes -= kept_bytes_;
}

// One walk: definitions, and of each kind the newest object, for the version in which it is stored.
Status PastCluster::survey() {
  const std::string definitions = past_.etcd_prefix + "/" + std::string(kube::kDefinitionPrefix) + "/";
  const kube::Resources own;
  std::vector<std::pair<std::string, const kube::Resource*>> prefixes;
  for (const kube::Resource* resource : own.all()) {
    prefixes.emplace_back(past_.etcd_prefix + "/" + resource->prefix + "/", resource);
  }
  std::map<std::string_view, std::set<std::string, std::less<>>> samples;  // keys, by what they begin with
  const auto keep = [&](std::string_view key, Revision) {
    if (key.starts_with(definitions)) return true;
    const auto own_kind =
        std::ranges::find_if(prefixes, [&](const auto& prefix) { return key.starts_with(prefix.first); });
    if (own_kind == prefixes.end()) return false;
    auto& of_kind = samples[own_kind->first];
    if (of_kind.contains(key)) return true;  // written once more
    return of_kind.size() < kSamples && of_kind.emplace(key).second;
  };
  const std::vector<std::string> everything{past_.etcd_prefix + "/"};
  TM_LET(const history::Rows rows, moment_->below(everything, keep));
  revision_ = moment_->revision();
  time_ = moment_->time();

  Buffer plain;
  for (const auto& [prefix, resource] : prefixes) {
    // Events are stored as those of the core group; the other group shows them once more.
    if (resource->full_name() == "events.events.k8s.io") continue;
    const history::Row* newest = nullptr;
    std::string stored_as;
    for (const std::string& key : samples[prefix]) {
      const auto row = rows.find(key);
      if (row == rows.end() || row->second.value.empty() || (newest && newest->mod > row->second.mod)) continue;
      const auto value = history::opened_value(past_.decryptor, key, row->second.value, plain);
      if (!value) continue;
      newest = &row->second;
      stored_as = stored_version_of(*value);
    }
    kinds_.add_built_in(*resource, stored_as);
  }
  for (auto row = rows.lower_bound(definitions); row != rows.end() && row->first.starts_with(definitions); ++row) {
    const auto value = history::opened_value(past_.decryptor, row->first, row->second.value, plain);
    const Status added = value ? kinds_.add_definition(*value) : std::unexpected(value.error());
    if (!added) notes_.push_back(fmt::format("{}: {}", row->first, added.error().what));
  }
  kinds_.settle();
  return {};
}

std::string PastCluster::prefix_of(const ServedKind& kind, std::string_view ns) const {
  std::string prefix = past_.etcd_prefix + "/" + kind.resource.prefix + "/";
  if (kind.resource.namespaced && !ns.empty()) prefix += std::string(ns) + "/";
  return prefix;
}

std::shared_ptr<const Stock> PastCluster::kept(const ServedKind& kind, const Part& part) {
  const std::lock_guard lock(mutex_);
  for (const Part& wider : {Part{}, Part{.ns = part.ns, .name = {}}, part}) {
    const auto found = kept_at_.find(name_of(kind, wider));
    if (found == kept_at_.end()) continue;
    kept_.splice(kept_.begin(), kept_, found->second);
    return kept_.front().stock;
  }
  return nullptr;
}

void PastCluster::keep(const ServedKind& kind, const Part& part, std::shared_ptr<const Stock> stock) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t before = kept_bytes_;
  kept_bytes_ += stock->bytes;
  kept_.push_front({name_of(kind, part), std::move(stock)});
  kept_at_[kept_.front().name] = kept_.begin();
  while (kept_bytes_ > past_.cache_bytes && !kept_.empty()) {
    kept_bytes_ -= kept_.back().stock->bytes;
    kept_at_.erase(kept_.back().name);
    kept_.pop_back();
  }
  past_.counters.cache_bytes += kept_bytes_ - before;  // modulo 2^64, as it may be less
}

Result<std::shared_ptr<const Stock>> PastCluster::stock(const ServedKind& kind, const Part& part) {
  if (auto there = kept(kind, part)) return there;
  const std::lock_guard lock(past_.reading);
  if (auto there = kept(kind, part)) return there;  // somebody else read it meanwhile
  const Part read_now = moment_->by_index() ? part : Part{};
  TM_LET(auto read, read_stock(kind, read_now));
  keep(kind, read_now, read);
  return read;
}

// Every object is read once here, so that each answer can say in front what it leaves out.
Result<std::shared_ptr<const Stock>> PastCluster::read_stock(const ServedKind& kind, const Part& part) {
  const auto stock = std::make_shared<Stock>();
  history::Asked asked;
  const std::string within = prefix_of(kind, part.ns);
  if (part.name.empty()) {
    asked.prefixes.push_back(within);
  } else {
    asked.keys.push_back(within + part.name);
  }
  TM_LET(stock->rows, moment_->below(asked));
  if (moment_->revision() != revision_) {
    return fail(Errc::corrupt, "objects of the store turned out damaged: only revision {} is left of {}",
                moment_->revision(), revision_);
  }
  const std::string prefix = prefix_of(kind);
  const long slashes = kind.resource.namespaced ? 1 : 0;
  std::erase_if(stock->rows, [&](const auto& entry) {
    const std::string_view rest = std::string_view(entry.first).substr(prefix.size());
    return std::ranges::count(rest, '/') != slashes || rest.starts_with('/') || rest.ends_with('/') || rest.empty();
  });
  Reader reader = this->reader(kind);
  for (const auto& [key, row] : stock->rows) {
    const auto object = reader.read(key, row);
    if (!object) {
      stock->unreadable.push_back({key, object.error()});
    } else if (api_version_of(*object) != kind.api_version()) {
      stock->other_versions.push_back(key);
    }
  }
  stock->bytes = size_of(stock->rows) + kStockBytes;
  past_.counters.reads++;
  past_.counters.unreadable += stock->unreadable.size();
  return stock;
}

}  // namespace tidemark::serve
