#include "query/federation.h"

#include <bit>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chunk/chunk.h"
#include "promql/memory_storage.h"
#include "promql/parser.h"

namespace aevum::query {
namespace {

using ::testing::StartsWith;

constexpr TimestampMs kNow = 1'700'000'300'123;
constexpr TimestampMs kFirst = kNow - 300'000 + 1;

class FederationTest : public ::testing::Test {
 protected:
  NewestSamples Read(const std::vector<std::string>& selectors,
                     const Context& context = Context::Background()) {
    std::vector<model::Matchers> matchers;
    for (const std::string& text : selectors) matchers.push_back(*promql::ParseSelector(text));
    auto newest = ReadNewest(context, storage_, matchers, kFirst, kNow);
    EXPECT_TRUE(newest.ok()) << newest.status();
    return newest.ok() ? *std::move(newest) : NewestSamples{};
  }
  std::string Text(const std::vector<std::string>& selectors,
                   net::ExpositionFormat format = net::ExpositionFormat::kText) {
    std::string out;
    EXPECT_TRUE(WriteFederation(Read(selectors), format, [&](std::string_view piece) {
      out += piece;
      return true;
    }));
    return out;
  }
  void Add(std::initializer_list<model::Label> labels, TimestampMs time, double value) {
    storage_.Append(model::Labels::Of(labels), time, value);
  }

  promql::MemoryStorage storage_;
};

TEST_F(FederationTest, WritesTheNewestSamplesByName) {
  Add({{"__name__", "up"}, {"cluster", "eu"}, {"instance", "b"}}, kNow - 60'000, 0);
  Add({{"__name__", "up"}, {"cluster", "eu"}, {"instance", "b"}}, kNow - 30'000, 1);
  Add({{"__name__", "up"}, {"cluster", "eu"}, {"instance", "a"}}, kNow, 1);
  Add({{"__name__", "job:rate"}, {"cluster", "eu"}}, kNow - 1, 0.25);
  const std::vector<std::string> all = {"{cluster=\"eu\"}"};
  EXPECT_EQ(Text(all),
            "# TYPE job:rate untyped\n"
            "job:rate{cluster=\"eu\",instance=\"\"} 0.25 1700000300122\n"
            "# TYPE up untyped\n"
            "up{cluster=\"eu\",instance=\"a\"} 1 1700000300123\n"
            "up{cluster=\"eu\",instance=\"b\"} 1 1700000270123\n");
  EXPECT_EQ(Text(all, net::ExpositionFormat::kOpenMetrics),
            "# TYPE job:rate unknown\n"
            "job:rate{cluster=\"eu\",instance=\"\"} 0.25 1700000300.122\n"
            "# TYPE up unknown\n"
            "up{cluster=\"eu\",instance=\"a\"} 1.0 1700000300.123\n"
            "up{cluster=\"eu\",instance=\"b\"} 1.0 1700000270.123\n"
            "# EOF\n");
  EXPECT_EQ(Text({"nothing"}), "");
  EXPECT_EQ(Text({"nothing"}, net::ExpositionFormat::kOpenMetrics), "# EOF\n");
}

TEST_F(FederationTest, ASeriesThatTwoSelectorsFindIsThereOnce) {
  Add({{"__name__", "up"}, {"job", "x"}}, kNow, 1);
  Add({{"__name__", "up"}, {"job", "y"}}, kNow, 1);
  EXPECT_EQ(Read({"up", "{job=\"x\"}", "{job=~\".+\"}"}).samples.size(), 2U);
}

TEST_F(FederationTest, LeavesOutWhatIsNotThereNow) {
  const double stale = std::bit_cast<double>(chunk::kStaleNanBits);
  Add({{"__name__", "gone"}}, kNow - 20, 1);
  Add({{"__name__", "gone"}}, kNow - 10, stale);
  Add({{"__name__", "old"}}, kFirst - 1, 1);
  Add({{"__name__", "future"}}, kNow + 1, 1);
  Add({{"__name__", "edge"}}, kFirst, 1);
  Add({{"__name__", "back"}}, kNow - 20, stale);
  Add({{"__name__", "back"}}, kNow - 10, 2);
  Add({{"job", "nameless"}}, kNow, 1);
  storage_.AppendHistogram(model::Labels::Of({{"__name__", "native"}}), kNow, {});
  Add({{"__name__", "mixed"}}, kNow - 10, 1);
  storage_.AppendHistogram(model::Labels::Of({{"__name__", "mixed"}}), kNow, {});
  Add({{"__name__", "number_again"}}, kNow, 3);
  storage_.AppendHistogram(model::Labels::Of({{"__name__", "number_again"}}), kNow - 10, {});
  std::vector<std::string> names;
  for (const NewestSample& sample : Read({"{__name__=~\".*\"}"}).samples)
    names.emplace_back(sample.labels.Get("__name__"));
  EXPECT_THAT(names, ::testing::ElementsAre("back", "edge", "number_again"));
}

TEST_F(FederationTest, WritesWhatTheFormatsCanRead) {
  Add({{"__name__", "my.metric"}, {"a-b", "x"}, {"text", "a\"b\\c\nd"}}, kNow,
      std::numeric_limits<double>::infinity());
  Add({{"__name__", "not_a_number"}}, kNow, std::bit_cast<double>(chunk::kNormalNanBits));
  EXPECT_EQ(Text({"{__name__=~\".+\"}"}),
            "# TYPE my_metric untyped\n"
            "my_metric{a_b=\"x\",text=\"a\\\"b\\\\c\\nd\",instance=\"\"} +Inf 1700000300123\n"
            "# TYPE not_a_number untyped\n"
            "not_a_number{instance=\"\"} NaN 1700000300123\n");
}

TEST_F(FederationTest, EndsWithTheReader) {
  for (int i = 0; i < 10'000; ++i)
    Add({{"__name__", "up"}, {"i", fmt::format("{:05}", i)}}, kNow, 1);
  int pieces = 0;
  EXPECT_FALSE(WriteFederation(Read({"up"}), net::ExpositionFormat::kText,
                               [&](std::string_view) { return ++pieces < 2; }));
  EXPECT_EQ(pieces, 2);
}

TEST_F(FederationTest, ItsSamplesAreChargedToTheBudget) {
  for (int i = 0; i < 1'000; ++i) Add({{"__name__", "up"}, {"i", std::to_string(i)}}, kNow, 1);
  const auto budget = std::make_shared<MemoryBudget>("query", 1 << 20);
  EXPECT_GT(Read({"up"}, Context::Background().WithBudget(budget)).charge.bytes(), 50'000);
  const auto small = Context::Background().WithBudget(std::make_shared<MemoryBudget>("query", 999));
  EXPECT_EQ(
      ReadNewest(small, storage_, {*promql::ParseSelector("up")}, kFirst, kNow).status().code(),
      StatusCode::kResourceExhausted);
  const auto late = Context::Background().WithTimeout(std::chrono::seconds(0));
  EXPECT_EQ(
      ReadNewest(late, storage_, {*promql::ParseSelector("up")}, kFirst, kNow).status().code(),
      StatusCode::kDeadlineExceeded);
}

TEST(WarningHeaderTest, HasTheTextsInOneLine) {
  EXPECT_EQ(WarningHeader({}), "");
  EXPECT_EQ(WarningHeader({"a \"b\"", "c\r\nd\\"}),
            "199 aevum \"a \\\"b\\\"\", 199 aevum \"c??d\\\\\"");
  EXPECT_LE(WarningHeader(std::vector<std::string>(1000, std::string(100, 'x'))).size(), 4096U);
  EXPECT_THAT(WarningHeader({std::string(1 << 20, 'x')}), StartsWith("199 aevum \""));
}

}  // namespace
}  // namespace aevum::query
