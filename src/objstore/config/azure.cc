#include <algorithm>

#include <yaml-cpp/yaml.h>

#include "net/http/form.h"
#include "net/url.h"
#include "objstore/config/fields.h"
#include "objstore/config/providers.h"
#include "objstore/providers/azure.h"
#include "objstore/rest/answers.h"
#include "objstore/signing/azure_auth.h"
#include "objstore/signing/oauth.h"

namespace aevum::objstore {
namespace {

struct AzureConfig {
  std::string account;
  std::string account_key;
  std::string connection_string;
  std::string endpoint = "blob.core.windows.net";
  AzureIdentity identity;
  std::int64_t max_retries = 0;
  std::int64_t reader_retries = 0;
  std::int64_t pipeline_tries = 0;
  std::chrono::milliseconds try_timeout{0};
  std::chrono::milliseconds retry_delay{0};
  std::chrono::milliseconds max_retry_delay{0};
  std::string msi_resource;  // not used by Thanos either
  HttpConfig http;
  AzureOptions options;
};

// Where the service is, and what proves who asks.
struct AzureAccess {
  std::string scheme = "https";
  std::string host;
  std::string path_prefix;
  std::shared_ptr<RequestSigner> signer;
};

Status ReadFields(const YAML::Node& node, AzureConfig* config) {
  const net::YamlReaders reader = {{"max_retry_requests", ReadCount(&config->reader_retries)}};
  const net::YamlReaders pipeline = {
      {"max_tries", ReadCount(&config->pipeline_tries)},
      {"try_timeout", ReadDuration(&config->try_timeout)},
      {"retry_delay", ReadDuration(&config->retry_delay)},
      {"max_retry_delay", ReadDuration(&config->max_retry_delay)},
  };
  return net::ReadYamlMap(
      node, "config",
      {
          {"storage_account", net::YamlString(&config->account)},
          {"storage_account_key", net::YamlString(&config->account_key)},
          {"storage_connection_string", net::YamlString(&config->connection_string)},
          {"storage_create_container", net::YamlBool(&config->options.create_container)},
          {"container", net::YamlString(&config->options.container)},
          {"endpoint", net::YamlString(&config->endpoint)},
          {"user_assigned_id", net::YamlString(&config->identity.user_assigned_id)},
          {"az_tenant_id", net::YamlString(&config->identity.tenant_id)},
          {"client_id", net::YamlString(&config->identity.client_id)},
          {"client_secret", net::YamlString(&config->identity.client_secret)},
          {"max_retries", ReadCount(&config->max_retries)},
          {"reader_config", net::YamlMap("reader_config", reader)},
          {"pipeline_config", net::YamlMap("pipeline_config", pipeline)},
          {"http_config", ReadHttpConfig(&config->http)},
          {"msi_resource", net::YamlString(&config->msi_resource)},
      });
}

Status Check(const AzureConfig& config) {
  RETURN_IF_ERROR(RequireField("storage_account", config.account));
  RETURN_IF_ERROR(RequireField("container", config.options.container));
  const AzureIdentity& who = config.identity;
  const bool all = !who.tenant_id.empty() && !who.client_id.empty() && !who.client_secret.empty();
  const bool none = who.tenant_id.empty() && who.client_id.empty() && who.client_secret.empty();
  if (!all && !none) {
    return InvalidArgument("az_tenant_id, client_id and client_secret go together");
  }
  if (!config.account_key.empty() && !config.connection_string.empty()) {
    return InvalidArgument("storage_account_key and storage_connection_string exclude each other");
  }
  const bool has_other = !config.account_key.empty() || !config.connection_string.empty() || !none;
  if (!who.user_assigned_id.empty() && has_other) {
    return InvalidArgument(
        "user_assigned_id excludes storage_account_key, "
        "storage_connection_string and client_id");
  }
  return OkStatus();
}

// "AccountName=a;AccountKey=k;BlobEndpoint=http://…" as pairs.
Fields SplitConnectionString(std::string_view text) {
  Fields parts;
  while (!text.empty()) {
    const std::size_t end = text.find(';');
    const std::string_view part = text.substr(0, end);
    const std::size_t equals = part.find('=');
    if (equals != std::string_view::npos) {
      parts.emplace_back(net::ToLower(net::TrimBlanks(part.substr(0, equals))),
                         part.substr(equals + 1));
    }
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

std::string Find(const Fields& parts, std::string_view name) {
  for (const auto& [key, value] : parts) {
    if (key == name) return value;
  }
  return {};
}

Status SetEndpoint(std::string_view text, AzureAccess* access) {
  ASSIGN_OR_RETURN(const net::Url url, net::Url::Parse(text));
  access->scheme = url.scheme;
  access->host = url.Authority();
  access->path_prefix = url.path;
  while (access->path_prefix.ends_with('/')) access->path_prefix.pop_back();
  return OkStatus();
}

StatusOr<AzureAccess> FromConnectionString(const AzureConfig& config, const Clock& clock) {
  const Fields parts = SplitConnectionString(config.connection_string);
  AzureAccess access;
  const std::string account = Find(parts, "accountname");
  std::string endpoint = Find(parts, "blobendpoint");
  if (endpoint.empty()) {
    std::string scheme = Find(parts, "defaultendpointsprotocol");
    std::string suffix = Find(parts, "endpointsuffix");
    if (scheme.empty()) scheme = "https";
    if (suffix.empty()) suffix = "core.windows.net";
    RETURN_IF_ERROR(RequireField("AccountName in storage_connection_string", account));
    endpoint = scheme + "://" + account + ".blob." + suffix;
  }
  RETURN_IF_ERROR(Annotate(SetEndpoint(endpoint, &access), "storage_connection_string"));
  if (const std::string sas = Find(parts, "sharedaccesssignature"); !sas.empty()) {
    ASSIGN_OR_RETURN(access.signer, AzureSasSigner::Create(sas));
    return access;
  }
  RETURN_IF_ERROR(RequireField("AccountName in storage_connection_string", account));
  const std::string key = Find(parts, "accountkey");
  RETURN_IF_ERROR(RequireField("AccountKey in storage_connection_string", key));
  ASSIGN_OR_RETURN(access.signer, AzureKeySigner::Create(account, key, clock));
  return access;
}

StatusOr<AzureAccess> AccessOf(const AzureConfig& config, const ProviderEnvironment& environment) {
  if (!config.connection_string.empty()) return FromConnectionString(config, environment.clock);
  AzureAccess access;
  access.host = config.account + "." + config.endpoint;
  if (!config.account_key.empty()) {
    ASSIGN_OR_RETURN(access.signer,
                     AzureKeySigner::Create(config.account, config.account_key, environment.clock));
    return access;
  }
  access.signer = std::make_shared<BearerSigner>(
      std::make_unique<KeptSession>(AskForAzureToken(config.identity, environment.variables,
                                                     config.http.client, environment.clock),
                                    environment.clock));
  return access;
}

void SetRetries(const AzureConfig& config, RestClientOptions* client) {
  // They count what comes after the first attempt.
  const std::int64_t tries = config.pipeline_tries > 0 ? config.pipeline_tries : config.max_retries;
  if (tries > 0) client->retry.max_attempts = AttemptsOf(tries) + 1;
  const std::int64_t reads = config.reader_retries > 0 ? config.reader_retries : config.max_retries;
  if (reads > 0) client->read_attempts = AttemptsOf(reads) + 1;
  if (config.retry_delay.count() > 0) client->retry.first_wait = config.retry_delay;
  if (config.max_retry_delay.count() > 0) client->retry.longest_wait = config.max_retry_delay;
  client->retry.longest_wait = std::max(client->retry.longest_wait, client->retry.first_wait);
  std::chrono::milliseconds& limit = client->http.response_header_timeout;
  const auto own = config.try_timeout;
  if (own.count() > 0) limit = limit.count() > 0 ? std::min(limit, own) : own;
}

}  // namespace

StatusOr<std::unique_ptr<Bucket>> OpenAzure(const YAML::Node& node,
                                            const ProviderEnvironment& environment) {
  AzureConfig config;
  RETURN_IF_ERROR(ReadFields(node, &config));
  RETURN_IF_ERROR(Check(config));
  ASSIGN_OR_RETURN(AzureAccess access, AccessOf(config, environment));
  RestClientOptions client;
  client.http = config.http.client;
  client.max_connections = static_cast<std::size_t>(config.http.max_connections);
  SetRetries(config, &client);
  client.scheme = access.scheme;
  client.host = access.host;
  client.read_error = ReadXmlError;
  client.error_code_header = kAzureErrorHeader;
  config.options.path_prefix = access.path_prefix;
  config.options.list_page = environment.list_page;
  return std::unique_ptr<Bucket>(std::make_unique<AzureBucket>(
      std::move(config.options),
      std::make_unique<RestClient>(std::move(client), std::move(access.signer))));
}

}  // namespace aevum::objstore
