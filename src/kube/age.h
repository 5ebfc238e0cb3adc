// How long ago something was, as kubectl says it.
// Source: k8s.io/apimachinery pkg/util/duration (HumanDuration).
#pragma once

#include <chrono>
#include <string>

namespace tidemark::kube {

// "5s", "3m20s", "47h", "8d"; "<invalid>" when it lies ahead.
std::string human_age(std::chrono::nanoseconds since);

}  // namespace tidemark::kube
