# libyaml: its emitter is the one that kubectl's was translated from.
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
target_link_libraries(tm_kube PRIVATE PkgConfig::YAML)
