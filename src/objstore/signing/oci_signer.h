// The signature of Oracle's cloud: HTTP signatures (draft-cavage-http-signatures-08) with RSA.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "objstore/rest/rest_client.h"
#include "objstore/rest/session.h"
#include "objstore/signing/rsa_key.h"

namespace aevum::objstore {

// Who asks, and where.
struct OciIdentity {
  std::string key_id;  // "tenancy/user/fingerprint", or "ST$" and a token
  std::shared_ptr<const RsaKey> key;
  std::string region_domain;  // "eu-frankfurt-1.oraclecloud.com"
  TimestampMs expires_ms = kMaxTime;
};

using KeptOciIdentity = Kept<OciIdentity>;

enum class OciHost : std::uint8_t { kSigned, kUnsigned };

// Signs date, target and host, and of POST and PUT the body too, and adds "X-Content-SHA256" and
// "Authorization". The request has its "Date". Bodies out of an UploadSource are not signed, which
// the cloud allows for objects and their parts. InvalidArgument when the key can't sign.
Status SignOci(const OciIdentity& identity, OciHost host, RestRequest& request);

// Requests without a host go to the object storage of the region.
class OciSigner final : public RequestSigner {
 public:
  OciSigner(std::shared_ptr<KeptOciIdentity> identity, const Clock& clock)
      : identity_(std::move(identity)), clock_(clock) {}
  Status Sign(const Context& context, RestRequest& request) override;
  bool Forget() override;

 private:
  const std::shared_ptr<KeptOciIdentity> identity_;
  const Clock& clock_;
};

// Puts the namespace of the tenancy, for which it asks once, before paths, and signs then.
class OciNamespaceSigner final : public RequestSigner {
 public:
  // `client` signs with `signer`.
  OciNamespaceSigner(std::shared_ptr<OciSigner> signer, std::unique_ptr<RestClient> client,
                     const Clock& clock);
  Status Sign(const Context& context, RestRequest& request) override;
  bool Forget() override { return signer_->Forget(); }

 private:
  struct Namespace {
    std::string name;
    TimestampMs expires_ms = kMaxTime;  // it stays
  };
  StatusOr<Namespace> Ask(const Context& context);

  const std::shared_ptr<OciSigner> signer_;
  const std::unique_ptr<RestClient> client_;
  Kept<Namespace> namespace_;
};

}  // namespace aevum::objstore
