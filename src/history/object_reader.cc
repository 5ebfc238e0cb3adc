#include "history/object_reader.h"

#include <nlohmann/json.hpp>

#include "history/wanted.h"
#include "kube/served.h"

namespace tidemark::history {

using nlohmann::json;

ObjectReader::ObjectReader(kube::Decryptor* decryptor, bool managed_fields)
    : decryptor_(decryptor),
      printer_(kube::Schema::built_in(),
               kube::ObjectOptions{.managed_fields = managed_fields, .style = kube::JsonWriter::Style::compact}) {}

Result<json> ObjectReader::read_value(const std::string& key, const Row& row, const kube::Resource& resource) {
  TM_LET(const Bytes value, opened_value(decryptor_, key, row.value, plain_));
  text_.clear();
  TM_LET(const kube::Lossiness lost, printer_.print(value, row.mod, text_));
  if (lost.unknown_fields > 0) {
    notes_.push_back(fmt::format("{}: {} fields of no known type are left out, first {}", key, lost.unknown_fields,
                                 lost.first_unknown));
  }
  json object = json::parse(text_, nullptr, /*allow_exceptions=*/false);
  if (!kube::as_served(object, resource)) {
    notes_.push_back(fmt::format("{}: shown as stored, for only a webhook converts it to {}", key, resource.version));
  }
  return object;
}

Result<json> ObjectReader::read(const std::string& key, const Row& row, const kube::Resource& resource) {
  return named(key, read_value(key, row, resource));
}

}  // namespace tidemark::history
