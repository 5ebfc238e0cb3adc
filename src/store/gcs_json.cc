// What Google Cloud Storage answers, read.
#include "base/rfc3339.h"
#include "crypto/sign.h"
#include "store/gcs_client.h"
#include "store/json_fields.h"
#include "store/resuming_source.h"

namespace tidemark::store {
namespace {

using nlohmann::json;

Result<GcsObject> read_object(const json& fields) {
  GcsObject object;
  object.key = text_of(fields, "name");
  if (object.key.empty()) return fail(Errc::corrupt, "an object without a name");
  const std::string size = text_of(fields, "size");  // a number in quotes
  const auto bytes = parse_decimal(size);
  if (!bytes) return fail(Errc::corrupt, "object '{}': '{}' is no size", object.key, size);
  object.size = *bytes;
  std::string created = text_of(fields, "timeCreated");
  if (created.empty()) created = text_of(fields, "updated");
  TM_LET(object.created, named(fmt::format("object '{}'", object.key), parse_rfc3339(created)));
  object.crc32c = parse_crc32c(text_of(fields, "crc32c"));
  object.generation = text_of(fields, "generation");
  const json& marks = object_of(fields, "metadata");
  object.mark = text_of(marks, "tidemark-write");
  object.excluded = text_of(marks, "x-etcd-snapshot-exclude") == "true";
  return object;
}

}  // namespace

std::string print_crc32c(std::uint32_t crc) {
  std::byte bytes[4];
  store_be(bytes, crc);
  return crypto::to_base64(bytes);
}

std::optional<std::uint32_t> parse_crc32c(std::string_view text) {
  const auto bytes = crypto::from_base64(text);
  if (!bytes || bytes->size() != 4) return std::nullopt;
  return load_be<std::uint32_t>(*bytes);
}

Result<GcsObject> parse_gcs_object(std::string_view text) {
  TM_LET(const json fields, parse_object(text));
  return read_object(fields);
}

Result<GcsPage> parse_gcs_page(std::string_view text) {
  TM_LET(const json page, parse_object(text));
  GcsPage read;
  read.next = text_of(page, "nextPageToken");
  const auto items = page.find("items");  // not there when the page is empty
  if (items == page.end()) return read;
  if (!items->is_array()) return fail(Errc::corrupt, "\"items\" is no list");
  for (const json& item : *items) {
    if (!item.is_object()) return fail(Errc::corrupt, "an item is no object");
    TM_LET(GcsObject object, read_object(item));
    read.objects.push_back(std::move(object));
  }
  return read;
}

GcsRefusal read_gcs_refusal(const net::Answer& answer) {
  const auto object = parse_object(answer.text());
  if (!object) {
    // Uploads answer in plain words.
    std::string words(answer.text().substr(0, 200));
    const bool plain = answer.header("Content-Type").starts_with("text/plain");
    while (words.ends_with('\n')) words.pop_back();
    return {{}, plain ? words : std::string()};
  }
  const json& error = object_of(*object, "error");
  GcsRefusal refusal{{}, text_of(error, "message")};
  const auto errors = error.find("errors");
  if (errors != error.end() && errors->is_array() && !errors->empty() && errors->front().is_object()) {
    refusal.reason = text_of(errors->front(), "reason");
    if (refusal.message.empty()) refusal.message = text_of(errors->front(), "message");
  }
  return refusal;
}

}  // namespace tidemark::store
