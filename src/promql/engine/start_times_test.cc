// Start timestamps against plain loops over each window, and what happens without them.
#include "promql/engine/start_times.h"

#include <bit>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "promql/engine/engine.h"
#include "promql/memory_storage.h"

namespace aevum::promql {
namespace {

const Engine kEngine{
    EngineOptions{.parse = {.experimental_functions = true}, .use_start_timestamps = true}};
const Engine kPlainEngine{EngineOptions{.parse = {.experimental_functions = true}}};

TEST(StartTimesTest, KnowsWhenACountBeganAnew) {
  struct Case {
    const char* what;
    CountedAt previous;
    CountedAt sample;
    bool anew;
    bool overlaps;
  };
  const Case cases[] = {
      {"not known", {.time = 100, .start = 50}, {.time = 200, .start = 0}, false, false},
      {"the same count", {.time = 100, .start = 50}, {.time = 200, .start = 50}, false, false},
      {"began between", {.time = 100, .start = 50}, {.time = 200, .start = 101}, true, false},
      {"a delta", {.time = 100, .start = 50}, {.time = 200, .start = 100}, true, false},
      {"known from then on", {.time = 100, .start = 0}, {.time = 200, .start = 100}, false, false},
      {"began with a sample",
       {.time = 100, .start = 100},
       {.time = 200, .start = 100},
       false,
       false},
      {"an impossible start before",
       {.time = 100, .start = 150},
       {.time = 200, .start = 100},
       false,
       false},
      {"at the sample", {.time = 100, .start = 50}, {.time = 200, .start = 200}, false, false},
      {"after the sample", {.time = 100, .start = 50}, {.time = 200, .start = 201}, false, false},
      {"began within the one before",
       {.time = 100, .start = 50},
       {.time = 200, .start = 60},
       false,
       true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(StartedAnew(c.sample, c.previous), c.anew) << c.what;
    EXPECT_EQ(StartsOverlap(c.sample, c.previous), c.overlaps) << c.what;
  }
}

struct Sample {
  TimestampMs time;
  TimestampMs start;
  double value;
};

// A counter with gaps and resets. Starts are those of one count, of deltas, not known or wrong.
std::vector<Sample> MakeSamples(std::mt19937& random) {
  std::uniform_int_distribution<int> dice(0, 19);
  std::vector<Sample> samples;
  TimestampMs time = 1'000;
  TimestampMs start = 1;
  double value = 0;
  for (int i = 0; i < 300; ++i) {
    const int roll = dice(random);
    const TimestampMs before = time;
    time += roll == 0 ? 100'000 : 10'000 + roll * 10;
    value = roll == 1 ? 0.3 : value + 0.1 * roll;
    if (roll == 2 || roll == 3) start = before + roll - 2;
    if (roll == 4) start = time - 3'000;
    const TimestampMs stored = roll == 5 ? 0 : roll == 6 ? before - 5 : roll == 7 ? time : start;
    samples.push_back({time, stored, value});
  }
  return samples;
}

double GoSeconds(std::int64_t ms) {
  return static_cast<double>(ms / 1000) + static_cast<double>(ms % 1000) * 1e6 / 1e9;
}

bool IsReset(const Sample& sample, const Sample& before) {
  return sample.value < before.value ||
         StartedAnew({sample.time, sample.start}, {before.time, before.start});
}

// rate and increase of a window, as Prometheus calculates them.
std::optional<double> PlainGain(const std::vector<Sample>& window, TimestampMs end,
                                std::int64_t range_ms, bool rate) {
  if (window.empty()) return std::nullopt;
  const Sample& first = window.front();
  const Sample& last = window.back();
  double result = last.value - first.value;
  for (std::size_t i = 1; i < window.size(); ++i)
    if (IsReset(window[i], window[i - 1])) result += window[i - 1].value;
  double to_start = static_cast<double>(first.time - (end - range_ms)) / 1000;
  double to_end = static_cast<double>(end - last.time) / 1000;
  double interval = static_cast<double>(last.time - first.time) / 1000;
  const double gaps = static_cast<double>(window.size()) - 1;
  const double gap = gaps > 0 ? interval / gaps : 0;
  if (first.start != 0 && first.start > end - range_ms && first.start < first.time) {
    to_start = 0;
    interval = static_cast<double>(last.time - first.start) / 1000;
    result += first.value;
  } else if (gaps == 0) {
    return std::nullopt;
  } else {
    if (to_start >= gap * 1.1) to_start = gap / 2;
    double to_zero = to_start;
    if (result > 0 && first.value >= 0) to_zero = interval * (first.value / result);
    if (to_zero < to_start) to_start = to_zero;
  }
  if (to_end >= gap * 1.1) to_end = gap / 2;
  double factor = interval != 0 ? (interval + to_start + to_end) / interval : 1;
  if (rate) factor /= GoSeconds(range_ms);
  return result * factor;
}

std::optional<double> PlainResets(const std::vector<Sample>& window) {
  if (window.empty()) return std::nullopt;
  int resets = 0;
  for (std::size_t i = 1; i < window.size(); ++i) resets += IsReset(window[i], window[i - 1]);
  return resets;
}

std::optional<double> PlainInstantRate(const std::vector<Sample>& window) {
  if (window.size() < 2) return std::nullopt;
  const Sample& last = window.back();
  const Sample& before = window[window.size() - 2];
  const double gained = IsReset(last, before) ? last.value : last.value - before.value;
  return gained / (static_cast<double>(last.time - before.time) / 1000);
}

std::optional<double> PlainValue(const std::string& function, const std::vector<Sample>& samples,
                                 TimestampMs end, std::int64_t range_ms) {
  std::vector<Sample> window;
  for (const Sample& sample : samples)
    if (sample.time > end - range_ms && sample.time <= end) window.push_back(sample);
  if (function == "resets") return PlainResets(window);
  if (function == "irate") return PlainInstantRate(window);
  return PlainGain(window, end, range_ms, function == "rate");
}

TEST(StartTimesTest, GivesWhatPlainLoopsGive) {
  std::mt19937 random(11);
  std::size_t compared = 0;
  for (int round = 0; round < 10; ++round) {
    const std::vector<Sample> samples = MakeSamples(random);
    MemoryStorage storage;
    const model::Labels labels = model::Labels::Of({{"__name__", "m_total"}});
    for (const Sample& sample : samples)
      storage.Append(labels, sample.time, sample.value, sample.start);
    for (const std::string function : {"rate", "increase", "irate", "resets"}) {
      for (const std::int64_t range_ms : {15'000, 20'548, 31'952, 250'000}) {
        const std::string query = fmt::format("{}(m_total[{}ms])", function, range_ms);
        SCOPED_TRACE(query);
        const auto result =
            kEngine.Range(Context::Background(), storage, query, 0, samples.back().time, 7'700);
        ASSERT_TRUE(result.ok()) << result.status();
        ASSERT_EQ(result->rows.size(), 1U);
        for (std::size_t k = 0; k < result->rows.steps(); ++k) {
          const std::optional<double> expected =
              PlainValue(function, samples, result->TimeOf(k), range_ms);
          ASSERT_EQ(result->rows.present(0)[k] != 0, expected.has_value()) << result->TimeOf(k);
          if (!expected) continue;
          EXPECT_EQ(std::bit_cast<std::uint64_t>(result->rows.values(0)[k]),
                    std::bit_cast<std::uint64_t>(*expected))
              << result->TimeOf(k);
          ++compared;
        }
      }
    }
  }
  EXPECT_GT(compared, 10'000U);
}

// Remembers whether start timestamps were asked for.
class WatchingStorage final : public Queryable {
 public:
  StatusOr<std::unique_ptr<SelectStream>> Select(const Context& context,
                                                 const model::Matchers& matchers,
                                                 const SelectHints& hints) override {
    ASSIGN_OR_RETURN(auto stream, storage.Select(context, matchers, hints));
    return std::unique_ptr<SelectStream>(std::make_unique<Stream>(std::move(stream), &asked));
  }
  MemoryStorage storage;
  bool asked = false;

 private:
  struct Batch final : SelectBatch {
    Batch(std::unique_ptr<const SelectBatch> batch, bool* out_asked)
        : inner(std::move(batch)), asked(out_asked) {}
    std::size_t size() const override { return inner->size(); }
    const model::Labels& labels(std::size_t i) const override { return inner->labels(i); }
    Status Decode(std::size_t i, chunk::Columns* out) const override {
      *asked |= out->with_starts;
      return inner->Decode(i, out);
    }
    std::int64_t memory_bytes() const override { return inner->memory_bytes(); }
    std::unique_ptr<const SelectBatch> inner;
    bool* asked;
  };
  struct Stream final : SelectStream {
    Stream(std::unique_ptr<SelectStream> stream, bool* out_asked)
        : inner(std::move(stream)), asked(out_asked) {}
    StatusOr<std::unique_ptr<const SelectBatch>> Next() override {
      ASSIGN_OR_RETURN(auto batch, inner->Next());
      if (batch == nullptr) return std::unique_ptr<const SelectBatch>();
      return std::unique_ptr<const SelectBatch>(std::make_unique<Batch>(std::move(batch), asked));
    }
    std::vector<std::string> warnings() const override { return inner->warnings(); }
    std::unique_ptr<SelectStream> inner;
    bool* asked;
  };
};

TEST(StartTimesTest, AreReadWhereTheyMatter) {
  struct Case {
    const char* query;
    bool asked;
  };
  const Case cases[] = {
      {"rate(m[1m])", true},
      {"increase(m[1m])", true},
      {"irate(m[1m])", true},
      {"resets(m[1m])", true},
      {"start_timestamp(m)", true},
      {"delta(m[1m])", false},
      {"m", false},
      {"timestamp(m)", false},
      {"sum_over_time(m[1m])", false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.query);
    for (const bool enabled : {true, false}) {
      WatchingStorage storage;
      storage.storage.Append(model::Labels::Of({{"__name__", "m"}}), 30'000, 5, 15'000);
      const Engine& engine = enabled ? kEngine : kPlainEngine;
      const auto result = engine.Instant(Context::Background(), storage, c.query, 40'000);
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(storage.asked, c.asked && enabled);
      if (std::string_view(c.query) == "start_timestamp(m)") {
        ASSERT_EQ(result->rows.size(), enabled ? 1U : 0U);
        if (enabled) {
          EXPECT_EQ(result->rows.values(0)[0], 15);
        }
      }
      // One sample is enough where its start is known.
      if (std::string_view(c.query) == "increase(m[1m])") {
        EXPECT_EQ(result->rows.size(), enabled ? 1U : 0U);
      }
    }
  }
}

}  // namespace
}  // namespace aevum::promql
