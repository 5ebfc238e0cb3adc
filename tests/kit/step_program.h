// The program under test as a drill's own process, so that it can be killed or stopped in front of any of its steps.
//
// Drills that need it have a main() like this:
//   int main(int argc, char** argv) {
//     if (is_step_program()) return step_program(argc, argv);
//     ...
// and start /proc/self/exe with these variables:
//   TM_STEP_JOURNAL   a file: each step is written into it, a line each; it makes the process the program
//   TM_STEP           SIGKILL in front of this step, the TM_STEP_NTH time; with TM_STEP_STOPS it is SIGSTOP
//   TM_CLOCK_SPEED    so many times as fast its clock goes: waits with an end are over sooner
#pragma once

namespace tidemark::testing {

bool is_step_program();
int step_program(int argc, char** argv);

}  // namespace tidemark::testing
