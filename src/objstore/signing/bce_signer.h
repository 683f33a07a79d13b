// The signature of Baidu's clouds, "bce-auth-v1".
#pragma once

#include <memory>

#include "base/clock.h"
#include "objstore/rest/rest_client.h"
#include "objstore/signing/credentials.h"

namespace aevum::objstore {

// Signs method, path, query, host, what tells of the body, and the cloud's own headers, and adds
// "Authorization". The request has its "x-bce-date", "2015-04-27T08:23:49Z"; the signature is good
// for half an hour from then.
void SignBce(const Credentials& credentials, RestRequest& request);

class BceSigner final : public RequestSigner {
 public:
  BceSigner(std::shared_ptr<CredentialsSource> credentials, const Clock& clock)
      : credentials_(std::move(credentials)), clock_(clock) {}
  Status Sign(const Context& context, RestRequest& request) override;
  bool Forget() override { return credentials_->Forget(); }

 private:
  const std::shared_ptr<CredentialsSource> credentials_;
  const Clock& clock_;
};

}  // namespace aevum::objstore
