#include <yaml-cpp/yaml.h>

#include "objstore/config/providers.h"
#include "objstore/config/s3_family.h"
#include "objstore/signing/resource_signer.h"

namespace aevum::objstore {

StatusOr<std::unique_ptr<Bucket>> OpenAliyunOss(const YAML::Node& node,
                                                const ProviderEnvironment& environment) {
  std::string endpoint;
  S3FamilyStore store;
  Credentials credentials;
  RETURN_IF_ERROR(
      net::ReadYamlMap(node, "config",
                       {
                           {"endpoint", net::YamlString(&endpoint)},
                           {"bucket", net::YamlString(&store.bucket)},
                           {"access_key_id", net::YamlString(&credentials.access_key)},
                           {"access_key_secret", net::YamlString(&credentials.secret_key)},
                       }));
  RETURN_IF_ERROR(RequireField("endpoint", endpoint));
  RETURN_IF_ERROR(RequireField("bucket", store.bucket));
  RETURN_IF_ERROR(RequireField("access_key_id", credentials.access_key));
  RETURN_IF_ERROR(RequireField("access_key_secret", credentials.secret_key));
  // Plain HTTP for a host alone, as the cloud's own clients and hence Thanos have it.
  ASSIGN_OR_RETURN(store.endpoint, ParseEndpoint(endpoint, "http"));
  const bool in_path = store.endpoint.is_address;
  if (in_path) store.address = S3FamilyStore::Address::kPath;
  const auto dialect = std::make_shared<S3Dialect>();
  dialect->provider = "ALIYUNOSS";
  // Without, a range that reaches beyond the end gives the whole object.
  dialect->range_headers = {{"x-oss-range-behavior", "standard"}};
  store.dialect = dialect;
  store.signer = std::make_shared<ResourceSigner>(
      std::make_shared<FixedCredentials>(credentials), ResourceSignatureStyle::Aliyun(),
      in_path ? "" : "/" + store.bucket, environment.clock);
  return MakeBucket(std::move(store), environment);
}

}  // namespace aevum::objstore
