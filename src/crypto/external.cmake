# OpenSSL: digests and signatures. ISA-L: CRC-32C; it picks the CPU's instructions at run time.
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
target_link_libraries(tm_crypto PRIVATE OpenSSL::Crypto PkgConfig::ISAL)
# libsodium: XSalsa20-Poly1305, which OpenSSL does not have.
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
target_link_libraries(tm_crypto PRIVATE PkgConfig::SODIUM)
