// tidemark rekey: lets other recipients read what an encrypted store holds already.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/output.h"
#include "cli/program.h"
#include "cli/verbs.h"
#include "store/open.h"

namespace tidemark::cli {
namespace {

struct RekeyWish {
  std::string store;
  Format format = Format::table;
};

Result<Exit> rekey(Program& program, const RekeyWish& wish) {
  TM_LET(const store::AgeKeys keys, read_age_keys(program.age(), program.stop()));
  if (keys.identities.empty()) {
    return std::unexpected(Error{Errc::invalid, "rekey: the store keys have to be opened before they are sealed again",
                                 "add --age-identity FILE of one who can read the store today"});
  }
  TM_LET(auto inner, store::open_store(wish.store, /*read_only=*/false, program.stop()));
  TM_LET(const auto store, store::EncryptedStore::open(std::move(inner), keys));
  TM_LET(const auto done, store->rewrap(keys.recipients));
  if (done.changed + done.unchanged == 0) return fail(Errc::not_found, "{} is not encrypted", store->url());
  if (wish.format == Format::json || wish.format == Format::yaml) {
    const nlohmann::ordered_json fields{{"kind", "Rekey"},         {"formatVersion", 1},
                                        {"store", store->url()},   {"recipients", keys.recipients.size()},
                                        {"changed", done.changed}, {"unchanged", done.unchanged}};
    program.out() << (wish.format == Format::json ? print_json(fields) : print_yaml(fields));
    return Exit::done;
  }
  program.out() << fmt::format("{} store keys sealed to {} recipients, {} were already\n", done.changed,
                               keys.recipients.size(), done.unchanged);
  return Exit::done;
}

}  // namespace

void add_rekey(Program& program) {
  auto wish = std::make_shared<RekeyWish>();
  CLI::App& app = program.verb(
      "rekey", "let other recipients read an encrypted store, without rewriting it",
      "tidemark rekey --store dir:/backups/prod --age-recipients team.txt --age-identity me.txt\n"
      "tidemark rekey --store dir:/backups/prod --age-recipients age1... --age-identity-command 'pass show age/me'\n",
      [wish](Program& p) { return rekey(p, *wish); });
  program.add_store(app, wish->store);
  program.add_recipients(app)->required();
  program.add_format(app, wish->format);
}

}  // namespace tidemark::cli
