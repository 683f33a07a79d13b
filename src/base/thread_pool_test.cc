#include "base/thread_pool.h"

#include <atomic>
#include <latch>

#include <gtest/gtest.h>

namespace aevum {
namespace {

TEST(ThreadPoolTest, RunsEverythingBeforeItStops) {
  std::atomic<int> done = 0;
  ThreadPool pool("test", 3, 1000);
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(pool.Submit([&] { ++done; }));
  pool.Stop();
  EXPECT_EQ(done, 500);
  EXPECT_FALSE(pool.Submit([] {}));
}

TEST(ThreadPoolTest, RefusesMoreThanTheQueueHolds) {
  ThreadPool pool("test", 1, 2);
  std::latch started(1);
  std::latch release(1);
  ASSERT_TRUE(pool.Submit([&] {
    started.count_down();
    release.wait();
  }));
  started.wait();
  EXPECT_TRUE(pool.Submit([] {}));
  EXPECT_TRUE(pool.Submit([] {}));
  EXPECT_FALSE(pool.Submit([] {}));
  EXPECT_EQ(pool.queued(), 2U);
  release.count_down();
}

}  // namespace
}  // namespace aevum
