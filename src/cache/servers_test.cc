// Caches against real servers.
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "base/files.h"
#include "cache/memcached_cache.h"
#include "cache/memcached_protocol.h"
#include "cache/redis_cache.h"
#include "cache/redis_protocol.h"
#include "cache/testing/server_process.h"
#include "net/tls/test_certificates.h"

namespace aevum::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using SteadyClock = std::chrono::steady_clock;

SharedBytes Bytes(std::string text) { return SharedBytes::Own(std::move(text)); }

class CacheServersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ServerProcess::AreInstalled()) GTEST_SKIP() << ServerProcess::kSkip;
  }

  static std::unique_ptr<ServerProcess> Started(StatusOr<std::unique_ptr<ServerProcess>> server) {
    EXPECT_TRUE(server.ok()) << server.status();
    return server.ok() ? *std::move(server) : nullptr;
  }
  std::unique_ptr<MemcachedCache> OpenMemcached(const std::vector<std::string>& addresses) {
    MemcachedOptions options;
    options.addresses = addresses;
    options.max_get_multi_batch_size = 7;
    options.timeout = seconds(2);
    options.dns_provider_update_interval = milliseconds(50);
    EXPECT_TRUE(options.Check().ok());
    return std::make_unique<MemcachedCache>("test", options, Logger(), metrics_);
  }
  std::unique_ptr<RedisCache> OpenRedis(RedisOptions options) {
    EXPECT_TRUE(options.Check().ok()) << options.Check();
    auto cache = RedisCache::Open("test", std::move(options), Logger(), *metrics_);
    EXPECT_TRUE(cache.ok()) << cache.status();
    return cache.ok() ? *std::move(cache) : nullptr;
  }

  std::string Fetch(Cache& cache, const std::string& key) {
    return std::string(cache.Fetch(context_, std::span(&key, 1)).front().view);
  }
  // Stores until it is there: the first try may meet a server that was left alone.
  bool StoreAndFind(Cache& cache, const std::string& key, const std::string& value) {
    return Until([&] {
      cache.Store(key, Bytes(value), seconds(60));
      return Fetch(cache, key) == value;
    });
  }
  static bool Until(const std::function<bool()>& holds) {
    const auto limit = SteadyClock::now() + seconds(60);
    while (SteadyClock::now() < limit) {
      if (holds()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  // What a server answers to a command of Redis.
  static StatusOr<RedisReply> Ask(const ServerProcess& server,
                                  const std::vector<std::string_view>& command) {
    const Context context = Context::Background().WithTimeout(seconds(20));
    ASSIGN_OR_RETURN(const auto connection, Connection::Dial(context, server.address(), {}));
    return AskRedis(context, *connection, command);
  }
  std::string Metrics() const {
    return prometheus::TextSerializer().Serialize(metrics_->Collect());
  }

  const Context context_ = Context::Background();
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
};

TEST_F(CacheServersTest, MemcachedServersShareTheKeys) {
  const auto first = Started(ServerProcess::Memcached());
  const auto second = Started(ServerProcess::Memcached());
  ASSERT_TRUE(first && second);
  const auto cache = OpenMemcached({first->address(), second->address()});
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) {
    keys.push_back("key:" + std::to_string(i));
    ASSERT_TRUE(StoreAndFind(*cache, keys.back(), std::string(1000, 'x') + keys.back()));
  }
  keys.emplace_back("not a key");
  keys.emplace_back("absent");
  const std::vector<SharedBytes> found = cache->Fetch(context_, keys);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_TRUE(found[i].view.ends_with("x" + keys[i]));
  EXPECT_TRUE(found[100].empty());
  EXPECT_TRUE(found[101].empty());
  // Each key is where the selector says, and nowhere else.
  const ServerSelector selector({first->address(), second->address()});
  for (const ServerProcess* server : {first.get(), second.get()}) {
    const auto connection = Connection::Dial(context_, server->address(), {});
    ASSERT_TRUE(connection.ok());
    for (std::size_t i = 0; i < 100; ++i) {
      const std::string_view key[] = {keys[i]};
      const auto item = MemcachedGet(context_, **connection, key);
      ASSERT_TRUE(item.ok()) << item.status();
      EXPECT_EQ(!item->front().empty(),
                selector.servers()[selector.ServerOf(keys[i])] == server->address());
    }
  }
  EXPECT_THAT(Metrics(), HasSubstr("thanos_memcached_operation_failures_total{name=\"test\","
                                   "operation=\"getmulti\",reason=\"malformed-key\"} 1"));
}

TEST_F(CacheServersTest, AMemcachedThatDiesAndComesBackDoesNoHarm) {
  auto server = Started(ServerProcess::Memcached());
  ASSERT_TRUE(server);
  const auto cache = OpenMemcached({server->address()});
  ASSERT_TRUE(StoreAndFind(*cache, "key", "value"));
  const std::uint16_t port = server->port();
  server->Kill();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Fetch(*cache, "key"), "");
  server = Started(ServerProcess::Memcached(port));
  ASSERT_TRUE(server);
  EXPECT_TRUE(StoreAndFind(*cache, "key", "again"));
}

TEST_F(CacheServersTest, AMemcachedThatHangsCostsLittle) {
  const auto server = Started(ServerProcess::Memcached());
  ASSERT_TRUE(server);
  MemcachedOptions options;
  options.addresses = {server->address()};
  options.timeout = milliseconds(100);
  MemcachedCache cache("test", options, Logger(), metrics_);
  ASSERT_TRUE(StoreAndFind(cache, "key", "value"));
  server->Pause();
  const auto began = SteadyClock::now();
  for (int i = 0; i < 200; ++i) EXPECT_EQ(Fetch(cache, "key"), "");
  // Some timeouts, then none for a second: 200 of them would take twenty.
  EXPECT_LT(SteadyClock::now() - began, seconds(15));
  server->Resume();
  EXPECT_TRUE(Until([&] { return Fetch(cache, "key") == "value"; }));
}

TEST_F(CacheServersTest, LargeItemsAreNotSentToMemcached) {
  const auto server = Started(ServerProcess::Memcached());
  ASSERT_TRUE(server);
  const auto cache = OpenMemcached({server->address()});
  cache->Store("large", Bytes(std::string((1 << 20) + 1, 'x')), seconds(60));
  EXPECT_THAT(Metrics(), HasSubstr("thanos_memcached_operation_skipped_total{name=\"test\","
                                   "operation=\"set\",reason=\"max-item-size\"} 1"));
  // Within our limit, and beyond that of the server with its bookkeeping.
  cache->Store("nearly", Bytes(std::string(1 << 20, 'x')), seconds(60));
  EXPECT_TRUE(Until([&] {
    return Metrics().find(
               "thanos_memcached_operation_failures_total{name=\"test\","
               "operation=\"set\",reason=\"server-error\"} 1") != std::string::npos;
  }));
  EXPECT_TRUE(StoreAndFind(*cache, "small", "value"));
}

TEST_F(CacheServersTest, RedisWithLoginDatabaseAndPrefix) {
  const auto server = Started(ServerProcess::Redis({"--requirepass", "secret"}));
  ASSERT_TRUE(server);
  RedisOptions options;
  options.addr = server->address();
  options.password = "secret";
  options.username = "default";
  options.db = 3;
  options.prefix = "aevum:";
  options.get_multi_batch_size = 7;
  const auto cache = OpenRedis(options);
  std::vector<std::string> keys;
  for (int i = 0; i < 50; ++i) {
    keys.push_back("key with space " + std::to_string(i));
    ASSERT_TRUE(StoreAndFind(*cache, keys.back(), "value" + keys.back()));
  }
  keys.emplace_back("absent");
  const std::vector<SharedBytes> found = cache->Fetch(context_, keys);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(found[i].view, "value" + keys[i]);
  EXPECT_TRUE(found[50].empty());
  // Where and how it is stored.
  const auto connection = Connection::Dial(context_, server->address(), {});
  ASSERT_TRUE(connection.ok());
  const std::string_view auth[] = {"AUTH", "secret"};
  const std::string_view select[] = {"SELECT", "3"};
  const std::string_view ttl[] = {"TTL", "aevum:key with space 0"};
  ASSERT_TRUE(AskRedis(context_, **connection, auth).ok());
  ASSERT_TRUE(AskRedis(context_, **connection, select).ok());
  const auto left = AskRedis(context_, **connection, ttl);
  ASSERT_TRUE(left.ok()) << left.status();
  EXPECT_GT(left->number, 0);
  EXPECT_LE(left->number, 60);

  options.password = "wrong";
  const auto refused = OpenRedis(options);
  EXPECT_EQ(Fetch(*refused, keys[0]), "") << "a wrong password is a cache that has nothing";
}

TEST_F(CacheServersTest, ARedisThatDiesAndComesBackDoesNoHarm) {
  auto server = Started(ServerProcess::Redis());
  ASSERT_TRUE(server);
  RedisOptions options;
  options.addr = server->address();
  const auto cache = OpenRedis(options);
  ASSERT_TRUE(StoreAndFind(*cache, "key", "value"));
  const std::uint16_t port = server->port();
  server->Kill();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Fetch(*cache, "key"), "");
  server = Started(ServerProcess::Redis({}, port));
  ASSERT_TRUE(server);
  EXPECT_TRUE(StoreAndFind(*cache, "key", "again"));
}

TEST_F(CacheServersTest, RedisOverTls) {
  net::tls::TestAuthority authority("caches");
  const net::tls::TestPair pair = authority.Issue("redis", {"IP:127.0.0.1"});
  const StatusOr<TemporaryDirectory> scratch = TemporaryDirectory::Create();
  ASSERT_TRUE(scratch.ok());
  const std::string ca = scratch->File("ca.pem");
  ASSERT_TRUE(WriteFileAtomically(ca, authority.cert_pem()).ok());
  ASSERT_TRUE(WriteFileAtomically(scratch->File("cert.pem"), pair.cert_pem).ok());
  ASSERT_TRUE(WriteFileAtomically(scratch->File("key.pem"), pair.key_pem).ok());
  // The port in the clear of the plain server is given up for the other.
  const auto plain = Started(ServerProcess::Redis());
  ASSERT_TRUE(plain);
  const std::uint16_t port = plain->port();
  plain->Kill();
  const auto server = Started(
      ServerProcess::Redis({"--port", "0", "--tls-port", std::to_string(port), "--tls-cert-file",
                            scratch->File("cert.pem"), "--tls-key-file", scratch->File("key.pem"),
                            "--tls-ca-cert-file", ca, "--tls-auth-clients", "no"},
                           port));
  ASSERT_TRUE(server);
  RedisOptions options;
  options.addr = server->address();
  options.tls_enabled = true;
  options.tls.ca.file = ca;
  const auto cache = OpenRedis(options);
  EXPECT_TRUE(StoreAndFind(*cache, "key", std::string(100'000, 'v')));
  options.tls.ca.file = "";
  EXPECT_EQ(Fetch(*OpenRedis(options), "key"), "") << "nobody vouches for the server";
}

TEST_F(CacheServersTest, NodesOfARedisCluster) {
  const auto first = Started(ServerProcess::Redis({"--cluster-enabled", "yes"}));
  const auto second = Started(ServerProcess::Redis({"--cluster-enabled", "yes"}));
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(Ask(*first, {"CLUSTER", "ADDSLOTSRANGE", "0", "8000"}).ok());
  ASSERT_TRUE(Ask(*second, {"CLUSTER", "ADDSLOTSRANGE", "8001", "16383"}).ok());
  ASSERT_TRUE(Ask(*first, {"CLUSTER", "MEET", "127.0.0.1", std::to_string(second->port())}).ok());
  RedisOptions options;
  options.addr = first->address();
  const auto cache = OpenRedis(options);
  std::vector<std::string> keys;
  for (int i = 0; i < 40; ++i) {
    keys.push_back("key" + std::to_string(i));
    ASSERT_TRUE(StoreAndFind(*cache, keys.back(), "value" + keys.back())) << keys.back();
  }
  const std::vector<SharedBytes> found = cache->Fetch(context_, keys);
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(found[i].view, "value" + keys[i]);
  const auto here = Ask(*first, {"DBSIZE"});
  const auto there = Ask(*second, {"DBSIZE"});
  ASSERT_TRUE(here.ok() && there.ok());
  EXPECT_GT(here->number, 0);
  EXPECT_GT(there->number, 0);
  EXPECT_EQ(here->number + there->number, 40);
}

TEST_F(CacheServersTest, TheMasterThatASentinelKnows) {
  const auto master = Started(ServerProcess::Redis());
  ASSERT_TRUE(master);
  const auto sentinel = Started(ServerProcess::Sentinel(*master));
  ASSERT_TRUE(sentinel);
  RedisOptions options;
  options.addr = "127.0.0.1:1," + sentinel->address();
  options.master_name = "aevum";
  const auto cache = OpenRedis(options);
  EXPECT_TRUE(StoreAndFind(*cache, "key", "value"));
  EXPECT_EQ(Ask(*master, {"DBSIZE"})->number, 1);
  options.master_name = "other";
  EXPECT_EQ(Fetch(*OpenRedis(options), "key"), "");
}

TEST(CacheWithoutServersTest, StartsWithoutAny) {
  const auto metrics = std::make_shared<prometheus::Registry>();
  MemcachedOptions memcached;
  memcached.addresses = {"127.0.0.1:1"};
  MemcachedCache cache("test", memcached, Logger(), metrics);
  RedisOptions redis;
  redis.addr = "127.0.0.1:1";
  const auto other = RedisCache::Open("test", redis, Logger(), *metrics);
  ASSERT_TRUE(other.ok());
  const std::string keys[] = {"a", "b"};
  for (Cache* one : {static_cast<Cache*>(&cache), static_cast<Cache*>(other->get())}) {
    one->Store("a", SharedBytes::Own("x"), seconds(10));
    const std::vector<SharedBytes> found = one->Fetch(Context::Background(), keys);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_TRUE(found[0].empty());
  }
}

}  // namespace
}  // namespace aevum::cache
