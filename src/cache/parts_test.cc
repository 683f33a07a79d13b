// The parts of caches that need no server.
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include "cache/circuit_breaker.h"
#include "cache/memory_cache.h"
#include "cache/server_selector.h"
#include "cache/write_queue.h"

namespace aevum::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

SharedBytes Bytes(std::string text) { return SharedBytes::Own(std::move(text)); }

TEST(NaturallyLessTest, ComparesRunsOfDigitsAsNumbers) {
  ServerSelector selector({"a10:1", "a2:1", "a1:1", "b:1", "a02:1", "a:1"});
  // Equal but for leading zeros: neither is less.
  EXPECT_FALSE(NaturallyLess("a02:1", "a2:1"));
  EXPECT_FALSE(NaturallyLess("a2:1", "a02:1"));
  EXPECT_EQ(selector.servers().front(), "a1:1");
  EXPECT_EQ(selector.servers()[3], "a10:1");
  EXPECT_EQ(selector.servers().back(), "b:1");
  EXPECT_TRUE(NaturallyLess("a", "a1"));
  EXPECT_FALSE(NaturallyLess("a", "a"));
  EXPECT_TRUE(NaturallyLess("x9y", "x10a"));
}

// From the paper's code, and as dgryski/go-jump, which Thanos copied, tests it.
TEST(JumpHashTest, GivesTheBucketsOfOtherPrograms) {
  EXPECT_EQ(JumpHash(1, 1), 0U);
  EXPECT_EQ(JumpHash(42, 57), 43U);
  EXPECT_EQ(JumpHash(0xDEAD10CC, 1), 0U);
  EXPECT_EQ(JumpHash(0xDEAD10CC, 666), 361U);
  EXPECT_EQ(JumpHash(256, 1024), 520U);
}

TEST(JumpHashTest, MovesFewKeysToAServerMore) {
  int moved = 0;
  for (std::uint64_t key = 0; key < 10'000; ++key) {
    const std::uint64_t mixed = key * 0x9E3779B97F4A7C15U;
    const std::size_t before = JumpHash(mixed, 9);
    const std::size_t after = JumpHash(mixed, 10);
    if (before == after) continue;
    EXPECT_EQ(after, 9U);
    ++moved;
  }
  EXPECT_NEAR(moved, 1000, 150);
}

class CircuitBreakerTest : public ::testing::Test {
 protected:
  CircuitBreaker::Clock::time_point now_{seconds(1'000)};
  CircuitBreaker breaker_{{.enabled = true,
                           .half_open_max_requests = 2,
                           .open_duration = seconds(5),
                           .min_requests = 4,
                           .consecutive_failures = 3,
                           .failure_percent = 0.9},
                          [this] { return now_; }};

  void Call(bool ok) {
    ASSERT_TRUE(breaker_.Enter());
    breaker_.Done(ok);
  }
};

TEST_F(CircuitBreakerTest, OpensAfterFailuresInARow) {
  Call(true);
  Call(false);
  Call(false);
  EXPECT_TRUE(breaker_.Enter()) << "too few requests so far";
  breaker_.Done(false);
  EXPECT_FALSE(breaker_.Enter());
  now_ += seconds(4);
  EXPECT_FALSE(breaker_.Enter());
  now_ += seconds(1);
  EXPECT_TRUE(breaker_.Enter()) << "half open";
  EXPECT_TRUE(breaker_.Enter());
  EXPECT_FALSE(breaker_.Enter()) << "only so many may try";
  breaker_.Done(true);
  breaker_.Done(true);
  for (int i = 0; i < 10; ++i) Call(true);
}

TEST_F(CircuitBreakerTest, AFailureWhileHalfOpenOpensItAgain) {
  for (int i = 0; i < 4; ++i) Call(false);
  now_ += seconds(5);
  Call(false);
  EXPECT_FALSE(breaker_.Enter());
}

TEST_F(CircuitBreakerTest, ForgetsWhatIsOld) {
  Call(false);
  Call(false);
  Call(true);
  now_ += seconds(10);
  Call(false);
  Call(false);
  EXPECT_TRUE(breaker_.Enter());
}

TEST(CircuitBreakerOffTest, LetsEverythingPass) {
  CircuitBreaker breaker({});
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(breaker.Enter());
    breaker.Done(false);
  }
}

TEST(MemoryCacheTest, KeepsItemsForTheirTime) {
  prometheus::Registry metrics;
  MemoryCache cache("test", {}, metrics);
  const Context context = Context::Background();
  cache.Store("long", Bytes("1"), std::chrono::hours(1));
  cache.Store("short", Bytes("2"), milliseconds(1));
  cache.Store("never", Bytes("3"), seconds(0));
  cache.Store("empty", Bytes(""), seconds(10));
  const auto until = std::chrono::steady_clock::now() + milliseconds(2);
  while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
  const std::string keys[] = {"long", "short", "never", "empty", "other"};
  std::vector<std::string> found;
  for (const SharedBytes& item : cache.Fetch(context, keys)) found.emplace_back(item.view);
  EXPECT_THAT(found, ElementsAre("1", "", "", "", ""));
  // What is there stays, what has expired makes room.
  cache.Store("long", Bytes("new"), std::chrono::hours(1));
  cache.Store("short", Bytes("new"), std::chrono::hours(1));
  EXPECT_EQ(cache.Fetch(context, keys)[0].view, "1");
  EXPECT_EQ(cache.Fetch(context, keys)[1].view, "new");
}

TEST(WriteQueueTest, WritesInBatchesAndDropsWhatDoesNotFit) {
  Mutex mutex;
  std::condition_variable changed;
  bool open = false;
  std::vector<std::size_t> batches;
  const auto write = [&](std::vector<CacheWrite> batch) {
    MutexLock lock(mutex);
    batches.push_back(batch.size());
    changed.notify_all();
    while (!open) lock.Wait(changed);
  };
  WriteQueue queue({.threads = 1, .max_items = 5, .max_bytes = 1000, .batch = 3}, write);
  EXPECT_TRUE(queue.Push({"first", Bytes("x"), seconds(1)}));
  {
    MutexLock lock(mutex);
    while (batches.empty()) lock.Wait(changed);
  }
  EXPECT_FALSE(queue.Push({"large", Bytes(std::string(2000, 'x')), seconds(1)}));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(queue.Push({"key", Bytes("x"), seconds(1)}));
  EXPECT_FALSE(queue.Push({"key", Bytes("x"), seconds(1)}));
  {
    MutexLock lock(mutex);
    open = true;
    changed.notify_all();
    while (batches.size() < 3) lock.Wait(changed);
  }
  queue.Stop();
  EXPECT_FALSE(queue.Push({"key", Bytes("x"), seconds(1)}));
  EXPECT_THAT(batches, ElementsAre(1U, 3U, 2U));
}

}  // namespace
}  // namespace aevum::cache
