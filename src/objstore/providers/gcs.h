// A bucket of Google Cloud Storage, over its JSON API.
#pragma once

#include <memory>
#include <string>

#include "objstore/bucket.h"
#include "objstore/rest/rest_client.h"

namespace aevum::objstore {

struct GcsOptions {
  std::string bucket;
  // A larger object goes up in chunks of this size, a multiple of 256 KiB.
  std::int64_t chunk_bytes = 16 << 20;
  int list_page = 0;  // objects in a page; 0 for what the store likes
};

// An object larger than a chunk goes up chunk by chunk: after an error that passes the store is
// asked how much it has, and the upload goes on there. It appears with the last chunk. The version
// of an object is its generation. Thread-safe.
class GcsBucket final : public Bucket {
 public:
  // The client reads errors with ReadGcsError.
  GcsBucket(GcsOptions options, std::unique_ptr<RestClient> client);
  ~GcsBucket() override;

  std::string Provider() const override { return "GCS"; }
  std::string Name() const override { return options_.bucket; }
  Status Iterate(const Context& context, const std::string& directory,
                 const IterateOptions& options, const ObjectVisitor& visit) override;
  Status Read(const Context& context, const std::string& name, ByteRange range,
              ByteSink& sink) override;
  StatusOr<ObjectAttributes> Attributes(const Context& context, const std::string& name) override;
  StatusOr<std::string> Upload(const Context& context, const std::string& name,
                               const UploadSource& source, const UploadOptions& options) override;
  Status Delete(const Context& context, const std::string& name) override;
  ThreadPool* pool() override { return &pool_; }

 private:
  struct Resumable;
  RestRequest ForObject(std::string_view method, const std::string& name) const;
  RestRequest ForPage(const std::string& prefix, const IterateOptions& options,
                      const std::string& token) const;
  RestRequest ForUpload(std::string_view method, std::string_view type, const std::string& name,
                        const UploadOptions& options) const;
  std::string Label(const std::string& name) const;
  StatusOr<std::string> UploadWhole(const Context& context, const std::string& name,
                                    const UploadSource& source, const UploadOptions& options);
  StatusOr<std::string> UploadChunks(const Context& context, const std::string& name,
                                     const UploadSource& source, const UploadOptions& options);
  Status Begin(const Context& context, const UploadOptions& options, Resumable& upload);
  Status SendChunk(const Context& context, Resumable& upload);
  Status AskHowMuch(const Context& context, Resumable& upload);
  void Cancel(const Resumable& upload);

  const GcsOptions options_;
  const std::unique_ptr<RestClient> client_;
  ThreadPool pool_;
};

// {"error": {"message": …}} and texts. The code is "NoSuchBucket" where it is the bucket that is
// not there, else "".
StoreError ReadGcsError(std::string_view body);

}  // namespace aevum::objstore
