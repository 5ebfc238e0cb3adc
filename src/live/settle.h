// Waiting until the cluster has taken in what was written.
// Threads: one at a time.
#pragma once

#include "live/step_writer.h"

namespace tidemark::live {

// Until nothing of that name is there any more, or something with another uid. Errc::timeout names who holds it.
Status await_gone(const StepTools& tools, const Step& step, const std::string& uid);
// Until its phase is Active.
Status await_namespace(const StepTools& tools, const Step& step);
// Until its names are accepted, it is established, and discovery lists what it defines.
Status await_definition(const StepTools& tools, const Step& step);

}  // namespace tidemark::live
