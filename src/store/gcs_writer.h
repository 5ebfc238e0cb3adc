// Writes one object of Google Cloud Storage. Private to store/.
//
// What fits into one chunk goes in one call, with its CRC-32C, which the service checks before it takes it. More goes
// through a resumable session, chunk by chunk; after every cut the session is asked how far it came, and only the rest
// is sent again. At the end the service's CRC-32C of all is compared with ours. Each write carries a random mark in the
// object's metadata (tidemark-write): so a try whose answer got lost is told from somebody else's object.
#pragma once

#include "store/gcs_client.h"
#include "store/object_store.h"

namespace tidemark::store {

class GcsWriter final : public ObjectWriter {
 public:
  // Requires: chunk_bytes is a multiple of 256 KiB. `key`: in the bucket.
  GcsWriter(std::shared_ptr<GcsClient> client, std::string key, std::size_t chunk_bytes);
  GcsWriter(const GcsWriter&) = delete;
  GcsWriter& operator=(const GcsWriter&) = delete;
  ~GcsWriter() override;  // gives up a session that was not completed

  Status write(Bytes bytes) override;
  Status commit() override;

 private:
  enum class Chunk { middle, last };
  Status put_whole();
  Status begin_session();
  // Sends what is in the buffer, until the service has all of it.
  Status push(Chunk chunk);
  GcsCall next_call(Chunk chunk, bool ask) const;
  Status take_progress(const net::Answer& answer);
  // The end of a conditional write that was not simply done.
  Status settle(const GcsCall& call, const Result<net::Answer>& answer, int tries);
  // What the service says that it keeps must be what was written.
  Status check_kept(std::string_view json);
  std::string metadata(bool with_checksum) const;
  net::Query object_query(const char* type) const;
  std::uint64_t total() const { return base_ + buffer_.size(); }

  std::shared_ptr<GcsClient> client_;
  const std::string key_;
  const std::size_t chunk_bytes_;
  const std::string mark_;
  Buffer buffer_;
  std::uint64_t base_ = 0;  // of the buffer's first byte in the object
  std::uint64_t kept_ = 0;  // what the session has said that it keeps
  std::uint32_t crc_ = 0;
  std::string session_;
  bool done_ = false;
};

}  // namespace tidemark::store
