#include "objstore/providers/bos.h"

#include <yaml-cpp/yaml.h>

#include "objstore/config/providers.h"
#include "objstore/config/s3_family.h"
#include "objstore/signing/bce_signer.h"

namespace aevum::objstore {
namespace {

// The cloud's own hosts take the bucket before them, or have it there already; others have it in
// the path.
S3FamilyStore::Address AddressOf(const std::string& bucket, const StoreEndpoint& endpoint) {
  const std::string_view host = std::string_view(endpoint.host).substr(0, endpoint.host.find(':'));
  if (!host.ends_with(".bcebos.com")) return S3FamilyStore::Address::kPath;
  const bool has_bucket = host.starts_with(bucket + ".") || host.ends_with(".cdn.bcebos.com");
  return has_bucket ? S3FamilyStore::Address::kIsHost : S3FamilyStore::Address::kHost;
}

}  // namespace

StatusOr<std::unique_ptr<Bucket>> OpenBos(const YAML::Node& node,
                                          const ProviderEnvironment& environment) {
  std::string endpoint;
  S3FamilyStore store;
  Credentials credentials;
  RETURN_IF_ERROR(net::ReadYamlMap(node, "config",
                                   {
                                       {"bucket", net::YamlString(&store.bucket)},
                                       {"endpoint", net::YamlString(&endpoint)},
                                       {"access_key", net::YamlString(&credentials.access_key)},
                                       {"secret_key", net::YamlString(&credentials.secret_key)},
                                   }));
  RETURN_IF_ERROR(RequireField("bucket", store.bucket));
  RETURN_IF_ERROR(RequireField("endpoint", endpoint));
  RETURN_IF_ERROR(RequireField("access_key", credentials.access_key));
  RETURN_IF_ERROR(RequireField("secret_key", credentials.secret_key));
  // Plain HTTP for a host alone, as the cloud's own clients and hence Thanos have it.
  ASSIGN_OR_RETURN(store.endpoint, ParseEndpoint(endpoint, "http"));
  store.address = AddressOf(store.bucket, store.endpoint);
  store.dialect = std::make_shared<BosDialect>();
  store.read_error = ReadJsonError;
  store.signer = std::make_shared<BceSigner>(std::make_shared<FixedCredentials>(credentials),
                                             environment.clock);
  return MakeBucket(std::move(store), environment);
}

}  // namespace aevum::objstore
