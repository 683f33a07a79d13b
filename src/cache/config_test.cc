#include "cache/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <yaml-cpp/yaml.h>

#include "cache/caching_bucket_config.h"
#include "objstore/testing/memory_bucket.h"

namespace aevum::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CacheConfigTest, DefaultsAreThoseOfThanos) {
  const auto memcached = ReadMemcachedConfig(YAML::Load("addresses: [a:1]"), Logger());
  ASSERT_TRUE(memcached.ok()) << memcached.status();
  EXPECT_EQ(memcached->timeout, milliseconds(500));
  EXPECT_EQ(memcached->max_item_size, 1U << 20);
  EXPECT_EQ(memcached->max_async_buffer_size, 10'000);
  EXPECT_EQ(memcached->dns_provider_update_interval, seconds(10));
  const auto redis = ReadRedisConfig(YAML::Load("addr: a:1"), Logger());
  ASSERT_TRUE(redis.ok()) << redis.status();
  EXPECT_EQ(redis->dial_timeout, seconds(5));
  EXPECT_EQ(redis->get_multi_batch_size, 100);
  EXPECT_FALSE(redis->tls_enabled);
  const auto memory = ReadMemoryConfig(YAML::Node(), Logger());
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ(memory->max_size_bytes, 250U << 20);
  EXPECT_EQ(memory->max_item_size_bytes, 125U << 20);
}

TEST(CacheConfigTest, ReadsAllFields) {
  const auto memcached = ReadMemcachedConfig(YAML::Load(R"(
addresses: ["dnssrv+_memcached._tcp.example", "b:2"]
timeout: 1500ms
max_idle_connections: 1
max_async_concurrency: 2
max_async_buffer_size: 3
max_get_multi_concurrency: 4
max_get_multi_batch_size: 5
max_item_size: 2MiB
dns_provider_update_interval: 30s
auto_discovery: true
set_async_circuit_breaker_config:
  enabled: true
  half_open_max_requests: 1
  open_duration: 2s
  min_requests: 3
  consecutive_failures: 4
  failure_percent: 0.5
)"),
                                             Logger());
  ASSERT_TRUE(memcached.ok()) << memcached.status();
  EXPECT_THAT(memcached->addresses, ElementsAre("dnssrv+_memcached._tcp.example", "b:2"));
  EXPECT_EQ(memcached->timeout, milliseconds(1500));
  EXPECT_EQ(memcached->max_get_multi_batch_size, 5);
  EXPECT_EQ(memcached->max_item_size, 2U << 20);
  EXPECT_TRUE(memcached->auto_discovery);
  EXPECT_TRUE(memcached->set_async_circuit_breaker.enabled);
  EXPECT_EQ(memcached->set_async_circuit_breaker.open_duration, seconds(2));
  EXPECT_EQ(memcached->set_async_circuit_breaker.failure_percent, 0.5);
  const auto redis = ReadRedisConfig(YAML::Load(R"(
addr: a:1,b:2
prefix: p
username: u
password: w
master_name: m
db: 2
dial_timeout: 1s
read_timeout: 2s
write_timeout: 3s
max_get_multi_concurrency: 4
get_multi_batch_size: 5
max_set_multi_concurrency: 6
set_multi_batch_size: 7
tls_enabled: true
tls_config: {ca_file: ca, cert_file: c, key_file: k, server_name: s, insecure_skip_verify: true, min_version: "1.3"}
cache_size: 0
max_async_buffer_size: 8
max_async_concurrency: 9
)"),
                                     Logger());
  ASSERT_TRUE(redis.ok()) << redis.status();
  EXPECT_EQ(redis->addr, "a:1,b:2");
  EXPECT_EQ(redis->tls.min_version, net::tls::Version::k13);
  EXPECT_EQ(redis->tls_server_name, "s");
  EXPECT_EQ(redis->write_timeout, seconds(3));
  EXPECT_EQ(redis->max_async_concurrency, 9);
}

TEST(CacheConfigTest, RefusesWhatCannotBe) {
  const std::pair<const char*, const char*> memcached[] = {
      {"{}", "addresses"},
      {"addresses: [\"dns+host\"]", "addresses"},
      {"{addresses: [a:1], timeout: 0s}", "timeout"},
      {"{addresses: [a:1], timeout: 5}", "timeout"},
      {"{addresses: [a:1], max_async_concurrency: 0}", "max_async_concurrency"},
      {"{addresses: [a:1], dns_provider_update_interval: 0s}", "dns_provider_update_interval"},
      {"{addresses: [a:1], max_item_size: much}", "max_item_size"},
      {"{addresses: [a:1], set_async_circuit_breaker_config: {enabled: true, failure_percent: 2}}",
       "failure_percent"},
      {"{addresses: [a:1], set_async_circuit_breaker_config: {enable: true}}", "enable"}};
  for (const auto& [yaml, field] : memcached) {
    const auto options = ReadMemcachedConfig(YAML::Load(yaml), Logger());
    EXPECT_THAT(options.status().ToString(), HasSubstr(field)) << yaml;
  }
  const std::pair<const char*, const char*> redis[] = {
      {"{}", "addr"},
      {"addr: host", "no port"},
      {"{addr: a:1, db: -1}", "db"},
      {"{addr: a:1, cache_size: 1MB}", "cache_size"},
      {"{addr: a:1, tls_config: {cert_file: c}}", "key_file"},
      {"{addr: a:1, tls_config: {min_version: \"9\"}}", "min_version"}};
  for (const auto& [yaml, field] : redis) {
    const auto options = ReadRedisConfig(YAML::Load(yaml), Logger());
    EXPECT_THAT(options.status().ToString(), HasSubstr(field)) << yaml;
  }
  EXPECT_FALSE(ReadMemoryConfig(YAML::Load("{max_size: 1MB, max_item_size: 2MB}"), Logger()).ok());
}

// As Thanos, whose users may have such files.
TEST(CacheConfigTest, LetsUnknownFieldsOfBackendsPass) {
  EXPECT_TRUE(ReadMemcachedConfig(YAML::Load("{addresses: [a:1], other: 1}"), Logger()).ok());
}

TEST(CachingBucketConfigTest, OpensAndRefuses) {
  const auto metrics = std::make_shared<prometheus::Registry>();
  const auto open = [&](const char* yaml) {
    return OpenCachingBucket(yaml, "", std::make_shared<objstore::MemoryBucket>(), Logger(),
                             metrics)
        .status();
  };
  EXPECT_TRUE(open("type: in-memory").ok()) << open("type: in-memory");
  EXPECT_TRUE(open("{type: IN-MEMORY, config: {max_size: 1GiB}, metafile_max_size: 1KiB, "
                   "blocks_iter_ttl: 1m, max_chunks_get_range_requests: 0}")
                  .ok());
  const std::pair<const char*, const char*> refused[] = {
      {"{}", "type is not given"},
      {"type: GROUPCACHE", "GROUPCACHE"},
      {"type: DISK", "DISK"},
      {"{type: IN-MEMORY, chunk_subrange_size: 0}", "chunk_subrange_size"},
      {"{type: IN-MEMORY, chunk_subrange_ttl: soon}", "chunk_subrange_ttl"},
      {"{type: IN-MEMORY, ttl: 1h}", "ttl"},
      {"{type: MEMCACHED, config: {}}", "addresses"}};
  for (const auto& [yaml, what] : refused) EXPECT_THAT(open(yaml).ToString(), HasSubstr(what));
}

}  // namespace
}  // namespace aevum::cache
