// Writes one block blob. Private to store/.
#pragma once

#include "crypto/sign.h"
#include "store/azure_client.h"
#include "store/object_store.h"

namespace tidemark::store {

// What fits into one block goes in one call; what does not goes as blocks, which nobody sees until the list of them is
// committed. Blocks that a writer leaves behind vanish by themselves after a week. Memory: one block.
class AzureWriter final : public ObjectWriter {
 public:
  AzureWriter(std::shared_ptr<AzureClient> client, std::string key, std::size_t block_bytes);

  Status write(Bytes bytes) override;
  Status commit() override;

 private:
  Status send_block();
  Status put_whole();
  Status commit_blocks();
  net::Headers blob_headers() const;
  // After an answer that leaves open what happened: is the blob under our key the one we wrote?
  enum class Whose { ours, others, nobodys };
  Result<Whose> whose();
  Status settle(const AzureCall& call, const Result<net::Answer>& answer);

  std::shared_ptr<AzureClient> client_;
  const std::string key_;
  const std::size_t block_bytes_;
  const std::uint64_t nonce_;
  Buffer buffer_;
  crypto::Md5 md5_;  // of all blocks
  std::vector<std::string> block_ids_;
};

}  // namespace tidemark::store
