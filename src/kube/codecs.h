// The types of Kubernetes that print themselves: what is a message on the wire and something of its own in JSON.
// Each call prints one value; Errc::corrupt when the message is not one of that type. Private to kube/.
// Source: k8s.io/apimachinery pkg/apis/meta/v1 (time.go, micro_time.go, duration.go, time_proto.go),
// pkg/api/resource (quantity_proto.go), pkg/util/intstr, Go's time.Duration.String.
#pragma once

#include <chrono>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "kube/json_writer.h"

namespace tidemark::kube {

// Is this metav1.Time (a Timestamp) the zero time, which JSON shows as null?
bool is_zero_time(Bytes timestamp);
Status print_time(Bytes timestamp, JsonWriter& to);        // "2026-11-21T20:00:00Z", null
Status print_micro_time(Bytes timestamp, JsonWriter& to);  // "2026-11-21T20:00:00.000000Z", null
Status print_go_duration(Bytes duration, JsonWriter& to);  // "1h0m0s"
Status print_quantity(Bytes quantity, JsonWriter& to);     // "100m"; "0" when empty
Status print_int_or_string(Bytes value, JsonWriter& to);
// Messages whose field 1 is JSON or CBOR (FieldsV1, RawExtension, apiextensions' JSON): as it is, or null.
Status print_raw(Bytes message, JsonWriter& to);
Status print_embedded(Bytes json_or_cbor, JsonWriter& to);

// Go's words: "1h2m3.5s", "1.5ms", "0s".
std::string go_duration(std::chrono::nanoseconds d);

}  // namespace tidemark::kube
