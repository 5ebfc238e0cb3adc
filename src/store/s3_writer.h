// Writes one object of S3. Private to store/.
#pragma once

#include "store/object_store.h"
#include "store/s3_client.h"

namespace tidemark::store {

class S3Writer final : public ObjectWriter {
 public:
  S3Writer(std::shared_ptr<S3Client> client, std::string key, std::size_t part_bytes);
  S3Writer(const S3Writer&) = delete;
  S3Writer& operator=(const S3Writer&) = delete;
  ~S3Writer() override;  // gives up an upload that was not completed

  Status write(Bytes bytes) override;
  Status commit() override;

 private:
  Status begin_upload();
  Status send_part();
  Status put_whole();
  Status complete();
  Result<net::Answer> send_complete();
  void abort();
  std::size_t part_size() const;
  net::Headers object_headers() const;
  // After an answer that leaves open what happened: is the object under our key the one we wrote?
  enum class Whose { ours, others, nobodys };
  Result<Whose> whose();
  Status settle(const S3Call& call, const Result<net::Answer>& answer);

  std::shared_ptr<S3Client> client_;
  std::string key_;
  std::size_t first_part_bytes_;
  std::string nonce_;
  Buffer buffer_;
  std::string upload_id_;
  struct Part {
    std::string etag, sha256;  // base64
  };
  std::vector<Part> parts_;
  Status broken_;  // the first write that failed
  bool done_ = false;
};

}  // namespace tidemark::store
