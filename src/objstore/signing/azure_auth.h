// What proves to Azure's blob service who asks: a shared key, a signature in the URL, or a token.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/environment.h"
#include "net/http/client.h"
#include "objstore/rest/rest_client.h"
#include "objstore/rest/session.h"

namespace aevum::objstore {

// The version of the service's API that requests are made for.
inline constexpr std::string_view kAzureVersion = "2021-12-02";

// Signs by the key of the account ("Shared Key"). `path` is what the canonical resource begins with
// beside the path of the request: "/account".
class AzureKeySigner final : public RequestSigner {
 public:
  // InvalidArgument when the key is not Base64.
  static StatusOr<std::shared_ptr<AzureKeySigner>> Create(std::string account,
                                                          std::string_view key_base64,
                                                          const Clock& clock);
  Status Sign(const Context& context, RestRequest& request) override;

  // What is signed, for a request that has all its headers.
  std::string TextToSign(const RestRequest& request) const;

 private:
  AzureKeySigner(std::string account, std::string key, const Clock& clock)
      : account_(std::move(account)), key_(std::move(key)), clock_(clock) {}

  const std::string account_;
  const std::string key_;
  const Clock& clock_;
};

// Adds the parameters of a shared access signature: "sv=…&sig=…".
class AzureSasSigner final : public RequestSigner {
 public:
  explicit AzureSasSigner(Fields parameters) : parameters_(std::move(parameters)) {}
  Status Sign(const Context& context, RestRequest& request) override;

 private:
  const Fields parameters_;
};

// Puts a token on requests.
class AzureTokenSigner final : public RequestSigner {
 public:
  explicit AzureTokenSigner(std::unique_ptr<KeptSession> session) : session_(std::move(session)) {}
  Status Sign(const Context& context, RestRequest& request) override;
  bool Forget() override;

 private:
  const std::unique_ptr<KeptSession> session_;
};

struct AzureIdentity {
  std::string tenant_id;
  std::string client_id;
  std::string client_secret;
  std::string user_assigned_id;  // of a managed identity
};

// Asks for a token: of the service principal when the identity names one, else as the variables
// AZURE_TENANT_ID, AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE say, else
// of the machine's managed identity. Tokens come from AZURE_AUTHORITY_HOST, or the public cloud.
KeptSession::Ask AskForAzureToken(AzureIdentity identity, Environment variables,
                                  const net::HttpClientOptions& http, const Clock& clock);

}  // namespace aevum::objstore
