// A moment as people write it, in all its forms: those of restore/target.h, and one that only the history can answer.
//
//   before:delete:KIND/NAME    the last revision at which the object was still there, before its last deletion
//
// Threads: one at a time.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "history/moment.h"
#include "history/wanted.h"
#include "restore/target.h"

namespace tidemark::history {

// It is of the form that needs the history: resolve_when() reads the store.
bool asks_history(std::string_view text);

// As restore::parse_target(), before anything is opened; of the form that needs the history only its words are read.
Status check_when(std::string_view text, Time now);

struct WhenScope {
  std::string ns = "default";  // where the object was, if its kind lives in namespaces
  bool any_namespace = false;  // wherever it was; refused when objects of that name were deleted in several
  std::string etcd_prefix = "/registry";
  kube::Decryptor* decryptor = nullptr;  // for definitions that are encrypted at rest
};

// Errc::invalid as check_when()'s, and a name that several namespaces had (the message has the revision of each).
// Errc::not_found: there never was such an object, or none was deleted; the message says which. Else as
// Versions::open()'s and for_each()'s. `options.index` as there.
Result<restore::Target> resolve_when(std::string_view text, Time now, restore::Origin& from, const WhenScope& scope,
                                     const MomentOptions& options);

}  // namespace tidemark::history
