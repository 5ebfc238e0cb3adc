#include "inspect/report.h"

#include <algorithm>

namespace tidemark::inspect {

std::string_view verdict_word(Verdict verdict) {
  switch (verdict) {
    case Verdict::healthy: return "healthy";
    case Verdict::repairable: return "repairable";
    case Verdict::corrupt: return "corrupt";
  }
  return "corrupt";
}

std::string_view starts_word(Starts starts) {
  switch (starts) {
    case Starts::yes: return "yes";
    case Starts::unknown: return "unknown";
    case Starts::no: return "no";
  }
  return "unknown";
}

Verdict DataDirReport::verdict() const {
  Verdict worst = Verdict::healthy;
  for (const Finding& finding : findings) worst = std::max(worst, finding.weight);
  return worst;
}

Starts DataDirReport::starts() const {
  Starts worst = Starts::yes;
  for (const Finding& finding : findings) worst = std::max(worst, finding.etcd);
  return worst;
}

}  // namespace tidemark::inspect
