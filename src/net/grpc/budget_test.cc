// What a peer sends is charged to the memory budget of who asked, before anybody takes it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "net/grpc/test_server.h"

namespace aevum::net::grpc {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr std::int64_t kMiB = 1 << 20;

class BudgetTest : public ::testing::Test {
 protected:
  std::unique_ptr<ClientCall> Start(std::size_t count, std::int64_t size) {
    return channel_.Start(context_, "/test.Echo/Stream",
                          SharedBytes::Own(fmt::format("{} {}", count, size)));
  }
  // Reads to the end; the status there.
  static Status Drain(ClientCall& call) {
    while (true) {
      ASSIGN_OR_RETURN(const std::optional<SharedBytes> message, call.Next());
      if (!message) return OkStatus();
    }
  }

  TestServer server_;
  ClientRuntime runtime_{1, nullptr};
  Channel channel_{runtime_, {.address = server_.address()}};
  Channel snappy_{runtime_, {.address = server_.address(), .compression = Compression::kSnappy}};
  std::shared_ptr<MemoryBudget> total_ = std::make_shared<MemoryBudget>("total", 64 * kMiB);
  std::shared_ptr<MemoryBudget> budget_ =
      std::make_shared<MemoryBudget>("query", 32 * kMiB, total_);
  Context context_ = Context::Background().WithTimeout(seconds(30)).WithBudget(budget_);
};

TEST_F(BudgetTest, WhatWaitsIsCharged) {
  const auto call = Start(20, kMiB);
  while (budget_->used_bytes() < 2 * kMiB) std::this_thread::yield();
  const Status status = Drain(*call);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_FALSE(call->over_budget());
  EXPECT_EQ(budget_->used_bytes(), 0);
  EXPECT_LT(budget_->peak_bytes(), 10 * kMiB);  // 20 came, a window of them at a time
}

TEST_F(BudgetTest, ACallThatIsLeftHoldsNothing) {
  auto call = Start(20, kMiB);
  while (budget_->used_bytes() < 2 * kMiB) std::this_thread::yield();
  call.reset();
  EXPECT_EQ(budget_->used_bytes(), 0);
}

TEST_F(BudgetTest, AMessageEndsWhereTheBudgetDoes) {
  ASSERT_TRUE(budget_->Charge(24 * kMiB, "others").ok());
  const auto call = Start(1, 20 * kMiB);
  const Status status = Drain(*call);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("query memory budget"));
  EXPECT_TRUE(call->over_budget());
  EXPECT_LE(budget_->peak_bytes(), 32 * kMiB);
}

TEST_F(BudgetTest, TheBudgetOfAllHoldsToo) {
  ASSERT_TRUE(total_->Charge(60 * kMiB, "other queries").ok());
  const auto call = Start(1, 20 * kMiB);
  EXPECT_THAT(std::string(Drain(*call).message()), HasSubstr("total memory budget"));
  EXPECT_TRUE(call->over_budget());
  EXPECT_LE(total_->peak_bytes(), 64 * kMiB);
}

TEST_F(BudgetTest, AMessageAboveTheWholeBudgetIsTheFaultOfThePeer) {
  const auto call = Start(1, 40 * kMiB);
  const Status status = Drain(*call);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("received message larger than max"));
  EXPECT_FALSE(call->over_budget());
  EXPECT_LT(budget_->peak_bytes(), kMiB);  // seen at its prefix
}

// 20 MiB of one letter are less than 2 MiB on the wire.
TEST_F(BudgetTest, WhatIsDecompressedIsChargedBefore) {
  ASSERT_TRUE(budget_->Charge(16 * kMiB, "others").ok());
  const auto call = snappy_.Start(context_, "/test.Echo/Stream",
                                  SharedBytes::Own(fmt::format("1 {}", 20 * kMiB)));
  const Status status = Drain(*call);
  EXPECT_THAT(std::string(status.message()), HasSubstr("query memory budget"));
  EXPECT_TRUE(call->over_budget());
  EXPECT_LT(budget_->peak_bytes(), 20 * kMiB);
  EXPECT_EQ(budget_->used_bytes(), 16 * kMiB);
}

TEST_F(BudgetTest, UnaryCallsAreChargedToo) {
  ASSERT_TRUE(budget_->Charge(31 * kMiB, "others").ok());
  const auto answer =
      channel_.Unary(context_, "/test.Echo/Unary", SharedBytes::Own(std::string(2 * kMiB, 'x')));
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("query memory budget"));
  EXPECT_EQ(budget_->used_bytes(), 31 * kMiB);
}

}  // namespace
}  // namespace aevum::net::grpc
