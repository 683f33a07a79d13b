#include "storegateway/index_cache_config.h"

#include <string>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "cache/config.h"
#include "net/http/form.h"
#include "storegateway/filtered_index_cache.h"
#include "storegateway/memory_index_cache.h"
#include "storegateway/remote_index_cache.h"

namespace aevum::storegateway {
namespace {

constexpr std::chrono::hours kDefaultTtl{24};

struct Fields {
  std::string type = "IN-MEMORY";
  YAML::Node config;
  std::vector<std::string> enabled_items;
  std::chrono::nanoseconds ttl{0};
};

StatusOr<FilteredIndexCache::Kinds> KindsOf(const std::vector<std::string>& names) {
  FilteredIndexCache::Kinds kinds;
  for (const std::string& name : names) {
    std::size_t kind = 0;
    while (kind < kIndexItems && name != kIndexItemNames[kind]) ++kind;
    if (kind == kIndexItems)
      return InvalidArgument("enabled_items: \"{}\" is none of Postings, ExpandedPostings, Series",
                             name);
    kinds.set(kind);
  }
  return kinds;
}

StatusOr<std::shared_ptr<IndexCache>> OpenBackend(
    const Fields& fields, const Logger& logger,
    const std::shared_ptr<prometheus::Registry>& metrics) {
  if (net::EqualsIgnoreCase(fields.type, "IN-MEMORY")) {
    ASSIGN_OR_RETURN(const cache::LruLimits limits, cache::ReadMemoryConfig(fields.config, logger));
    return std::shared_ptr<IndexCache>(std::make_shared<MemoryIndexCache>(limits, *metrics));
  }
  ASSIGN_OR_RETURN(
      std::shared_ptr<cache::Cache> remote,
      cache::OpenRemoteCache(fields.type, fields.config, "index-cache", logger, metrics));
  if (!remote)
    return InvalidArgument("type: \"{}\" is none of IN-MEMORY, MEMCACHED, REDIS", fields.type);
  return std::shared_ptr<IndexCache>(std::make_shared<RemoteIndexCache>(
      std::move(remote), fields.ttl.count() > 0 ? fields.ttl : kDefaultTtl, *metrics));
}

}  // namespace

StatusOr<std::shared_ptr<IndexCache>> OpenIndexCache(
    std::string_view yaml, const Logger& logger,
    const std::shared_ptr<prometheus::Registry>& metrics) {
  std::shared_ptr<IndexCache> cache;
  const Status status = net::WithYaml(yaml, [&](const YAML::Node& root) -> Status {
    Fields fields;
    RETURN_IF_ERROR(net::ReadYamlMap(root, "the configuration",
                                     {{"type", net::YamlString(&fields.type)},
                                      {"config",
                                       [&fields](const YAML::Node& node) {
                                         fields.config.reset(node);
                                         return OkStatus();
                                       }},
                                      {"enabled_items", net::YamlStrings(&fields.enabled_items)},
                                      {"ttl", cache::ReadGoDuration(&fields.ttl)}}));
    ASSIGN_OR_RETURN(const FilteredIndexCache::Kinds kinds, KindsOf(fields.enabled_items));
    ASSIGN_OR_RETURN(cache, OpenBackend(fields, logger, metrics));
    if (kinds.any() && !kinds.all())
      cache = std::make_shared<FilteredIndexCache>(std::move(cache), kinds);
    return OkStatus();
  });
  if (!status.ok()) return status;
  return cache;
}

}  // namespace aevum::storegateway
