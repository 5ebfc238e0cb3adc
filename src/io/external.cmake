# ISA-L: deflate, inflate and their checksums; it picks the CPU's vector instructions at run time.
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
target_link_libraries(tm_io PRIVATE PkgConfig::ISAL)

# zlib only as the foreign reader and writer in tests. The test program does not exist yet at this point.
if(NOT TM_FUZZ)
  find_package(ZLIB REQUIRED)
  cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL target_link_libraries io_test PRIVATE ZLIB::ZLIB)
endif()
