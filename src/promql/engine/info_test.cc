#include "promql/engine/info.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "promql/engine/engine.h"
#include "promql/memory_storage.h"

namespace aevum::promql {
namespace {

constexpr std::string_view kQuery = "info(m)";
constexpr TimestampMs kMinute = 60'000;

class InfoTest : public ::testing::Test {
 protected:
  // `targets` series, each described by a version that changes at every sample.
  void Load(int targets, int samples) {
    for (int i = 0; i < targets; ++i) {
      const std::string instance = "host." + std::to_string(i);
      const auto labels = [&](std::string_view name, std::string_view version) {
        return model::Labels::FromUnsorted(
            {{model::kMetricName, name}, {"instance", instance}, {"job", "x"}, {"v", version}});
      };
      for (int k = 0; k < samples; ++k) {
        storage_.Append(labels("m", ""), k * kMinute, i);
        storage_.Append(labels("target_info", std::to_string(k)), k * kMinute, 1);
      }
    }
  }

  StatusOr<QueryResult> Run(const Context& context, int samples) {
    const Engine engine({.parse = {.experimental_functions = true}});
    return engine.Range(context, storage_, kQuery, 0, (samples - 1) * kMinute, kMinute);
  }

  MemoryStorage storage_;
};

TEST_F(InfoTest, SplitsASeriesWhereItsDescriptionChanges) {
  Load(3, 4);
  const StatusOr<QueryResult> result = Run(Context::Background(), 4);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->rows.size(), 12U);
  for (std::size_t i = 0; i < 12; ++i) {
    SCOPED_TRACE(result->rows.labels(i).ToString());
    EXPECT_EQ(result->rows.labels(i).Get("v"), std::to_string(i % 4));
    for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(result->rows.Holds(i, k), k == i % 4);
  }
}

TEST_F(InfoTest, AnswersTheSameWhateverTheBatches) {
  Load(5, 3);
  const StatusOr<QueryResult> many = Run(Context::Background(), 3);
  storage_.set_batch_size(1);
  const StatusOr<QueryResult> one = Run(Context::Background(), 3);
  ASSERT_TRUE(many.ok() && one.ok());
  ASSERT_EQ(many->rows.size(), one->rows.size());
  for (std::size_t i = 0; i < one->rows.size(); ++i)
    EXPECT_EQ(many->rows.labels(i), one->rows.labels(i));
}

TEST_F(InfoTest, ChargesTheSeriesItReads) {
  Load(50, 40);
  const auto ample = std::make_shared<MemoryBudget>("query", MemoryBudget::kUnlimited);
  ASSERT_TRUE(Run(Context::Background().WithBudget(ample), 40).ok());
  EXPECT_EQ(ample->used_bytes(), 0);
  // 2000 info series, each with a row of 40 steps of 9 bytes.
  EXPECT_GT(ample->peak_bytes(), 2000 * 40 * 9);
  const auto scarce = std::make_shared<MemoryBudget>("query", 100'000);
  const Status status = Run(Context::Background().WithBudget(scarce), 40).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_NE(status.message().find("info"), std::string_view::npos) << status;
}

TEST_F(InfoTest, EndsWithItsContext) {
  Load(2, 2);
  CancelScope scope(Context::Background());
  scope.Cancel();
  EXPECT_EQ(Run(scope.context(), 2).status().code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace aevum::promql
