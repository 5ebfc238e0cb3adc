#include "history/course_by_index.h"

#include "base/log.h"
#include "history/receipts_origin.h"

namespace tidemark::history {

bool give_up_index(Index*& index, const Error& why) {
  using enum Errc;
  if (index == nullptr || (why.code != no_space && why.code != io && why.code != denied)) return false;
  log_debug("the history index is not used", "reason=\"{}\"", why.what);
  index = nullptr;
  return true;
}

Result<restore::Course> set_course(restore::Origin& from, Index*& index, const restore::Target& target,
                                   const std::stop_token& stop) {
  if (index != nullptr) {
    ReceiptsOrigin receipts(from, *index);
    auto course = restore::set_course(receipts, target, stop);
    if (course || !give_up_index(index, course.error())) return course;
  }
  return restore::set_course(from, target, stop);
}

}  // namespace tidemark::history
