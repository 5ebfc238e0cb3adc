// When the next full is due: cron's five fields (minute, hour, day of month, month, day of week), in UTC.
//
// A field is '*', a number, a range a-b, any of them with a step '/n', or a list of these. Names (jan, mon) are
// understood; 0 and 7 are Sunday. Where both days are restricted, either matches, as in cron. Also @hourly, @daily,
// @midnight, @weekly, @monthly, @yearly, @annually.
#pragma once

#include <array>
#include <bitset>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace tidemark::capture {

class Schedule {
 public:
  // Errc::invalid names the field.
  static Result<Schedule> parse(std::string_view spec);
  // The first moment after `now` that matches; nullopt when there is none in the next eight years ("0 0 30 2 *").
  std::optional<Time> next_after(Time now) const;

 private:
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;
  bool any_day_ = false, any_weekday_ = false;
};

}  // namespace tidemark::capture
