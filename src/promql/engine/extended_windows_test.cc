// Anchored and smoothed selectors: what they read, and that windows which advance see what a window
// of its own sees. Their answers are in the scripts of test/script.
#include <bit>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "chunk/chunk.h"
#include "promql/engine/engine.h"
#include "promql/memory_storage.h"

namespace aevum::promql {
namespace {

const Engine kEngine{EngineOptions{.parse = {.extended_range_selectors = true}}};

// Remembers what was asked for.
class RecordingStorage final : public Queryable {
 public:
  StatusOr<std::unique_ptr<SelectStream>> Select(const Context& context,
                                                 const model::Matchers& matchers,
                                                 const SelectHints& hints) override {
    asked = hints;
    return storage.Select(context, matchers, hints);
  }
  MemoryStorage storage;
  SelectHints asked;
};

TEST(ExtendedWindowsTest, ReadsBeyondTheWindow) {
  struct Case {
    const char* query;
    TimestampMs start_ms;
    TimestampMs end_ms;
  };
  constexpr std::int64_t kLookback = 300'000;
  const Case cases[] = {
      {"rate(m[1m])", 940'001, 1'000'000},
      {"rate(m[1m] anchored)", 940'001 - kLookback, 1'000'000},
      {"rate(m[1m] smoothed)", 940'001 - kLookback, 1'000'000 + kLookback},
      {"rate(m[1m] offset 1m smoothed)", 880'001 - kLookback, 940'000 + kLookback},
      {"m[1m] anchored", 940'001 - kLookback, 1'000'000},
      {"m[1m] smoothed", 940'001 - kLookback, 1'000'000 + kLookback},
      {"m", 1'000'001 - kLookback, 1'000'000},
      {"m anchored", 1'000'001 - kLookback, 1'000'000},
      {"m smoothed", 1'000'001 - kLookback, 1'000'000 + kLookback},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.query);
    RecordingStorage storage;
    ASSERT_TRUE(kEngine.Instant(Context::Background(), storage, c.query, 1'000'000).ok());
    EXPECT_EQ(storage.asked.start_ms, c.start_ms);
    EXPECT_EQ(storage.asked.end_ms, c.end_ms);
  }
}

// Sums of these times with a window or the lookback fit into nothing.
TEST(ExtendedWindowsTest, EndsOfTime) {
  MemoryStorage storage;
  const model::Labels labels = model::Labels::FromUnsorted({{"__name__", "m"}});
  storage.Append(labels, 1'000, 1);
  storage.Append(labels, 2'000, 2);
  for (const std::string at : {"9223372036854775.5", "-9223372036854775.5"}) {
    for (const char* query : {"rate(m[1m] @ {} smoothed)", "resets(m[1m] @ {} anchored)",
                              "m @ {} smoothed", "m[1m] @ {} smoothed"}) {
      const auto result = kEngine.Instant(Context::Background(), storage,
                                          fmt::format(fmt::runtime(query), at), 1'000'000);
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_TRUE(result->rows.empty() && result->ranges.empty());
    }
  }
}

// A counter with gaps, resets, staleness markers and values that are no numbers.
void AppendRandom(std::mt19937& random, const model::Labels& labels, MemoryStorage* storage) {
  std::uniform_int_distribution<int> dice(0, 19);
  TimestampMs time = 0;
  double value = 0;
  for (int i = 0; i < 200; ++i) {
    const int roll = dice(random);
    time += roll == 0 ? 400'000 : 7'000 + roll * 500;
    value = roll == 1 ? 0.1 * roll : value + 0.1 * roll;
    double stored = value;
    if (roll == 2) stored = std::bit_cast<double>(chunk::kStaleNanBits);
    if (roll == 3) stored = std::numeric_limits<double>::quiet_NaN();
    storage->Append(labels, time, stored);
  }
}

TEST(ExtendedWindowsTest, StepsDoNotDependOnOneAnother) {
  std::mt19937 random(7);
  MemoryStorage storage;
  for (const char* name : {"a_total", "b_total", "c_total"}) {
    AppendRandom(random, model::Labels::FromUnsorted({{"__name__", "m"}, {"x", name}}), &storage);
  }
  constexpr TimestampMs kStart = 60'000;
  constexpr std::int64_t kStep = 17'000;
  constexpr std::size_t kSteps = 150;
  std::size_t compared = 0;
  for (const std::string query :
       {"increase(m[2m] anchored)", "increase(m[2m] smoothed)", "rate(m[30s] anchored)",
        "rate(m[1001ms] smoothed)", "delta(m[1m] smoothed)", "changes(m[1m] anchored)",
        "resets(m[3m] anchored)", "m smoothed"}) {
    SCOPED_TRACE(query);
    const auto all = kEngine.Range(Context::Background(), storage, query, kStart,
                                   kStart + kStep * (kSteps - 1), kStep);
    ASSERT_TRUE(all.ok()) << all.status();
    for (std::size_t k = 0; k < kSteps; ++k) {
      const auto one = kEngine.Instant(Context::Background(), storage, query, all->TimeOf(k));
      ASSERT_TRUE(one.ok()) << one.status();
      std::size_t held = 0;
      for (std::size_t i = 0; i < all->rows.size(); ++i) {
        if (!all->rows.Holds(i, k)) continue;
        ASSERT_LT(held, one->rows.size());
        EXPECT_EQ(one->rows.labels(held), all->rows.labels(i));
        EXPECT_EQ(std::bit_cast<std::uint64_t>(one->rows.values(held)[0]),
                  std::bit_cast<std::uint64_t>(all->rows.values(i)[k]))
            << "at " << all->TimeOf(k);
        ++held;
        ++compared;
      }
      EXPECT_EQ(held, one->rows.size());
    }
  }
  EXPECT_GT(compared, 1000U);
}

}  // namespace
}  // namespace aevum::promql
