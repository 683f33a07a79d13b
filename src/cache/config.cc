#include "cache/config.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <yaml-cpp/yaml.h>

#include "base/byte_size.h"
#include "base/duration.h"
#include "net/http/form.h"

namespace aevum::cache {
namespace {

net::YamlReader ReadUint32(std::uint32_t* out) {
  return [out](const YAML::Node& node) {
    if (node.IsNull()) return OkStatus();
    std::int64_t number = 0;
    RETURN_IF_ERROR(net::YamlInt(&number)(node));
    if (number < 0 || number > UINT32_MAX) return net::YamlError(node, "not a number of 32 bits");
    *out = static_cast<std::uint32_t>(number);
    return OkStatus();
  };
}

net::YamlReader ReadShare(double* out) {
  return [out](const YAML::Node& node) {
    if (node.IsNull()) return OkStatus();
    if (!node.IsScalar() || !YAML::convert<double>::decode(node, *out))
      return net::YamlError(node, "not a number");
    return OkStatus();
  };
}

net::YamlReader ReadVersion(net::tls::Version* out) {
  return [out](const YAML::Node& node) {
    std::string text;
    RETURN_IF_ERROR(net::YamlString(&text)(node));
    if (text.empty()) return OkStatus();
    const StatusOr<net::tls::Version> version = net::tls::ParseVersion(text);
    if (!version.ok()) return net::YamlError(node, std::string(version.status().message()));
    *out = *version;
    return OkStatus();
  };
}

net::YamlReader ReadBreaker(CircuitBreakerOptions* out) {
  return [out](const YAML::Node& node) {
    RETURN_IF_ERROR(
        net::ReadYamlMap(node, "set_async_circuit_breaker_config",
                         {{"enabled", net::YamlBool(&out->enabled)},
                          {"half_open_max_requests", ReadUint32(&out->half_open_max_requests)},
                          {"open_duration", ReadGoDuration(&out->open_duration)},
                          {"min_requests", ReadUint32(&out->min_requests)},
                          {"consecutive_failures", ReadUint32(&out->consecutive_failures)},
                          {"failure_percent", ReadShare(&out->failure_percent)}}));
    if (!out->enabled) return OkStatus();
    if (out->consecutive_failures == 0)
      return net::YamlError(node, "consecutive_failures must be greater than 0");
    if (!(out->failure_percent > 0 && out->failure_percent <= 1))
      return net::YamlError(node, "failure_percent must be in (0, 1]");
    return OkStatus();
  };
}

// Thanos reads the fields of a backend without strictness: files in use may have others.
Status ReadBackend(const YAML::Node& config, const char* type, net::YamlReaders readers,
                   const Logger& logger) {
  if (config.IsDefined() && config.IsMap()) {
    std::vector<std::string> unknown;
    for (const auto& entry : config) {
      if (!entry.first.IsScalar()) continue;
      const std::string& name = entry.first.Scalar();
      const auto known = [&](const auto& reader) { return reader.first == name; };
      if (std::none_of(readers.begin(), readers.end(), known)) unknown.push_back(name);
    }
    for (const std::string& name : unknown) {
      logger.Warn("a field of a cache is not known and has no effect",
                  {{"type", type}, {"field", name}});
      readers.emplace_back(name, [](const YAML::Node&) { return OkStatus(); });
    }
    // The names in `readers` are views into `unknown`.
    return Annotate(net::ReadYamlMap(config, "config", readers), type);
  }
  return Annotate(net::ReadYamlMap(config, "config", readers), type);
}

}  // namespace

net::YamlReader ReadGoDuration(std::chrono::nanoseconds* out) {
  return [out](const YAML::Node& node) {
    std::string text;
    RETURN_IF_ERROR(net::YamlString(&text)(node));
    if (text.empty()) return OkStatus();
    const StatusOr<Nanoseconds> duration = ParseGoDuration(text);
    if (!duration.ok()) return net::YamlError(node, std::string(duration.status().message()));
    if (duration->count() < 0) return net::YamlError(node, "a negative duration");
    *out = *duration;
    return OkStatus();
  };
}

net::YamlReader ReadByteSize(std::uint64_t* out) {
  return [out](const YAML::Node& node) {
    std::string text;
    RETURN_IF_ERROR(net::YamlString(&text)(node));
    if (text.empty()) return OkStatus();
    const StatusOr<std::uint64_t> size = ParseByteSize(text);
    if (!size.ok()) return net::YamlError(node, std::string(size.status().message()));
    *out = *size;
    return OkStatus();
  };
}

StatusOr<LruLimits> ReadMemoryConfig(const YAML::Node& config, const Logger& logger) {
  LruLimits defaults;
  std::uint64_t max_size = defaults.max_size_bytes;
  std::uint64_t max_item_size = defaults.max_item_size_bytes;
  RETURN_IF_ERROR(ReadBackend(
      config, "IN-MEMORY",
      {{"max_size", ReadByteSize(&max_size)}, {"max_item_size", ReadByteSize(&max_item_size)}},
      logger));
  if (max_item_size > max_size)
    return InvalidArgument("IN-MEMORY: max_item_size {} is more than max_size {}", max_item_size,
                           max_size);
  return LruLimits{max_size, max_item_size};
}

StatusOr<MemcachedOptions> ReadMemcachedConfig(const YAML::Node& config, const Logger& logger) {
  MemcachedOptions options;
  const net::YamlReaders readers = {
      {"addresses", net::YamlStrings(&options.addresses)},
      {"timeout", ReadGoDuration(&options.timeout)},
      {"max_idle_connections", net::YamlInt(&options.max_idle_connections)},
      {"max_async_concurrency", net::YamlInt(&options.max_async_concurrency)},
      {"max_async_buffer_size", net::YamlInt(&options.max_async_buffer_size)},
      {"max_get_multi_concurrency", net::YamlInt(&options.max_get_multi_concurrency)},
      {"max_get_multi_batch_size", net::YamlInt(&options.max_get_multi_batch_size)},
      {"max_item_size", ReadByteSize(&options.max_item_size)},
      {"dns_provider_update_interval", ReadGoDuration(&options.dns_provider_update_interval)},
      {"auto_discovery", net::YamlBool(&options.auto_discovery)},
      {"set_async_circuit_breaker_config", ReadBreaker(&options.set_async_circuit_breaker)},
  };
  RETURN_IF_ERROR(ReadBackend(config, "MEMCACHED", readers, logger));
  RETURN_IF_ERROR(Annotate(options.Check(), "MEMCACHED"));
  return options;
}

StatusOr<RedisOptions> ReadRedisConfig(const YAML::Node& config, const Logger& logger) {
  RedisOptions options;
  const net::YamlReaders tls = {
      {"ca_file", net::YamlString(&options.tls.ca.file)},
      {"cert_file", net::YamlString(&options.tls.cert.file)},
      {"key_file", net::YamlString(&options.tls.key.file)},
      {"server_name", net::YamlString(&options.tls_server_name)},
      {"insecure_skip_verify", net::YamlBool(&options.tls.insecure_skip_verify)},
      {"min_version", ReadVersion(&options.tls.min_version)},
  };
  const net::YamlReaders readers = {
      {"addr", net::YamlString(&options.addr)},
      {"prefix", net::YamlString(&options.prefix)},
      {"username", net::YamlString(&options.username)},
      {"password", net::YamlString(&options.password)},
      {"master_name", net::YamlString(&options.master_name)},
      {"db", net::YamlInt(&options.db)},
      {"dial_timeout", ReadGoDuration(&options.dial_timeout)},
      {"read_timeout", ReadGoDuration(&options.read_timeout)},
      {"write_timeout", ReadGoDuration(&options.write_timeout)},
      {"max_get_multi_concurrency", net::YamlInt(&options.max_get_multi_concurrency)},
      {"get_multi_batch_size", net::YamlInt(&options.get_multi_batch_size)},
      {"max_set_multi_concurrency", net::YamlInt(&options.max_set_multi_concurrency)},
      {"set_multi_batch_size", net::YamlInt(&options.set_multi_batch_size)},
      {"tls_enabled", net::YamlBool(&options.tls_enabled)},
      {"tls_config", net::YamlMap("tls_config", tls)},
      {"cache_size", ReadByteSize(&options.cache_size)},
      {"max_async_buffer_size", net::YamlInt(&options.max_async_buffer_size)},
      {"max_async_concurrency", net::YamlInt(&options.max_async_concurrency)},
      {"set_async_circuit_breaker_config", ReadBreaker(&options.set_async_circuit_breaker)},
  };
  RETURN_IF_ERROR(ReadBackend(config, "REDIS", readers, logger));
  RETURN_IF_ERROR(Annotate(options.Check(), "REDIS"));
  return options;
}

StatusOr<std::unique_ptr<Cache>> OpenRemoteCache(
    std::string_view type, const YAML::Node& config, const std::string& name, const Logger& logger,
    const std::shared_ptr<prometheus::Registry>& metrics) {
  if (net::EqualsIgnoreCase(type, "MEMCACHED")) {
    ASSIGN_OR_RETURN(MemcachedOptions options, ReadMemcachedConfig(config, logger));
    return std::unique_ptr<Cache>(
        std::make_unique<MemcachedCache>(name, std::move(options), logger, metrics));
  }
  if (net::EqualsIgnoreCase(type, "REDIS")) {
    ASSIGN_OR_RETURN(RedisOptions options, ReadRedisConfig(config, logger));
    ASSIGN_OR_RETURN(std::unique_ptr<Cache> cache,
                     RedisCache::Open(name, std::move(options), logger, *metrics));
    return cache;
  }
  return std::unique_ptr<Cache>();
}

}  // namespace aevum::cache
