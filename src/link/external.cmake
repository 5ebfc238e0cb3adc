# Etcd's gRPC API, generated from src/link/proto into a library of its own: generated code does not get our warning
# flags, and its headers count as the system's.
find_package(Protobuf REQUIRED)
pkg_check_modules(GRPCPP REQUIRED IMPORTED_TARGET grpc++)
find_program(TM_GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

set(proto_in ${CMAKE_SOURCE_DIR}/src/link/proto)
set(proto_out ${CMAKE_BINARY_DIR}/generated/etcd_proto)
file(MAKE_DIRECTORY ${proto_out})
set(proto_files etcd_kv.proto etcd_auth.proto etcd_rpc.proto)
list(TRANSFORM proto_files PREPEND ${proto_in}/)
set(proto_made etcd_kv.pb etcd_auth.pb etcd_rpc.pb etcd_rpc.grpc.pb)
list(TRANSFORM proto_made PREPEND ${proto_out}/)
list(TRANSFORM proto_made APPEND .cc OUTPUT_VARIABLE proto_sources)
list(TRANSFORM proto_made APPEND .h OUTPUT_VARIABLE proto_headers)
add_custom_command(
  OUTPUT ${proto_sources} ${proto_headers}
  COMMAND protobuf::protoc -I ${proto_in} --cpp_out=${proto_out} --grpc_out=${proto_out}
          --plugin=protoc-gen-grpc=${TM_GRPC_CPP_PLUGIN} ${proto_files}
  DEPENDS ${proto_files}
  COMMENT "Generating etcd's gRPC API")

add_library(tm_etcd_proto STATIC ${proto_sources} ${proto_headers})
target_include_directories(tm_etcd_proto SYSTEM PUBLIC ${proto_out})
target_link_libraries(tm_etcd_proto PUBLIC protobuf::libprotobuf PkgConfig::GRPCPP Threads::Threads)
if(TM_SANITIZE)
  target_compile_options(tm_etcd_proto PRIVATE -fsanitize=${TM_SANITIZE})
endif()
# OpenSSL: told not to clean up beside gRPC's threads (channel.cc).
target_link_libraries(tm_link PRIVATE tm_etcd_proto OpenSSL::Crypto)
if(NOT TM_FUZZ)
  cmake_language(DEFER CALL target_link_libraries link_test PRIVATE tm_etcd_proto)  # it is made after this file is read
endif()
