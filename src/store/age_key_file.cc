#include "store/age_key_file.h"

#include <charconv>

#include "crypto/sha256.h"
#include "store/encrypted_store.h"

namespace tidemark::store {
namespace {

constexpr std::size_t kIdDigits = 32;
constexpr std::string_view kSealedTo = "# sealed to: ";

}  // namespace

std::string store_key_id(const age::Recipient& recipient) {
  return to_hex(crypto::sha256(as_bytes(recipient.print()))).substr(0, kIdDigits);
}

std::string store_key_name(std::string_view id, std::uint32_t epoch) {
  return fmt::format("{}{}-{:06}.age", kAgeKeyFiles, id, epoch);
}

std::optional<std::pair<std::string, std::uint32_t>> parse_store_key_name(std::string_view key) {
  if (!key.starts_with(kAgeKeyFiles) || !key.ends_with(".age")) return std::nullopt;
  const std::string_view name = key.substr(kAgeKeyFiles.size(), key.size() - kAgeKeyFiles.size() - 4);
  if (name.size() < kIdDigits + 2 || name[kIdDigits] != '-') return std::nullopt;
  std::uint32_t epoch = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + kIdDigits + 1, end, epoch);
  if (error != std::errc() || stop != end) return std::nullopt;
  return std::pair(std::string(name.substr(0, kIdDigits)), epoch);
}

std::string print_store_key(const StoreKeyFile& file) {
  std::string text = "# store key of tidemark: opens the objects that name it\n";
  text += "# public key: " + file.identity.recipient().print() + "\n";
  for (const age::Recipient& recipient : file.recipients) {
    text += std::string(kSealedTo) + recipient.print() + "\n";
  }
  return text + file.identity.print() + "\n";
}

Result<StoreKeyFile> parse_store_key(std::string_view text, std::string_view id) {
  const auto identities = age::parse_identities(text);
  if (!identities || identities->size() != 1) return fail(Errc::corrupt, "it holds no store key");
  StoreKeyFile file{identities->front(), {}};
  if (store_key_id(file.identity.recipient()) != id) return fail(Errc::corrupt, "it holds another store key");
  for (std::size_t at = text.find(kSealedTo); at != std::string_view::npos; at = text.find(kSealedTo, at + 1)) {
    const std::string_view rest = text.substr(at + kSealedTo.size());
    TM_LET(const age::Recipient recipient, age::parse_recipient(rest.substr(0, rest.find('\n'))));
    file.recipients.push_back(recipient);
  }
  return file;
}

}  // namespace tidemark::store
