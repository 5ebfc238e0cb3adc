# CLI11 is header-only: Debian's package puts it where the compiler looks.
target_compile_definitions(tm_cli PRIVATE TM_VERSION="${PROJECT_VERSION}")
find_package(prometheus-cpp REQUIRED)
target_link_libraries(tm_cli PRIVATE prometheus-cpp::pull)
