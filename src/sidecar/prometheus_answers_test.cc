#include "sidecar/prometheus_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::sidecar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(PrometheusAnswersTest, ReadsWhatPrometheusSays) {
  EXPECT_EQ(*ParseConfigAnswer(R"({"status":"success","data":{"yaml":"global: {}\n"}})"),
            "global: {}\n");
  EXPECT_EQ(*ParseVersionAnswer(R"({"status":"success","data":{"version":"2.42.0","x":1}})"),
            "2.42.0");
  const auto flags = ParseFlagsAnswer(R"({"status":"success","data":{"a.b":"1","c":"true"}})");
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->at("a.b"), "1");
  const auto state = ParseRuntimeInfoAnswer(
      R"({"status":"success","data":{"reloadConfigSuccess":true,"lastConfigTime":"2026-01-02T03:04:05Z"}})");
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE(state->reload_succeeded);
  EXPECT_EQ(state->last_reload, "2026-01-02T03:04:05Z");
}

TEST(PrometheusAnswersTest, ReadsListsWithTheirWarnings) {
  const auto names =
      ParseStringsAnswer(R"({"status":"success","data":["a","b\u00e9"],"warnings":["cut"]})");
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_THAT(names->strings, ElementsAre("a", "b\xc3\xa9"));
  EXPECT_THAT(names->warnings, ElementsAre("cut"));

  const auto none = ParseStringsAnswer(R"({"status":"success","data":null})");
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_THAT(none->strings, IsEmpty());

  const auto series = ParseSeriesAnswer(
      R"({"status":"success","data":[{"__name__":"up","job":"x"},{"job":"y","empty":""}]})");
  ASSERT_TRUE(series.ok()) << series.status();
  EXPECT_THAT(series->series, ElementsAre(model::Labels::Of({{"__name__", "up"}, {"job", "x"}}),
                                          model::Labels::Of({{"job", "y"}})));
}

TEST(PrometheusAnswersTest, NamesTheFieldOfABrokenAnswer) {
  struct Case {
    std::string name;
    std::string body;
    std::string message;
  };
  const Case cases[] = {
      {"nothing", "", "answer of 0 bytes is not JSON"},
      {"half", R"({"status":"success","data":["a",)", "is not JSON"},
      {"HTML", "<html><body>Hello</body></html>", "is this a Prometheus?"},
      {"array", "[]", "answer must be an object, not an array"},
      {"no status", R"({"data":[]})", "no field status"},
      {"status of another type", R"({"status":1})", "field status must be a string, not a number"},
      {"error", R"({"status":"error","errorType":"bad_data","error":"no luck"})", "no luck"},
      {"no data", R"({"status":"success"})", "no field data"},
      {"data of another type", R"({"status":"success","data":{"a":1}})",
       "field data must be an array, not an object"},
      {"item of another type", R"({"status":"success","data":["a",2]})",
       "field data must be a string, not a number"},
      {"warnings of another type", R"({"status":"success","data":[],"warnings":{}})",
       "field warnings must be an array, not an object"},
      {"deep", std::string(100'000, '['), "is not JSON"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Status status = ParseStringsAnswer(c.body).status();
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
  EXPECT_THAT(
      std::string(ParseSeriesAnswer(R"({"status":"success","data":[{"a":1}]})").status().message()),
      HasSubstr("field a must be a string, not a number"));
  EXPECT_THAT(
      std::string(ParseConfigAnswer(R"({"status":"success","data":[]})").status().message()),
      HasSubstr("no field data.yaml"));
}

TEST(PrometheusAnswersTest, FindsExternalLabels) {
  struct Case {
    std::string name;
    std::string yaml;
    model::Labels labels;
  };
  const Case cases[] = {
      {"two", "global:\n  external_labels:\n    replica: \"0\"\n    cluster: eu1\n",
       model::Labels::Of({{"cluster", "eu1"}, {"replica", "0"}})},
      {"not quoted", "global: {external_labels: {replica: 0, on: true}}",
       model::Labels::Of({{"replica", "0"}, {"on", "true"}})},
      {"none", "global:\n  scrape_interval: 1s\n", {}},
      {"null", "global:\n  external_labels:\n", {}},
      {"no global", "scrape_configs: []\n", {}},
      {"empty", "", {}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto labels = ParseExternalLabels(c.yaml);
    ASSERT_TRUE(labels.ok()) << labels.status();
    EXPECT_EQ(*labels, c.labels);
  }
}

TEST(PrometheusAnswersTest, RefusesBrokenConfigurations) {
  struct Case {
    std::string name;
    std::string yaml;
    std::string message;
  };
  const Case cases[] = {
      {"no map", "[1]", "is not a map"},
      {"global is a list", "global: [1]", "field global"},
      {"labels are a list", "global: {external_labels: [a]}", "global.external_labels"},
      {"label is a map", "global: {external_labels: {a: {b: c}}}", "global.external_labels"},
      {"no YAML", "global: {", "is not YAML"},
      {"deep", std::string(100'000, '['), "is not YAML"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Status status = ParseExternalLabels(c.yaml).status();
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

TEST(PrometheusAnswersTest, FindsTheLowestTime) {
  struct Case {
    std::string name;
    std::string text;
    TimestampMs time;
  };
  const Case cases[] = {
      {"plain",
       "# HELP x y\nprometheus_tsdb_lowest_timestamp 5\n"
       "prometheus_tsdb_lowest_timestamp_seconds 1.6e+09\nlast 1\n",
       1'600'000'000'000},
      {"labels", "prometheus_tsdb_lowest_timestamp_seconds{a=\"b\"} 12 99\n", 12'000},
      {"no block", "prometheus_tsdb_lowest_timestamp_seconds 9.223372036854776e+15\n", kMinTime},
      {"no line end", "prometheus_tsdb_lowest_timestamp_seconds 1", 1000},
      {"NaN", "prometheus_tsdb_lowest_timestamp_seconds NaN\n", kMinTime},
      {"no number", "prometheus_tsdb_lowest_timestamp_seconds x\n", kMinTime},
      {"absent", "<html>\n", kMinTime},
      {"nothing", "", kMinTime},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(ParseLowestTimestamp(c.text), c.time);
  }
}

TEST(PrometheusAnswersTest, ShowsTheTextOfErrors) {
  EXPECT_EQ(ParseErrorText(R"({"status":"error","error":"query too long"})"), "query too long");
  EXPECT_EQ(ParseErrorText("404 page\nnot found\n"), "404 page not found");
  EXPECT_EQ(ParseErrorText(""), "empty answer");
  EXPECT_EQ(ParseErrorText(std::string(1000, 'x')).size(), 300u);
}

}  // namespace
}  // namespace aevum::sidecar
