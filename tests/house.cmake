# Checks of the sources themselves; once is enough, so not in the sanitizer builds. Included at the end of CMakeLists.txt.
if(TM_SANITIZE OR TM_FUZZ)
  return()
endif()

foreach(check layers banned format budget)
  add_test(NAME house.${check} COMMAND ${CMAKE_SOURCE_DIR}/tools/check_${check} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(house.${check} PROPERTIES TIMEOUT 300 LABELS house)
endforeach()

# Each checker must see what it is there for.
add_test(NAME house.checkers COMMAND ${CMAKE_SOURCE_DIR}/tests/house/checkers_test.py WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(house.checkers PROPERTIES TIMEOUT 300 LABELS house)

# And testbed/drill must tell of each way in which tests can fail.
add_test(NAME house.drill COMMAND ${CMAKE_SOURCE_DIR}/tests/house/drill_test.py WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(house.drill PROPERTIES TIMEOUT 300 LABELS house)

if(TARGET tidemark)
  # The README's tour and every `tidemark` command of the documents, against the program.
  add_test(NAME house.readme COMMAND ${CMAKE_SOURCE_DIR}/tools/check_readme $<TARGET_FILE:tidemark>
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(house.readme PROPERTIES TIMEOUT 300 LABELS house)

  # Manual pages and completions, shown to groff, mandoc, bash, zsh and fish.
  add_test(NAME house.man COMMAND ${CMAKE_SOURCE_DIR}/tools/check_man $<TARGET_FILE:tidemark>
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(house.man PROPERTIES TIMEOUT 300 LABELS house)

  # The Debian package in a clean root; the first run makes that root (a minute), later ones unpack it (seconds).
  add_test(NAME package.deb COMMAND ${CMAKE_SOURCE_DIR}/tools/check_deb $<TARGET_FILE:tidemark>
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(package.deb PROPERTIES TIMEOUT 600 LABELS package)
endif()
