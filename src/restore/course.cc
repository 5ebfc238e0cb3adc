#include "restore/course.h"

#include "restore/time_target.h"

namespace tidemark::restore {

Result<Plan> Course::plan() const {
  auto made = make_plan(allowed, wish, facts);
  if (made) made->newest = newest_claimed(whole, facts);
  return made;
}

Result<Course> set_course(Origin& from, const Target& target, const std::stop_token& stop) {
  Course course;
  TM_LET(course.whole, from.timeline());
  course.allowed = course.whole;
  switch (target.kind) {
    case Target::Kind::latest: course.wish.or_less = true; break;
    case Target::Kind::revision: course.wish.revision = target.revision; break;
    case Target::Kind::time: {
      const auto open_body = [&](const catalog::Point& point) { return from.body(point); };
      TM_LET(auto answer, resolve_time(course.whole, target.time, open_body, course.facts, stop));
      course.allowed = std::move(answer.timeline);
      course.wish = answer.wish;
      course.beyond_the_end = answer.beyond_the_end;
    }
  }
  return course;
}

}  // namespace tidemark::restore
