# CLI11 is header-only: Debian's package puts it where the compiler looks.
target_compile_definitions(tm_cli PRIVATE TM_VERSION="${PROJECT_VERSION}")
find_package(prometheus-cpp REQUIRED)
target_link_libraries(tm_cli PRIVATE prometheus-cpp::pull)

# What `tidemark version` tells. Only its own file sees these, so that nothing else is compiled again for them.
find_package(CURL REQUIRED)
find_package(EXPAT REQUIRED)
find_package(Protobuf REQUIRED)
pkg_check_modules(PROMETHEUS_PULL REQUIRED prometheus-cpp-pull)  # its CMake package does not tell its version
set(libraries "gRPC ${GRPCPP_VERSION},protobuf ${Protobuf_VERSION},OpenSSL ${OPENSSL_VERSION},libcurl ${CURL_VERSION_STRING}")
string(APPEND libraries ",expat ${EXPAT_VERSION_STRING},ISA-L ${ISAL_VERSION},prometheus-cpp ${PROMETHEUS_PULL_VERSION}")
string(APPEND libraries ",libyaml ${YAML_VERSION},libsodium ${SODIUM_VERSION}")
string(APPEND libraries ",spdlog ${spdlog_VERSION},fmt ${fmt_VERSION}")
set_source_files_properties(${dir}/version.cc PROPERTIES COMPILE_DEFINITIONS
  "TM_LIBRARIES=\"${libraries}\";TM_BUILD_TYPE=\"${CMAKE_BUILD_TYPE}\";TM_SANITIZE=\"${TM_SANITIZE}\"")

# The commit is looked up by every build, and its file written only when it has changed.
set(commit_file ${CMAKE_BINARY_DIR}/generated/built_commit.cc)
add_custom_target(tm_commit BYPRODUCTS ${commit_file}
                  COMMAND ${CMAKE_COMMAND} -D SOURCE=${CMAKE_SOURCE_DIR} -D FILE=${commit_file}
                          -P ${CMAKE_SOURCE_DIR}/cmake/built_commit.cmake
                  COMMENT "Looking up the commit")
target_sources(tm_cli PRIVATE ${commit_file})
set_source_files_properties(${commit_file} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
add_dependencies(tm_cli tm_commit)
