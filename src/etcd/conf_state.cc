#include "etcd/conf_state.h"

#include "base/proto.h"

namespace tidemark::etcd {

Buffer encode_conf_state(const ConfState& state) {
  Buffer out;
  for (const MemberId id : state.voters) proto::append_field(out, 1, id.raw());
  for (const MemberId id : state.learners) proto::append_field(out, 2, id.raw());
  proto::append_field(out, 5, 0);
  return out;
}

Result<ConfState> decode_conf_state(Bytes message) {
  using proto::Wire;
  ConfState out;
  proto::Fields fields(message);
  while (fields.next()) {
    if (fields.is(1, Wire::varint)) out.voters.push_back(MemberId(fields.value()));
    if (fields.is(2, Wire::varint)) out.learners.push_back(MemberId(fields.value()));
  }
  if (fields.bad()) return fail(Errc::corrupt, "conf state of {} bytes: not a well-formed message", message.size());
  return out;
}

}  // namespace tidemark::etcd
