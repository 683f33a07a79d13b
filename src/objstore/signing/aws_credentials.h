// Where programs find the credentials of Amazon when their configuration has none.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/environment.h"
#include "net/http/client.h"
#include "objstore/signing/credentials.h"

namespace aevum::objstore {

struct AwsCredentialsOptions {
  Environment variables;
  std::string region;        // of the token service; "" for the global one
  std::string sts_endpoint;  // "" for that of the region
  net::HttpClientOptions http;
};

// Asks in this order, and takes the first that has an answer:
//  1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY (or AWS_ACCESS_KEY, AWS_SECRET_KEY) and
//     AWS_SESSION_TOKEN
//  2. the profile AWS_PROFILE, or "default", of AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials
//  3. the token service with the token in AWS_WEB_IDENTITY_TOKEN_FILE, for AWS_ROLE_ARN
//  4. AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI
//  5. the metadata of the instance (version 2), at AWS_EC2_METADATA_SERVICE_ENDPOINT or
//  169.254.169.254
// Unauthenticated when none has. Files and variables are read again each time.
std::unique_ptr<CredentialsSource> AwsCredentialsChain(AwsCredentialsOptions options);

}  // namespace aevum::objstore
