// A container of OpenStack's object storage, Swift.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "objstore/bucket.h"
#include "objstore/rest/rest_client.h"
#include "objstore/rest/session.h"

namespace aevum::objstore {

// Puts the token of a session on requests and sends them to its URL.
class SwiftSigner final : public RequestSigner {
 public:
  explicit SwiftSigner(std::unique_ptr<KeptSession> session) : session_(std::move(session)) {}
  Status Sign(const Context& context, RestRequest& request) override;
  bool Forget() override;

 private:
  const std::unique_ptr<KeptSession> session_;
};

struct SwiftOptions {
  enum class LargeObjects : std::uint8_t { kStatic, kDynamic };

  std::string container;
  std::string segments_container;  // may be the same
  std::int64_t segment_bytes = 1 << 30;
  LargeObjects large_objects = LargeObjects::kStatic;
  int list_page = 0;  // objects in a page; 0 for what the store likes
};

// An object as large as a segment or larger is kept in segments, under "segments/" in their
// container, and an object that lists them (static) or names their prefix (dynamic); segments are
// not visited in listings, and go with their object. Segments of an object that is replaced stay.
// Thread-safe.
class SwiftBucket final : public Bucket {
 public:
  SwiftBucket(SwiftOptions options, std::unique_ptr<RestClient> client);
  ~SwiftBucket() override;

  std::string Provider() const override { return "SWIFT"; }
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
  struct Segment {
    std::string name;
    std::string etag;
    std::int64_t size = 0;
  };
  RestRequest ForObject(std::string_view method, const std::string& container,
                        const std::string& name) const;
  std::string Label(const std::string& name) const;
  Status AddHeaders(const UploadOptions& options, RestRequest& request) const;
  StatusOr<std::string> Put(const Context& context, const RestRequest& request,
                            const std::string& name, UploadCondition condition);
  StatusOr<std::string> UploadSegments(const Context& context, const std::string& name,
                                       const UploadSource& source, const UploadOptions& options);
  Status UploadSegment(const Context& context, const UploadSource& source, std::int64_t offset,
                       Segment& segment);
  RestRequest Manifest(const std::string& name, const std::string& prefix,
                       const std::vector<Segment>& segments) const;
  // Visits whole pages of a container until one is empty.
  Status ListPages(const Context& context, const std::string& container, const Fields& query,
                   const ObjectVisitor& visit);
  Status DeleteStatic(const Context& context, const std::string& name);
  // `manifest` is "container/prefix", as the store keeps it.
  Status DeleteDynamic(const Context& context, const std::string& name, std::string_view manifest);
  Status DeleteOne(const Context& context, const std::string& container, const std::string& name);

  const SwiftOptions options_;
  const std::unique_ptr<RestClient> client_;
  ThreadPool pool_;
};

}  // namespace aevum::objstore
