#include <yaml-cpp/yaml.h>

#include "net/url.h"
#include "objstore/config/fields.h"
#include "objstore/config/providers.h"
#include "objstore/providers/gcs.h"
#include "objstore/signing/google_auth.h"
#include "objstore/signing/oauth.h"

namespace aevum::objstore {
namespace {

// Chunks of uploads are multiples of this.
constexpr std::int64_t kChunkUnit = 256 << 10;
constexpr std::int64_t kMaxChunk = 1LL << 40;

struct GcsConfig {
  std::string service_account;
  bool use_grpc = false;
  std::int64_t grpc_conn_pool_size = 0;
  HttpConfig http;
  std::int64_t chunk_size_bytes = 0;
  std::int64_t max_retries = 0;
  GcsOptions options;
};

Status ReadFields(const YAML::Node& node, GcsConfig* config) {
  return net::ReadYamlMap(node, "config",
                          {
                              {"bucket", net::YamlString(&config->options.bucket)},
                              {"service_account", net::YamlString(&config->service_account)},
                              {"use_grpc", net::YamlBool(&config->use_grpc)},
                              {"grpc_conn_pool_size", ReadCount(&config->grpc_conn_pool_size)},
                              {"http_config", ReadHttpConfig(&config->http)},
                              {"chunk_size_bytes", ReadCount(&config->chunk_size_bytes)},
                              {"max_retries", ReadCount(&config->max_retries)},
                          });
}

Status Check(const GcsConfig& config) {
  RETURN_IF_ERROR(RequireField("bucket", config.options.bucket));
  if (config.use_grpc) {
    return Unimplemented("use_grpc is not supported; without it the JSON API is used");
  }
  if (config.grpc_conn_pool_size != 0) {
    return Unimplemented("grpc_conn_pool_size is not supported, as use_grpc is not");
  }
  if (config.chunk_size_bytes > kMaxChunk) {
    return InvalidArgument("chunk_size_bytes is at most {}, not {}", kMaxChunk,
                           config.chunk_size_bytes);
  }
  return OkStatus();
}

// STORAGE_EMULATOR_HOST is "host:port" or a URL, as the official clients take it.
Status UseEmulator(std::string address, RestClientOptions* client) {
  if (address.find("://") == std::string::npos) address.insert(0, "http://");
  const StatusOr<net::Url> url = net::Url::Parse(address);
  RETURN_IF_ERROR(Annotate(url.status(), "STORAGE_EMULATOR_HOST"));
  client->scheme = url->scheme;
  client->host = url->Authority();
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<Bucket>> OpenGcs(const YAML::Node& node,
                                          const ProviderEnvironment& environment) {
  GcsConfig config;
  RETURN_IF_ERROR(ReadFields(node, &config));
  RETURN_IF_ERROR(Check(config));
  GcsOptions options = config.options;
  options.list_page = environment.list_page;
  if (config.chunk_size_bytes > 0) {
    options.chunk_bytes = (config.chunk_size_bytes + kChunkUnit - 1) / kChunkUnit * kChunkUnit;
  }

  RestClientOptions client;
  client.http = config.http.client;
  client.max_connections = static_cast<std::size_t>(config.http.max_connections);
  if (config.max_retries > 0) client.retry.max_attempts = AttemptsOf(config.max_retries);
  client.host = "storage.googleapis.com";
  client.read_error = ReadGcsError;
  const std::string emulator = environment.variables("STORAGE_EMULATOR_HOST").value_or("");
  if (!emulator.empty()) RETURN_IF_ERROR(UseEmulator(emulator, &client));

  std::shared_ptr<RequestSigner> signer;
  // An emulator does not ask who one is, and must not be told without need.
  if (emulator.empty() || !config.service_account.empty()) {
    ASSIGN_OR_RETURN(KeptSession::Ask ask,
                     AskForGoogleToken({config.service_account, environment.variables, client.http},
                                       environment.clock));
    signer = std::make_shared<BearerSigner>(
        std::make_unique<KeptSession>(std::move(ask), environment.clock));
  }
  return std::unique_ptr<Bucket>(std::make_unique<GcsBucket>(
      std::move(options), std::make_unique<RestClient>(std::move(client), std::move(signer))));
}

}  // namespace aevum::objstore
