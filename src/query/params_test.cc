#include "query/params.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "query/evaluator.h"

namespace aevum::query {
namespace {

using namespace std::chrono_literals;

net::HttpRequest Request(net::Fields params) {
  net::HttpRequest request;
  request.params = std::move(params);
  return request;
}

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;

TEST(RangeParamsTest, ChoosesTheStepThatIsNotGiven) {
  struct Case {
    const char* name;
    Nanoseconds default_step;
    const char* start;
    const char* end;
    std::optional<const char*> step;
    std::int64_t step_ms;
  };
  const Case cases[] = {
      {"a short range has the default", 1s, "0", "249", {}, 1'000},
      {"a 250th of a long one", 1s, "0", "86400", {}, 345'000},
      {"the quotient is a whole number of seconds", 1s, "0", "999", {}, 3'000},
      {"the default is the least", 30s, "0", "3600", {}, 30'000},
      {"an empty one is none", 30s, "0", "3600", "", 30'000},
      {"one that is given holds, be it less", 30s, "0", "60", "0.5", 500},
      {"as a duration", 30s, "0", "60", "1m30s", 90'000},
      {"an instant", 1s, "60", "60", {}, 1'000},
      {"fractions of a second in the range", 1s, "0.1", "500.05", {}, 1'000},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    ParamDefaults defaults;
    defaults.default_step = c.default_step;
    net::Fields fields = {{"start", c.start}, {"end", c.end}};
    if (c.step) fields.emplace_back("step", *c.step);
    const auto params = ParseRangeParams(Request(fields), defaults);
    ASSERT_TRUE(params.ok()) << params.status();
    EXPECT_EQ(params->step_ms, c.step_ms);
  }
}

TEST(RangeParamsTest, BoundsTheNumberOfSteps) {
  const auto parse = [](const char* end, const char* step) {
    return ParseRangeParams(Request({{"start", "0"}, {"end", end}, {"step", step}}), {});
  };
  EXPECT_TRUE(parse("11000", "1").ok());
  EXPECT_FALSE(parse("11001", "1").ok());
  EXPECT_FALSE(parse("10", "0").ok());
  EXPECT_FALSE(parse("10", "-1s").ok());
}

TEST(ParamsTest, ChoosesTheResolution) {
  struct Case {
    const char* name;
    bool auto_downsampling;
    std::optional<const char*> given;
    std::int64_t range_ms;    // of a range query with a step of ten hours
    std::int64_t instant_ms;  // with 1h as the default of instant queries
  };
  const Case cases[] = {
      {"raw unless asked", false, {}, 0, 0},
      {"an empty one is none", false, "", 0, 0},
      {"auto", false, "auto", 2 * kHour, kHour},
      {"by flag", true, {}, 2 * kHour, kHour},
      {"by flag, empty", true, "", 2 * kHour, kHour},
      {"by flag and auto", true, "auto", 2 * kHour, kHour},
      {"what is given goes before the flag", true, "5m", 5 * kMinute, 5 * kMinute},
      {"raw goes before the flag", true, "0s", 0, 0},
      {"seconds", false, "3600", kHour, kHour},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    ParamDefaults defaults;
    defaults.auto_downsampling = c.auto_downsampling;
    defaults.instant_max_source_resolution = 1h;
    net::Fields fields = {{"start", "0"}, {"end", "360000"}, {"step", "10h"}};
    if (c.given) fields.emplace_back("max_source_resolution", *c.given);
    const auto range = ParseRangeParams(Request(fields), defaults);
    ASSERT_TRUE(range.ok()) << range.status();
    EXPECT_EQ(range->max_source_resolution_ms, c.range_ms);
    const auto instant = ParseInstantParams(Request(fields), defaults, 0);
    ASSERT_TRUE(instant.ok()) << instant.status();
    EXPECT_EQ(instant->max_source_resolution_ms, c.instant_ms);
  }
  for (const char* wrong : {"-1s", "-5", "big"}) {
    const auto request = Request({{"max_source_resolution", wrong}});
    EXPECT_EQ(ParseInstantParams(request, {}, 0).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST(DynamicLookbackTest, GrowsWithTheResolution) {
  struct Case {
    std::int64_t lookback;
    std::int64_t resolution;
    std::int64_t result;
  };
  const Case cases[] = {
      {5 * kMinute, 0, 5 * kMinute},
      {5 * kMinute, 5 * kMinute, 5 * kMinute},
      {5 * kMinute, 5 * kMinute + 1, kHour},
      {5 * kMinute, kHour, kHour},
      {5 * kMinute, 3 * kHour, kHour},
      // A shorter one is the threshold of downsampled data.
      {kMinute, 0, kMinute},
      {kMinute, kMinute, kMinute},
      {kMinute, kMinute + 1, 5 * kMinute},
      {kMinute, 5 * kMinute, 5 * kMinute},
      {kMinute, 6 * kMinute, kHour},
      // A longer one lifts both thresholds.
      {10 * kMinute, 5 * kMinute, 10 * kMinute},
      {10 * kMinute, 7 * kMinute, 10 * kMinute},
      {10 * kMinute, 11 * kMinute, kHour},
      {2 * kHour, kHour, 2 * kHour},
      {2 * kHour, 3 * kHour, 2 * kHour},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(DynamicLookback(c.lookback, c.resolution), c.result)
        << c.lookback << " " << c.resolution;
  }
}

TEST(ParamsTest, TheLookbackOfARequestIsMilliseconds) {
  const auto lookback = [](const char* text) {
    auto params = ParseInstantParams(Request({{"lookback_delta", text}}), {}, 0);
    return params.ok() ? params->lookback_delta_ms : -1;
  };
  EXPECT_EQ(lookback(""), 0);
  EXPECT_EQ(lookback("90"), 90'000);
  EXPECT_EQ(lookback("0.5"), 500);
  EXPECT_EQ(lookback("15m"), 15 * kMinute);
  EXPECT_EQ(lookback("soon"), -1);
}

TEST(MetadataParamsTest, ChoosesTheTimesThatAreNotGiven) {
  constexpr TimestampMs kNow = 1'000 * kHour;
  // As far as the reference's own first and last time reach.
  constexpr TimestampMs kAllTime = (std::int64_t{1} << 62) / 1'000'000;
  struct Case {
    const char* name;
    Nanoseconds range;
    net::Fields fields;
    TimestampMs start;
    TimestampMs end;
  };
  const Case cases[] = {
      {"all time", 0s, {}, -kAllTime, kAllTime},
      {"all time up to an end", 0s, {{"end", "60"}}, -kAllTime, 60'000},
      {"all time from a start", 0s, {{"start", "60"}}, 60'000, kAllTime},
      {"the range of the flag", 6h, {}, kNow - 6 * kHour, kNow},
      {"empty ones are none", 6h, {{"start", ""}, {"end", ""}}, kNow - 6 * kHour, kNow},
      {"a start before it", 6h, {{"start", "0"}}, 0, kNow},
      {"both given", 6h, {{"start", "1.5"}, {"end", "1970-01-01T00:00:02Z"}}, 1'500, 2'000},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    ParamDefaults defaults;
    defaults.metadata_time_range = c.range;
    const auto params = ParseMetadataParams(Request(c.fields), defaults, kNow);
    ASSERT_TRUE(params.ok()) << params.status();
    EXPECT_EQ(params->start, c.start);
    EXPECT_EQ(params->end, c.end);
  }
  ParamDefaults defaults;
  defaults.metadata_time_range = 6h;
  EXPECT_FALSE(ParseMetadataParams(Request({{"end", "0"}}), defaults, kNow).ok());
}

}  // namespace
}  // namespace aevum::query
