// What stands in the cells of kubectl's tables. Private to kube/.
// Source: k8s.io/kubernetes pkg/printers/internalversion (printers.go).
#pragma once

#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/clock.h"

namespace tidemark::kube {

// What is at a JSON pointer; an empty one of the kind when there is none.
std::string text_at(const nlohmann::json& object, const char* pointer);
std::int64_t whole_at(const nlohmann::json& object, const char* pointer);
bool is_true_at(const nlohmann::json& object, const char* pointer);
const nlohmann::json& list_at(const nlohmann::json& object, const char* pointer);
const nlohmann::json& object_at(const nlohmann::json& object, const char* pointer);

std::string text_or_dump(const nlohmann::json& value);               // a string as it is, everything else as JSON
std::string joined(const nlohmann::json& list, const char* member);  // the member of each, with commas
// A label selector: "app=web,env in (a,b)".
std::string labels_text(const nlohmann::json& selector);

// What a cell says of nothing.
std::string or_none(std::string text);     // "<none>"
std::string or_unset(std::string text);    // "<unset>"
std::string or_unknown(std::string text);  // "<unknown>"

std::string number_at(const nlohmann::json& object, const char* pointer);
std::string count_at(const nlohmann::json& object, const char* pointer);  // of a list
std::string truth_at(const nlohmann::json& object, const char* pointer);  // "true", "false"
std::string lower_case(std::string text);
std::string trimmed(const std::string& text);

std::string name_of(const nlohmann::json& object);
// With " (default)" when one of the annotations says so.
std::string default_name_of(const nlohmann::json& object, std::initializer_list<const char*> annotations);
std::string age_of(const nlohmann::json& object, Time now);
// What a server prints of kinds that it has no table for.
std::vector<std::string> name_and_creation(const nlohmann::json& object, Time now);

std::string age_at(const nlohmann::json& object, const char* pointer, Time now);  // "<unknown>" without a time
std::string age_of_text(const std::string& rfc3339, Time now);

std::vector<std::string> pod_cells(const nlohmann::json& pod, Time now);
std::string service_ports(const nlohmann::json& service);  // "80/TCP,443:30443/TCP"
std::string external_ips(const nlohmann::json& service);
std::string node_status(const nlohmann::json& node);
std::string node_roles(const nlohmann::json& node);
std::string node_address(const nlohmann::json& node, const char* type);
std::string job_status(const nlohmann::json& job);
std::string job_completions(const nlohmann::json& job);
std::string job_duration(const nlohmann::json& job, Time now);

}  // namespace tidemark::kube
