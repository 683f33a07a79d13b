// How Baidu's object storage differs from S3: the same requests, with answers in JSON.
#pragma once

#include "objstore/providers/s3_like.h"

namespace aevum::objstore {

class BosDialect final : public S3Dialect {
 public:
  BosDialect() {
    provider = "BOS";
    encodes_listing = false;
  }
  RestRequest ForPage(const std::string& root, const PageQuery& query) const override;
  StatusOr<ListingPage> ReadListing(std::string_view body) const override;
  StatusOr<std::string> ReadUploadId(std::string_view body) const override;
  std::string CompletionBody(const std::vector<UploadedPart>& parts) const override;
  std::string CompletionType() const override { return "application/json"; }
  StatusOr<std::string> ReadCompletion(const net::HttpClientResponse& response) const override;
};

}  // namespace aevum::objstore
