#include "store/encrypted_store.h"

#include <algorithm>
#include <map>

#include "store/age_key_file.h"

namespace tidemark::store {
namespace {

constexpr std::string_view kPadding = "tidemark-pad";
constexpr std::string_view kSuffix = ".age";
constexpr std::string_view kOpenKeys[] = {"tidemark/lineage.json", "tidemark/lineages/", "tidemark/claims/",
                                          "tidemark/gaps/", "tidemark/proofs/"};
constexpr std::uint64_t kMostKeyFile = 64UL << 10U;

std::string sealed_name(std::string_view key) {
  std::string name(kAgeObjects);
  name += key;
  return name += kSuffix;
}

bool is_hidden(std::string_view key) { return key.starts_with(kAgeObjects) || key.starts_with("tidemark-age/"); }

// What a listing or a stat tells of an age file: the size of its text. A file of somebody else may have another header;
// then this is an estimate, and reading tells.
ObjectInfo plain_info(std::string_view key, const ObjectInfo& sealed) {
  const auto size = age::text_size(sealed.size, kAgeHeader);
  return {std::string(key), size ? *size : sealed.size, sealed.modified};
}

// A header of exactly kAgeHeader bytes that names the store key.
std::string padded_header(const age::FileKey& key, const std::vector<age::Recipient>& recipients,
                          const std::string& id) {
  age::Stanza padding{std::string(kPadding), {id, "."}, {}};
  const std::size_t bare = age::print_header(key, recipients, {&padding, 1}).size();
  padding.arguments[1].append(kAgeHeader - bare, '.');
  return age::print_header(key, recipients, {&padding, 1});
}

std::optional<std::string> store_key_of(const age::Header& header) {
  for (const age::Stanza& stanza : header.stanzas) {
    if (stanza.type == kPadding && !stanza.arguments.empty()) return stanza.arguments.front();
  }
  return std::nullopt;
}

// The files of each store key, newest first.
Result<std::map<std::string, std::vector<std::string>>> list_key_files(ObjectStore& store, std::string_view prefix) {
  std::map<std::string, std::vector<std::string>> files;
  TM_LET(const auto objects, store.list(prefix));
  for (auto object = objects.rbegin(); object != objects.rend(); ++object) {
    if (const auto name = parse_store_key_name(object->key)) files[name->first].push_back(object->key);
  }
  return files;
}

Result<StoreKeyFile> read_key_file(ObjectStore& store, const std::string& key,
                                   const std::vector<age::Identity>& identities) {
  TM_LET(const Buffer sealed, store.get(key, kMostKeyFile));
  TM_LET(Buffer text, named(key, age::decrypt(sealed, identities)));
  const auto name = parse_store_key_name(key);
  auto file = named(key, parse_store_key(as_text(text), name ? name->first : ""));
  crypto::wipe(text);
  return file;
}

Status put_key_file(ObjectStore& store, const StoreKeyFile& file, std::uint32_t epoch) {
  const std::string text = print_store_key(file);
  return store.put(store_key_name(store_key_id(file.identity.recipient()), epoch),
                   age::encrypt(as_bytes(text), file.recipients));
}

bool same_recipients(std::vector<age::Recipient> a, std::vector<age::Recipient> b) {
  std::ranges::sort(a, {}, &age::Recipient::point);
  std::ranges::sort(b, {}, &age::Recipient::point);
  return a == b;
}

}  // namespace

bool is_open_key(std::string_view key) {
  return std::ranges::any_of(
      kOpenKeys, [&](std::string_view open) { return open.ends_with('/') ? key.starts_with(open) : key == open; });
}

class EncryptedStore::Writer final : public ObjectWriter {
 public:
  Writer(std::unique_ptr<ObjectWriter> inner, std::string header, const age::FileKey& key)
      : inner_(std::move(inner)), sink_(*inner_, std::move(header), key) {}
  Status write(Bytes bytes) override { return sink_.write(bytes); }
  Status finish() override {
    if (finished_) return {};
    finished_ = true;
    return sink_.finish();
  }
  Status commit() override {
    TM_CHECK(finish());
    return inner_->commit();
  }

 private:
  std::unique_ptr<ObjectWriter> inner_;
  age::EncryptSink sink_;
  bool finished_ = false;
};

Result<std::unique_ptr<EncryptedStore>> EncryptedStore::open(std::unique_ptr<ObjectStore> inner, AgeKeys keys) {
  if (keys.recipients.size() > kMostRecipients) {
    return fail(Errc::invalid, "{} age recipients: at most {} are possible", keys.recipients.size(), kMostRecipients);
  }
  if (!inner->read_only() && keys.recipients.empty()) {
    TM_LET(const auto key_files, inner->list(kAgeKeyFiles));
    if (!key_files.empty()) {
      return std::unexpected(Error{Errc::invalid,
                                   fmt::format("store {} is encrypted: what is written without recipients would be "
                                               "readable by all",
                                               inner->url()),
                                   "add --age-recipients"});
    }
  }
  return std::unique_ptr<EncryptedStore>(new EncryptedStore(std::move(inner), std::move(keys)));
}

Result<age::Identity> EncryptedStore::own_store_key() {
  const std::scoped_lock lock(mutex_);
  if (store_key_) return *store_key_;
  const age::Identity fresh = age::Identity::generate();
  TM_CHECK(named("store key", put_key_file(*inner_, {fresh, keys_.recipients}, 1)));
  store_key_ = fresh;
  found_.emplace(store_key_id(fresh.recipient()), fresh);
  return fresh;
}

Result<age::Identity> EncryptedStore::find_store_key(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  if (const auto known = found_.find(id); known != found_.end()) return known->second;
  TM_LET(const auto files, list_key_files(*inner_, std::string(kAgeKeyFiles) + id + "-"));
  std::optional<Error> why;
  const auto of_id = files.find(id);
  if (of_id == files.end()) return fail(Errc::not_found, "store key {} is not there", id);
  for (const std::string& key : of_id->second) {
    auto file = read_key_file(*inner_, key, keys_.identities);
    if (file) return found_.emplace(id, file->identity).first->second;
    if (!why) why = file.error();
  }
  return std::unexpected(*why);
}

Result<age::FileKey> EncryptedStore::unlock(const age::Header& header) {
  auto direct = age::unlock(header, keys_.identities);
  if (direct || direct.error().code != Errc::denied) return direct;
  if (const auto id = store_key_of(header)) {
    const auto store_key = find_store_key(*id);
    if (store_key) return age::unlock(header, {&*store_key, 1});
    const Errc code = store_key.error().code;
    if (code != Errc::denied && code != Errc::not_found && code != Errc::corrupt) {
      return std::unexpected(store_key.error());
    }
  }
  if (keys_.identities.empty()) {
    return std::unexpected(
        Error{Errc::denied, "it is encrypted, and no identity was given", "add --age-identity FILE"});
  }
  return hinted(std::move(direct), "give the identity of one of its recipients with --age-identity");
}

Result<bool> EncryptedStore::encrypted(std::string_view key) {
  if (is_open_key(key)) return false;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = encrypted_.find(key); known != encrypted_.end()) return known->second;
  }
  const auto sealed = inner_->stat(sealed_name(key));
  if (!sealed && sealed.error().code != Errc::not_found) return std::unexpected(sealed.error());
  return sealed.has_value();
}

Result<std::unique_ptr<ObjectWriter>> EncryptedStore::create(std::string_view key) {
  TM_CHECK(check_key(key));
  if (is_open_key(key) || keys_.recipients.empty()) return inner_->create(key);
  if (read_only()) return inner_->create(key);  // its refusal names the store
  // What was written before the store was encrypted is an object of this store like any other.
  const auto open = inner_->stat(key);
  if (open) return fail(Errc::already_exists, "put '{}': the key is taken", key);
  if (open.error().code != Errc::not_found) return std::unexpected(open.error());
  TM_LET(const age::Identity store_key, own_store_key());
  std::vector<age::Recipient> recipients{store_key.recipient()};
  recipients.insert(recipients.end(), keys_.recipients.begin(), keys_.recipients.end());
  TM_LET(auto inner, inner_->create(sealed_name(key)));
  age::FileKey file_key;
  crypto::random_bytes(file_key);
  auto writer = std::make_unique<Writer>(
      std::move(inner), padded_header(file_key, recipients, store_key_id(store_key.recipient())), file_key);
  crypto::wipe(file_key);
  return writer;
}

Result<std::unique_ptr<io::Source>> EncryptedStore::open(std::string_view key, std::uint64_t offset,
                                                         std::uint64_t length) {
  TM_CHECK(check_key(key));
  TM_LET(const bool sealed, encrypted(key));
  if (!sealed) return inner_->open(key, offset, length);
  const std::string name = sealed_name(key);
  const age::OpenRange range = [&](std::uint64_t at, std::uint64_t most) { return inner_->open(name, at, most); };
  return named(name, age::decrypting(range, [&](const age::Header& header) { return unlock(header); }, offset, length));
}

Result<ObjectInfo> EncryptedStore::stat(std::string_view key) {
  TM_CHECK(check_key(key));
  if (is_open_key(key)) return inner_->stat(key);
  const auto sealed = inner_->stat(sealed_name(key));
  if (sealed) return plain_info(key, *sealed);
  if (sealed.error().code != Errc::not_found) return std::unexpected(sealed.error());
  return inner_->stat(key);
}

Result<std::vector<ObjectInfo>> EncryptedStore::list(std::string_view prefix) {
  std::map<std::string, std::pair<ObjectInfo, bool>, std::less<>> all;  // and whether it is encrypted
  TM_LET(const auto plain, inner_->list(prefix));
  for (const ObjectInfo& object : plain) {
    if (!is_hidden(object.key)) all[object.key] = {object, false};
  }
  TM_LET(const auto sealed, inner_->list(std::string(kAgeObjects) + std::string(prefix)));
  for (const ObjectInfo& object : sealed) {
    if (!object.key.ends_with(kSuffix)) continue;
    std::string_view key = object.key;
    key = key.substr(kAgeObjects.size(), key.size() - kAgeObjects.size() - kSuffix.size());
    if (!key.starts_with(prefix) || !check_key(key) || is_open_key(key)) continue;
    all[std::string(key)] = {plain_info(key, object), true};
  }
  std::vector<ObjectInfo> objects;
  const std::scoped_lock lock(mutex_);
  for (auto& [key, object] : all) {
    encrypted_[key] = object.second;
    objects.push_back(std::move(object.first));
  }
  return objects;
}

Status EncryptedStore::remove(std::string_view key) {
  TM_CHECK(check_key(key));
  TM_LET(const bool sealed, encrypted(key));
  TM_CHECK(inner_->remove(sealed ? sealed_name(key) : std::string(key)));
  const std::scoped_lock lock(mutex_);
  if (const auto known = encrypted_.find(key); known != encrypted_.end()) encrypted_.erase(known);
  return {};
}

Result<EncryptedStore::Rewrapped> EncryptedStore::rewrap(const std::vector<age::Recipient>& recipients) {
  if (recipients.empty() || recipients.size() > kMostRecipients) {
    return fail(Errc::invalid, "{} age recipients: from 1 to {} are possible", recipients.size(), kMostRecipients);
  }
  Rewrapped done;
  TM_LET(const auto files, list_key_files(*inner_, kAgeKeyFiles));
  // All are opened before one is sealed: an identity that is missing must not end this in the middle.
  std::vector<std::pair<std::uint32_t, StoreKeyFile>> to_seal;
  for (const auto& [id, keys] : files) {
    TM_LET(StoreKeyFile newest, read_key_file(*inner_, keys.front(), keys_.identities));
    if (same_recipients(newest.recipients, recipients)) {
      ++done.unchanged;
    } else {
      to_seal.emplace_back(parse_store_key_name(keys.front())->second + 1, std::move(newest));
    }
  }
  for (const auto& [epoch, file] : to_seal) {
    TM_CHECK(put_key_file(*inner_, {file.identity, recipients}, epoch));
    ++done.changed;
  }
  return done;
}

}  // namespace tidemark::store
