# libcurl, in OpenSSL's flavour: the HTTP client's wire.
find_package(CURL 7.87 REQUIRED)
target_link_libraries(tm_net PRIVATE CURL::libcurl)
# WebSocket's framing, header-only. It takes a while to compile: one source has all of it.
find_package(Boost 1.81 REQUIRED)
target_link_libraries(tm_net PRIVATE Boost::headers)
if(NOT TM_FUZZ)
  cmake_language(DEFER CALL target_link_libraries tm_net_kit PRIVATE Boost::headers)  # it is made after this file is read
endif()
