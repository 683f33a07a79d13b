// The older signature of Amazon (version 2), and those of OSS and OBS, which are made like it.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "objstore/rest/rest_client.h"
#include "objstore/signing/credentials.h"

namespace aevum::objstore {

// In what the signatures differ.
struct ResourceSignatureStyle {
  std::string scheme;         // of the Authorization header: "AWS", "OSS", "OBS"
  std::string header_prefix;  // in lower case: "x-amz-", "x-oss-", "x-obs-"
  bool signs_encoded_path;    // as it is sent; else the name itself

  static ResourceSignatureStyle Amazon() { return {"AWS", "x-amz-", true}; }
  static ResourceSignatureStyle Aliyun() { return {"OSS", "x-oss-", false}; }
  static ResourceSignatureStyle Huawei() { return {"OBS", "x-obs-", true}; }
};

// Signs method, type, date, the store's own headers and the resource: "/bucket/name" and those
// parameters that name a part of it. The request has its "Date".
void SignResource(const Credentials& credentials, const ResourceSignatureStyle& style,
                  std::string_view resource, RestRequest& request);

class ResourceSigner final : public RequestSigner {
 public:
  // `path_prefix` is what the resource has before the path of the request: "/bucket" where the
  // bucket is a part of the host.
  ResourceSigner(std::shared_ptr<CredentialsSource> credentials, ResourceSignatureStyle style,
                 std::string path_prefix, const Clock& clock)
      : credentials_(std::move(credentials)),
        style_(std::move(style)),
        path_prefix_(std::move(path_prefix)),
        clock_(clock) {}
  Status Sign(const Context& context, RestRequest& request) override;
  bool Forget() override { return credentials_->Forget(); }

 private:
  const std::shared_ptr<CredentialsSource> credentials_;
  const ResourceSignatureStyle style_;
  const std::string path_prefix_;
  const Clock& clock_;
};

}  // namespace aevum::objstore
