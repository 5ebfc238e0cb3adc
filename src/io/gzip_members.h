// The text of a gzip object, and where the members that it is made of begin: who knows that can begin to read there.
#pragma once

#include "io/compress.h"

namespace tidemark::io {

// As decompressing(Codec::gzip). `members` grows by one entry when the text of a member is begun; bytes that are no
// member are never in it. Requires: `members` outlives the source and is not looked at while another thread reads.
std::unique_ptr<Source> gzip_decoder_telling(std::unique_ptr<Source> from, std::vector<GzipMember>& members);

}  // namespace tidemark::io
