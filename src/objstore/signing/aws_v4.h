// Signature version 4 of Amazon.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "objstore/rest/rest_client.h"
#include "objstore/signing/credentials.h"

namespace aevum::objstore {

// The text of x-amz-content-sha256 for a body that TLS protects and that is not read twice.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

struct AwsV4Scope {
  std::string region;
  std::string service = "s3";
};

// Signs host and all headers of the request, and adds "Authorization". `payload_hash` is the
// SHA-256 of the body in hex, or kUnsignedPayload. The request has its X-Amz-Date.
void SignAwsV4(const Credentials& credentials, const AwsV4Scope& scope,
               std::string_view payload_hash, RestRequest& request);

// Signs requests to S3. Bodies over TLS are not read twice to be signed; others are.
class AwsV4Signer final : public RequestSigner {
 public:
  // The region of the bucket; may ask.
  using Region = std::function<StatusOr<std::string>(const Context& context)>;

  AwsV4Signer(std::shared_ptr<CredentialsSource> credentials, Region region, bool over_tls,
              const Clock& clock)
      : credentials_(std::move(credentials)),
        region_(std::move(region)),
        over_tls_(over_tls),
        clock_(clock) {}
  Status Sign(const Context& context, RestRequest& request) override;
  bool Forget() override { return credentials_->Forget(); }

 private:
  const std::shared_ptr<CredentialsSource> credentials_;
  const Region region_;
  const bool over_tls_;
  const Clock& clock_;
};

}  // namespace aevum::objstore
