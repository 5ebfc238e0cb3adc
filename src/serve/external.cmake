# Boost.Beast and Asio are header-only; TLS is OpenSSL's.
find_package(Boost 1.81 REQUIRED)
target_link_libraries(tm_serve PRIVATE Boost::headers OpenSSL::SSL OpenSSL::Crypto)
# One source has all of it, and shares no translation unit: cmake/alone.txt.
