// The signature of Tencent's object storage, "q-sign-algorithm=sha1".
#pragma once

#include <memory>
#include <string_view>

#include "base/clock.h"
#include "objstore/rest/rest_client.h"
#include "objstore/signing/credentials.h"

namespace aevum::objstore {

// Signs method, path, query, host and those headers that the store knows, and adds "Authorization".
// `period` is what the signature is good for: "start;end" in seconds since 1970. InvalidArgument
// when the path is not encoded right.
Status SignCos(const Credentials& credentials, std::string_view period, RestRequest& request);

// Signatures of this signer are good for an hour, from a minute ago, since clocks differ.
class CosSigner final : public RequestSigner {
 public:
  CosSigner(std::shared_ptr<CredentialsSource> credentials, const Clock& clock)
      : credentials_(std::move(credentials)), clock_(clock) {}
  Status Sign(const Context& context, RestRequest& request) override;
  bool Forget() override { return credentials_->Forget(); }

 private:
  const std::shared_ptr<CredentialsSource> credentials_;
  const Clock& clock_;
};

}  // namespace aevum::objstore
