# How a folder under src/ becomes a library, a test program and fuzz targets. See the top of CMakeLists.txt.

add_library(tm_flags INTERFACE)
target_include_directories(tm_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(tm_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                          -Wimplicit-fallthrough -Werror -fno-omit-frame-pointer)
if(TM_SANITIZE)
  target_compile_options(tm_flags INTERFACE -fsanitize=${TM_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(tm_flags INTERFACE -fsanitize=${TM_SANITIZE})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12's own stable_sort() calls what it declares deprecated, and clang sees it.
  target_compile_options(tm_flags INTERFACE -Wno-deprecated-declarations)
endif()
# The sanitizer builds are for what the tests reach, and most of their time is the compiler's: clang at -O0 takes a
# quarter of g++ at -O1. Only the folders whose loops go over every byte of a snapshot are optimized there.
set(TM_HOT_FOLDERS base io bolt etcd crypto age restore)
# Their presets and the release one also compile eight sources of a folder as one (CMAKE_UNITY_BUILD), for most of what
# the compiler does is the same headers again. That every source stands by itself is for gcc-debug and `make lint` to see.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/alone.txt)
file(STRINGS ${CMAKE_SOURCE_DIR}/cmake/alone.txt alone REGEX "^src/")
list(TRANSFORM alone PREPEND ${CMAKE_SOURCE_DIR}/)
set_source_files_properties(${alone} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
# Nobody waits for the code of the tests themselves.
add_library(tm_test_flags INTERFACE)
if(NOT TM_SANITIZE)
  target_compile_options(tm_test_flags INTERFACE -O1)
endif()
if(TM_FUZZ)
  target_compile_options(tm_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# What the programs of the sanitizers link first (json_templates.cc says why).
if(TM_SANITIZE AND NOT TM_FUZZ)
  add_library(tm_json_templates OBJECT ${CMAKE_SOURCE_DIR}/cmake/json_templates.cc)
  target_link_libraries(tm_json_templates PRIVATE tm_flags)
  target_compile_options(tm_json_templates PRIVATE -O1)
endif()
function(tm_link_templates_first target)
  if(TARGET tm_json_templates)
    add_dependencies(${target} tm_json_templates)
    target_link_options(${target} PRIVATE $<TARGET_OBJECTS:tm_json_templates>)  # options stand in front of all objects
  endif()
endfunction()

# Which tests make threads: tests/thread_watch.cc says how and why.
if(NOT TM_SANITIZE)
  add_library(tm_thread_watch SHARED ${CMAKE_SOURCE_DIR}/tests/thread_watch.cc)
  target_link_libraries(tm_thread_watch PRIVATE tm_flags ${CMAKE_DL_LIBS})
endif()

# Reads src/LAYERS into TM_FOLDERS (in file order, ground first) and TM_MAY_INCLUDE_<folder>.
macro(tm_read_layers)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/LAYERS)
  file(STRINGS ${CMAKE_SOURCE_DIR}/src/LAYERS lines REGEX "^[a-z]+:")
  set(TM_FOLDERS "")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^([a-z]+):(.*)$" whole "${line}")
    set(name ${CMAKE_MATCH_1})
    string(STRIP "${CMAKE_MATCH_2}" below)
    string(REGEX REPLACE " +" ";" below "${below}")
    if(below STREQUAL "*")
      set(below ${TM_FOLDERS})
    endif()
    list(APPEND TM_FOLDERS ${name})
    set(TM_MAY_INCLUDE_${name} ${below})
  endforeach()
endmacro()

# The one object that knows where it was built (base/testing/source_dir.h says why).
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/base/testing/source_dir.cc
                            PROPERTIES COMPILE_DEFINITIONS TM_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

# How long a test may take. The numbers are CI's; `make soak` has its TM_SCALE here, too.
set(TM_TIME_SCALE 1 CACHE STRING "how many times CI's time a test may take")
math(EXPR TM_UNIT_SECONDS "600 * ${TM_TIME_SCALE}")
math(EXPR TM_DRILL_SECONDS "900 * ${TM_TIME_SCALE}")

# A process for each test; under AddressSanitizer, where a start costs more than most tests do, four for a program.
function(tm_add_unit_tests name)
  if(NOT TM_SANITIZE MATCHES "address")
    include(GoogleTest)
    gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 TEST_PREFIX "${name}."
                         PROPERTIES TIMEOUT ${TM_UNIT_SECONDS} LABELS "unit;${name}")
    return()
  endif()
  foreach(index RANGE 3)
    set(test ${name}.part_${index})
    add_test(NAME ${test} COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(${test} PROPERTIES TIMEOUT ${TM_UNIT_SECONDS} LABELS "unit;${name}" COST 20
                         SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]"
                         ENVIRONMENT "GTEST_TOTAL_SHARDS=4;GTEST_SHARD_INDEX=${index}")
  endforeach()
endfunction()

function(tm_folder name)
  set(dir ${CMAKE_SOURCE_DIR}/src/${name})
  file(GLOB all CONFIGURE_DEPENDS ${dir}/*.cc)
  set(sources ${all})
  set(tests ${all})
  set(fuzzers ${all})
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|/main)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  set(below "")
  foreach(lower IN LISTS TM_MAY_INCLUDE_${name})
    if(TARGET tm_${lower})
      list(APPEND below tm_${lower})
    endif()
  endforeach()

  if(NOT sources)
    return()
  endif()
  add_library(tm_${name} STATIC ${sources})
  target_link_libraries(tm_${name} PUBLIC tm_flags fmt::fmt Threads::Threads ${below})
  if(TM_SANITIZE AND name IN_LIST TM_HOT_FOLDERS)
    target_compile_options(tm_${name} PRIVATE -O1)
  endif()
  if(EXISTS ${dir}/external.cmake)
    include(${dir}/external.cmake)
  endif()

  file(GLOB kit CONFIGURE_DEPENDS ${dir}/testing/*.cc)
  add_library(tm_${name}_testing INTERFACE)
  if(kit)
    add_library(tm_${name}_kit STATIC ${kit})
    target_link_libraries(tm_${name}_kit PUBLIC tm_${name} GTest::gtest)
    target_link_libraries(tm_${name}_testing INTERFACE tm_${name}_kit)
  endif()
  foreach(lower IN LISTS TM_MAY_INCLUDE_${name})
    if(TARGET tm_${lower}_testing)
      target_link_libraries(tm_${name}_testing INTERFACE tm_${lower}_testing)
      if(TARGET tm_${name}_kit)
        target_link_libraries(tm_${name}_kit PUBLIC tm_${lower}_testing)
      endif()
    endif()
  endforeach()

  if(tests AND NOT TM_FUZZ)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE tm_${name} tm_${name}_testing tm_test_flags
                                               GTest::gtest GTest::gmock GTest::gtest_main)
    tm_link_templates_first(${name}_test)
    if(NOT TM_SANITIZE)
      # The programs themselves need nothing of it, only their libraries do.
      target_link_libraries(${name}_test PRIVATE -Wl,--push-state,--no-as-needed tm_thread_watch -Wl,--pop-state)
    endif()
    tm_add_unit_tests(${name})
  endif()

  foreach(file IN LISTS fuzzers)
    get_filename_component(target ${file} NAME_WE)
    add_executable(${target} ${file})
    target_link_libraries(${target} PRIVATE tm_${name} tm_${name}_testing)
    tm_link_templates_first(${target})
    if(TM_FUZZ)
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    else()
      # The corpus is replayed and mutated a little in every test run; coverage-guided runs need the fuzz preset.
      target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz_replay.cc)
      target_link_libraries(${target} PRIVATE tm_base_kit)
      add_test(NAME fuzz.${target} COMMAND ${target} ${CMAKE_SOURCE_DIR}/testdata/fuzz/${target})
      set_tests_properties(fuzz.${target} PROPERTIES TIMEOUT ${TM_UNIT_SECONDS} LABELS "fuzz;${name}")
    endif()
  endforeach()
endfunction()

# build/<preset>/tidemark: everything in src/cli.
function(tm_program)
  if(NOT EXISTS ${CMAKE_SOURCE_DIR}/src/cli/main.cc)
    return()
  endif()
  add_executable(tidemark ${CMAKE_SOURCE_DIR}/src/cli/main.cc)
  target_link_libraries(tidemark PRIVATE tm_cli)
  set_property(TARGET tidemark PROPERTY LINK_OPTIONS "")  # those are for mold
  tm_link_templates_first(tidemark)
  target_link_options(tidemark PRIVATE -Wl,--build-id)  # by which a debugger finds what tools/make_deb strips off
  # mold 1.10 lets the read-only part after relocation begin inside a page that is not there when its first section is
  # .tbss; by the luck of the layout such a program does not start. Tests do without that part, and the product is
  # linked by binutils.
  target_link_options(tidemark PRIVATE -fuse-ld=bfd -Wl,-z,relro)
endfunction()
