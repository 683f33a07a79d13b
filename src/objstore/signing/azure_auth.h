// What proves to Azure's blob service who asks: a shared key, a signature in the URL, or a token.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/environment.h"
#include "net/http/client.h"
#include "objstore/rest/rest_client.h"
#include "objstore/rest/session.h"

namespace aevum::objstore {

// Signs by the key of the account ("Shared Key", version 2015-02-21 of the service and later).
class AzureKeySigner final : public RequestSigner {
 public:
  // InvalidArgument when the key is not Base64; the error does not repeat it.
  static StatusOr<std::shared_ptr<AzureKeySigner>> Create(std::string account,
                                                          std::string_view key_base64,
                                                          const Clock& clock);
  // Sets x-ms-date, and signs it with all other headers of the request.
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

// Adds the parameters of a shared access signature.
class AzureSasSigner final : public RequestSigner {
 public:
  // `text` is "sv=…&sig=…", with or without "?" before it. InvalidArgument when it has no signature
  // or is not encoded as a query is.
  static StatusOr<std::shared_ptr<AzureSasSigner>> Create(std::string_view text);
  Status Sign(const Context& context, RestRequest& request) override;

 private:
  explicit AzureSasSigner(Fields parameters) : parameters_(std::move(parameters)) {}

  const Fields parameters_;
};

struct AzureIdentity {
  std::string tenant_id;
  std::string client_id;
  std::string client_secret;
  std::string user_assigned_id;  // the client id of a managed identity
};

// Asks for a token of the storage service:
//  1. of the service principal when the identity names one;
//  2. of the managed identity `user_assigned_id` when that is given;
//  3. as AZURE_TENANT_ID and AZURE_CLIENT_ID say, with AZURE_CLIENT_SECRET, or with the token of
//     another issuer in the file AZURE_FEDERATED_TOKEN_FILE (workload identity);
//  4. of the managed identity of the machine, AZURE_CLIENT_ID if there are several.
// Principals ask AZURE_AUTHORITY_HOST, or the public cloud. Managed identities ask
// IDENTITY_ENDPOINT with IDENTITY_HEADER, as App Service and Container Apps set them, else the
// machine's metadata service. Variables and files are read again each time.
KeptSession::Ask AskForAzureToken(AzureIdentity identity, Environment variables,
                                  const net::HttpClientOptions& http, const Clock& clock);

}  // namespace aevum::objstore
