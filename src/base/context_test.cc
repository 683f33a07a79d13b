#include "base/context.h"

#include <thread>

#include <gtest/gtest.h>

namespace aevum {
namespace {

TEST(ContextTest, TheEarlierDeadlineHolds) {
  const Context context = Context::Background().WithTimeout(std::chrono::hours(1));
  EXPECT_TRUE(context.status().ok());
  EXPECT_EQ(context.WithTimeout(std::chrono::hours(2)).deadline(), context.deadline());
  EXPECT_EQ(context.WithTimeout(std::chrono::seconds(0)).status().code(),
            StatusCode::kDeadlineExceeded);
  EXPECT_EQ(context.WithTimeout(std::chrono::nanoseconds::max()).deadline(), context.deadline());
  EXPECT_EQ(Context::Background().remaining(), std::chrono::nanoseconds::max());
}

TEST(ContextTest, CancellationGoesDownAndNotUp) {
  CancelScope outer(Context::Background());
  CancelScope inner(outer.context().WithTimeout(std::chrono::hours(1)));
  CancelScope sibling(outer.context());
  sibling.Cancel();
  EXPECT_TRUE(outer.context().status().ok());
  EXPECT_TRUE(inner.context().status().ok());
  outer.Cancel();
  EXPECT_EQ(inner.context().status().code(), StatusCode::kCancelled);
}

TEST(ContextTest, CancellationWakesCallbacksFromAnotherThread) {
  CancelScope scope(Context::Background());
  std::thread canceller([&] { scope.Cancel(); });
  while (!scope.context().cancelled()) std::this_thread::yield();
  canceller.join();
  bool called = false;
  const std::stop_callback callback(scope.context().stop_token(), [&] { called = true; });
  EXPECT_TRUE(called);
}

TEST(ContextTest, AContextOutlivesItsScope) {
  Context kept;
  {
    CancelScope scope(Context::Background().WithRequest({.tenant = "a", .request_id = "1"}));
    kept = scope.context();
  }
  EXPECT_TRUE(kept.status().ok());
  EXPECT_EQ(kept.request().tenant, "a");
  EXPECT_EQ(Context().request().tenant, "");
}

}  // namespace
}  // namespace aevum
