// What an object is called and labelled, read from its stored bytes without decoding the rest: for who looks through
// many objects for few.
//
// Kubernetes' own objects have their metadata in field 1, and JSON is written with its keys in order, so a reader stops
// early. It takes only what is plain: whatever else there is (encrypted at rest, CBOR, escapes, text beyond ASCII, a
// damaged value, a member of another type) is for the decoder of all of it (kube/object_json.h, kube/json_text.h).
// Keys of a JSON object count as unique, as an API server writes them.
// Threads: any; one ObjectMetadata in one thread.
// Source: k8s.io/apimachinery pkg/apis/meta/v1/generated.proto (ObjectMeta), Go's encoding/json (maps are sorted).
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace tidemark::kube {

using Label = std::pair<std::string_view, std::string_view>;

// Views into the value.
struct ObjectMetadata {
  std::string_view api_version{}, kind{}, name_space{}, name{}, uid{};
  std::vector<Label> labels{};  // of a key that stands there twice the last counts
};

// false: the whole decoder has to look; `into` then means nothing. Memory of `into` is used again.
bool read_metadata(Bytes value, ObjectMetadata& into);

}  // namespace tidemark::kube
