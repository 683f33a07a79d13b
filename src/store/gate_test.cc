#include "store/gate.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

namespace aevum::store {
namespace {

TEST(GateTest, LetsSoManyInAndNoMore) {
  prometheus::Registry metrics;
  Gate gate(2, "test_gate", metrics);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) {
        GatePass pass(gate);
        ASSERT_TRUE(pass.Enter(Context::Background()).ok());
        const int now = ++inside;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::yield();
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 2);
}

TEST(GateTest, GivesUpWithTheRequest) {
  prometheus::Registry metrics;
  Gate gate(1, "test_gate", metrics);
  GatePass first(gate);
  ASSERT_TRUE(first.Enter(Context::Background()).ok());
  GatePass late(gate);
  EXPECT_EQ(late.Enter(Context::Background().WithTimeout(std::chrono::milliseconds(1))).code(),
            StatusCode::kDeadlineExceeded);
  CancelScope scope(Context::Background());
  std::thread canceller([&] { scope.Cancel(); });
  GatePass cancelled(gate);
  EXPECT_EQ(cancelled.Enter(scope.context()).code(), StatusCode::kCancelled);
  canceller.join();
}

// Queries that wait at a gate of one place, and the order in which they get in.
class QueueTest : public ::testing::Test {
 protected:
  ~QueueTest() override {
    for (std::thread& thread : threads_) thread.join();
  }

  // Starts a query of the tenant and returns when it waits at the gate.
  void Queue(const std::string& tenant, const std::string& name, const Context& base) {
    const Context context = base.WithRequest({.tenant = tenant, .request_id = ""});
    threads_.emplace_back([this, context, name] {
      GatePass pass(gate_);
      if (!pass.Enter(context).ok()) return;
      MutexLock lock(mutex_);
      order_.push_back(name);
    });
    ++queued_;
    while (gate_.waiting() < queued_) std::this_thread::yield();
  }
  void Queue(const std::string& tenant, const std::string& name) {
    Queue(tenant, name, Context::Background());
  }
  std::vector<std::string> Order() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    MutexLock lock(mutex_);
    return order_;
  }

  prometheus::Registry metrics_;
  Gate gate_{1, "test_gate", metrics_};
  std::size_t queued_ = 0;
  std::vector<std::thread> threads_;
  Mutex mutex_;
  std::vector<std::string> order_ AEVUM_GUARDED_BY(mutex_);
};

TEST_F(QueueTest, PlacesGoRoundTheTenants) {
  ASSERT_TRUE(gate_.Enter(Context::Background()).ok());
  for (const char* name : {"a1", "a2", "a3", "a4"}) Queue("a", name);
  Queue("b", "b1");
  Queue("c", "c1");
  Queue("b", "b2");
  gate_.Leave();
  EXPECT_THAT(Order(), ::testing::ElementsAre("a1", "b1", "c1", "a2", "b2", "a3", "a4"));
}

TEST_F(QueueTest, WhoGivesUpLeavesTheQueue) {
  ASSERT_TRUE(gate_.Enter(Context::Background()).ok());
  Queue("a", "a1");
  CancelScope scope(Context::Background());
  Queue("b", "b1", scope.context());
  Queue("b", "b2");
  Queue("a", "a2");
  scope.Cancel();
  threads_[1].join();
  threads_.erase(threads_.begin() + 1);
  EXPECT_EQ(gate_.waiting(), 3U);
  gate_.Leave();
  EXPECT_THAT(Order(), ::testing::ElementsAre("a1", "b2", "a2"));
  // And the place is free again.
  EXPECT_TRUE(gate_.Enter(Context::Background().WithTimeout(std::chrono::seconds(20))).ok());
  gate_.Leave();
}

}  // namespace
}  // namespace aevum::store
