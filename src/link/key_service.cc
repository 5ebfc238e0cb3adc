#include "link/key_service.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "base/proto.h"
#include "link/channel.h"

namespace tidemark::link {
namespace {

// A secret is small: what is larger is no answer of a KMS.
constexpr std::size_t kMostAnswer = 1UL << 20U;

Buffer encode_v1(const kube::KeyService::Request& request) {
  Buffer message;
  proto::append_field(message, 1, as_bytes("v1beta1"));
  proto::append_field(message, 2, request.sealed_key);
  return message;
}

Buffer encode_v2(const kube::KeyService::Request& request) {
  Buffer message;
  proto::append_field(message, 1, request.sealed_key);
  proto::append_field(message, 2, as_bytes("tidemark"));  // names the call in the service's log
  proto::append_field(message, 3, as_bytes(request.key_id));
  for (const auto& [name, value] : request.annotations) {
    Buffer entry;
    proto::append_field(entry, 1, as_bytes(name));
    proto::append_field(entry, 2, value);
    proto::append_field(message, 4, entry);
  }
  return message;
}

// Both answers have the key in field 1.
Result<Buffer> read_answer(grpc::ByteBuffer& answer) {
  if (answer.Length() > kMostAnswer) return fail(Errc::corrupt, "an answer of {} bytes", answer.Length());
  grpc::Slice whole;
  if (answer.Valid() && !answer.DumpToSingleSlice(&whole).ok()) return fail(Errc::corrupt, "an answer that is none");
  Buffer key;
  proto::Fields fields(Bytes(reinterpret_cast<const std::byte*>(whole.begin()), whole.size()));
  while (fields.next()) {
    if (fields.is(1, proto::Wire::bytes)) key.assign(fields.bytes().begin(), fields.bytes().end());
  }
  if (fields.bad()) return fail(Errc::corrupt, "an answer that is none");
  return key;
}

Error told(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE: return {Errc::unavailable, status.error_message(), {}};
    case grpc::StatusCode::DEADLINE_EXCEEDED: return {Errc::timeout, "no answer in time", {}};
    default: return {Errc::denied, status.error_message(), {}};
  }
}

}  // namespace

Result<Buffer> GrpcKeyService::open_key(const kube::KeyProvider& provider, const Request& request) {
  const std::string& endpoint = endpoint_.empty() ? provider.endpoint : endpoint_;
  if (!endpoint.starts_with("unix:")) {
    return fail(Errc::invalid, "key management service '{}': unix:///path/of/its.sock expected", endpoint);
  }
  const bool v2 = provider.kind == kube::KeyProvider::Kind::kms_v2;
  const Buffer message = v2 ? encode_v2(request) : encode_v1(request);
  const grpc::Slice slice(message.data(), message.size());
  const grpc::ByteBuffer body(&slice, 1);

  const auto channel = grpc::CreateChannel(endpoint, grpc::InsecureChannelCredentials());
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(grpc_deadline(std::chrono::steady_clock::now() + provider.timeout));
  grpc::CompletionQueue queue;
  const std::string method = v2 ? "/v2.KeyManagementService/Decrypt" : "/v1beta1.KeyManagementService/Decrypt";
  const auto call = stub.PrepareUnaryCall(&context, method, body, &queue);
  call->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  call->Finish(&answer, &status, &queue);
  void* tag = nullptr;
  bool done = false;
  queue.Next(&tag, &done);  // the call's deadline ends it
  const std::string who = "key management service '" + endpoint + "'";
  if (!status.ok()) return named(who, Result<Buffer>(std::unexpected(told(status))));
  return named(who, read_answer(answer));
}

}  // namespace tidemark::link
