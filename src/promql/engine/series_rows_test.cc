#include "promql/engine/series_rows.h"

#include <atomic>
#include <bit>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/mutex.h"
#include "promql/engine/engine.h"

namespace aevum::promql {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSeries = 3000;
constexpr std::int64_t kInterval = 15'000;
constexpr std::size_t kSamples = 240;  // an hour
constexpr TimestampMs kEnd = static_cast<TimestampMs>(kSamples) * kInterval;
constexpr std::size_t kThreads[] = {1, 2, 7};

// What a test does before a series is decoded; an error becomes that of the series.
using OnDecode = std::function<Status(std::size_t series)>;

model::Labels LabelsOf(std::size_t series) {
  // Some names say that they count, others don't.
  return model::Labels::Of({{model::kMetricName, series % 3 == 0 ? "requests_total" : "load"},
                            {"group", fmt::format("g{:02}", series % 17)},
                            {"instance", fmt::format("i{:05}", series)}});
}

model::FloatHistogram HistogramOf(std::size_t series, std::size_t sample) {
  model::FloatHistogram histogram;
  histogram.schema = 0;
  histogram.count = static_cast<double>(sample + series % 7);
  histogram.sum = histogram.count * 1.5;
  histogram.positive_spans = {{0, 1}};
  histogram.positive_buckets = {histogram.count};
  return histogram;
}

class FakeBatch final : public SelectBatch {
 public:
  FakeBatch(std::size_t begin, std::size_t end, const OnDecode& on_decode,
            std::atomic<int>& running)
      : begin_(begin), on_decode_(on_decode), running_(running) {
    for (std::size_t i = begin; i < end; ++i) labels_.push_back(LabelsOf(i));
  }
  std::size_t size() const override { return labels_.size(); }
  const model::Labels& labels(std::size_t index) const override { return labels_[index]; }
  Status Decode(std::size_t index, chunk::Columns* out) const override {
    ++running_;
    const Status status = Fill(begin_ + index, out);
    --running_;
    return status;
  }
  std::int64_t memory_bytes() const override {
    return static_cast<std::int64_t>(labels_.size() * kSamples * 16);
  }

 private:
  Status Fill(std::size_t series, chunk::Columns* out) const {
    if (on_decode_) RETURN_IF_ERROR(on_decode_(series));
    for (std::size_t i = 0; i < kSamples; ++i) {
      const auto time = static_cast<TimestampMs>(i) * kInterval;
      if (series % 17 == 3) {
        out->histogram_times.push_back(time);
        out->histograms.push_back(HistogramOf(series, i));
        continue;
      }
      out->times.push_back(time);
      out->values.push_back(0.1 * static_cast<double>((i * (series % 13 + 1)) % 101));
    }
    return OkStatus();
  }

  const std::size_t begin_;
  const OnDecode& on_decode_;
  std::atomic<int>& running_;
  std::vector<model::Labels> labels_;
};

// Gives `series` series in batches of different sizes, whatever is asked.
class FakeSource final : public Queryable {
 public:
  class Stream final : public SelectStream {
   public:
    explicit Stream(FakeSource& source) : source_(source) {}
    StatusOr<std::unique_ptr<const SelectBatch>> Next() override {
      if (next_ >= source_.fail_at) return Unavailable("the source went away");
      if (next_ == source_.series) return std::unique_ptr<const SelectBatch>();
      const std::size_t begin = next_;
      size_ = size_ % 97 + 13;
      next_ = std::min({source_.series, source_.fail_at, begin + size_});
      return std::unique_ptr<const SelectBatch>(
          std::make_unique<FakeBatch>(begin, next_, source_.on_decode, source_.running));
    }
    std::vector<std::string> warnings() const override { return {"a store was slow"}; }

   private:
    FakeSource& source_;
    std::size_t next_ = 0;
    std::size_t size_ = 5;
  };

  StatusOr<std::unique_ptr<SelectStream>> Select(const Context& /*context*/,
                                                 const model::Matchers& /*matchers*/,
                                                 const SelectHints& /*hints*/) override {
    return std::unique_ptr<SelectStream>(std::make_unique<Stream>(*this));
  }

  std::size_t series = kSeries;
  std::size_t fail_at = SIZE_MAX;  // the source fails instead of giving this series
  OnDecode on_decode;
  std::atomic<int> running = 0;  // decodes
};

StatusOr<QueryResult> Ask(const Engine& engine, Queryable& source, std::string_view query,
                          const Context& context = Context::Background()) {
  return engine.Range(context, source, query, 0, kEnd, kInterval);
}

// Every bit of an answer as text.
std::string TextOf(const QueryResult& result) {
  std::string text;
  const RowBatch& rows = result.rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += rows.labels(i).ToString();
    for (std::size_t k = 0; k < rows.steps(); ++k) {
      if (!rows.Holds(i, k)) continue;
      const bool number = rows.present(i)[k] != 0;
      const double value = number ? rows.values(i)[k] : rows.histograms(i)[k]->sum;
      text += fmt::format(" {}{}:{:x}", number ? "" : "h", k, std::bit_cast<std::uint64_t>(value));
    }
    text += '\n';
  }
  for (const auto* texts : {&result.warnings, &result.infos, &result.store_warnings}) {
    for (const std::string& one : *texts) text += one + '\n';
  }
  return text + fmt::format("{} samples", result.stats.samples);
}

TEST(SeriesRowsTest, AnswersAreTheSameForAnyNumberOfThreads) {
  for (const std::string_view query :
       {"load", "rate(load[5m])", "sum by (group) (rate(load[5m]))", "avg by (group) (load)",
        "topk(3, load)", "sum by (group) (load) / on (group) count by (group) (load)",
        "max_over_time(sum by (group) (load)[10m:1m])", "stddev by (group) (irate(load[1m]))"}) {
    SCOPED_TRACE(query);
    std::string first;
    for (const std::size_t threads : kThreads) {
      SCOPED_TRACE(threads);
      FakeSource source;
      source.series = query.starts_with("load") ? 500 : kSeries;
      const Engine engine{EngineOptions{.threads = threads}};
      const auto result = Ask(engine, source, query);
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_GT(result->rows.size(), 0U);
      EXPECT_EQ(result->store_warnings, std::vector<std::string>{"a store was slow"});
      const std::string text = TextOf(*result);
      if (first.empty()) first = text;
      EXPECT_TRUE(text == first);
    }
  }
}

TEST(SeriesRowsTest, TheFirstErrorInOrderWins) {
  for (const std::size_t threads : kThreads) {
    SCOPED_TRACE(threads);
    std::atomic<bool> later = false;
    FakeSource source;
    source.fail_at = 2900;
    source.on_decode = [&](std::size_t series) -> Status {
      if (series == 2500) later = true;
      if (series != 700 && series != 1500 && series != 2500) return OkStatus();
      return Corruption("series {} is damaged", series);
    };
    const Engine engine{EngineOptions{.threads = threads}};
    const auto result = Ask(engine, source, "sum(load)");
    EXPECT_EQ(result.status().code(), StatusCode::kDataLoss);
    EXPECT_EQ(result.status().message(), "series 700 is damaged");
    EXPECT_EQ(source.running, 0);
    EXPECT_FALSE(later && threads <= 2) << "ranges in flight are bounded";
  }
}

TEST(SeriesRowsTest, AnErrorOfTheSourceComesAfterTheSeriesBeforeIt) {
  for (const std::size_t threads : kThreads) {
    SCOPED_TRACE(threads);
    FakeSource source;
    source.fail_at = 1000;
    const Engine engine{EngineOptions{.threads = threads}};
    EXPECT_EQ(Ask(engine, source, "sum(load)").status().message(), "the source went away");
    source.on_decode = [&](std::size_t series) -> Status {
      return series == 999 ? Corruption("series 999 is damaged") : OkStatus();
    };
    EXPECT_EQ(Ask(engine, source, "sum(load)").status().message(), "series 999 is damaged");
  }
}

// Lets decodes wait until several threads are at it.
class Meeting {
 public:
  explicit Meeting(std::size_t wanted) : wanted_(wanted) {}
  // False when they did not come.
  bool Join() {
    MutexLock lock(mutex_);
    threads_.insert(std::this_thread::get_id());
    changed_.notify_all();
    const auto late = std::chrono::steady_clock::now() + 60s;
    while (threads_.size() < wanted_) {
      if (!lock.WaitUntil(changed_, late) && std::chrono::steady_clock::now() >= late) return false;
    }
    return true;
  }
  std::size_t size() const {
    MutexLock lock(mutex_);
    return threads_.size();
  }

 private:
  const std::size_t wanted_;
  mutable Mutex mutex_;
  std::condition_variable changed_;
  std::set<std::thread::id> threads_ AEVUM_GUARDED_BY(mutex_);
};

TEST(SeriesRowsTest, HelpersTakePart) {
  Meeting meeting(4);
  FakeSource source;
  source.on_decode = [&](std::size_t) -> Status {
    return meeting.Join() ? OkStatus() : Internal("nobody helps");
  };
  const Engine engine{EngineOptions{.threads = 4}};
  const auto result = Ask(engine, source, "sum(load)");
  EXPECT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(meeting.size(), 4U);
}

TEST(SeriesRowsTest, SmallQueriesStayInTheirThread) {
  Meeting meeting(1);
  FakeSource source;
  source.series = 200;
  source.on_decode = [&](std::size_t) { return meeting.Join(), OkStatus(); };
  const Engine engine{EngineOptions{.threads = 7}};
  EXPECT_TRUE(Ask(engine, source, "sum(load)").ok());
  EXPECT_EQ(meeting.size(), 1U);
}

TEST(SeriesRowsTest, CancellationEndsAllThreads) {
  CancelScope scope(Context::Background());
  Meeting meeting(4);
  FakeSource source;
  source.on_decode = [&](std::size_t) -> Status {
    if (!meeting.Join()) return Internal("nobody helps");
    scope.Cancel();
    return OkStatus();
  };
  const Engine engine{EngineOptions{.threads = 4}};
  const auto result = Ask(engine, source, "sum(load)", scope.context());
  EXPECT_EQ(result.status().code(), StatusCode::kCancelled) << result.status();
  EXPECT_EQ(source.running, 0);
  source.on_decode = nullptr;
  EXPECT_TRUE(Ask(engine, source, "sum(load)").ok());
}

TEST(SeriesRowsTest, DeadlineEndsAllThreads) {
  FakeSource source;
  const Engine engine{EngineOptions{.threads = 4}};
  // A query that takes minutes.
  const auto result = engine.Range(Context::Background().WithTimeout(200ms), source,
                                   "quantile_over_time(0.5, load[1h])", 0, kEnd, 10);
  EXPECT_EQ(result.status().code(), StatusCode::kDeadlineExceeded) << result.status();
  EXPECT_EQ(source.running, 0);
}

TEST(SeriesRowsTest, QueriesShareTheHelpers) {
  const Engine engine{EngineOptions{.threads = 3}};
  FakeSource alone;
  const auto expected = Ask(engine, alone, "sum by (group) (rate(load[5m]))");
  ASSERT_TRUE(expected.ok()) << expected.status();
  const std::string text = TextOf(*expected);
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      FakeSource source;
      const auto result = Ask(engine, source, "sum by (group) (rate(load[5m]))");
      if (result.ok() && TextOf(*result) == text) ++right;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 4);
}

TEST(SeriesRowsTest, MemoryIsBoundedAndGivenBack) {
  constexpr std::int64_t kBatch = 64 << 10;  // values of a range
  for (const std::size_t threads : kThreads) {
    SCOPED_TRACE(threads);
    const auto budget = std::make_shared<MemoryBudget>("query", INT64_MAX);
    FakeSource source;
    const Engine engine{EngineOptions{.threads = threads}};
    {
      const auto result =
          Ask(engine, source, "sum(load)", Context::Background().WithBudget(budget));
      ASSERT_TRUE(result.ok()) << result.status();
    }
    EXPECT_EQ(budget->used_bytes(), 0);
    EXPECT_LT(budget->peak_bytes(), static_cast<std::int64_t>(threads) * 4 * 16 * kBatch);
  }
}

TEST(SeriesRowsTest, ABudgetThatIsTooSmallIsAnError) {
  for (const std::size_t threads : kThreads) {
    SCOPED_TRACE(threads);
    const auto budget = std::make_shared<MemoryBudget>("query", 100'000);
    FakeSource source;
    const Engine engine{EngineOptions{.threads = threads}};
    const auto result = Ask(engine, source, "sum(load)", Context::Background().WithBudget(budget));
    EXPECT_EQ(result.status().code(), StatusCode::kResourceExhausted);
    EXPECT_EQ(budget->used_bytes(), 0);
    EXPECT_LE(budget->peak_bytes(), 100'000);
  }
}

TEST(SeriesRowsTest, RangesDependOnTheQueryAlone) {
  SelectHints hints;
  EXPECT_EQ(SeriesPerRange(1, hints), 256U);
  EXPECT_EQ(SeriesPerRange(1000, hints), 65U);
  EXPECT_EQ(SeriesPerRange(10'000'000, hints), 1U);
  hints.end_ms = 365LL * 86'400'000;
  EXPECT_EQ(SeriesPerRange(1, hints), 1U);
}

}  // namespace
}  // namespace aevum::promql
