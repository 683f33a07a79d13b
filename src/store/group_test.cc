#include "store/group.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "store/testing/fake_store.h"

namespace aevum::store {
namespace {

using testing::Drain;
using ::testing::ElementsAre;
using testing::FakeSeries;
using testing::FakeStore;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

// A fake that can become slow: it holds each answer back until it is let go or no longer wanted.
class SlowStore final : public Store {
 public:
  explicit SlowStore(std::string name)
      : fake_({{model::Labels::Of({{"__name__", "up"}, {"from", name}}), {}}}) {}

  StatusOr<std::unique_ptr<SeriesStream>> Series(const Context& context,
                                                 const wire::SeriesRequest& request) override {
    ++asked;
    while (slow && context.status().ok()) std::this_thread::yield();
    RETURN_IF_ERROR(context.status());
    if (down) return Unavailable("connection refused");
    return fake_.Series(context, request);
  }
  StatusOr<wire::LabelsResponse> LabelNames(const Context& context,
                                            const wire::LabelNamesRequest& request) override {
    while (slow && context.status().ok()) std::this_thread::yield();
    RETURN_IF_ERROR(context.status());
    if (down) return Unavailable("connection refused");
    return fake_.LabelNames(context, request);
  }
  StatusOr<wire::LabelsResponse> LabelValues(const Context& context,
                                             const wire::LabelValuesRequest& request) override {
    return fake_.LabelValues(context, request);
  }
  StatusOr<wire::InfoResponse> Info(const Context& context) override { return fake_.Info(context); }

  std::atomic<bool> slow = false;
  std::atomic<bool> down = false;
  std::atomic<int> asked = 0;

 private:
  FakeStore fake_;
};

class GroupTest : public ::testing::Test {
 protected:
  void Start(GroupOptions options) {
    runtime_ = std::make_unique<GroupRuntime>(options, metrics_);
    group_ = std::make_unique<GroupStore>(*runtime_);
    group_->SetMembers({{.address = "a:1", .store = a_}, {.address = "b:1", .store = b_}});
  }

  // Who answered, or the error.
  std::string Ask(const Context& context = Context::Background()) {
    wire::SeriesRequest request;
    request.matchers = {model::Matcher::Equal("__name__", "up")};
    auto stream = group_->Series(context, request);
    if (!stream.ok()) return stream.status().ToString();
    Status status;
    const wire::SeriesBatch all = Drain(**stream, &status);
    if (!status.ok()) return status.ToString();
    return all.series.empty() ? "" : std::string(all.series[0].labels.Get("from"));
  }

  double Counter(const std::string& name) const {
    for (const auto& family : metrics_.Collect()) {
      if (family.name == name) return family.metric[0].counter.value;
    }
    return -1;
  }

  prometheus::Registry metrics_;
  const std::shared_ptr<SlowStore> a_ = std::make_shared<SlowStore>("a");
  const std::shared_ptr<SlowStore> b_ = std::make_shared<SlowStore>("b");
  std::unique_ptr<GroupRuntime> runtime_;
  std::unique_ptr<GroupStore> group_;
};

TEST_F(GroupTest, MembersTakeTurns) {
  Start({.hedge_quantile = 0});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Ask(), i % 2 == 0 ? "a" : "b");
}

TEST_F(GroupTest, SlowMemberIsHedged) {
  // Only what the members were like before says when one is late.
  Start({.unknown_delay = 10min});
  for (int i = 0; i < 40; ++i) Ask();
  const double before = Counter("aevum_endpoint_group_hedges_total");
  a_->slow = true;
  for (int i = 0; i < 6; ++i) EXPECT_EQ(Ask(), "b");
  EXPECT_GE(Counter("aevum_endpoint_group_hedges_total"), before + 3);
  EXPECT_GE(Counter("aevum_endpoint_group_hedge_wins_total"), 3);
  // The loser was cancelled: it answers again once it can.
  a_->slow = false;
  EXPECT_EQ(Ask(), "a");
}

TEST_F(GroupTest, UnknownMemberIsHedgedAfterAWhile) {
  Start({.unknown_delay = 1ms});
  a_->slow = true;
  EXPECT_EQ(Ask(), "b");
  EXPECT_GE(a_->asked, 1);
}

TEST_F(GroupTest, WithoutHedgingItIsWaitedFor) {
  Start({.hedge_quantile = 0, .unknown_delay = 0ms});
  a_->slow = true;
  EXPECT_THAT(Ask(Context::Background().WithTimeout(100ms)), HasSubstr("DeadlineExceeded"));
  EXPECT_EQ(b_->asked, 0);
}

TEST_F(GroupTest, LabelsAreHedgedToo) {
  Start({.unknown_delay = 1ms});
  a_->slow = true;
  const auto names = group_->LabelNames(Context::Background(), {});
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_THAT(names->strings, ElementsAre("__name__", "from"));
}

TEST_F(GroupTest, NextMemberAnswersForOneThatFails) {
  Start({.unknown_delay = 10min});
  a_->down = true;
  EXPECT_EQ(Ask(), "b");
  b_->down = true;
  EXPECT_EQ(Ask(), "Unavailable: b:1: connection refused");
}

// A store whose answers the request can't hold.
class LargeStore final : public Store {
 public:
  StatusOr<std::unique_ptr<SeriesStream>> Series(const Context& /*context*/,
                                                 const wire::SeriesRequest& /*request*/) override {
    class Stream final : public SeriesStream {
     public:
      StatusOr<bool> Next(wire::SeriesBatch* /*batch*/) override {
        return ResourceExhausted("query memory budget is used up");
      }
      bool over_budget() const override { return true; }
    };
    return std::make_unique<Stream>();
  }
  StatusOr<wire::LabelsResponse> LabelNames(const Context& /*context*/,
                                            const wire::LabelNamesRequest& /*request*/) override {
    return wire::LabelsResponse{};
  }
  StatusOr<wire::LabelsResponse> LabelValues(const Context& /*context*/,
                                             const wire::LabelValuesRequest& /*request*/) override {
    return wire::LabelsResponse{};
  }
  StatusOr<wire::InfoResponse> Info(const Context& /*context*/) override {
    return wire::InfoResponse{};
  }
};

TEST_F(GroupTest, AnswerAboveTheBudgetIsNotAskedForAgain) {
  Start({.hedge_quantile = 0});
  group_->SetMembers({{.address = "large:1", .store = std::make_shared<LargeStore>()},
                      {.address = "b:1", .store = b_}});
  wire::SeriesRequest request;
  const auto stream = group_->Series(Context::Background(), request);
  ASSERT_TRUE(stream.ok());
  wire::SeriesBatch batch;
  EXPECT_EQ((*stream)->Next(&batch).status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE((*stream)->over_budget());
  EXPECT_EQ(b_->asked, 0);
}

TEST_F(GroupTest, UnhealthyMembersAreTheLastToBeAsked) {
  Start({.hedge_quantile = 0});
  group_->SetMembers(
      {{.address = "a:1", .store = a_, .healthy = false}, {.address = "b:1", .store = b_}});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Ask(), "b");
  EXPECT_EQ(a_->asked, 0);
  group_->SetMembers({});
  EXPECT_THAT(Ask(), HasSubstr("no members"));
}

TEST_F(GroupTest, RequestThatEndsIsNotHeldUp) {
  Start({.unknown_delay = 1ms});
  a_->slow = b_->slow = true;
  CancelScope scope(Context::Background());
  std::thread canceller([&] {
    while (a_->asked + b_->asked < 2) std::this_thread::yield();
    scope.Cancel();
  });
  EXPECT_THAT(Ask(scope.context()), HasSubstr("Cancel"));
  canceller.join();
}

TEST(RecentQuantileTest, FollowsTheLastValues) {
  RecentQuantile quantile(0.95);
  for (int i = 0; i < 7; ++i) quantile.Add(1ms);
  EXPECT_EQ(quantile.Value(), std::nullopt);
  for (int i = 1; i <= 128; ++i) quantile.Add(std::chrono::milliseconds(i));
  EXPECT_EQ(quantile.Value(), std::chrono::nanoseconds(122ms));
  for (int i = 0; i < 128; ++i) quantile.Add(3ms);
  EXPECT_EQ(quantile.Value(), std::chrono::nanoseconds(3ms));
}

}  // namespace
}  // namespace aevum::store
