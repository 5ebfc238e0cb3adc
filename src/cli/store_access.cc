#include "cli/store_access.h"

#include "io/file.h"

namespace tidemark::cli {
namespace {

constexpr std::uint64_t kMostKeyFile = 64UL << 10U;

// What is read here may be secret: it is wiped when it was understood.
template <class Key>
Status add_keys(std::string_view name, Result<Buffer> text, Result<std::vector<Key>> (*parse)(std::string_view),
                std::vector<Key>& to) {
  if (!text) {
    Error error = text.error();
    if (error.code == Errc::not_found) error.code = Errc::invalid;  // a wrong flag, not a missing backup
    return named(name, Status(std::unexpect, std::move(error)));
  }
  auto keys = named(name, parse(as_text(*text)));
  crypto::wipe(*text);
  if (!keys) return std::unexpected(keys.error());
  to.insert(to.end(), keys->begin(), keys->end());
  return {};
}

}  // namespace

Result<store::AgeKeys> read_age_keys(const AgeWish& wish, const std::stop_token& stop) {
  store::AgeKeys keys;
  for (const std::string& recipient : wish.recipients) {
    if (recipient.starts_with("age1")) {
      TM_LET(const age::Recipient one, named("--age-recipients", age::parse_recipient(recipient)));
      keys.recipients.push_back(one);
    } else {
      TM_CHECK(add_keys("--age-recipients '" + recipient + "'", io::read_file(recipient, kMostKeyFile),
                        age::parse_recipients, keys.recipients));
    }
  }
  for (const std::string& file : wish.identity_files) {
    TM_CHECK(add_keys("--age-identity '" + file + "'", io::read_file(file, kMostKeyFile), age::parse_identities,
                      keys.identities));
  }
  if (!wish.identity_command.empty()) {
    // Its first word alone: the others may be secret.
    TM_CHECK(
        add_keys("--age-identity-command '" + wish.identity_command.substr(0, wish.identity_command.find(' ')) + "'",
                 run_identity_command(wish.identity_command, {.stop = stop}), age::parse_identities, keys.identities));
  }
  return keys;
}

}  // namespace tidemark::cli
