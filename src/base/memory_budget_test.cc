#include "base/memory_budget.h"

#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum {
namespace {

using ::testing::HasSubstr;

TEST(MemoryBudgetTest, RefusesWhatPassesALimit) {
  const auto process = std::make_shared<MemoryBudget>("process", 150);
  const auto query = std::make_shared<MemoryBudget>("query", 100, process);
  EXPECT_TRUE(query->Charge(100, "rows").ok());
  const Status status = query->Charge(1, "rows");
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("query memory budget of 100 bytes is used up: rows asks"));

  MemoryBudget other("query", 100, process);
  EXPECT_THAT(std::string(other.Charge(60, "rows").message()), HasSubstr("process"));
  EXPECT_EQ(other.used_bytes(), 0);
  query->Release(50);
  EXPECT_TRUE(other.Charge(60, "rows").ok());
  EXPECT_EQ(process->used_bytes(), 110);
  EXPECT_EQ(query->peak_bytes(), 100);
}

TEST(MemoryChargeTest, ReleasesAtTheEnd) {
  const auto budget = std::make_shared<MemoryBudget>("query", 100);
  {
    MemoryCharge charge(budget);
    EXPECT_TRUE(charge.Add(60, "rows").ok());
    MemoryCharge moved = std::move(charge);
    EXPECT_FALSE(moved.Add(60, "rows").ok());
    EXPECT_EQ(budget->used_bytes(), 60);
  }
  EXPECT_EQ(budget->used_bytes(), 0);
  EXPECT_TRUE(MemoryCharge().Add(1, "no budget").ok());
}

TEST(MemoryBudgetTest, CountsFromManyThreads) {
  const auto process = std::make_shared<MemoryBudget>("process", MemoryBudget::kUnlimited);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      MemoryBudget query("query", 10, process);
      for (int n = 0; n < 1000; ++n) {
        if (query.Charge(7, "x").ok()) query.Release(n % 2 == 0 ? 7 : 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(process->used_bytes(), 0);
}

}  // namespace
}  // namespace aevum
