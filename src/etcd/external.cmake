pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
target_link_libraries(tm_etcd PRIVATE PkgConfig::ISAL)
