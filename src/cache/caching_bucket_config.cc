#include "cache/caching_bucket_config.h"

#include <string>
#include <utility>

#include <xxhash.h>
#include <yaml-cpp/yaml.h>

#include "cache/config.h"
#include "cache/memory_cache.h"
#include "net/http/form.h"

namespace aevum::cache {
namespace {

constexpr const char* kName = "caching-bucket";

StatusOr<std::shared_ptr<Cache>> OpenBackend(const std::string& type, const YAML::Node& config,
                                             const Logger& logger,
                                             const std::shared_ptr<prometheus::Registry>& metrics) {
  if (net::EqualsIgnoreCase(type, "IN-MEMORY")) {
    ASSIGN_OR_RETURN(const LruLimits limits, ReadMemoryConfig(config, logger));
    return std::shared_ptr<Cache>(std::make_shared<MemoryCache>(kName, limits, *metrics));
  }
  if (net::EqualsIgnoreCase(type, "GROUPCACHE"))
    return Unimplemented("type: this version has no GROUPCACHE; use IN-MEMORY, MEMCACHED or REDIS");
  ASSIGN_OR_RETURN(std::shared_ptr<Cache> remote,
                   OpenRemoteCache(type, config, kName, logger, metrics));
  if (!remote) return InvalidArgument("type: \"{}\" is none of IN-MEMORY, MEMCACHED, REDIS", type);
  return remote;
}

}  // namespace

StatusOr<std::shared_ptr<CachingBucket>> OpenCachingBucket(
    std::string_view yaml, std::string_view path, std::shared_ptr<objstore::Bucket> bucket,
    const Logger& logger, const std::shared_ptr<prometheus::Registry>& metrics) {
  std::shared_ptr<CachingBucket> caching;
  const Status status = net::WithYaml(yaml, [&](const YAML::Node& root) -> Status {
    std::string type;
    YAML::Node config;
    CachingBucketOptions options;
    const net::YamlReaders readers = {
        {"type", net::YamlString(&type)},
        {"config",
         [&config](const YAML::Node& node) {
           config.reset(node);
           return OkStatus();
         }},
        {"chunk_subrange_size", net::YamlInt(&options.chunk_subrange_size)},
        {"max_chunks_get_range_requests", net::YamlInt(&options.max_chunks_get_range_requests)},
        {"metafile_max_size", ReadByteSize(&options.metafile_max_size)},
        {"chunk_object_attrs_ttl", ReadGoDuration(&options.chunk_object_attrs_ttl)},
        {"chunk_subrange_ttl", ReadGoDuration(&options.chunk_subrange_ttl)},
        {"blocks_iter_ttl", ReadGoDuration(&options.blocks_iter_ttl)},
        {"metafile_exists_ttl", ReadGoDuration(&options.metafile_exists_ttl)},
        {"metafile_doesnt_exist_ttl", ReadGoDuration(&options.metafile_doesnt_exist_ttl)},
        {"metafile_content_ttl", ReadGoDuration(&options.metafile_content_ttl)},
    };
    RETURN_IF_ERROR(net::ReadYamlMap(root, "the configuration", readers));
    if (type.empty())
      return InvalidArgument("type is not given; it is one of IN-MEMORY, MEMCACHED, REDIS");
    if (options.chunk_subrange_size <= 0)
      return InvalidArgument("chunk_subrange_size: must be positive, got {}",
                             options.chunk_subrange_size);
    const std::string hashed = std::string(yaml) + std::string(path);
    options.config_hash = std::to_string(XXH64(hashed.data(), hashed.size(), 0));
    ASSIGN_OR_RETURN(std::shared_ptr<Cache> cache, OpenBackend(type, config, logger, metrics));
    caching = std::make_shared<CachingBucket>(std::move(bucket), std::move(cache),
                                              std::move(options), logger, *metrics);
    return OkStatus();
  });
  if (!status.ok()) return status;
  return caching;
}

}  // namespace aevum::cache
