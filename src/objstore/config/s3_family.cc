#include "objstore/config/s3_family.h"

#include <arpa/inet.h>

#include "net/url.h"

namespace aevum::objstore {
namespace {

bool IsAddress(const std::string& host) {
  in_addr v4{};
  in6_addr v6{};
  return ::inet_pton(AF_INET, host.c_str(), &v4) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &v6) == 1;
}

}  // namespace

StatusOr<StoreEndpoint> ParseEndpoint(std::string_view text, std::string_view without_scheme) {
  const bool has_scheme = text.find("://") != std::string_view::npos;
  const StatusOr<net::Url> url = net::Url::Parse(
      has_scheme ? std::string(text) : fmt::format("{}://{}", without_scheme, text));
  if (!url.ok()) return InvalidArgument("endpoint: {}", url.status().message());
  if ((url->path != "" && url->path != "/") || !url->query.empty() || !url->userinfo.empty()) {
    return InvalidArgument("endpoint is a host, or http(s)://host, and nothing more");
  }
  StoreEndpoint endpoint;
  endpoint.scheme = url->scheme;
  endpoint.host =
      url->host.find(':') == std::string::npos ? url->host : fmt::format("[{}]", url->host);
  if (!url->port.empty()) endpoint.host += ":" + url->port;
  endpoint.is_address = IsAddress(url->host);
  return endpoint;
}

std::unique_ptr<Bucket> MakeBucket(S3FamilyStore store, const ProviderEnvironment& environment) {
  using Address = S3FamilyStore::Address;
  RestClientOptions client;
  client.http = store.http.client;
  client.max_connections = static_cast<std::size_t>(store.http.max_connections);
  if (store.max_attempts > 0) client.retry.max_attempts = AttemptsOf(store.max_attempts);
  client.scheme = store.endpoint.scheme;
  client.host = store.address == Address::kHost ? store.bucket + "." + store.endpoint.host
                                                : store.endpoint.host;
  client.read_error = store.read_error;
  S3LikeOptions options;
  options.dialect = std::move(store.dialect);
  options.bucket = store.bucket;
  if (store.address == Address::kPath) options.path_prefix = "/" + EncodePath(store.bucket);
  options.part_size_bytes =
      environment.part_size_bytes > 0 ? environment.part_size_bytes : store.part_size_bytes;
  options.list_page = environment.list_page;
  return std::make_unique<S3LikeBucket>(
      std::move(options), std::make_unique<RestClient>(std::move(client), std::move(store.signer)));
}

}  // namespace aevum::objstore
