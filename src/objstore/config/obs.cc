#include <yaml-cpp/yaml.h>

#include "objstore/config/providers.h"
#include "objstore/config/s3_family.h"
#include "objstore/signing/resource_signer.h"

namespace aevum::objstore {

StatusOr<std::unique_ptr<Bucket>> OpenObs(const YAML::Node& node,
                                          const ProviderEnvironment& environment) {
  std::string endpoint;
  S3FamilyStore store;
  store.part_size_bytes = 100 << 20;  // as in Thanos
  Credentials credentials;
  RETURN_IF_ERROR(net::ReadYamlMap(node, "config",
                                   {
                                       {"bucket", net::YamlString(&store.bucket)},
                                       {"endpoint", net::YamlString(&endpoint)},
                                       {"access_key", net::YamlString(&credentials.access_key)},
                                       {"secret_key", net::YamlString(&credentials.secret_key)},
                                       {"max_retries", ReadCount(&store.max_attempts)},
                                       {"http_config", ReadHttpConfig(&store.http)},
                                   }));
  RETURN_IF_ERROR(RequireField("bucket", store.bucket));
  RETURN_IF_ERROR(RequireField("endpoint", endpoint));
  RETURN_IF_ERROR(RequireField("access_key", credentials.access_key));
  RETURN_IF_ERROR(RequireField("secret_key", credentials.secret_key));
  ASSIGN_OR_RETURN(store.endpoint, ParseEndpoint(endpoint, "https"));
  const bool in_path = store.endpoint.is_address;
  if (in_path) store.address = S3FamilyStore::Address::kPath;
  const auto dialect = std::make_shared<S3Dialect>();
  dialect->provider = "OBS";
  store.dialect = dialect;
  store.signer = std::make_shared<ResourceSigner>(
      std::make_shared<FixedCredentials>(credentials), ResourceSignatureStyle::Huawei(),
      in_path ? "" : "/" + store.bucket, environment.clock);
  return MakeBucket(std::move(store), environment);
}

}  // namespace aevum::objstore
