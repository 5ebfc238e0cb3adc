// Which of two versions of a kind clients are given when they name none: "v2" before "v1", "v1" before "v1beta2", that
// before "v1beta1" and every "alpha"; names of another form last, by the alphabet.
// Threads: any.
// Source: k8s.io/apimachinery pkg/version (helpers.go, CompareKubeAwareVersionStrings).
#pragma once

#include <string_view>

namespace tidemark::kube {

// A strict weak order: is `a` preferred to `b`?
bool is_preferred(std::string_view a, std::string_view b);

}  // namespace tidemark::kube
