// Series whose labels become equal: when a number and a histogram may meet at a step.
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "promql/engine/engine.h"
#include "promql/memory_storage.h"

namespace aevum::promql {
namespace {

model::FloatHistogram Histogram(double count) {
  model::FloatHistogram histogram;
  histogram.reset_hint = model::ResetHint::kGauge;
  histogram.count = count;
  histogram.sum = 10 * count;
  histogram.zero_count = count;
  return histogram;
}

// At the minutes 0 to 2: n{i="a"} is a number, h{i="b"} a histogram; n begins at 1.
class EqualLabelsTest : public ::testing::Test {
 protected:
  EqualLabelsTest() {
    for (int minute = 0; minute <= 2; ++minute) {
      if (minute > 0) {
        source_.Append(model::Labels::Of({{"__name__", "n"}, {"i", "a"}}), minute * 60'000, minute);
      }
      source_.AppendHistogram(model::Labels::Of({{"__name__", "h"}, {"i", "b"}}), minute * 60'000,
                              Histogram(100 + minute));
    }
  }

  static std::string Text(const StatusOr<QueryResult>& result) {
    if (!result.ok()) return std::string(result.status().message());
    std::string text;
    for (std::size_t i = 0; i < result->rows.size(); ++i) {
      text += result->rows.labels(i).ToString();
      for (std::size_t k = 0; k < result->rows.steps(); ++k) {
        const HistogramPtr* histograms = result->rows.histograms(i);
        text += " ";
        if (result->rows.present(i)[k] != 0) text += fmt::format("{}", result->rows.values(i)[k]);
        if (histograms != nullptr && histograms[k] != nullptr)
          text += fmt::format("h{}", histograms[k]->count);
        if (!result->rows.Holds(i, k)) text += "_";
      }
      text += "\n";
    }
    return text;
  }

  std::string Instant(std::string_view query, const EngineOptions& options = {}) {
    return Text(
        Engine(options).Instant(Context::Background(), source_, std::string(query), 120'000));
  }
  std::string Range(std::string_view query, const EngineOptions& options = {}) {
    return Text(Engine(options).Range(Context::Background(), source_, std::string(query), 0,
                                      120'000, 60'000));
  }

  MemoryStorage source_;
};

constexpr std::string_view kOneLabel =
    "label_replace({__name__=~\"n|h\"}, \"__name__\", \"m\", \"\", \"\")";

std::string Relabelled() {
  return fmt::format("label_replace({}, \"i\", \"\", \"\", \"\")", kOneLabel);
}

TEST_F(EqualLabelsTest, RangeAnswersWithNumberAndHistogram) {
  EXPECT_EQ(Range(Relabelled()), "{__name__=\"m\"} h100 1h101 2h102\n");
}

TEST_F(EqualLabelsTest, InstantAnswersWithTheHistogram) {
  EXPECT_EQ(Instant(Relabelled()), "{__name__=\"m\"} h102\n");
  EXPECT_EQ(Instant("(" + Relabelled() + ")"), "{__name__=\"m\"} h102\n");
  EXPECT_EQ(Instant("-" + Relabelled()), "{} h-102\n");
}

TEST_F(EqualLabelsTest, OperatorsSeeTheNumberAndNoHistogramFromThereOn) {
  EXPECT_EQ(Range("sum(" + Relabelled() + ")"), "{} h100 1 2\n");
  EXPECT_EQ(Range("count(" + Relabelled() + ")"), "{} 1 1 1\n");
  EXPECT_EQ(Range("histogram_count(" + Relabelled() + ")"), "{} 100 _ _\n");
  EXPECT_EQ(Range(Relabelled() + " or up"), "{__name__=\"m\"} h100 1 2\n");
  EXPECT_EQ(Instant("sum(" + Relabelled() + ")"), "{} 2\n");
  EXPECT_EQ(Instant("vector(scalar(" + Relabelled() + "))"), "{} 2\n");
}

TEST_F(EqualLabelsTest, TwoNumbersMayNotMeet) {
  source_.Append(model::Labels::Of({{"__name__", "n"}, {"i", "c"}}), 0, 5);
  EXPECT_EQ(Range("label_replace(n, \"i\", \"\", \"\", \"\")"),
            "vector cannot contain metrics with the same labelset");
}

TEST_F(EqualLabelsTest, SubqueriesSeeBothButTheHistogramAtTheEndOfTheWindow) {
  EXPECT_EQ(Range("count_over_time(" + Relabelled() + "[3m:1m])"), "{} 1 2 4\n");
}

TEST_F(EqualLabelsTest, SignPutsSeriesTogetherAsWell) {
  EXPECT_EQ(Range("-label_replace({__name__=~\"n|h\"}, \"i\", \"\", \"\", \"\")"),
            "{} h-100 -1h-101 -2h-102\n");
}

TEST_F(EqualLabelsTest, FunctionsRefuseIt) {
  source_.Append(model::Labels::Of({{"__name__", "h"}, {"i", "a"}}), 0, 5);
  EXPECT_EQ(Range("timestamp(label_replace({__name__=~\"n|h\"}, \"i\", \"x\", \"\", \"\"))"),
            "vector cannot contain metrics with the same labelset");
}

TEST_F(EqualLabelsTest, NamesDroppedAtTheEndLetThemMeet) {
  const EngineOptions options{.delayed_name_removal = true};
  EXPECT_EQ(
      Range("last_over_time((-label_replace({__name__=~\"n|h\"}, \"i\", \"\", \"\", \"\"))[1m:1m])",
            options),
      "{} h-100 -1h-101 -2h-102\n");
}

TEST_F(EqualLabelsTest, CountersAreKnownByTheirTypes) {
  const auto infos = [&](std::string_view query, bool types) {
    const auto result = Engine({.type_and_unit_labels = types})
                            .Instant(Context::Background(), source_, query, 120'000);
    EXPECT_TRUE(result.ok()) << result.status();
    std::string all;
    for (const std::string& info : result->infos) all += info + "\n";
    return all;
  };
  for (const std::string_view type : {"counter", "gauge", ""}) {
    for (int minute = 0; minute <= 2; ++minute) {
      source_.Append(model::Labels::Of({{"__name__", "c"}, {"__type__", type}, {"t", type}}),
                     minute * 60'000, minute);
    }
  }
  EXPECT_EQ(infos("rate(c{t=\"counter\"}[5m])", true), "");
  EXPECT_EQ(
      infos("increase(c{t=\"gauge\"}[5m])", true),
      "PromQL info: metric might not be a counter, __type__ label is not set to \"counter\" or "
      "\"histogram\", got \"gauge\": \"c\" (1:10)\n");
  EXPECT_EQ(
      infos("rate(c{t=\"\"}[5m])", true),
      "PromQL info: metric might not be a counter, __type__ label is not set to \"counter\" or "
      "\"histogram\", got \"\": \"c\" (1:6)\n");
  EXPECT_EQ(infos("rate(c{t=\"counter\"}[5m])", false),
            "PromQL info: metric might not be a counter, name does not end in "
            "_total/_sum/_count/_bucket: \"c\" (1:6)\n");
  EXPECT_EQ(infos("delta(c{t=\"gauge\"}[5m])", true), "");
}

}  // namespace
}  // namespace aevum::promql
