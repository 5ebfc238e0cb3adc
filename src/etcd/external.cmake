pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
find_package(nlohmann_json REQUIRED)
target_link_libraries(tm_etcd PRIVATE PkgConfig::ISAL nlohmann_json::nlohmann_json)
