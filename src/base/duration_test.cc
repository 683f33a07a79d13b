#include "base/duration.h"

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace aevum {
namespace {

using nlohmann::json;

std::vector<json> Lines(const std::string& name) {
  std::ifstream file(std::string(AEVUM_SOURCE_DIR) + "/src/base/testdata/" + name);
  std::vector<json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  EXPECT_GT(lines.size(), 10U) << name;
  return lines;
}

using Parser = std::function<StatusOr<Nanoseconds>(std::string_view)>;

void ExpectParsesAs(const std::string& file, const std::string& prefix, const Parser& parse) {
  for (const json& line : Lines(file)) {
    const std::string in = line["in"];
    // Accepted by the reference as some duration that nobody meant.
    if (in == "NaN" || in == "9223372036.854775807" || in == "0x1p3") continue;
    SCOPED_TRACE(prefix + " of \"" + in + "\"");
    const StatusOr<Nanoseconds> got = parse(in);
    EXPECT_EQ(got.ok(), line[prefix + "error"].is_null()) << got.status();
    // Prometheus's text is what users search for.
    const bool plain = in.find('\n') == std::string::npos;  // it escapes, we need not
    if (!got.ok() && plain && file == "durations_prometheus.jsonl" &&
        !line[prefix + "error"].is_null()) {
      EXPECT_EQ(std::string(got.status().message()), line[prefix + "error"].get<std::string>());
    }
    if (got.ok() && line.contains(prefix + "ns")) {
      EXPECT_EQ(std::to_string(got->count()), line[prefix + "ns"].get<std::string>());
    }
  }
}

TEST(DurationTest, ParsesAsPrometheus) {
  ExpectParsesAs("durations_prometheus.jsonl", "", ParsePrometheusDuration);
  ExpectParsesAs("durations_prometheus.jsonl", "negative_allowed_", ParseSignedPrometheusDuration);
  ExpectParsesAs("durations_prometheus.jsonl", "api_param_", ParseApiDuration);
}

TEST(DurationTest, ParsesAsGo) { ExpectParsesAs("durations_go.jsonl", "", ParseGoDuration); }

TEST(DurationTest, SecondsHaveTheBitsOfGo) {
  EXPECT_EQ(GoSeconds(std::chrono::milliseconds(1'118)), 1 + 0.118);
  EXPECT_NE(GoSeconds(std::chrono::milliseconds(1'118)), 1.118);
  EXPECT_EQ(GoSeconds(std::chrono::milliseconds(1'700)), 1.7);
  EXPECT_EQ(GoSeconds(Nanoseconds(1'118'000'000)), 1 + 0.118);
  EXPECT_EQ(GoSeconds(Nanoseconds(-1'118'000'000)), -1 - 0.118);
  EXPECT_EQ(GoSeconds(std::chrono::milliseconds::max()), 9223372036854775.807);
}

TEST(DurationTest, FormatsAsPrometheusAndGo) {
  for (const json& line : Lines("durations_format.jsonl")) {
    const Nanoseconds duration(std::stoll(line["ns"].get<std::string>()));
    EXPECT_EQ(FormatGoDuration(duration), line["go"].get<std::string>());
    EXPECT_EQ(FormatPrometheusDuration(duration), line["prometheus"].get<std::string>());
  }
}

TEST(TimeTest, ParsesTheParameterOfTheApi) {
  for (const json& line : Lines("times.jsonl")) {
    const std::string in = line["in"];
    SCOPED_TRACE(in);
    const StatusOr<TimestampMs> got = ParseApiTime(in);
    if (!line.contains("query_api_ms")) {
      EXPECT_FALSE(got.ok());
      continue;
    }
    // The reference wraps around where seconds pass 63 bits of nanoseconds or are no number; we
    // refuse.
    const bool wraps = in.find("e1") != std::string::npos || in.find("e30") != std::string::npos ||
                       in.find("Inf") != std::string::npos || in == "NaN" || !got.ok();
    if (wraps) continue;
    EXPECT_EQ(std::to_string(*got), line["query_api_ms"].get<std::string>());
  }
}

TEST(TimeTest, RefusesWhatIsNoTime) {
  for (const char* in :
       {"", "NaN", "Inf", "-Inf", "1e300", "1e19", "x", "1 ", "0x10", "1__0", "_1"}) {
    EXPECT_FALSE(ParseApiTime(in).ok()) << in;
  }
  EXPECT_EQ(*ParseApiTime("1_000"), 1'000'000);
  EXPECT_EQ(*ParseApiTime("1700000000.9999"), 1'700'000'001'000);
}

TEST(TimeTest, FormatsRfc3339) {
  EXPECT_EQ(FormatRfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatRfc3339(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatRfc3339(1'709'164'800'120), "2024-02-29T00:00:00.12Z");
  for (const TimestampMs t : {-62'135'596'800'000, 253'402'300'799'999, 951'782'400'000}) {
    EXPECT_EQ(*ParseRfc3339(FormatRfc3339(t)), t);
  }
}

TEST(TimeOrDurationTest, ReadsTheFlag) {
  for (const std::string file : {"flag_time_or_duration.jsonl", "times.jsonl"}) {
    const std::string prefix = file == "times.jsonl" ? "flag_" : "";
    for (const json& line : Lines(file)) {
      const std::string in = line["in"];
      SCOPED_TRACE(in);
      const StatusOr<TimeOrDuration> got = TimeOrDuration::Parse(in);
      if (line.contains("flag_panics")) {
        EXPECT_FALSE(got.ok());
        continue;
      }
      ASSERT_EQ(got.ok(), line[prefix + "error"].is_null());
      if (!got.ok()) continue;
      const TimestampMs now = 1'000'000;
      if (line.contains(prefix + "time_ms")) {
        EXPECT_EQ(std::to_string(got->At(now)), line[prefix + "time_ms"].get<std::string>());
      } else {
        EXPECT_EQ(std::to_string((got->At(now) - now) * 1'000'000),
                  line[prefix + "duration_ns"].get<std::string>());
      }
    }
  }
}

}  // namespace
}  // namespace aevum
