// Objects in the form that was asked for: as they are, their metadata alone, or as rows of a table.
// Threads: any.
// Source: k8s.io/apimachinery pkg/apis/meta/v1 (types.go: Table, PartialObjectMetadata).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "serve/api_request.h"
#include "serve/served_kinds.h"

namespace tidemark::serve {

// What stands beside the cells of a row.
enum class RowObject { none, metadata, object };
// Of the parameter includeObject. Errc::invalid: another word.
Result<RowObject> read_row_object(std::string_view word);

struct Showing {
  Form form = Form::object;
  RowObject row_object = RowObject::metadata;
  Time now;  // what ages are counted from
};

// One object, alone.
nlohmann::json shown_alone(const ServedKind& kind, nlohmann::json object, const Showing& showing);
// One among the others of a list: an item, or a row of a table.
nlohmann::json shown_in_list(const ServedKind& kind, nlohmann::json object, const Showing& showing);
// What a list begins with, up to and with the bracket in front of its first item.
std::string list_head(const ServedKind& kind, const Showing& showing);

// The scale of a Deployment, ReplicaSet, StatefulSet or ReplicationController (autoscaling/v1).
nlohmann::json scale_of(const nlohmann::json& object);

}  // namespace tidemark::serve
