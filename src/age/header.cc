#include "age/header.h"

#include <algorithm>
#include <map>
#include <optional>

#include "crypto/sign.h"

namespace tidemark::age {
namespace {

constexpr std::string_view kVersion = "age-encryption.org/v1\n";
constexpr std::string_view kX25519 = "X25519";
constexpr std::string_view kWrapPurpose = "age-encryption.org/v1/X25519";
constexpr std::size_t kColumns = 64;
constexpr crypto::Nonce12 kZeroNonce{};

std::string base64(Bytes bytes) {
  std::string text = crypto::to_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::optional<Buffer> unbase64(std::string_view text) {
  if (text.find('=') != std::string_view::npos) return std::nullopt;
  std::string padded(text);
  while (padded.size() % 4 != 0) padded += '=';
  auto bytes = crypto::from_base64(padded);
  if (!bytes || base64(*bytes) != text) return std::nullopt;  // bits left over would be a second way to say the same
  return *std::move(bytes);
}

// Lines of a header, one after the other.
class Lines {
 public:
  explicit Lines(Bytes bytes) : text_(as_text(bytes)) {}

  Result<std::string_view> next() {
    const std::size_t end = text_.find('\n', at_);
    if (end == std::string_view::npos) {
      if (text_.size() >= kMaxHeader) return fail(Errc::corrupt, "the header is longer than {} bytes", kMaxHeader);
      return fail(Errc::torn, "the header ends inside itself");
    }
    const std::string_view line = text_.substr(at_, end - at_);
    at_ = end + 1;
    return line;
  }
  std::string_view so_far() const { return text_.substr(0, at_); }
  std::size_t at() const { return at_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

Result<std::vector<std::string>> parse_words(std::string_view line, std::size_t at) {
  std::vector<std::string> words;
  for (std::size_t begin = 0;;) {
    const std::size_t end = std::min(line.find(' ', begin), line.size());
    const std::string_view word = line.substr(begin, end - begin);
    const bool printable = std::ranges::all_of(word, [](char c) { return c > 0x20 && c < 0x7f; });
    if (word.empty() || !printable) return fail(Errc::corrupt, "offset {}: a stanza has a malformed argument", at);
    words.emplace_back(word);
    if (end == line.size()) return words;
    begin = end + 1;
  }
}

// The line that begins with "-> " was read; the body follows: full lines, and one that is shorter.
Result<Stanza> parse_stanza(std::string_view first, Lines& lines) {
  const std::size_t at = lines.at();
  TM_LET(auto words, parse_words(first.substr(3), at));
  Stanza stanza{std::move(words.front()), {}, {}};
  stanza.arguments.assign(std::make_move_iterator(words.begin() + 1), std::make_move_iterator(words.end()));
  for (;;) {
    TM_LET(const std::string_view line, lines.next());
    const auto part = line.size() > kColumns ? std::nullopt : unbase64(line);
    if (!part) return fail(Errc::corrupt, "offset {}: the body of a stanza is no base64", at);
    stanza.body.insert(stanza.body.end(), part->begin(), part->end());
    if (line.size() < kColumns) return stanza;
  }
}

Status parse_end(std::string_view line, Lines& lines, Header& header) {
  const std::size_t before = lines.at() - line.size() - 1;
  header.text = std::string(lines.so_far().substr(0, before + 3));
  header.size = lines.at();
  const auto hmac = line.starts_with("--- ") ? unbase64(line.substr(4)) : std::nullopt;
  if (!hmac || hmac->size() != header.hmac.size())
    return fail(Errc::corrupt, "offset {}: the HMAC is malformed", before);
  std::ranges::copy(*hmac, header.hmac.begin());
  return {};
}

crypto::Secret32 hmac_key(const FileKey& key) { return crypto::hkdf_sha256(key, {}, "header"); }

Stanza wrap(const FileKey& key, const Recipient& recipient) {
  const Identity ephemeral = Identity::generate();
  const crypto::Key32 share = ephemeral.recipient().point;
  // A recipient of low order has no identity: nobody could open what is sealed to it, so nothing is lost by any key.
  const auto shared = crypto::x25519_shared(ephemeral.secret(), recipient.point);
  const crypto::Secret32 secret = shared ? *shared : ephemeral.secret();
  Buffer salt(share.begin(), share.end());
  salt.insert(salt.end(), recipient.point.begin(), recipient.point.end());
  Stanza stanza{std::string(kX25519), {base64(share)}, Buffer(key.size() + crypto::kTagBytes)};
  crypto::ChaChaPoly(crypto::hkdf_sha256(secret.bytes(), salt, kWrapPurpose)).seal(kZeroNonce, key, stanza.body);
  return stanza;
}

// nullopt: of another identity.
Result<std::optional<FileKey>> unwrap(const Stanza& stanza, const crypto::Key32& share, const Identity& identity) {
  TM_LET(const crypto::Secret32 shared, crypto::x25519_shared(identity.secret(), share));
  const crypto::Key32 own = identity.recipient().point;
  Buffer salt(share.begin(), share.end());
  salt.insert(salt.end(), own.begin(), own.end());
  FileKey key;
  crypto::ChaChaPoly cipher(crypto::hkdf_sha256(shared.bytes(), salt, kWrapPurpose));
  if (!cipher.open(kZeroNonce, stanza.body, key)) return std::nullopt;
  return key;
}

Result<crypto::Key32> share_of(const Stanza& stanza) {
  crypto::Key32 share;
  const auto bytes = stanza.arguments.size() == 1 ? unbase64(stanza.arguments.front()) : std::nullopt;
  if (!bytes || bytes->size() != share.size() || stanza.body.size() != sizeof(FileKey) + crypto::kTagBytes) {
    return fail(Errc::corrupt, "an X25519 stanza is malformed");
  }
  std::ranges::copy(*bytes, share.begin());
  return share;
}

std::string stanza_types(const Header& header) {
  std::map<std::string, int> types;
  for (const Stanza& stanza : header.stanzas) ++types[stanza.type];
  std::string text;
  for (const auto& [type, count] : types) text += fmt::format("{}{} x {}", text.empty() ? "" : ", ", count, type);
  return text;
}

std::string print_stanza(const Stanza& stanza) {
  std::string text = "-> " + stanza.type;
  for (const std::string& argument : stanza.arguments) text += " " + argument;
  text += "\n";
  const std::string body = base64(stanza.body);
  for (std::size_t at = 0; at <= body.size(); at += kColumns) text += body.substr(at, kColumns) + "\n";
  return text;
}

}  // namespace

Result<Header> parse_header(Bytes bytes) {
  const std::string_view text = as_text(bytes.first(std::min(bytes.size(), kMaxHeader)));
  if (!text.starts_with(kVersion)) {
    if (kVersion.starts_with(text)) return fail(Errc::torn, "the header ends inside itself");
    if (text.starts_with("-----BEGIN AGE")) return fail(Errc::unsupported, "an armored age file");
    if (text.starts_with("age-encryption.org/")) return fail(Errc::unsupported, "an age file of another version");
    return fail(Errc::corrupt, "not an age file");
  }
  Lines lines(as_bytes(text));
  TM_CHECK(lines.next());
  Header header;
  for (;;) {
    TM_LET(const std::string_view line, lines.next());
    if (line.starts_with("---")) {
      TM_CHECK(parse_end(line, lines, header));
      break;
    }
    if (!line.starts_with("-> ")) return fail(Errc::corrupt, "offset {}: neither a stanza nor the HMAC", lines.at());
    TM_LET(Stanza stanza, parse_stanza(line, lines));
    header.stanzas.push_back(std::move(stanza));
  }
  if (header.stanzas.empty()) return fail(Errc::corrupt, "the header has no stanza");
  const bool passphrase = std::ranges::any_of(header.stanzas, [](const Stanza& s) { return s.type == "scrypt"; });
  if (passphrase && header.stanzas.size() > 1) {
    return fail(Errc::corrupt, "a passphrase stands beside other recipients");
  }
  return header;
}

std::string print_header(const FileKey& key, std::span<const Recipient> recipients, std::span<const Stanza> extra) {
  std::string text(kVersion);
  for (const Recipient& recipient : recipients) text += print_stanza(wrap(key, recipient));
  for (const Stanza& stanza : extra) text += print_stanza(stanza);
  text += "---";
  const auto hmac = crypto::hmac_sha256(hmac_key(key).bytes(), as_bytes(text));
  return text + " " + base64(hmac) + "\n";
}

Result<FileKey> unlock(const Header& header, std::span<const Identity> identities) {
  for (const Stanza& stanza : header.stanzas) {
    if (stanza.type != kX25519) continue;
    TM_LET(const crypto::Key32 share, share_of(stanza));
    for (const Identity& identity : identities) {
      auto key = unwrap(stanza, share, identity);
      if (!key) return fail(Errc::corrupt, "an X25519 stanza is malformed: {}", key.error().what);
      if (!*key) continue;
      if (crypto::hmac_sha256(hmac_key(**key).bytes(), as_bytes(header.text)) != header.hmac) {
        return fail(Errc::corrupt, "the header was altered: its HMAC is wrong");
      }
      return **key;
    }
  }
  return fail(Errc::denied, "none of {} identities opens it; it is encrypted to {}", identities.size(),
              stanza_types(header));
}

}  // namespace tidemark::age
