# ISA-L: deflate, inflate and their checksums; it picks the CPU's vector instructions at run time.
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
target_link_libraries(tm_io PRIVATE PkgConfig::ISAL)
