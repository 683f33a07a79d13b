#include "objstore/parallel.h"

#include <atomic>
#include <latch>

#include <gtest/gtest.h>

namespace aevum::objstore {
namespace {

TEST(RunParallelTest, CallsEachOnce) {
  ThreadPool pool("test", 3, 100);
  for (ThreadPool* used : {static_cast<ThreadPool*>(nullptr), &pool}) {
    for (const std::size_t count : {0U, 1U, 2U, 100U}) {
      std::vector<std::atomic<int>> calls(count);
      EXPECT_TRUE(RunParallel(used, count, 4, [&](std::size_t index) {
                    ++calls[index];
                    return OkStatus();
                  }).ok());
      for (const auto& call : calls) EXPECT_EQ(call.load(), 1);
    }
  }
}

TEST(RunParallelTest, StopsAtAnError) {
  ThreadPool pool("test", 2, 100);
  std::atomic<int> calls = 0;
  const Status status = RunParallel(&pool, 1000, 3, [&](std::size_t) {
    ++calls;
    return Internal("no");
  });
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_LE(calls.load(), 3);
}

TEST(RunParallelTest, IsNotStuckBehindABusyPool) {
  ThreadPool pool("test", 1, 10);
  std::latch release(1);
  ASSERT_TRUE(pool.Submit([&] { release.wait(); }));
  std::atomic<int> calls = 0;
  EXPECT_TRUE(RunParallel(&pool, 10, 4, [&](std::size_t) {
                ++calls;
                return OkStatus();
              }).ok());
  EXPECT_EQ(calls.load(), 10);
  release.count_down();
  pool.Stop();
}

}  // namespace
}  // namespace aevum::objstore
