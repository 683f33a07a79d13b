#include "objstore/rest/session.h"

#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "objstore/bucket.h"

namespace aevum::objstore {
namespace {

class KeptTest : public ::testing::Test {
 protected:
  // Says that it is asked, and answers when it may.
  StatusOr<Session> Ask() {
    ++asked_;
    if (is_slow_) {
      began_.set_value();
      go_on_.get_future().wait();
    }
    RETURN_IF_ERROR(answer_);
    return Session{fmt::format("t{}", asked_.load()), "", clock_.NowMs() + 600'000};
  }

  const Context context_ = Context::Background();
  FakeClock clock_{1'000'000};
  std::atomic<int> asked_ = 0;
  std::atomic<bool> is_slow_ = false;
  std::promise<void> began_;
  std::promise<void> go_on_;
  Status answer_;
  KeptSession kept_{[this](const Context&) { return Ask(); }, clock_};
};

TEST_F(KeptTest, AsksShortlyBeforeTheEnd) {
  EXPECT_EQ(kept_.Get(context_)->token, "t1");
  clock_.Set(1'000'000 + 600'000 - 60'001);
  EXPECT_EQ(kept_.Get(context_)->token, "t1");
  clock_.Set(1'000'000 + 600'000 - 60'000);
  EXPECT_EQ(kept_.Get(context_)->token, "t2");
  kept_.Forget();
  EXPECT_EQ(kept_.Get(context_)->token, "t3");
}

TEST_F(KeptTest, ARenewalThatFailsLeavesWhatIsStillGood) {
  EXPECT_EQ(kept_.Get(context_)->token, "t1");
  answer_ = Unavailable("busy");
  clock_.Set(1'000'000 + 600'000 - 1);
  EXPECT_EQ(kept_.Get(context_)->token, "t1");
  clock_.Set(1'000'000 + 600'000);
  EXPECT_TRUE(IsTransient(kept_.Get(context_).status()));
  answer_ = OkStatus();
  EXPECT_EQ(kept_.Get(context_)->token, "t4");
}

TEST_F(KeptTest, OthersTakeWhatIsGoodWhileOneAsks) {
  EXPECT_EQ(kept_.Get(context_)->token, "t1");
  clock_.Set(1'000'000 + 600'000 - 1);
  is_slow_ = true;
  std::jthread asker([this] { EXPECT_EQ(kept_.Get(context_)->token, "t2"); });
  began_.get_future().wait();
  EXPECT_EQ(kept_.Get(context_)->token, "t1");
  go_on_.set_value();
}

TEST_F(KeptTest, WaitersHaveTheirOwnContextAndTheOneAnswer) {
  is_slow_ = true;
  std::jthread asker([this] { EXPECT_EQ(kept_.Get(context_)->token, "t1"); });
  began_.get_future().wait();
  EXPECT_EQ(kept_.Get(context_.WithTimeout(std::chrono::milliseconds(5))).status().code(),
            StatusCode::kDeadlineExceeded);
  CancelScope cancelled(context_);
  std::jthread canceller([&] { cancelled.Cancel(); });
  EXPECT_EQ(kept_.Get(cancelled.context()).status().code(), StatusCode::kCancelled);
  std::jthread waiter([this] { EXPECT_EQ(kept_.Get(context_)->token, "t1"); });
  go_on_.set_value();
  asker.join();
  waiter.join();
  EXPECT_EQ(asked_.load(), 1);
}

}  // namespace
}  // namespace aevum::objstore
