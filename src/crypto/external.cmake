target_link_libraries(tm_crypto PRIVATE OpenSSL::Crypto)
