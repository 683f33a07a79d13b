#include <algorithm>

#include <yaml-cpp/yaml.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "net/http/form.h"
#include "objstore/config/fields.h"
#include "objstore/config/providers.h"
#include "objstore/providers/s3_like.h"
#include "objstore/signing/aws_credentials.h"
#include "objstore/signing/aws_v4.h"
#include "objstore/signing/digest.h"
#include "objstore/signing/resource_signer.h"

namespace aevum::objstore {
namespace {

constexpr std::int64_t kMinPartBytes = 5 << 20;    // of the S3 API
constexpr std::int64_t kMaxPartBytes = 5LL << 30;  // of the S3 API
constexpr std::size_t kCustomerKeyBytes = 32;

struct S3Config {
  std::string bucket;
  std::string endpoint;
  std::string region;
  bool disable_dualstack = false;
  bool aws_sdk_auth = false;
  Credentials credentials;
  bool insecure = false;
  bool signature_version2 = false;
  Fields put_user_metadata;
  HttpConfig http;
  bool trace = false;
  std::string list_objects_version;
  std::string bucket_lookup_type = "auto";
  bool send_content_md5 = true;
  bool disable_multipart = false;
  std::int64_t part_size = 64 << 20;
  std::string sse_type;
  std::string kms_key_id;
  Fields kms_encryption_context;
  std::string encryption_key;
  std::string sts_endpoint;
  std::int64_t max_retries = 0;
};

Status ReadFields(const YAML::Node& node, S3Config* config) {
  const net::YamlReaders sse = {
      {"type", net::YamlString(&config->sse_type)},
      {"kms_key_id", net::YamlString(&config->kms_key_id)},
      {"kms_encryption_context", ReadTextMap(&config->kms_encryption_context)},
      {"encryption_key", net::YamlString(&config->encryption_key)},
  };
  const net::YamlReaders trace = {{"enable", net::YamlBool(&config->trace)}};
  return net::ReadYamlMap(
      node, "config",
      {
          {"bucket", net::YamlString(&config->bucket)},
          {"endpoint", net::YamlString(&config->endpoint)},
          {"region", net::YamlString(&config->region)},
          {"disable_dualstack", net::YamlBool(&config->disable_dualstack)},
          {"aws_sdk_auth", net::YamlBool(&config->aws_sdk_auth)},
          {"access_key", net::YamlString(&config->credentials.access_key)},
          {"secret_key", net::YamlString(&config->credentials.secret_key)},
          {"session_token", net::YamlString(&config->credentials.session_token)},
          {"insecure", net::YamlBool(&config->insecure)},
          {"signature_version2", net::YamlBool(&config->signature_version2)},
          {"put_user_metadata", ReadTextMap(&config->put_user_metadata)},
          {"http_config", ReadHttpConfig(&config->http)},
          {"trace", net::YamlMap("trace", trace)},
          {"list_objects_version", net::YamlString(&config->list_objects_version)},
          {"bucket_lookup_type", net::YamlString(&config->bucket_lookup_type)},
          {"send_content_md5", net::YamlBool(&config->send_content_md5)},
          {"disable_multipart", net::YamlBool(&config->disable_multipart)},
          {"part_size", ReadCount(&config->part_size)},
          {"sse_config", net::YamlMap("sse_config", sse)},
          {"sts_endpoint", net::YamlString(&config->sts_endpoint)},
          {"max_retries", ReadCount(&config->max_retries)},
      });
}

bool IsOneOf(std::string_view value, std::initializer_list<std::string_view> known) {
  return std::find(known.begin(), known.end(), value) != known.end();
}

Status Check(const S3Config& config) {
  RETURN_IF_ERROR(RequireField("bucket", config.bucket));
  RETURN_IF_ERROR(RequireField("endpoint", config.endpoint));
  if (config.endpoint.find('/') != std::string::npos) {
    return InvalidArgument("endpoint is a host, without scheme and path: {}", config.endpoint);
  }
  const bool has_key = !config.credentials.access_key.empty();
  RETURN_IF_ERROR(
      RequireBoth("access_key", has_key, "secret_key", !config.credentials.secret_key.empty()));
  if (config.aws_sdk_auth && has_key) {
    return InvalidArgument("aws_sdk_auth and access_key exclude each other");
  }
  if (!IsOneOf(config.list_objects_version, {"", "v1", "v2"})) {
    return InvalidArgument("list_objects_version is v1 or v2, not {}", config.list_objects_version);
  }
  if (!IsOneOf(config.bucket_lookup_type, {"", "auto", "virtual-hosted", "path"})) {
    return InvalidArgument("bucket_lookup_type is auto, virtual-hosted or path, not {}",
                           config.bucket_lookup_type);
  }
  if (!IsOneOf(config.sse_type, {"", "SSE-S3", "SSE-KMS", "SSE-C"})) {
    return InvalidArgument("sse_config.type is SSE-S3, SSE-KMS or SSE-C, not {}", config.sse_type);
  }
  if (config.sse_type == "SSE-KMS") {
    RETURN_IF_ERROR(RequireField("sse_config.kms_key_id", config.kms_key_id));
  }
  if (config.sse_type == "SSE-C") {
    RETURN_IF_ERROR(RequireField("sse_config.encryption_key", config.encryption_key));
  }
  if (config.part_size < kMinPartBytes || config.part_size > kMaxPartBytes) {
    return InvalidArgument("part_size is from {} to {}, not {}", kMinPartBytes, kMaxPartBytes,
                           config.part_size);
  }
  return OkStatus();
}

bool IsAmazon(std::string_view endpoint) {
  return endpoint.ends_with(".amazonaws.com") || endpoint.ends_with(".amazonaws.com.cn");
}

// Buckets become names of hosts, which certificates cover only without dots.
bool IsVirtualHosted(const S3Config& config) {
  if (config.bucket_lookup_type == "virtual-hosted") return true;
  if (config.bucket_lookup_type == "path") return false;
  const bool dots_are_fine = config.insecure || config.bucket.find('.') == std::string::npos;
  return IsAmazon(config.endpoint) && dots_are_fine;
}

// "s3.eu-west-1.amazonaws.com" and "s3-eu-west-1.amazonaws.com" name their region; "" for others.
std::string RegionOfEndpoint(std::string_view endpoint) {
  if (!IsAmazon(endpoint) || !endpoint.starts_with("s3")) return {};
  endpoint.remove_prefix(2);
  if (endpoint.starts_with(".dualstack")) endpoint.remove_prefix(10);
  if (!endpoint.starts_with('.') && !endpoint.starts_with('-')) return {};
  endpoint.remove_prefix(1);
  const std::string_view region = endpoint.substr(0, endpoint.find('.'));
  return region == "amazonaws" ? std::string() : std::string(region);
}

std::string HostOf(const S3Config& config, std::string_view region) {
  std::string endpoint = config.endpoint;
  // The name of all regions leads to one; asking the right one at once saves redirects.
  if (endpoint == "s3.amazonaws.com" && !region.empty()) {
    endpoint =
        fmt::format("s3.{}{}.amazonaws.com", config.disable_dualstack ? "" : "dualstack.", region);
  }
  return IsVirtualHosted(config) ? config.bucket + "." + endpoint : endpoint;
}

StatusOr<Fields> EncryptionHeaders(const S3Config& config, bool for_upload) {
  static constexpr std::string_view kPrefix = "X-Amz-Server-Side-Encryption";
  const std::string prefix(kPrefix);
  if (config.sse_type == "SSE-C") {
    ASSIGN_OR_RETURN(const std::string key, ReadFile(config.encryption_key, 1 << 10));
    if (key.size() != kCustomerKeyBytes) {
      return InvalidArgument("sse_config.encryption_key: the key has {} bytes, not {}", key.size(),
                             kCustomerKeyBytes);
    }
    return Fields{{prefix + "-Customer-Algorithm", "AES256"},
                  {prefix + "-Customer-Key", Base64(key)},
                  {prefix + "-Customer-Key-MD5", Base64(Digest(DigestKind::kMd5, key))}};
  }
  if (!for_upload || config.sse_type.empty()) return Fields();
  if (config.sse_type == "SSE-S3") return Fields{{prefix, "AES256"}};
  nlohmann::json encryption_context = nlohmann::json::object();
  for (const auto& [name, value] : config.kms_encryption_context) encryption_context[name] = value;
  return Fields{{prefix, "aws:kms"},
                {prefix + "-Aws-Kms-Key-Id", config.kms_key_id},
                {prefix + "-Context", Base64(encryption_context.dump())}};
}

// Metadata whose names are headers of S3 go out as these, all else as metadata of the user.
Fields MetadataHeaders(const Fields& metadata) {
  Fields headers;
  for (const auto& [name, value] : metadata) {
    const std::string lower = net::ToLower(name);
    const bool is_header =
        IsOneOf(lower, {"x-amz-storage-class", "x-amz-acl", "x-amz-tagging", "cache-control",
                        "content-encoding", "content-disposition", "content-language"}) ||
        lower.starts_with("x-amz-grant-") || lower.starts_with("x-amz-meta-");
    headers.emplace_back(is_header ? name : "X-Amz-Meta-" + name, value);
  }
  return headers;
}

// Asks the store for the region of the bucket, once.
class RegionFinder {
 public:
  RegionFinder(const S3Config& config, RestClientOptions options,
               std::shared_ptr<CredentialsSource> credentials, const Clock& clock)
      : path_(IsVirtualHosted(config) ? "/" : "/" + EncodePath(config.bucket)),
        client_(std::move(options),
                std::make_shared<AwsV4Signer>(
                    std::move(credentials),
                    [](const Context&) -> StatusOr<std::string> { return kFirst; },
                    !config.insecure, clock)) {}

  StatusOr<std::string> Find(const Context& context) {
    MutexLock lock(mutex_);
    if (!region_.empty()) return region_;
    RestRequest request;
    request.path = path_;
    request.query = {{"location", ""}};
    const StatusOr<net::HttpClientResponse> response = client_.Do(context, request, "region");
    // Who may not ask uses the first region, as all clients do.
    if (IsAccessDenied(response.status())) return region_ = kFirst;
    RETURN_IF_ERROR(response.status());
    ASSIGN_OR_RETURN(std::string location, ReadXmlRoot(response->body, "LocationConstraint"));
    if (location.empty()) location = kFirst;
    if (location == "EU") location = "eu-west-1";
    return region_ = location;
  }

 private:
  static constexpr const char* kFirst = "us-east-1";

  const std::string path_;
  RestClient client_;
  Mutex mutex_;
  std::string region_ AEVUM_GUARDED_BY(mutex_);
};

std::shared_ptr<CredentialsSource> CredentialsOf(const S3Config& config,
                                                 const ProviderEnvironment& environment) {
  if (!config.credentials.access_key.empty()) {
    return std::make_shared<FixedCredentials>(config.credentials);
  }
  AwsCredentialsOptions options;
  options.variables = environment.variables;
  options.region = config.region;
  options.sts_endpoint = config.sts_endpoint;
  options.http = config.http.client;
  return std::make_shared<CachedCredentials>(AwsCredentialsChain(std::move(options)),
                                             environment.clock);
}

std::shared_ptr<RequestSigner> SignerOf(const S3Config& config, const RestClientOptions& client,
                                        const std::string& region,
                                        const ProviderEnvironment& environment) {
  std::shared_ptr<CredentialsSource> credentials = CredentialsOf(config, environment);
  if (config.signature_version2) {
    return std::make_shared<ResourceSigner>(
        std::move(credentials), ResourceSignatureStyle::Amazon(),
        IsVirtualHosted(config) ? "/" + config.bucket : "", environment.clock);
  }
  AwsV4Signer::Region find = [region](const Context&) -> StatusOr<std::string> { return region; };
  if (region.empty()) {
    const auto finder =
        std::make_shared<RegionFinder>(config, client, credentials, environment.clock);
    find = [finder](const Context& context) { return finder->Find(context); };
  }
  return std::make_shared<AwsV4Signer>(std::move(credentials), std::move(find), !config.insecure,
                                       environment.clock);
}

}  // namespace

StatusOr<std::unique_ptr<Bucket>> OpenS3(const YAML::Node& node,
                                         const ProviderEnvironment& environment) {
  S3Config config;
  RETURN_IF_ERROR(ReadFields(node, &config));
  RETURN_IF_ERROR(Check(config));
  std::string region = config.region;
  if (region.empty()) region = environment.variables("AWS_REGION").value_or("");
  if (region.empty()) region = RegionOfEndpoint(config.endpoint);

  RestClientOptions client;
  client.http = config.http.client;
  client.max_connections = static_cast<std::size_t>(config.http.max_connections);
  if (config.max_retries > 0) client.retry.max_attempts = AttemptsOf(config.max_retries);
  client.scheme = config.insecure ? "http" : "https";
  client.host = HostOf(config, region);
  client.read_error = ReadXmlError;

  S3LikeOptions options;
  const auto dialect = std::make_shared<S3Dialect>();
  dialect->conditions = S3Dialect::Conditions::kAll;
  dialect->listing = config.list_objects_version == "v1" ? S3Dialect::Listing::kMarker
                                                         : S3Dialect::Listing::kToken;
  options.dialect = dialect;
  options.bucket = config.bucket;
  if (!IsVirtualHosted(config)) options.path_prefix = "/" + EncodePath(config.bucket);
  options.part_size_bytes = config.part_size;
  options.multipart = !config.disable_multipart;
  options.list_page = environment.list_page;
  options.send_md5 = config.send_content_md5;
  ASSIGN_OR_RETURN(options.object_headers, EncryptionHeaders(config, false));
  ASSIGN_OR_RETURN(options.upload_headers, EncryptionHeaders(config, true));
  for (auto& header : MetadataHeaders(config.put_user_metadata)) {
    options.upload_headers.push_back(std::move(header));
  }
  std::shared_ptr<RequestSigner> signer = SignerOf(config, client, region, environment);
  return std::unique_ptr<Bucket>(std::make_unique<S3LikeBucket>(
      std::move(options), std::make_unique<RestClient>(std::move(client), std::move(signer))));
}

}  // namespace aevum::objstore
