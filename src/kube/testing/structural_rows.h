// How an API server reads fields of custom resources: by these schemas, held against a real one by drill_serve.
#pragma once

namespace tidemark::kube::testing {

struct StructuralRow {
  const char* name;
  const char* schema;
  const char* stored;
  const char* read;
};

// Facts of k8s.io/apiextensions-apiserver 0.36.
inline constexpr StructuralRow kStructuralRows[] = {
    {"a default where nothing is", R"({"type":"object","properties":{"a":{"type":"integer","default":7}}})", R"({})",
     R"({"a":7})"},
    {"not where something is", R"({"type":"object","properties":{"a":{"type":"integer","default":7}}})", R"({"a":8})",
     R"({"a":8})"},
    {"a null that may not be is defaulted", R"({"type":"object","properties":{"a":{"type":"integer","default":7}}})",
     R"({"a":null})", R"({"a":7})"},
    {"a null that may be stays",
     R"({"type":"object","properties":{"a":{"type":"integer","default":7,"nullable":true}}})", R"({"a":null})",
     R"({"a":null})"},
    {"a null without a default goes", R"({"type":"object","properties":{"a":{"type":"integer"}}})", R"({"a":null})",
     R"({})"},
    {"a default inside a default",
     R"({"type":"object","properties":{"a":{"type":"object","default":{},"properties":)"
     R"({"b":{"type":"integer","default":1},"c":{"type":"string","default":"x"}}}}})",
     R"({})", R"({"a":{"b":1,"c":"x"}})"},
    {"none inside what is not there",
     R"({"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"integer","default":1}}}}})",
     R"({})", R"({})"},
    {"in each item",
     R"({"type":"object","properties":{"a":{"type":"array","items":)"
     R"({"type":"object","properties":{"b":{"type":"integer","default":1}}}}}})",
     R"({"a":[{},{"b":2}]})", R"({"a":[{"b":1},{"b":2}]})"},
    {"nulls in lists become the default",
     R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"integer","default":5}}}})",
     R"({"a":[null,1]})", R"({"a":[5,1]})"},
    {"in each value of a map",
     R"({"type":"object","additionalProperties":)"
     R"({"type":"object","properties":{"b":{"type":"integer","default":1}}}})",
     R"({"x":{},"y":{"b":0}})", R"({"x":{"b":1},"y":{"b":0}})"},
    {"what the schema has not goes", R"({"type":"object","properties":{"a":{"type":"integer"}}})", R"({"a":1,"b":2})",
     R"({"a":1})"},
    {"at any depth",
     R"({"type":"object","properties":{"a":{"type":"array","items":)"
     R"({"type":"object","properties":{"b":{"type":"integer"}}}}}})",
     R"({"a":[{"b":1,"c":2}]})", R"({"a":[{"b":1}]})"},
    {"unknown fields that may stay",
     R"({"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"a":{"type":"object"}}})",
     R"({"a":{"gone":1},"b":{"stays":2}})", R"({"a":{},"b":{"stays":2}})"},
    {"an embedded object keeps what every object has",
     R"({"type":"object","properties":{"a":{"type":"object","x-kubernetes-embedded-resource":true,)"
     R"("properties":{"b":{"type":"integer"}}}}})",
     R"({"a":{"apiVersion":"v1","kind":"K","metadata":{"labels":{"l":"x"}},"b":1,"c":2}})",
     R"({"a":{"apiVersion":"v1","kind":"K","metadata":{"labels":{"l":"x"}},"b":1}})"},
    {"a map of anything keeps its scalars", R"({"type":"object","additionalProperties":true})",
     R"({"a":1,"b":{"c":2}})", R"({"a":1,"b":{}})"},
    {"an object without a schema is an empty one", R"({"type":"object"})", R"({"a":1})", R"({})"},
    {"what is of another type is left alone",
     R"({"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"integer","default":1}}}}})",
     R"({"a":7})", R"({"a":7})"},
};

}  // namespace tidemark::kube::testing
