// What the configurations of the stores that work like S3 come to.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "objstore/config/factory.h"
#include "objstore/config/fields.h"
#include "objstore/providers/s3_like.h"
#include "objstore/rest/answers.h"

namespace aevum::objstore {

// Where a store is.
struct StoreEndpoint {
  std::string scheme;       // "http" or "https"
  std::string host;         // with the port where it is given
  bool is_address = false;  // the host is one of numbers, which can't have a bucket before it
};

// Reads "https://host:port", or a host alone, which has the scheme `without_scheme`.
// InvalidArgument, which names the field `endpoint`, for all else; a '/' at the end does not count.
StatusOr<StoreEndpoint> ParseEndpoint(std::string_view text, std::string_view without_scheme);

// A store of the family, and one bucket of it.
struct S3FamilyStore {
  enum class Address : std::uint8_t {
    kHost,    // "bucket.host/name"
    kPath,    // "host/bucket/name"
    kIsHost,  // "host/name": the host is the bucket's
  };

  std::shared_ptr<const S3Dialect> dialect;
  std::string bucket;
  StoreEndpoint endpoint;
  Address address = Address::kHost;
  std::int64_t part_size_bytes = 128 << 20;  // of Thanos for most
  HttpConfig http;
  std::int64_t max_attempts = 0;  // of a request; 0 for the default of RetryPolicy
  std::function<StoreError(std::string_view body)> read_error = ReadXmlError;
  std::shared_ptr<RequestSigner> signer;
};

std::unique_ptr<Bucket> MakeBucket(S3FamilyStore store, const ProviderEnvironment& environment);

}  // namespace aevum::objstore
