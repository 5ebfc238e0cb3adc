// Values deep in objects that somebody else wrote: nothing there is taken for granted. Only for src/live.
//
// A path is "/spec/template/metadata": names of members behind slashes. A name with a slash in it has no path; labels
// and annotations have their own calls. Threads: any.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "link/kube_client.h"

namespace tidemark::live {

// nullptr: a part of the way is missing, or no object.
const nlohmann::json* reach(const nlohmann::json& object, std::string_view path);
nlohmann::json* reach(nlohmann::json& object, std::string_view path);

// Empty: nothing is there, or no string.
std::string text_at(const nlohmann::json& object, std::string_view path);
// False: nothing is there, or it is not true.
bool true_at(const nlohmann::json& object, std::string_view path);
// An empty one when there is no list, so that loops need no question.
const nlohmann::json& list_at(const nlohmann::json& object, std::string_view path);

void erase_at(nlohmann::json& object, std::string_view path);
// Makes the objects on the way. Does nothing where something else than an object is in the way.
void set_at(nlohmann::json& object, std::string_view path, nlohmann::json value);
// What `from` has there, or nothing when it has nothing.
void take_at(nlohmann::json& object, const nlohmann::json& from, std::string_view path);
bool equal_at(const nlohmann::json& a, const nlohmann::json& b, std::string_view path);

// Of metadata.labels and metadata.annotations. Empty: none.
std::string label_of(const nlohmann::json& object, std::string_view name);
std::string annotation_of(const nlohmann::json& object, std::string_view name);
// The last one takes the map with it.
void erase_label(nlohmann::json& object, std::string_view name);
void erase_annotation(nlohmann::json& object, std::string_view name);
void take_label(nlohmann::json& object, const nlohmann::json& from, std::string_view name);
void take_annotation(nlohmann::json& object, const nlohmann::json& from, std::string_view name);

// "apps" of "apps/v1", "" of "v1".
std::string group_of(std::string_view api_version);
std::string version_of(std::string_view api_version);

// "deployments.apps shop/web", "namespaces shop"
std::string object_id(const link::KubeKind& kind, std::string_view name_space, std::string_view name);
std::string object_id(const link::KubeKind& kind, const nlohmann::json& object);

// metadata.deletionTimestamp: it is going.
bool is_going(const nlohmann::json& object);
// The reference with controller: true; nullptr: there is none.
const nlohmann::json* controller_of(const nlohmann::json& object);

// For messages: at most `most` of them, and how many more there are.
std::string some_of(const std::vector<std::string>& words, std::size_t most);

}  // namespace tidemark::live
