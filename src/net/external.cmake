# libcurl, in OpenSSL's flavour: the HTTP client's wire.
find_package(CURL 7.87 REQUIRED)
target_link_libraries(tm_net PRIVATE CURL::libcurl)
