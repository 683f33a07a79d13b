#include <yaml-cpp/yaml.h>

#include "objstore/config/fields.h"
#include "objstore/config/providers.h"
#include "objstore/providers/swift.h"
#include "objstore/rest/answers.h"
#include "objstore/signing/swift_auth.h"

namespace aevum::objstore {
namespace {

struct SwiftConfig {
  SwiftLogin login;
  std::int64_t auth_version = 0;
  SwiftOptions options;
  bool dynamic_large_objects = false;
  std::int64_t retries = 3;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds timeout{300'000};
  HttpConfig http;
};

Status ReadFields(const YAML::Node& node, SwiftConfig* config) {
  SwiftLogin& login = config->login;
  return net::ReadYamlMap(
      node, "config",
      {
          {"auth_version", ReadCount(&config->auth_version)},
          {"auth_url", net::YamlString(&login.url)},
          {"username", net::YamlString(&login.username)},
          {"user_id", net::YamlString(&login.user_id)},
          {"password", net::YamlString(&login.password)},
          {"user_domain_name", net::YamlString(&login.user_domain_name)},
          {"user_domain_id", net::YamlString(&login.user_domain_id)},
          {"domain_id", net::YamlString(&login.domain_id)},
          {"domain_name", net::YamlString(&login.domain_name)},
          {"application_credential_id", net::YamlString(&login.application_credential_id)},
          {"application_credential_name", net::YamlString(&login.application_credential_name)},
          {"application_credential_secret", net::YamlString(&login.application_credential_secret)},
          {"project_id", net::YamlString(&login.project_id)},
          {"project_name", net::YamlString(&login.project_name)},
          {"project_domain_id", net::YamlString(&login.project_domain_id)},
          {"project_domain_name", net::YamlString(&login.project_domain_name)},
          {"region_name", net::YamlString(&login.region)},
          {"container_name", net::YamlString(&config->options.container)},
          {"large_object_chunk_size", ReadCount(&config->options.segment_bytes)},
          {"large_object_segments_container_name",
           net::YamlString(&config->options.segments_container)},
          {"retries", ReadCount(&config->retries)},
          {"connect_timeout", ReadDuration(&config->connect_timeout)},
          {"timeout", ReadDuration(&config->timeout)},
          {"use_dynamic_large_objects", net::YamlBool(&config->dynamic_large_objects)},
          {"http_config", ReadHttpConfig(&config->http)},
      });
}

}  // namespace

StatusOr<std::unique_ptr<Bucket>> OpenSwift(const YAML::Node& node,
                                            const ProviderEnvironment& environment) {
  SwiftConfig config;
  RETURN_IF_ERROR(ReadFields(node, &config));
  RETURN_IF_ERROR(RequireField("container_name", config.options.container));
  RETURN_IF_ERROR(RequireField("auth_url", config.login.url));
  if (config.auth_version > 3) return InvalidArgument("auth_version is 0, 1, 2 or 3");
  if (config.options.segment_bytes == 0) {
    return InvalidArgument("large_object_chunk_size is above 0");
  }
  config.login.version = static_cast<int>(config.auth_version);
  SwiftOptions& options = config.options;
  if (options.segments_container.empty()) options.segments_container = options.container;
  if (config.dynamic_large_objects) {
    options.large_objects = SwiftOptions::LargeObjects::kDynamic;
  }
  options.list_page = environment.list_page;

  RestClientOptions client;
  client.http = config.http.client;
  client.http.connect_timeout = config.connect_timeout;
  client.http.response_header_timeout =
      std::min(client.http.response_header_timeout, config.timeout);
  client.max_connections = static_cast<std::size_t>(config.http.max_connections);
  client.retry.max_attempts = AttemptsOf(config.retries) + 1;
  client.read_error = ReadTextError;
  const auto http = std::make_shared<net::HttpClient>(client.http);
  auto session = std::make_unique<KeptSession>(
      [http, login = config.login](const Context& context) { return LogIn(context, *http, login); },
      environment.clock);
  return std::unique_ptr<Bucket>(std::make_unique<SwiftBucket>(
      std::move(options),
      std::make_unique<RestClient>(std::move(client),
                                   std::make_shared<SwiftSigner>(std::move(session)))));
}

}  // namespace aevum::objstore
