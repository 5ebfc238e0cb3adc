#include "serve/shown_object.h"

#include "kube/columns.h"
#include "serve/failure.h"

namespace tidemark::serve {
namespace {

using nlohmann::json;

json member(const json& from, const char* name) {
  const auto found = from.find(name);
  return found == from.end() ? json::object() : *found;
}

json metadata_alone(const json& object) {
  return {
      {"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", member(object, "metadata")}};
}

json column_definitions(const ServedKind& kind) {
  json all = json::array();
  for (const kube::Column& column : kube::columns_of(kind.resource)) {
    // Clients print the names in capitals, and put the kind in front of the column of this format.
    all.push_back({{"name", column.heading},
                   {"type", "string"},
                   {"format", column.name ? "name" : ""},
                   {"description", ""},
                   {"priority", column.wide ? 1 : 0}});
  }
  return all;
}

json row_of(const ServedKind& kind, json object, const Showing& showing) {
  json row{{"cells", kube::cells_of(kind.resource, object, showing.now)}};
  switch (showing.row_object) {
    case RowObject::none: break;
    case RowObject::metadata: row["object"] = metadata_alone(object); break;
    case RowObject::object: row["object"] = std::move(object); break;
  }
  return row;
}

}  // namespace

Result<RowObject> read_row_object(std::string_view word) {
  if (word.empty() || word == "Metadata") return RowObject::metadata;
  if (word == "None") return RowObject::none;
  if (word == "Object") return RowObject::object;
  return fail(Errc::invalid, "includeObject={}: None, Metadata or Object expected", word);
}

json shown_alone(const ServedKind& kind, json object, const Showing& showing) {
  if (showing.form == Form::partial) return metadata_alone(object);
  if (showing.form != Form::table) return object;
  const json version = member(member(object, "metadata"), "resourceVersion");
  json rows = json::array();
  rows.push_back(row_of(kind, std::move(object), showing));
  return {{"kind", "Table"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", {{"resourceVersion", version.is_string() ? version : json("")}}},
          {"columnDefinitions", column_definitions(kind)},
          {"rows", std::move(rows)}};
}

json shown_in_list(const ServedKind& kind, json object, const Showing& showing) {
  if (showing.form == Form::partial) return metadata_alone(object);
  if (showing.form != Form::table) return object;
  return row_of(kind, std::move(object), showing);
}

std::string list_head(const ServedKind& kind, const Showing& showing) {
  json head{{"kind", kind.list_kind}, {"apiVersion", kind.api_version()}};
  const char* items = "items";
  if (showing.form == Form::partial) head = {{"kind", "PartialObjectMetadataList"}, {"apiVersion", "meta.k8s.io/v1"}};
  if (showing.form == Form::table) {
    head = {{"kind", "Table"}, {"apiVersion", "meta.k8s.io/v1"}, {"columnDefinitions", column_definitions(kind)}};
    items = "rows";
  }
  std::string text = json_text(head);
  text.pop_back();  // its brace
  return text + ",\"" + items + "\":[";
}

json scale_of(const json& object) {
  const json metadata = member(object, "metadata"), spec = member(object, "spec"), status = member(object, "status");
  json kept = json::object();
  for (const char* name : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    if (metadata.contains(name)) kept[name] = metadata[name];
  }
  // A ReplicationController's selector is the labels themselves.
  const json selector = member(spec, "selector");
  const json labels = selector.contains("matchLabels") ? selector["matchLabels"] : selector;
  std::string text;
  for (const auto& [name, value] : labels.items()) {
    if (value.is_string()) text += (text.empty() ? "" : ",") + name + "=" + value.get<std::string>();
  }
  const auto replicas = [](const json& from) {
    const json count = member(from, "replicas");
    return count.is_number_integer() ? count : json(0);
  };
  return {{"kind", "Scale"},
          {"apiVersion", "autoscaling/v1"},
          {"metadata", std::move(kept)},
          {"spec", {{"replicas", replicas(spec)}}},
          {"status", {{"replicas", replicas(status)}, {"selector", text}}}};
}

}  // namespace tidemark::serve
