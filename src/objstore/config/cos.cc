#include <yaml-cpp/yaml.h>

#include "objstore/config/providers.h"
#include "objstore/config/s3_family.h"
#include "objstore/signing/cos_signer.h"

namespace aevum::objstore {
namespace {

struct CosConfig {
  std::string bucket;
  std::string region;
  std::string app_id;
  std::string endpoint;
  Credentials credentials;
  std::int64_t max_retries = 0;
  HttpConfig http;
};

Status ReadFields(const YAML::Node& node, CosConfig* config) {
  return net::ReadYamlMap(node, "config",
                          {
                              {"bucket", net::YamlString(&config->bucket)},
                              {"region", net::YamlString(&config->region)},
                              {"app_id", net::YamlString(&config->app_id)},
                              {"endpoint", net::YamlString(&config->endpoint)},
                              {"secret_id", net::YamlString(&config->credentials.access_key)},
                              {"secret_key", net::YamlString(&config->credentials.secret_key)},
                              {"max_retries", ReadCount(&config->max_retries)},
                              {"http_config", ReadHttpConfig(&config->http)},
                          });
}

// The endpoint is that of the bucket; without one it is made of the bucket's parts.
StatusOr<StoreEndpoint> EndpointOf(const CosConfig& config) {
  if (!config.endpoint.empty()) return ParseEndpoint(config.endpoint, "https");
  RETURN_IF_ERROR(RequireField("bucket (or endpoint)", config.bucket));
  RETURN_IF_ERROR(RequireField("region", config.region));
  RETURN_IF_ERROR(RequireField("app_id", config.app_id));
  return ParseEndpoint(
      fmt::format("{}-{}.cos.{}.myqcloud.com", config.bucket, config.app_id, config.region),
      "https");
}

}  // namespace

StatusOr<std::unique_ptr<Bucket>> OpenCos(const YAML::Node& node,
                                          const ProviderEnvironment& environment) {
  CosConfig config;
  RETURN_IF_ERROR(ReadFields(node, &config));
  RETURN_IF_ERROR(RequireField("secret_id", config.credentials.access_key));
  RETURN_IF_ERROR(RequireField("secret_key", config.credentials.secret_key));
  S3FamilyStore store;
  ASSIGN_OR_RETURN(store.endpoint, EndpointOf(config));
  store.address = S3FamilyStore::Address::kIsHost;
  const auto dialect = std::make_shared<S3Dialect>();
  dialect->provider = "COS";
  store.dialect = dialect;
  store.bucket = config.bucket.empty() ? store.endpoint.host : config.bucket;
  store.http = config.http;
  store.max_attempts = config.max_retries;
  store.signer = std::make_shared<CosSigner>(std::make_shared<FixedCredentials>(config.credentials),
                                             environment.clock);
  return MakeBucket(std::move(store), environment);
}

}  // namespace aevum::objstore
