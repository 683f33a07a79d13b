// Caches out of YAML: the blocks `type` and `config` of index cache and caching bucket.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/logging.h"
#include "base/status.h"
#include "cache/cache.h"
#include "cache/lru.h"
#include "cache/memcached_cache.h"
#include "cache/redis_cache.h"
#include "net/yaml_fields.h"

namespace prometheus {
class Registry;
}

namespace aevum::cache {

// What is under `config` of a backend. Defaults are Thanos's. A field that is not known is no
// error, as in Thanos, but stands in the log. InvalidArgument names the field and its line;
// Unimplemented one that this version can't honour.
StatusOr<LruLimits> ReadMemoryConfig(const YAML::Node& config, const Logger& logger);
StatusOr<MemcachedOptions> ReadMemcachedConfig(const YAML::Node& config, const Logger& logger);
StatusOr<RedisOptions> ReadRedisConfig(const YAML::Node& config, const Logger& logger);

// A remote cache of a type, in any case; null for a type that is none of them. `name` is what
// metrics call it.
StatusOr<std::unique_ptr<Cache>> OpenRemoteCache(
    std::string_view type, const YAML::Node& config, const std::string& name, const Logger& logger,
    const std::shared_ptr<prometheus::Registry>& metrics);

// Readers of single values. A null leaves the default.
net::YamlReader ReadGoDuration(std::chrono::nanoseconds* out);
// A number with a unit, as base/byte_size.h reads it.
net::YamlReader ReadByteSize(std::uint64_t* out);

}  // namespace aevum::cache
