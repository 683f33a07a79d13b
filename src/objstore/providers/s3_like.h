// A bucket of S3, or of a store that works like it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "objstore/bucket.h"
#include "objstore/rest/answers.h"
#include "objstore/rest/rest_client.h"

namespace aevum::objstore {

// A part of a multipart upload that is in the store.
struct UploadedPart {
  int number = 0;  // from 1
  std::string etag;
};

// What a page of a listing is asked for.
struct PageQuery {
  std::string prefix;
  IterateOptions::Depth depth = IterateOptions::Depth::kFlat;
  std::string next;  // where it starts, as the page before told; "" for the first
  int limit = 0;     // objects in it; 0 for what the store likes
};

// In what the stores differ: the requests and what is in the answers. This one is the way of
// Amazon, from which others derive. `root` is the path of the bucket, encoded and without '/' at
// its end. Thread-safe once its fields are set.
class S3Dialect {
 public:
  enum class Listing : std::uint8_t { kMarker, kToken };  // "v1" and "v2" of Amazon
  enum class Conditions : std::uint8_t { kNone, kIfAbsent, kAll };

  virtual ~S3Dialect() = default;

  std::string provider = "S3";
  Listing listing = Listing::kMarker;
  // Names in listings can be asked for in an encoding that holds all bytes.
  bool encodes_listing = true;
  Conditions conditions = Conditions::kNone;
  Fields range_headers;  // of reads of a part

  virtual RestRequest ForPage(const std::string& root, const PageQuery& query) const;
  virtual StatusOr<ListingPage> ReadListing(std::string_view body) const;

  // What names an object, for all methods.
  virtual RestRequest ForObject(const std::string& root, const std::string& name) const;

  // An upload in parts is begun, which gives it an id, filled, and completed or taken back.
  virtual RestRequest BeginParts(const std::string& root, const std::string& name,
                                 const std::string& content_type) const;
  virtual StatusOr<std::string> ReadUploadId(std::string_view body) const;
  virtual RestRequest ForPart(const std::string& root, const std::string& name,
                              const std::string& id, int number) const;
  // Without method, as what completes the upload and what takes it back.
  virtual RestRequest ForUpload(const std::string& root, const std::string& name,
                                const std::string& id) const;
  virtual std::string CompletionBody(const std::vector<UploadedPart>& parts) const;
  virtual std::string CompletionType() const { return "application/xml"; }
  // The version of the object. Unavailable when the store had said OK before it knew how it ends.
  virtual StatusOr<std::string> ReadCompletion(const net::HttpClientResponse& response) const;
};

struct S3LikeOptions {
  std::shared_ptr<const S3Dialect> dialect = std::make_shared<S3Dialect>();
  std::string bucket;
  std::string path_prefix;  // "/bucket", or "" where the bucket is a part of the host
  std::int64_t part_size_bytes = 64 << 20;
  bool multipart = true;
  bool send_md5 = true;
  Fields object_headers;  // of all requests for an object: the key that encrypts it
  Fields upload_headers;  // of what makes an object: class of storage, encryption, metadata
  int list_page = 0;      // objects in a page; 0 for what the store likes
};

// Thread-safe.
class S3LikeBucket final : public Bucket {
 public:
  S3LikeBucket(S3LikeOptions options, std::unique_ptr<RestClient> client);
  ~S3LikeBucket() override;

  std::string Provider() const override { return options_.dialect->provider; }
  std::string Name() const override { return options_.bucket; }
  Status Iterate(const Context& context, const std::string& directory,
                 const IterateOptions& options, const ObjectVisitor& visit) override;
  Status Read(const Context& context, const std::string& name, ByteRange range,
              ByteSink& sink) override;
  StatusOr<ObjectAttributes> Attributes(const Context& context, const std::string& name) override;
  // Above the size of a part: several parts at a time, and the whole appears at the end. An upload
  // that fails is taken back, as far as the store can be reached.
  StatusOr<std::string> Upload(const Context& context, const std::string& name,
                               const UploadSource& source, const UploadOptions& options) override;
  Status Delete(const Context& context, const std::string& name) override;
  ThreadPool* pool() override { return &pool_; }

 private:
  struct Multipart;
  RestRequest ForObject(std::string_view method, const std::string& name) const;
  std::string Label(const std::string& name) const;
  Status WhyAbsent(const Context& context, const std::string& name);
  Status AddConditions(const UploadOptions& options, RestRequest& request) const;
  Status AddMd5(RestRequest& request) const;
  StatusOr<std::string> UploadWhole(const Context& context, const std::string& name,
                                    const UploadSource& source, const UploadOptions& options);
  StatusOr<std::string> UploadParts(const Context& context, const std::string& name,
                                    const UploadSource& source, const UploadOptions& options);
  Status UploadPart(const Context& context, Multipart& upload, std::size_t index);
  StatusOr<std::string> Complete(const Context& context, const Multipart& upload,
                                 const UploadOptions& options);
  void Abort(const Multipart& upload);

  const S3LikeOptions options_;
  const std::unique_ptr<RestClient> client_;
  ThreadPool pool_;
};

}  // namespace aevum::objstore
