// How Oracle's object storage differs from S3: paths, the names of parameters, and JSON.
#pragma once

#include "objstore/providers/s3_like.h"

namespace aevum::objstore {

// The root of a bucket is "/b/bucket"; who signs puts the namespace before it.
class OciDialect final : public S3Dialect {
 public:
  OciDialect() {
    provider = "OCI";
    conditions = Conditions::kAll;
  }
  RestRequest ForPage(const std::string& root, const PageQuery& query) const override;
  StatusOr<ListingPage> ReadListing(std::string_view body) const override;
  RestRequest ForObject(const std::string& root, const std::string& name) const override;
  RestRequest BeginParts(const std::string& root, const std::string& name,
                         const std::string& content_type) const override;
  StatusOr<std::string> ReadUploadId(std::string_view body) const override;
  RestRequest ForPart(const std::string& root, const std::string& name, const std::string& id,
                      int number) const override;
  RestRequest ForUpload(const std::string& root, const std::string& name,
                        const std::string& id) const override;
  std::string CompletionBody(const std::vector<UploadedPart>& parts) const override;
  std::string CompletionType() const override { return "application/json"; }
  StatusOr<std::string> ReadCompletion(const net::HttpClientResponse& response) const override;
};

}  // namespace aevum::objstore
