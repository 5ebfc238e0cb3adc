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

# testbed/drill says what is in each, keeps all that they print in build/test-results, and tells a failure's reason last.
foreach(group counters csi parts nodes volumes clusters)
  add_test(NAME testbed.${group} COMMAND ${CMAKE_SOURCE_DIR}/testbed/drill --brief --no-build ${group})
  # They wait more than they compute, and the longest of them decides when all are done: they begin first.
  set_tests_properties(testbed.${group} PROPERTIES TIMEOUT 1500 LABELS testbed COST 200)
endforeach()
