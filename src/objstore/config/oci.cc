#include "objstore/providers/oci.h"

#include <yaml-cpp/yaml.h>

#include "net/http/form.h"
#include "objstore/config/providers.h"
#include "objstore/config/s3_family.h"
#include "objstore/signing/oci_identity.h"
#include "objstore/signing/oci_regions.h"

namespace aevum::objstore {
namespace {

// The certificates of machines and the tokens for them are renewed in time.
constexpr std::chrono::minutes kRenewBefore{5};

struct OciConfig {
  std::string provider;
  std::string bucket;
  std::string compartment;
  std::string tenancy;
  std::string user;
  std::string region;
  std::string fingerprint;
  std::string private_key;
  std::string passphrase;
  std::int64_t part_size = 0;
  std::int64_t max_request_retries = 0;
  std::int64_t request_retry_interval = 0;  // seconds
  HttpConfig http;
  std::chrono::milliseconds client_timeout{90'000};
};

Status ReadFields(const YAML::Node& node, OciConfig* config) {
  return net::ReadYamlMap(
      node, "config",
      {
          {"provider", net::YamlString(&config->provider)},
          {"bucket", net::YamlString(&config->bucket)},
          {"compartment_ocid", net::YamlString(&config->compartment)},
          {"tenancy_ocid", net::YamlString(&config->tenancy)},
          {"user_ocid", net::YamlString(&config->user)},
          {"region", net::YamlString(&config->region)},
          {"fingerprint", net::YamlString(&config->fingerprint)},
          {"privatekey", net::YamlString(&config->private_key)},
          {"passphrase", net::YamlString(&config->passphrase)},
          {"part_size", ReadCount(&config->part_size)},
          {"max_request_retries", ReadCount(&config->max_request_retries)},
          {"request_retry_interval", ReadCount(&config->request_retry_interval)},
          {"http_config", ReadOciHttpConfig(&config->http, &config->client_timeout)},
      });
}

StatusOr<OciIdentity> RawIdentity(const OciConfig& config, const Environment& variables) {
  RETURN_IF_ERROR(RequireField("tenancy_ocid", config.tenancy));
  RETURN_IF_ERROR(RequireField("user_ocid", config.user));
  RETURN_IF_ERROR(RequireField("region", config.region));
  RETURN_IF_ERROR(RequireField("fingerprint", config.fingerprint));
  RETURN_IF_ERROR(RequireField("privatekey", config.private_key));
  OciIdentity identity;
  StatusOr<std::shared_ptr<const RsaKey>> key =
      RsaKey::Parse(config.private_key, config.passphrase);
  RETURN_IF_ERROR(Annotate(key.status(), "privatekey"));
  identity.key = *std::move(key);
  identity.key_id = fmt::format("{}/{}/{}", config.tenancy, config.user, config.fingerprint);
  identity.region_domain = OciRegionDomain(config.region, variables);
  return identity;
}

StatusOr<KeptOciIdentity::Ask> AskOf(const OciConfig& config,
                                     const ProviderEnvironment& environment) {
  OciIdentityOptions options{environment.variables, config.http.client, environment.clock};
  const std::string provider = net::ToLower(config.provider);
  if (provider.empty() || provider == "default") return OciProfile(std::move(options));
  if (provider == "instance-principal") return OciInstancePrincipal(std::move(options));
  if (provider == "oke-workload-identity") {
    RETURN_IF_ERROR(RequireField("region", config.region));
    OciWorkload workload;
    workload.region = config.region;
    return OciWorkloadIdentity(std::move(options), std::move(workload));
  }
  if (provider != "raw") {
    return InvalidArgument(
        "provider is default, instance-principal, raw or oke-workload-identity, not {}",
        config.provider);
  }
  ASSIGN_OR_RETURN(const OciIdentity identity, RawIdentity(config, environment.variables));
  return KeptOciIdentity::Ask(
      [identity](const Context&) -> StatusOr<OciIdentity> { return identity; });
}

RetryPolicy RetryOf(const OciConfig& config) {
  RetryPolicy policy;
  if (config.max_request_retries > 0) policy.max_attempts = AttemptsOf(config.max_request_retries);
  if (config.request_retry_interval > 0) {
    // A day is as good as any longer.
    policy.first_wait =
        std::chrono::seconds(std::min<std::int64_t>(config.request_retry_interval, 86'400));
    policy.longest_wait = policy.first_wait;
  }
  return policy;
}

}  // namespace

StatusOr<std::unique_ptr<Bucket>> OpenOci(const YAML::Node& node,
                                          const ProviderEnvironment& environment) {
  OciConfig config;
  RETURN_IF_ERROR(ReadFields(node, &config));
  RETURN_IF_ERROR(RequireField("bucket", config.bucket));
  RETURN_IF_ERROR(RequireField("compartment_ocid", config.compartment));
  RestClientOptions client;
  client.http = config.http.client;
  if (config.client_timeout.count() > 0) {
    std::chrono::milliseconds& limit = client.http.response_header_timeout;
    limit = limit.count() > 0 ? std::min(limit, config.client_timeout) : config.client_timeout;
  }
  client.max_connections = static_cast<std::size_t>(config.http.max_connections);
  client.retry = RetryOf(config);
  client.read_error = ReadJsonError;
  if (!environment.oci_endpoint.empty()) {
    ASSIGN_OR_RETURN(const StoreEndpoint endpoint,
                     ParseEndpoint(environment.oci_endpoint, "https"));
    client.scheme = endpoint.scheme;
    client.host = endpoint.host;
  }
  ASSIGN_OR_RETURN(KeptOciIdentity::Ask ask, AskOf(config, environment));
  const auto signer = std::make_shared<OciSigner>(
      std::make_shared<KeptOciIdentity>(std::move(ask), environment.clock, kRenewBefore),
      environment.clock);
  S3LikeOptions options;
  options.dialect = std::make_shared<OciDialect>();
  options.bucket = config.bucket;
  options.path_prefix = "/b/" + EncodePath(config.bucket);
  options.part_size_bytes = config.part_size > 0 ? config.part_size : 128 << 20;
  if (environment.part_size_bytes > 0) options.part_size_bytes = environment.part_size_bytes;
  options.list_page = environment.list_page;
  const auto with_namespace = std::make_shared<OciNamespaceSigner>(
      signer, std::make_unique<RestClient>(client, signer), environment.clock);
  return std::unique_ptr<Bucket>(std::make_unique<S3LikeBucket>(
      std::move(options), std::make_unique<RestClient>(std::move(client), with_namespace)));
}

}  // namespace aevum::objstore
