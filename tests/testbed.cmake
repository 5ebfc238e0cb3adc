# The test bed's own tests, by `go test`: real clusters, nodes and volumes, started and broken. They are of no build of
# ours, so they run beside the release tests only. Included at the end of CMakeLists.txt.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  return()
endif()
find_program(TM_GO go HINTS /usr/local/go/bin)
if(NOT TM_GO)
  # A desk without Go runs the rest; tools/run_tests fails before it comes here.
  message(WARNING "there is no 'go' (1.26 or newer): the tests of testbed/ are left out")
  return()
endif()

# A failure shows the times and sizes of each step.
function(tm_go_test name module)
  add_test(NAME testbed.${name} COMMAND ${CMAKE_SOURCE_DIR}/testbed/go_test ${module} ${ARGN})
  # They wait more than they compute, and the longest of them decides when all are done: they begin first.
  set_tests_properties(testbed.${name} PROPERTIES
    TIMEOUT 1500 LABELS testbed COST 200
    FAIL_REGULAR_EXPRESSION "--- SKIP")  # a test that did not run proves nothing
endfunction()

tm_go_test(counters node/worker ./...)
tm_go_test(csi csi ./...)
tm_go_test(parts kubernetes ./cgroup ./image ./proxy)
# Most of a drill is waiting for a cluster, so three programs at a time, and in each of them some tests. Each test of the
# folder is in one of the three: the last has what the first two leave.
tm_go_test(nodes kubernetes ./drill -parallel=4 -run "Node")
tm_go_test(volumes kubernetes ./drill -parallel=2 -run "Volume|Fixture" -skip "Node")
tm_go_test(clusters kubernetes ./drill -parallel=3 -skip "Node|Volume|Fixture")
