#include "query/gate.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>
#include <prometheus/registry.h>

namespace aevum::query {
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

}  // namespace
}  // namespace aevum::query
