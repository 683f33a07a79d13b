// A container of Azure's blob service.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "objstore/bucket.h"
#include "objstore/rest/rest_client.h"

namespace aevum::objstore {

struct AzureOptions {
  std::string container;
  std::string path_prefix;  // "/account" where the account is not a part of the host, else ""
  bool create_container = true;
  std::int64_t block_bytes = 8 << 20;
  int list_page = 0;  // objects in a page; 0 for what the store likes
};

// Objects are block blobs; one larger than a block goes up in blocks, several at a time, and
// appears when their list is committed. Blocks that never are, the service removes after a week.
// The container is made before the first upload unless told not to; until then it is empty.
// Thread-safe.
class AzureBucket final : public Bucket {
 public:
  // The client reads errors with ReadXmlError and kAzureErrorHeader.
  AzureBucket(AzureOptions options, std::unique_ptr<RestClient> client);
  ~AzureBucket() override;

  std::string Provider() const override { return "AZURE"; }
  std::string Name() const override { return options_.container; }
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
  RestRequest ForContainer(std::string_view method) const;
  RestRequest ForObject(std::string_view method, const std::string& name) const;
  RestRequest ForPage(const std::string& prefix, const IterateOptions& options,
                      const std::string& marker) const;
  std::string Label(const std::string& name) const;
  Status MakeContainer(const Context& context);
  // A container that the first upload will make is empty: NotFound for the error that it is not
  // there, but only when the store says so, as other errors of an object have the same code.
  Status HideAbsentContainer(const Context& context, const Status& status);
  StatusOr<std::string> Put(const Context& context, RestRequest request, const std::string& name,
                            const UploadOptions& options);
  StatusOr<std::string> UploadBlocks(const Context& context, const std::string& name,
                                     const UploadSource& source, const UploadOptions& options);

  const AzureOptions options_;
  const std::unique_ptr<RestClient> client_;
  std::atomic<bool> has_container_;
  ThreadPool pool_;
};

// Where answers without a body, those to HEAD, have the code of an error.
inline constexpr const char* kAzureErrorHeader = "x-ms-error-code";

}  // namespace aevum::objstore
