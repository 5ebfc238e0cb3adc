# Writes FILE, a C++ source with the commit of SOURCE ("" where there is no git) and its day, if it says anything else.
set(commit "")
set(date "")
execute_process(COMMAND git -C ${SOURCE} describe --tags --always --dirty --abbrev=12
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
execute_process(COMMAND git -C ${SOURCE} log -1 --format=%cs
                OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(date STREQUAL "")
  string(TIMESTAMP date "%Y-%m-%d" UTC)
endif()
set(text "#include \"cli/version.h\"

std::string_view tidemark::cli::built_commit() { return \"${commit}\"; }
std::string_view tidemark::cli::built_date() { return \"${date}\"; }
")
set(former "")
if(EXISTS ${FILE})
  file(READ ${FILE} former)
endif()
if(NOT text STREQUAL former)
  file(WRITE ${FILE} "${text}")
endif()
