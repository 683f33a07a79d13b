// Leaves that evaluate over parts of a storage give what one evaluation over all of it gives.
#include "promql/engine/remote_rows.h"

#include <bit>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "promql/engine/engine.h"
#include "promql/memory_storage.h"

namespace aevum::promql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr TimestampMs kStart = 1'700'000'000'000;

class ResultStream final : public RemoteStream {
 public:
  explicit ResultStream(StatusOr<QueryResult> result) : result_(std::move(result)) {}

  StatusOr<bool> Next(RowBatch* out) override {
    if (!result_.ok()) return result_.status();
    // Two rows at a time.
    const RowBatch& rows = result_->rows;
    out->Reset(rows.steps(), nullptr);
    for (std::size_t i = 0; i < 2 && next_ < rows.size(); ++i)
      RETURN_IF_ERROR(out->AddCopy(rows, next_++, "test"));
    return !out->empty();
  }
  std::vector<std::string> warnings() const override {
    if (!result_.ok()) return {};
    std::vector<std::string> all = result_->warnings;
    all.insert(all.end(), result_->infos.begin(), result_->infos.end());
    return all;
  }
  std::int64_t samples() const override { return result_.ok() ? result_->stats.samples : 0; }

 private:
  const StatusOr<QueryResult> result_;
  std::size_t next_ = 0;
};

class StorageLeaf final : public RemoteEngine {
 public:
  StorageLeaf(std::string name, const Engine& engine) : name_(std::move(name)), engine_(engine) {}

  std::unique_ptr<RemoteStream> Execute(const Context& context,
                                        const RemoteQuestion& question) override {
    questions.push_back(question);
    if (!failure.ok()) return std::make_unique<ResultStream>(failure);
    auto result = engine_.Range(
        context, storage, question.query, question.start, question.end(), question.step_ms,
        {.lookback_delta = std::chrono::milliseconds(question.lookback_ms)});
    // As a server tells it.
    if (!result.ok())
      result = MakeError(StatusCode::kAborted, std::string(result.status().message()));
    return std::make_unique<ResultStream>(std::move(result));
  }
  const std::string& name() const override { return name_; }

  MemoryStorage storage;
  Status failure;
  std::vector<RemoteQuestion> questions;

 private:
  const std::string name_;
  const Engine& engine_;
};

// Three leaves with a cluster each, and all of their series in one storage.
class RemoteRowsTest : public ::testing::Test {
 protected:
  RemoteRowsTest()
      : engine_({.parse = {.experimental_functions = true,
                           .extended_range_selectors = true,
                           .x_functions = true}}) {
    distribution_.local_may_hold = [](const auto&, auto, auto) { return false; };
    for (const char* cluster : {"eu", "us", "asia"}) {
      leaves_.push_back(std::make_shared<StorageLeaf>(cluster, engine_));
      Fill(*leaves_.back(), cluster);
      distribution_.leaves.push_back({.engine = leaves_.back(),
                                      .may_hold = [](const auto&, auto, auto) { return true; },
                                      .label_sets = {model::Labels::Of({{"cluster", cluster}})}});
    }
  }

  void Append(StorageLeaf& leaf, const model::Labels& labels, TimestampMs time, double value) {
    leaf.storage.Append(labels, time, value);
    all_.Append(labels, time, value);
  }

  void Fill(StorageLeaf& leaf, std::string_view cluster) {
    for (const std::string_view pod : {"p1", "p2", "p3"}) {
      for (const std::string_view job : {"api", "db"}) {
        double counter = 0;
        for (int i = 0; i < 120; ++i) {
          const TimestampMs time = kStart + i * 15'000 + static_cast<TimestampMs>(Next() * 100);
          counter += Next() * 0.1;
          if (i == 70) counter = 0;
          const auto labels = [&](std::string_view name) {
            return model::Labels::Of(
                {{"__name__", name}, {"cluster", cluster}, {"job", job}, {"pod", pod}});
          };
          Append(leaf, labels("requests_total"), time, counter);
          Append(leaf, labels("level"), time, std::floor(Next() * 3) - 1);
          Append(leaf, labels("noise"), time, Next() * 1e6 - 3e5);
          double share = 0;
          for (const std::string_view le : {"0.1", "1", "+Inf"}) {
            share += 1;
            Append(leaf,
                   model::Labels::Of({{"__name__", "latency_bucket"},
                                      {"cluster", cluster},
                                      {"job", job},
                                      {"le", le},
                                      {"pod", pod}}),
                   time, counter * share);
          }
          model::FloatHistogram histogram;
          histogram.schema = 0;
          histogram.count = counter * 3;
          histogram.sum = counter * 5;
          histogram.positive_spans = {{0, 2}};
          histogram.positive_buckets = {counter, counter * 2};
          leaf.storage.AppendHistogram(labels("native"), time, histogram);
          all_.AppendHistogram(labels("native"), time, histogram);
        }
      }
    }
  }

  // In [0, 1), of a fixed sequence.
  double Next() {
    seed_ = seed_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(seed_ >> 11) / 9007199254740992.0;
  }

  StatusOr<QueryResult> Instant(const std::string& query, TimestampMs time, bool distributed) {
    return engine_.Instant(Context::Background(), all_, query, time, Options(distributed));
  }
  StatusOr<QueryResult> Range(const std::string& query, bool distributed,
                              TimestampMs start = kStart, std::int64_t step = 30'000) {
    return engine_.Range(Context::Background(), all_, query, start, start + 1'500'000, step,
                         Options(distributed));
  }
  QueryOptions Options(bool distributed) const {
    return {.distribution = distributed ? &distribution_ : nullptr};
  }
  std::size_t Asked() const {
    std::size_t questions = 0;
    for (const auto& leaf : leaves_) questions += leaf->questions.size();
    return questions;
  }

  const Engine engine_;
  MemoryStorage all_;
  std::vector<std::shared_ptr<StorageLeaf>> leaves_;
  Distribution distribution_;
  std::uint64_t seed_ = 42;
};

void ExpectSame(const StatusOr<QueryResult>& ours, const StatusOr<QueryResult>& local) {
  ASSERT_EQ(ours.ok(), local.ok()) << ours.status() << local.status();
  if (!local.ok()) {
    EXPECT_EQ(ours.status().ToString(), local.status().ToString());
    return;
  }
  EXPECT_EQ(ours->type, local->type);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(ours->scalar),
            std::bit_cast<std::uint64_t>(local->scalar));
  EXPECT_EQ(ours->warnings, local->warnings);
  EXPECT_EQ(ours->infos, local->infos);
  const RowBatch& a = ours->rows;
  const RowBatch& b = local->rows;
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a.labels(i), b.labels(i));
    for (std::size_t k = 0; k < a.steps(); ++k) {
      ASSERT_EQ(a.Holds(i, k), b.Holds(i, k)) << a.labels(i).ToString() << " step " << k;
      ASSERT_EQ(a.present(i)[k], b.present(i)[k]);
      if (a.present(i)[k] != 0) {
        ASSERT_TRUE(std::bit_cast<std::uint64_t>(a.values(i)[k]) ==
                        std::bit_cast<std::uint64_t>(b.values(i)[k]) ||
                    (std::isnan(a.values(i)[k]) && std::isnan(b.values(i)[k])))
            << a.labels(i).ToString() << " step " << k << ": " << a.values(i)[k] << " and "
            << b.values(i)[k];
      } else if (a.Holds(i, k)) {
        const model::FloatHistogram& x = *a.histograms(i)[k];
        const model::FloatHistogram& y = *b.histograms(i)[k];
        ASSERT_EQ(x.count, y.count);
        ASSERT_EQ(x.sum, y.sum);
        ASSERT_EQ(x.positive_buckets, y.positive_buckets);
        ASSERT_EQ(x.positive_spans, y.positive_spans);
      }
    }
  }
}

const char* const kExpressions[] = {
    "rate(requests_total[2m])",
    "sum(rate(requests_total[2m]))",
    "sum by (job) (rate(requests_total[2m]))",
    "sum by (cluster) (rate(requests_total[2m]))",
    "avg by (job) (rate(noise[1m]))",
    "avg by (cluster, job) (noise)",
    "stddev(abs(noise))",
    "stdvar by (job) (delta(noise[1m]))",
    "stddev by (cluster) (noise)",
    "count(noise)",
    "count by (job) (noise > 0)",
    "min by (job) (noise)",
    "max without (cluster, pod) (noise)",
    "min(ceil(noise / 1e6))",
    "group by (job) (level)",
    "quantile(0.3, abs(noise))",
    "quantile by (cluster) (0.9, noise)",
    "topk(3, noise)",
    "topk(4, level)",
    "topk(4, abs(level))",
    "bottomk(5, level)",
    "topk by (job) (2, abs(level))",
    "topk by (cluster) (2, level)",
    "limitk(4, level)",
    "limitk by (job) (2, abs(level))",
    "limit_ratio(0.4, noise)",
    "sum(topk(5, noise))",
    "sum(topk by (job) (2, abs(level)))",
    "topk(2, sum by (job) (rate(requests_total[2m])))",
    "topk(2, sum by (cluster) (rate(requests_total[2m])))",
    "count_values(\"v\", level)",
    "count_values by (cluster) (\"v\", level)",
    "histogram_quantile(0.9, sum by (le) (rate(latency_bucket[2m])))",
    "histogram_quantile(0.9, sum by (le, cluster) (rate(latency_bucket[2m])))",
    "histogram_quantile(0.5, rate(latency_bucket[2m]))",
    "rate(native[2m])",
    "sum(rate(native[2m]))",
    "sum by (cluster) (rate(native[2m]))",
    "histogram_count(rate(native[2m]))",
    "histogram_count(sum(rate(native[2m])))",
    "histogram_quantile(0.9, sum(rate(native[2m])))",
    "max(native)",
    "rate(requests_total[2m]) / on (cluster, job, pod) noise",
    "rate(requests_total[2m]) / on (job, pod) group_left () noise{cluster=\"eu\"}",
    "noise * on (cluster) group_left () sum by (cluster) (level)",
    "rate(requests_total[2m]) + on (pod) rate(noise[1m])",
    "rate(requests_total[2m]) > 0.005 or vector(0)",
    "noise and level > 0",
    "noise unless on (cluster) (level > 5)",
    "abs(noise) or level",
    "absent(noise)",
    "absent(abs(noise) > 1e9)",
    "scalar(sum(noise))",
    "noise - scalar(avg(level))",
    "sort(abs(level))",
    "sort_desc(sum by (job) (noise))",
    "max_over_time(rate(requests_total[1m])[5m:30s])",
    "max_over_time(sum(rate(requests_total[1m]))[5m:])",
    "avg_over_time(sum by (cluster) (level)[3m:1m])",
    "sum(max_over_time(topk(1, noise)[1m:1m]))",
    "label_replace(rate(requests_total[2m]), \"c\", \"$1\", \"cluster\", \"(.*)\")",
    "label_replace(rate(requests_total[2m]), \"cluster\", \"one\", \"\", \"\")",
    "label_join(noise, \"both\", \"-\", \"job\", \"pod\")",
    "timestamp(noise)",
    "timestamp(noise + 1)",
    "predict_linear(noise[2m], 60)",
    "noise + time()",
    "sum(hour())",
    "abs(noise) * (end() - start()) + step()",
    "noise @ end() - noise",
    "sum(rate(requests_total[2m] offset 1m))",
    "sum(rate(requests_total[2m] @ 1700000600.5))",
    "sum(-noise)",
    "max(-level)",
    "min(level * 0)",
    "sum({__name__=~\"noise|level\"})",
    "sum(rate({__name__=~\"noise|level\"}[1m]))",
    "rate(noise[1m])",
    "noise / noise",
    "rate(requests_total[2m]) + on (job) rate(noise[1m])",
    "quantile(2, abs(noise))",
    "sum(topk(3, noise @ 1700000600))",
    "sum(rate(requests_total[2m] @ 1700000600)) + on () group_right () noise",
    "max by (cluster) (noise) - max by (cluster) (noise)",
    "sum(max by (cluster) (noise)) + sum(max by (cluster) (noise))",
    "count by (job) (level) / on (job) sum(count by (job) (level)) by (job)",
    "-{__name__=~\"noise|native\"}",
    "sum(-{__name__=\"native\"})",
    "(-(noise))",
    "sum(increase(requests_total[2m] anchored))",
    "avg(rate(requests_total[2m] smoothed))",
    "abs(level smoothed)",
    "sum(xrate(requests_total[2m]))",
    "info(level)",
};

TEST_F(RemoteRowsTest, InstantQueriesGiveTheSame) {
  for (const char* query : kExpressions) {
    for (const TimestampMs time : {kStart + 900'000, kStart + 901'234, kStart - 1}) {
      SCOPED_TRACE(fmt::format("{} at {}", query, time));
      ExpectSame(Instant(query, time, true), Instant(query, time, false));
    }
  }
  EXPECT_GT(Asked(), 300u);
}

TEST_F(RemoteRowsTest, RangeQueriesGiveTheSame) {
  for (const char* query : kExpressions) {
    for (const std::int64_t step : {30'000, 1'500'000, 12'345}) {
      for (const TimestampMs start : {kStart, kStart + 17}) {
        SCOPED_TRACE(fmt::format("{} from {} every {} ms", query, start, step));
        ExpectSame(Range(query, true, start, step), Range(query, false, start, step));
      }
    }
  }
  EXPECT_GT(Asked(), 600u);
}

TEST_F(RemoteRowsTest, AnnotationsHaveThePlaceInTheQuery) {
  const std::string query = "1 +\n   sum(rate(noise[1m] offset 10s))";
  const auto result = Instant(query, kStart + 600'500, true);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_GT(Asked(), 0u);
  EXPECT_THAT(result->infos, ElementsAre(HasSubstr("(2:13)")));
  ExpectSame(result, Instant(query, kStart + 600'500, false));
}

TEST_F(RemoteRowsTest, LeavesAreAskedInWholeSeconds) {
  ASSERT_TRUE(Instant("max(rate(noise[1m]))", kStart + 600'250, true).ok());
  ASSERT_EQ(leaves_[0]->questions.size(), 1u);
  const RemoteQuestion& question = leaves_[0]->questions[0];
  EXPECT_EQ(question.query, "max(rate(noise[1m] offset -250ms))");
  EXPECT_EQ(question.start, kStart + 600'000);
  EXPECT_EQ(question.steps, 1u);
  EXPECT_EQ(question.lookback_ms, 300'000);
}

TEST_F(RemoteRowsTest, TheQueryAsAWholeIsWrittenOut) {
  distribution_.enforced = {model::Matcher::Equal("cluster", "eu")};
  distribution_.leaves.resize(1);
  ASSERT_TRUE(Range("max_over_time((noise{cluster!=\"eu\"} @ start() + end())[5m:])", true).ok());
  ASSERT_EQ(leaves_[0]->questions.size(), 1u);
  EXPECT_EQ(leaves_[0]->questions[0].query,
            "max_over_time((noise{cluster=\"eu\"} @ 1700000000.000 + (1700001500))[5m:1m])");
}

TEST_F(RemoteRowsTest, ExplanationsNameTheQueriers) {
  const auto plan =
      engine_.Explain(Context::Background(), all_, "sum(rate(noise[1m]))", kStart, Options(true));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->name, HasSubstr("[aggregation] sum"));
  ASSERT_EQ(plan->children.size(), 1u);
  EXPECT_EQ(plan->children[0].name, "[remote] remote[eu, us, asia](rate(noise[1m])), streams");
  EXPECT_EQ(Asked(), 0u);
}

TEST_F(RemoteRowsTest, NamesThatGoAtTheEndAreNotHandedOut) {
  const Engine delays({.delayed_name_removal = true});
  const std::string query = "label_replace(rate(noise[1m]), \"n\", \"$1\", \"__name__\", \"(.*)\")";
  ExpectSame(delays.Instant(Context::Background(), all_, query, kStart + 600'000, Options(true)),
             delays.Instant(Context::Background(), all_, query, kStart + 600'000, Options(false)));
  EXPECT_EQ(Asked(), 0u);
}

TEST_F(RemoteRowsTest, AFailedLeafIsAWarningOrAnError) {
  leaves_[1]->failure = Unavailable("connection refused");
  const auto warned = Range("sum by (cluster) (noise)", true);
  ASSERT_TRUE(warned.ok()) << warned.status();
  EXPECT_EQ(warned->rows.size(), 2u);
  EXPECT_THAT(warned->store_warnings,
              ElementsAre("receive rows from querier us: rpc error: code = Unavailable desc = "
                          "connection refused"));
  distribution_.partial_response = false;
  const auto failed = Range("sum by (cluster) (noise)", true);
  EXPECT_EQ(failed.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(std::string(failed.status().message()), HasSubstr("querier us"));
}

TEST_F(RemoteRowsTest, ALeafThatRefusesIsDoneWithout) {
  leaves_[1]->failure = MakeError(StatusCode::kAborted, "unknown function");
  ExpectSame(Range("sum by (cluster) (noise)", true), Range("sum by (cluster) (noise)", false));
  EXPECT_EQ(leaves_[1]->questions.size(), 1u);
}

TEST_F(RemoteRowsTest, LabelsBeforeTheNameMakeNoOtherOrder) {
  // {A, B, __name__} sorts before {A, __name__}, but {A, B} after {A}. The sum of the first two
  // here is infinite; the negative one would save it.
  const TimestampMs time = kStart + 60'000;
  const std::pair<const char*, double> series[] = {{"", -8e307}, {"1", 8e307}, {"2", 8e307}};
  for (const auto& [b, last] : series) {
    const model::Labels labels = model::Labels::Of({{"A", "1"}, {"B", b}, {"__name__", "upper"}});
    Append(*leaves_[0], labels, time, 0);
    Append(*leaves_[0], labels, time + 45'000, last);
  }
  const auto local = Instant("sum(delta(upper[1m]))", time + 45'000, false);
  ASSERT_TRUE(local.ok());
  EXPECT_TRUE(std::isinf(local->rows.values(0)[0]));
  ExpectSame(Instant("sum(delta(upper[1m]))", time + 45'000, true), local);
  EXPECT_EQ(Asked(), 3u);
}

TEST_F(RemoteRowsTest, ZeroOfTheFirstSeriesCounts) {
  const TimestampMs time = kStart + 60'000;
  const auto zero = [&](int leaf, const char* cluster, const char* pod, double value) {
    Append(*leaves_[static_cast<std::size_t>(leaf)],
           model::Labels::Of({{"__name__", "zero"}, {"cluster", cluster}, {"pod", pod}}), time,
           value);
  };
  zero(0, "eu", "a", 0.0);
  zero(1, "us", "a", 1);
  zero(2, "asia", "a", -0.0);
  for (const char* query : {"min(zero)", "min(zero < 1)"})
    ExpectSame(Instant(query, time, true), Instant(query, time, false));
}

}  // namespace
}  // namespace aevum::promql
