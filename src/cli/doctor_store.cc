#include "cli/doctor_store.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/history.h"
#include "cli/output.h"
#include "inspect/keys.h"
#include "restore/base_image.h"

namespace tidemark::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Answer {
  std::string url;
  std::string full;
  inspect::NeededKeys needed;
  std::vector<inspect::KeptKey> kept;
  std::vector<inspect::MissingKey> missing;
};

Result<inspect::NeededKeys> look_into(restore::Origin& origin, const catalog::Point& full) {
  if (const auto file = origin.plain_file(full)) {
    TM_LET(const auto image, restore::BaseImage::in_place(*file, /*skip_digest=*/true));
    return inspect::needed_keys(image->database());
  }
  TM_LET(const io::TempDir scratch, io::TempDir::create());
  TM_LET(const auto body, origin.body(full));
  TM_LET(const auto image,
         restore::BaseImage::spool(*body, scratch.path() / "full.db", full.key, /*skip_digest=*/false));
  return inspect::needed_keys(image->database());
}

Result<std::vector<inspect::KeptKey>> read_kept(const History& history) {
  if (!history.store) return std::vector<inspect::KeptKey>{};
  const auto text = history.store->get(inspect::kKeysKeptKey, 1UL << 20U);
  if (!text && text.error().code == Errc::not_found) return std::vector<inspect::KeptKey>{};
  if (!text) return std::unexpected(text.error());
  return named(inspect::kKeysKeptKey, inspect::parse_keys_kept(as_text(*text)));
}

std::string print_table(const Answer& answer) {
  std::string text;
  const auto line = [&](std::string_view name, std::string_view value) {
    text += fmt::format("{:<12}{}\n", name, value);
  };
  line("looked at", answer.full);
  for (const auto& [provider, values] : answer.needed.providers) {
    line("encrypted", fmt::format("{} values with {}", values, provider));
  }
  for (const inspect::KeptKey& key : answer.kept) line("kept", key.name + ": " + key.kept);
  for (const inspect::MissingKey& key : answer.missing) {
    line("missing", fmt::format("{} is not known to be kept anywhere: {}", key.name, key.why));
  }
  if (!answer.missing.empty()) {
    line("",
         fmt::format("-> keep them apart from the backups, and say where in {} of the store", inspect::kKeysKeptKey));
  }
  if (answer.needed.plain_secrets > 0) {
    line("note", fmt::format("{} Secrets are readable for whoever can read this store", answer.needed.plain_secrets));
  }
  return text;
}

Json to_json(const Answer& answer) {
  Json all{{"kind", "StoreReport"}, {"formatVersion", 1}, {"store", answer.url}, {"lookedAt", answer.full}};
  all["kubernetes"] = answer.needed.kubernetes;
  all["encrypted"] = Json::array();
  for (const auto& [provider, values] : answer.needed.providers) {
    all["encrypted"].push_back(Json{{"provider", provider}, {"values", values}});
  }
  all["plainSecrets"] = answer.needed.plain_secrets;
  all["kept"] = Json::array();
  for (const inspect::KeptKey& key : answer.kept) all["kept"].push_back(Json{{"name", key.name}, {"kept", key.kept}});
  all["missing"] = Json::array();
  for (const inspect::MissingKey& key : answer.missing) {
    all["missing"].push_back(Json{{"name", key.name}, {"why", key.why}});
  }
  return all;
}

}  // namespace

Result<Exit> doctor_store(Program& program, const std::string& url, Format format) {
  TM_LET(const History history, open_history(program, url));
  TM_LET(const catalog::Timeline timeline, history.origin->timeline());
  Answer answer;
  answer.url = history.origin->url();
  if (timeline.fulls.empty()) return fail(Errc::not_found, "{} holds no full snapshot", answer.url);
  const catalog::Point& full = timeline.fulls.back();
  answer.full = full.key;
  TM_LET(answer.needed, look_into(*history.origin, full));
  TM_LET(answer.kept, read_kept(history));
  answer.missing = inspect::missing_keys(answer.needed, answer.kept);
  switch (format) {
    case Format::json: program.out() << print_json(to_json(answer)); break;
    case Format::yaml: program.out() << print_yaml(to_json(answer)); break;
    case Format::name:
      for (const inspect::MissingKey& key : answer.missing) program.out() << key.name << "\n";
      break;
    case Format::table:
    case Format::wide: program.out() << print_table(answer); break;
  }
  return answer.missing.empty() ? Exit::done : Exit::findings;
}

}  // namespace tidemark::cli
