#include <cmath>
#include <limits>
#include <numbers>
#include <span>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "promql/functions/bucket_quantile.h"
#include "promql/functions/label_functions.h"
#include "promql/functions/natural_order.h"
#include "promql/functions/row_functions.h"
#include "promql/parser.h"

namespace aevum::promql::functions {
namespace {

using ::testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The same bits but for NaN, which has many.
void ExpectSame(double actual, double expected) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(actual)) << actual;
  } else {
    EXPECT_EQ(actual, expected);
    EXPECT_EQ(std::signbit(actual), std::signbit(expected));
  }
}

TEST(RowFunctionsTest, ChangeEachValue) {
  struct Case {
    std::string name;
    double from;
    double to;
  };
  const Case cases[] = {
      {"abs", -2.5, 2.5},
      {"abs", kNan, kNan},
      {"ceil", 1.2, 2},
      {"ceil", -0.5, -0.0},
      {"floor", -1.2, -2},
      {"exp", 0, 1},
      {"exp", -kInfinity, 0},
      {"sqrt", -1, kNan},
      {"sqrt", 9, 3},
      {"ln", 0, -kInfinity},
      {"ln", -1, kNan},
      {"log2", 8, 3},
      {"log10", 1000, 3},
      {"sgn", -7, -1},
      {"sgn", -0.0, -0.0},
      {"sgn", kNan, kNan},
      {"sgn", kInfinity, 1},
      {"deg", std::numbers::pi, 180},
      {"rad", 180, std::numbers::pi},
      {"sin", 0, 0},
      {"cosh", 0, 1},
      {"acos", 2, kNan},
      {"atanh", 1, kInfinity},
      {"minute", 3599, 59},
      {"hour", 86'399.9, 23},
      {"hour", -1, 23},
      {"day_of_week", 0, 4},
      {"day_of_week", -4 * 86'400.0, 0},
      {"day_of_week", -5 * 86'400.0, 6},
      {"month", 951'782'400, 2},  // 29 February 2000
      {"day_of_month", 951'782'400, 29},
      {"day_of_year", 951'782'400, 60},
      {"days_in_month", 951'782'400, 29},
      {"year", 951'782'400, 2000},
      {"days_in_month", -2'203'891'201, 28},  // the second before 1 March 1900
      {"day_of_year", 978'220'800, 366},      // 31 December 2000
      {"month", 978'220'800, 12},
      {"year", 978'307'199, 2000},
      {"year", 978'307'200, 2001},
      {"year", -1, 1969},
      {"day_of_month", -1, 31},
      {"year", -62'135'596'801, 0},
      {"year", 253'402'300'800, 10'000},
      {"year", 1e16, 316'889'355},
      {"day_of_week", 1e16, 6},
      // What Go makes of all that does not fit 64 bits.
      {"year", kNan, 292'277'026'596},
      {"year", 1e300, 292'277'026'596},
      {"year", -kInfinity, 292'277'026'596},
      {"day_of_year", kInfinity, 339},
      {"month", kNan, 12},
      {"day_of_month", kNan, 4},
      {"hour", kNan, 15},
      {"minute", kNan, 30},
      {"day_of_week", kNan, 0},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name + " of " + std::to_string(c.from));
    const RowFunction function = FindRowFunction(c.name);
    ASSERT_NE(function, nullptr);
    double row[] = {c.from, c.from};
    function(std::span<double>(row));
    ExpectSame(row[0], c.to);
    ExpectSame(row[1], c.to);
  }
  EXPECT_EQ(FindRowFunction("rate"), nullptr);
  EXPECT_EQ(FindRowFunction(""), nullptr);
}

TEST(RowFunctionsTest, DatesCountDayByDay) {
  // Four centuries from 1 January 1800, against a calendar that is counted by hand.
  const RowFunction year = FindRowFunction("year");
  const RowFunction month = FindRowFunction("month");
  const RowFunction day = FindRowFunction("day_of_month");
  const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  double seconds = -5'364'662'400;
  for (int y = 1800; y < 2200; ++y) {
    const bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    for (int m = 0; m < 12; ++m) {
      for (int d = 1; d <= lengths[m] + (leap && m == 1 ? 1 : 0); ++d, seconds += 86'400) {
        double row[] = {seconds};
        year(std::span<double>(row));
        ASSERT_EQ(row[0], y);
        row[0] = seconds + 86'399;
        month(std::span<double>(row));
        ASSERT_EQ(row[0], m + 1);
        row[0] = seconds;
        day(std::span<double>(row));
        ASSERT_EQ(row[0], d);
      }
    }
  }
}

TEST(RowFunctionsTest, RoundTiesGoUp) {
  double row[] = {2.5, -2.5, 7.4, 0.25, kNan, 5};
  Round(row, std::vector<double>{1, 1, 5, 0.5, 1, 0});
  ExpectSame(row[0], 3);
  ExpectSame(row[1], -2);
  ExpectSame(row[2], 5);
  ExpectSame(row[3], 0.5);
  ExpectSame(row[4], kNan);
  ExpectSame(row[5], kNan);
}

TEST(RowFunctionsTest, ClampPutsInfinitiesOverNan) {
  double row[] = {kNan, 3, kInfinity, -kInfinity};
  ClampMin(row, std::vector<double>{kInfinity, kInfinity, kNan, kNan});
  ExpectSame(row[0], kInfinity);
  ExpectSame(row[1], kInfinity);
  ExpectSame(row[2], kInfinity);
  ExpectSame(row[3], kNan);
  double low[] = {kNan, 3, -kInfinity};
  ClampMax(low, std::vector<double>{-kInfinity, -kInfinity, kNan});
  ExpectSame(low[0], -kInfinity);
  ExpectSame(low[1], -kInfinity);
  ExpectSame(low[2], -kInfinity);
}

TEST(RowFunctionsTest, ClampKeepsNan) {
  const std::vector<double> least = {0, 0, 0, kNan, -0.0};
  const std::vector<double> most = {10, 10, 10, 10, 0.0};
  double row[] = {-5, 15, kNan, 5, -0.0};
  Clamp(row, least, most);
  ExpectSame(row[0], 0);
  ExpectSame(row[1], 10);
  ExpectSame(row[2], kNan);
  ExpectSame(row[3], kNan);
  ExpectSame(row[4], -0.0);
  EXPECT_TRUE(ClampHasResult(1, 1));
  EXPECT_TRUE(ClampHasResult(kNan, 1));
  EXPECT_FALSE(ClampHasResult(2, 1));
  double low[] = {-5, kNan};
  ClampMin(low, std::vector<double>{1, 1});
  ExpectSame(low[0], 1);
  ExpectSame(low[1], kNan);
  double high[] = {5, kNan};
  ClampMax(high, std::vector<double>{1, 1});
  ExpectSame(high[0], 1);
  ExpectSame(high[1], kNan);
}

// The labels that a call gives to {__name__="m", a="x-y", b="2"}, or the error.
std::string Change(const std::string& text) {
  const StatusOr<ExprPtr> expr = Parse(text);
  if (!expr.ok()) return expr.status().ToString();
  const StatusOr<LabelChange> change = LabelChange::Create(As<Call>(**expr));
  if (!change.ok()) return std::string(change.status().message());
  const model::Labels labels = model::Labels::Of({{"__name__", "m"}, {"a", "x-y"}, {"b", "2"}});
  return change->Apply(labels).value_or(labels).ToString();
}

TEST(LabelFunctionsTest, ReplaceAndJoin) {
  struct Case {
    std::string call;
    std::string result;
  };
  const Case cases[] = {
      {R"q(label_replace(m, "c", "$1", "a", "(.*)-.*"))q",
       R"({__name__="m", a="x-y", b="2", c="x"})"},
      {R"q(label_replace(m, "a", "", "a", ".*"))q", R"({__name__="m", b="2"})"},
      {R"q(label_replace(m, "c", "$1", "a", "x"))q", R"({__name__="m", a="x-y", b="2"})"},
      {R"q(label_replace(m, "c", "${n}_$$", "a", "(?P<n>.).*"))q",
       R"({__name__="m", a="x-y", b="2", c="x_$"})"},
      {R"q(label_replace(m, "c", "z", "nothing", ""))q",
       R"({__name__="m", a="x-y", b="2", c="z"})"},
      {R"q(label_replace(m, "c.d", "$2", "a", "(.)-(.)"))q",
       R"({__name__="m", a="x-y", b="2", "c.d"="y"})"},
      {R"q(label_replace(m, "", "$1", "a", "(.*)"))q",
       "invalid destination label name in label_replace(): "},
      {R"q(label_replace(m, "c", "$1", "a", "("))q",
       "invalid regular expression in label_replace(): ("},
      {R"q(label_join(m, "c", "/", "a", "b"))q", R"({__name__="m", a="x-y", b="2", c="x-y/2"})"},
      {R"q(label_join(m, "c", "/", "nothing", "b"))q", R"({__name__="m", a="x-y", b="2", c="/2"})"},
      {R"q(label_join(m, "a", "/"))q", R"({__name__="m", b="2"})"},
      {R"q(label_join(m, "", "/", "b"))q", "invalid destination label name in label_join(): "},
      {R"q(label_join(m, "c", "/", ""))q", "invalid source label name in label_join(): "},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.call);
    EXPECT_EQ(Change(c.call), c.result);
  }
}

TEST(LabelFunctionsTest, AbsentTakesWhatIsAskedToBeEqual) {
  struct Case {
    std::string expr;
    std::string labels;
  };
  const Case cases[] = {
      {R"(m{a="1",b=~"2",c!="3"})", R"({a="1"})"},
      {R"(m{a="1",a="2"})", "{}"},
      {R"(m{a="1",a=~"2"})", "{}"},
      {R"(m{a=~"2",a="1"})", R"({a="1"})"},
      {R"(m{a="1"}[5m])", R"({a="1"})"},
      {"{__name__=\"m\"}", "{}"},
      {R"(sum(m{a="1"}))", "{}"},
      {R"((m{a="1"}))", "{}"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.expr);
    const StatusOr<ExprPtr> expr = Parse(c.expr);
    ASSERT_TRUE(expr.ok()) << expr.status();
    EXPECT_EQ(AbsentLabels(**expr).ToString(), c.labels);
  }
}

TEST(NaturalOrderTest, NumbersCountAsNumbers) {
  const std::vector<std::string> ordered = {"",    "02",   "2",     "10", "a",   "a2",
                                            "a10", "a10b", "a10b1", "b1", "b01c"};
  // The last two differ in more than zeros, so that the text behind the number decides.
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    EXPECT_EQ(CompareNaturally(ordered[i], ordered[i]), 0);
    for (std::size_t k = i + 1; k < ordered.size(); ++k) {
      SCOPED_TRACE(ordered[i] + " before " + ordered[k]);
      EXPECT_LT(CompareNaturally(ordered[i], ordered[k]), 0);
      EXPECT_GT(CompareNaturally(ordered[k], ordered[i]), 0);
    }
  }
  // Too long for a number: by bytes.
  EXPECT_GT(CompareNaturally("99999999999999999999", "100000000000000000000"), 0);
}

TEST(BucketQuantileTest, InterpolatesInsideABucket) {
  struct Case {
    std::string name;
    double quantile;
    std::vector<Bucket> buckets;
    double value;
  };
  const std::vector<Bucket> plain = {{1, 2}, {2, 6}, {4, 10}, {kInfinity, 10}};
  const Case cases[] = {
      {"middle", 0.5, plain, 1.75},
      {"at a bound", 0.2, plain, 1},
      {"lowest starts at zero", 0.1, plain, 0.5},
      {"all", 1, plain, 4},
      {"none", 0, plain, 0},
      {"above the last bound", 0.9, {{1, 2}, {kInfinity, 10}}, 1},
      {"lowest is below zero", 0.1, {{-1, 2}, {2, 6}, {kInfinity, 6}}, -1},
      {"across zero", 0.5, {{-1, 2}, {2, 6}, {kInfinity, 6}}, -0.25},
      {"unsorted", 0.5, {{kInfinity, 10}, {4, 10}, {1, 2}, {2, 6}}, 1.75},
      {"bounds twice", 0.5, {{1, 1}, {1, 1}, {2, 6}, {4, 10}, {kInfinity, 10}}, 1.75},
      {"no infinity", 0.5, {{1, 2}, {2, 6}}, kNan},
      {"one bucket", 0.5, {{kInfinity, 6}}, kNan},
      {"empty", 0.5, {{1, 0}, {kInfinity, 0}}, kNan},
      {"NaN", kNan, plain, kNan},
      {"below", -0.1, plain, -kInfinity},
      {"above", 1.1, plain, kInfinity},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::vector<Bucket> buckets = c.buckets;
    const BucketQuantile result = QuantileOfBuckets(c.quantile, &buckets);
    if (std::isnan(c.value)) {
      EXPECT_TRUE(std::isnan(result.value)) << result.value;
    } else {
      EXPECT_DOUBLE_EQ(result.value, c.value);
    }
    EXPECT_FALSE(result.forced_monotonic);
  }
}

TEST(BucketQuantileTest, RaisesCountsThatGoDown) {
  std::vector<Bucket> buckets = {{1, 4}, {2, 1}, {3, 3}, {4, 8}, {kInfinity, 8}};
  const BucketQuantile result = QuantileOfBuckets(0.75, &buckets);
  EXPECT_TRUE(result.forced_monotonic);
  EXPECT_EQ(result.lowest_forced, 2);
  EXPECT_EQ(result.highest_forced, 3);
  EXPECT_EQ(result.largest_difference, 3);
  EXPECT_DOUBLE_EQ(result.value, 3.5);

  std::vector<Bucket> rounded = {{1, 1}, {2, 1 - 1e-14}, {kInfinity, 2}};
  EXPECT_FALSE(QuantileOfBuckets(0.5, &rounded).forced_monotonic);
}

}  // namespace
}  // namespace aevum::promql::functions
