// The API over HTTP, with stores behind real gRPC servers on loopback.
#include "query/api.h"

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "promql/parser.h"
#include "promql/pretty_printer.h"
#include "query/testing/api_fixture.h"

namespace aevum::query {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

// Through the store, the fan-out, deduplication and the engine to JSON. The chunk is one of
// Prometheus: src/chunk/testdata/decode.jsonl, float histograms of schema 1 at about :11, :26, :41.
TEST_F(ApiTest, AnswersWithNativeHistograms) {
  const std::string bytes = FromHex(
      "000300ff3f50624dd2f1a9fc8ce5bc946517f0000c603621b02a0120000000000000000000000000000202d9c000"
      "00"
      "00000200000000000000000000000000000002004000000000000200a00000000000000000000000000000000000"
      "00"
      "00000007c1d45eb16b841ea271a3605e107841f12e2b69524b08336030");
  const auto histogram = [&](std::string_view replica) {
    return store::testing::FakeSeries{model::Labels::Of({{"__name__", "h"}, {"replica", replica}}),
                                      {{.min_time = 1'700'920'571'397,
                                        .max_time = 1'700'920'601'446,
                                        .data = bytes,
                                        .encoding = chunk::Encoding::kFloatHistogram}}};
  };
  StoreServer histograms({histogram("0"), histogram("1")});
  options_.endpoints.endpoints.push_back({.address = histograms.address()});
  Start();
  const auto query = [&](const std::string& text) {
    return Data("/api/v1/query", {{"query", text}, {"time", "1700920601.446"}})["result"];
  };
  json result = query("h");
  ASSERT_EQ(result.size(), 1u);
  EXPECT_EQ(result[0]["metric"], json({{"__name__", "h"}}));
  EXPECT_EQ(result[0]["histogram"][1]["count"], "20");
  EXPECT_EQ(result[0]["histogram"][1]["sum"], "240.3125");
  EXPECT_EQ(result[0]["histogram"][1]["buckets"].size(), 7u);  // six, and that around zero
  EXPECT_EQ(query("histogram_count(h)")[0]["value"][1], "20");
  EXPECT_EQ(query("histogram_sum(h)")[0]["value"][1], "240.3125");
  // 10 more in the 30.049 s between the first and the last.
  EXPECT_EQ(
      query("histogram_count(increase(h[30050ms]))")[0]["value"][1].get<std::string>().substr(0, 3),
      "10.");
}

TEST_F(ApiTest, AnswersErrorsAsTheReference) {
  Start();
  std::ifstream file(std::string(AEVUM_SOURCE_DIR) + "/src/query/testdata/errors.jsonl");
  int checked = 0;
  for (std::string line; std::getline(file, line); ++checked) {
    const json expected = json::parse(line);
    SCOPED_TRACE(expected["id"].get<std::string>());
    Params params;
    for (const json& pair : expected["params"]) params.emplace_back(pair[0], pair[1]);
    const net::HttpClientResponse response = Get(expected["path"], params);
    EXPECT_EQ(response.status, expected["status"].get<int>());
    EXPECT_EQ(json::parse(response.body), expected["body"]);
    EXPECT_EQ(response.Header("Cache-Control"), "no-store");
  }
  EXPECT_GT(checked, 30);
}

TEST_F(ApiTest, ParsesAndFormatsQueries) {
  Start();
  const json tree = Data("/api/v1/parse_query", {{"query", "sum by (a) (x)"}});
  EXPECT_EQ(tree["type"], "aggregation");
  EXPECT_EQ(tree["grouping"], json::parse(R"(["a"])"));
  EXPECT_EQ(tree["param"], nullptr);
  EXPECT_EQ(Data("/api/v1/format_query", {{"query", "sum(x)by(a)>1"}}), "sum by (a) (x) > 1");
  std::string chain = "{a=\"<\"}";
  for (int i = 0; i < 400; ++i) chain += "+{a=\"<\"}";
  EXPECT_EQ(Data("/api/v1/format_query", {{"query", chain}}),
            promql::Prettify(**promql::Parse(chain)));
  for (const char* path : {"/api/v1/parse_query", "/api/v1/format_query"}) {
    EXPECT_EQ(Get(path, {{"query", "1"}}, "POST").status, 200);
    EXPECT_EQ(Get(path, {}, "OPTIONS").status, 204);
    const net::HttpClientResponse refused = Get(path, {{"query", "up +"}});
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(json::parse(refused.body),
              json::parse(R"({"status":"error","errorType":"bad_data",)"
                          R"("error":"invalid parameter \"query\": )"
                          R"(1:5: parse error: unexpected end of input"})"));
  }
}

TEST_F(ApiTest, SaysWhatAQueryTook) {
  Start();
  const Params range = {
      {"query", "sum(sum_over_time(up[2s]))"}, {"start", "57"}, {"end", "62"}, {"step", "2.5"}};
  const auto with = [](Params params, const char* name, const char* value) {
    params.emplace_back(name, value);
    return params;
  };
  EXPECT_FALSE(Data("/api/v1/query_range", range).contains("stats"));
  const json all = Data("/api/v1/query_range", with(range, "stats", "all"))["stats"];
  // Two series: two samples each up to 57 and 59.5 s, none up to 62 s.
  EXPECT_EQ(all["samples"]["totalQueryableSamples"], 8);
  EXPECT_EQ(all["samples"]["totalQueryableSamplesPerStep"],
            json::parse("[[57,4],[59.5,4],[62,0]]"));
  EXPECT_GT(all["samples"]["peakSamples"], 0);
  const json& timings = all["timings"];
  EXPECT_EQ(timings.size(), 6U);
  EXPECT_GT(timings["innerEvalTime"], 0.0);
  EXPECT_GT(timings["queryPreparationTime"], 0.0);
  EXPECT_GE(timings["execQueueTime"], 0.0);
  EXPECT_GE(timings["resultSortTime"], 0.0);
  EXPECT_GE(timings["evalTotalTime"], timings["innerEvalTime"]);
  EXPECT_GE(timings["execTotalTime"], timings["evalTotalTime"]);
  const json some = Data("/api/v1/query_range", with(range, "stats", "true"))["stats"];
  EXPECT_EQ(some["samples"]["totalQueryableSamples"], 8);
  EXPECT_FALSE(some["samples"].contains("totalQueryableSamplesPerStep"));
  const json instant =
      Data("/api/v1/query", {{"query", "up"}, {"time", "30"}, {"stats", "all"}})["stats"];
  EXPECT_EQ(instant["samples"]["totalQueryableSamplesPerStep"], json::parse("[[30,2]]"));
}

TEST_F(ApiTest, ExplainsQueries) {
  Start();
  const Params instant = {{"query", "sum by (job) (rate(up[5m]))"}, {"engine", "thanos"}};
  const json plan = json::parse(R"({"name":"[aggregation] sum by (job), holds a row a group",)"
                                R"("children":[{"name":"[window] rate(up[5m]), streams"}]})");
  EXPECT_EQ(Data("/api/v1/query_explain", instant), plan);
  Params range = instant;
  for (const char* name : {"start", "end", "step"}) range.emplace_back(name, "10");
  EXPECT_EQ(Data("/api/v1/query_range_explain", range), plan);
  for (const char* path : {"/api/v1/query_explain", "/api/v1/query_range_explain"}) {
    EXPECT_EQ(Get(path, range, "POST").status, 200);
    EXPECT_EQ(Get(path, {}, "OPTIONS").status, 204);
    const auto error = [&](const Params& params) {
      const net::HttpClientResponse response = Get(path, params);
      EXPECT_EQ(response.status, 400);
      return json::parse(response.body)["error"];
    };
    EXPECT_EQ(error({{"query", "up"}}), "engine type must be 'thanos'");
    EXPECT_EQ(error({{"query", "up"}, {"engine", "v8"}}), "'v8' bad engine");
    Params bad = range;
    bad[0].second = "up +";
    EXPECT_EQ(error(bad), "1:5: parse error: unexpected end of input");
  }
  EXPECT_TRUE(store_.store().series_requests().empty());
}

TEST_F(ApiTest, TheEngineOfTheFlagHolds) {
  options_.api.defaults.engine = "thanos";
  Start();
  EXPECT_EQ(Data("/api/v1/query_explain", {{"query", "1"}}),
            json::parse(R"({"name":"[scalar] 1"})"));
  EXPECT_EQ(Get("/api/v1/query_explain", {{"query", "1"}, {"engine", "prometheus"}}).status, 400);
  EXPECT_EQ(Data("/api/v1/query", {{"query", "1"}, {"analyze", "true"}})["analysis"]["name"],
            "[scalar] 1");
}

TEST_F(ApiTest, AnalyzesQueries) {
  Start();
  Params params = {{"query", "sum(up)"}, {"time", "30"}, {"analyze", "true"}};
  const net::HttpClientResponse refused = Get("/api/v1/query", params);
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.Header("Cache-Control"), "no-store");
  EXPECT_EQ(json::parse(refused.body)["warnings"],
            json::parse(R"(["Query not analyzable; change engine to 'thanos'."])"));
  EXPECT_EQ(json::parse(refused.body)["data"]["analysis"], json::object());

  params.emplace_back("engine", "thanos");
  for (const char* analyze : {"1", "true"}) {
    params[2].second = analyze;
    const json analysis = Data("/api/v1/query", params)["analysis"];
    EXPECT_EQ(analysis["name"], "[aggregation] sum, holds a row a group");
    EXPECT_EQ(analysis["series"], 1);
    EXPECT_EQ(analysis["totalSamples"], 2);
    EXPECT_EQ(analysis["peakSamples"], 2);
    EXPECT_THAT(analysis["executionTime"].get<std::string>(), ::testing::EndsWith("s"));
    ASSERT_EQ(analysis["children"].size(), 1U);
    const json& selector = analysis["children"][0];
    EXPECT_EQ(selector["name"], "[selector] up, streams");
    EXPECT_EQ(selector["series"], 2);
    EXPECT_FALSE(selector.contains("children"));
  }
  params[2].second = "yes";
  EXPECT_EQ(Data("/api/v1/query", params)["analysis"], json::object());
  const json range = Data("/api/v1/query_range", {{"query", "up{job=\"y\"}"},
                                                  {"start", "10"},
                                                  {"end", "12"},
                                                  {"step", "1"},
                                                  {"analyze", "1"},
                                                  {"engine", "thanos"}});
  EXPECT_EQ(range["analysis"]["totalSamples"], 3);
  EXPECT_EQ(range["result"].size(), 1U);
}

TEST_F(ApiTest, LimitsTheSeriesOfAnAnswer) {
  Start();
  const json warnings = json::parse(R"(["results truncated due to limit"])");
  const Params times = {{"time", "30"}, {"start", "30"}, {"end", "32"}, {"step", "1"}};
  const auto ask = [&](const char* path, const char* query, const char* limit) {
    Params params = times;
    params.emplace_back("query", query);
    params.emplace_back("limit", limit);
    return Get(path, params);
  };
  for (const char* path : {"/api/v1/query", "/api/v1/query_range"}) {
    SCOPED_TRACE(path);
    const net::HttpClientResponse cut = ask(path, "up", "1");
    const json body = json::parse(cut.body);
    ASSERT_EQ(body["data"]["result"].size(), 1U);
    EXPECT_EQ(body["data"]["result"][0]["metric"]["job"], "x");
    EXPECT_EQ(body["warnings"], warnings);
    EXPECT_EQ(cut.Header("Cache-Control"), "no-store");
    for (const char* enough : {"2", "0", "", "3"}) {
      const net::HttpClientResponse whole = ask(path, "up", enough);
      EXPECT_EQ(json::parse(whole.body)["data"]["result"].size(), 2U);
      EXPECT_FALSE(json::parse(whole.body).contains("warnings"));
      EXPECT_EQ(whole.Header("Cache-Control"), "");
    }
    EXPECT_EQ(json::parse(ask(path, "1", "1").body)["status"], "success");
    // Those that are not shown don't count.
    EXPECT_THAT(ask(path, "sort(up{job=\"y\"} or up{job=\"x\"} > 1)", "1").body,
                ::testing::Not(HasSubstr("truncated")));
    EXPECT_EQ(ask(path, "up", "x").status, 400);
    EXPECT_THAT(ask(path, "up", "-1").body, HasSubstr("limit must be non-negative"));
  }
  const json samples = json::parse(ask("/api/v1/query", "up[2s]", "1").body);
  EXPECT_EQ(samples["data"]["result"].size(), 1U);
  EXPECT_EQ(samples["warnings"], warnings);
  EXPECT_EQ(Get("/api/v1/series", {{"match[]", "up"}, {"limit", "1"}}).Header("Cache-Control"),
            "no-store");
}

TEST_F(ApiTest, LooksBackAsFarAsARequestSays) {
  options_.api.lookback_delta = std::chrono::seconds(20);
  Start();
  const auto found = [&](const char* time, Params params) {
    params.insert(params.end(), {{"query", "count(up)"}, {"time", time}});
    return Data("/api/v1/query", params)["result"].size() == 1;
  };
  // The last sample is at 60 s.
  EXPECT_TRUE(found("79", {}));
  EXPECT_FALSE(found("81", {}));
  EXPECT_TRUE(found("81", {{"lookback_delta", "22"}}));
  EXPECT_TRUE(found("119", {{"lookback_delta", "1m"}}));
  EXPECT_FALSE(found("71", {{"lookback_delta", "10s"}}));
  EXPECT_TRUE(found("79", {{"lookback_delta", "0"}}));
  // Dynamic: downsampled data lies further apart. What the request says goes before.
  EXPECT_TRUE(found("300", {{"max_source_resolution", "5m"}}));
  EXPECT_TRUE(found("3000", {{"max_source_resolution", "1h"}}));
  EXPECT_FALSE(found("300", {{"max_source_resolution", "5m"}, {"lookback_delta", "10s"}}));
  const json range = Data("/api/v1/query_range", {{"query", "count(up)"},
                                                  {"start", "60"},
                                                  {"end", "90"},
                                                  {"step", "10"},
                                                  {"lookback_delta", "11s"}});
  EXPECT_EQ(range["result"][0]["values"].size(), 2U);
  EXPECT_EQ(Get("/api/v1/query", {{"query", "up"}, {"lookback_delta", "x"}}).status, 400);
}

TEST_F(ApiTest, DeduplicatesUnlessAskedNotTo) {
  Start();
  const json merged = Data("/api/v1/query", {{"query", "up"}, {"time", "30"}});
  EXPECT_EQ(merged["resultType"], "vector");
  EXPECT_EQ(merged["analysis"], json::object());
  ASSERT_EQ(merged["result"].size(), 2U);
  EXPECT_EQ(
      merged["result"][0],
      json::parse(R"({"metric":{"__name__":"up","cluster":"a","job":"x"},"value":[30,"1"]})"));
  EXPECT_EQ(
      Data("/api/v1/query", {{"query", "up"}, {"time", "30"}, {"dedup", "false"}})["result"].size(),
      3U);
  EXPECT_EQ(
      Data("/api/v1/query", {{"query", "up"}, {"time", "30"}, {"replicaLabels[]", "job"}})["result"]
          .size(),
      2U);
}

TEST_F(ApiTest, AnswersRangesLabelsValuesAndSeries) {
  Start();
  const json range = Data("/api/v1/query_range",
                          {{"query", "sum(up)"}, {"start", "10"}, {"end", "12"}, {"step", "1"}});
  EXPECT_EQ(range["result"],
            json::parse(R"([{"metric":{},"values":[[10,"2"],[11,"2"],[12,"2"]]}])"));
  EXPECT_EQ(Data("/api/v1/labels"), json::parse(R"(["__name__","cluster","job","replica"])"));
  EXPECT_EQ(Data("/api/v1/label/job/values"), json::parse(R"(["x","y"])"));
  EXPECT_EQ(
      Data("/api/v1/series", {{"match[]", "up"}}),
      json::parse(
          R"([{"__name__":"up","cluster":"a","job":"x"},{"__name__":"up","cluster":"a","job":"y"}])"));
  const json limited = json::parse(Get("/api/v1/label/job/values", {{"limit", "1"}}).body);
  EXPECT_EQ(limited["data"], json::parse(R"(["x"])"));
  EXPECT_EQ(limited["warnings"], json::parse(R"(["results truncated due to limit"])"));
}

TEST_F(ApiTest, AStoreThatFailsIsAWarningOrAnError) {
  Start();
  store_.store().fail_after = 1;
  store_.store().stream_error = Unavailable("the disk is gone");
  const net::HttpClientResponse partial = Get("/api/v1/query", {{"query", "up"}, {"time", "30"}});
  EXPECT_EQ(partial.status, 200);
  EXPECT_EQ(partial.Header("Cache-Control"), "no-store");
  const json body = json::parse(partial.body);
  ASSERT_EQ(body["warnings"].size(), 1U);
  EXPECT_THAT(body["warnings"][0].get<std::string>(), HasSubstr(store_.address()));
  EXPECT_THAT(body["warnings"][0].get<std::string>(), HasSubstr("the disk is gone"));
  const net::HttpClientResponse abort =
      Get("/api/v1/query", {{"query", "up"}, {"time", "30"}, {"partial_response", "false"}});
  EXPECT_EQ(abort.status, 422);
  EXPECT_THAT(abort.body, HasSubstr("the disk is gone"));
  const json series = json::parse(Get("/api/v1/series", {{"match[]", "up"}}).body);
  EXPECT_EQ(series["warnings"].size(), 1U);
}

TEST_F(ApiTest, SelectsStoresByAddress) {
  Start();
  EXPECT_EQ(Data("/api/v1/query", {{"query", "up"},
                                   {"time", "30"},
                                   {"storeMatch[]", R"({__address__="other:1"})"}})["result"]
                .size(),
            0U);
  EXPECT_EQ(Data("/api/v1/query", {{"query", "up"},
                                   {"time", "30"},
                                   {"storeMatch[]", R"({__address__=~"127.+"})"}})["result"]
                .size(),
            2U);
}

TEST_F(ApiTest, SaysWhatItIs) {
  options_.api.flags = {{"log.level", "info"}, {"objstore.config", "secret"}};
  options_.api.version = "1.2.3";
  Start();
  EXPECT_EQ(Data("/api/v1/status/flags"),
            json::parse(R"({"log.level":"info","objstore.config":"<REDACTED>"})"));
  EXPECT_EQ(Data("/api/v1/status/buildinfo")["version"], "1.2.3");
  EXPECT_TRUE(Data("/api/v1/status/runtimeinfo").contains("startTime"));
  const json stores = Data("/api/v1/stores");
  ASSERT_EQ(stores["sidecar"].size(), 1U);
  EXPECT_EQ(stores["sidecar"][0]["name"], store_.address());
  EXPECT_EQ(stores["sidecar"][0]["lastError"], nullptr);
  EXPECT_EQ(stores["sidecar"][0]["labelSets"], json::parse(R"([{"cluster":"a"}])"));
}

TEST_F(ApiTest, AQueryBeyondItsMemoryFails) {
  options_.api.query_memory_bytes = 10'000;
  Start();
  const net::HttpClientResponse answer = Get(
      "/api/v1/query_range", {{"query", "up"}, {"start", "0"}, {"end", "1000"}, {"step", "0.1"}});
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.body, HasSubstr("query memory budget of 10000 bytes is used up"));
  EXPECT_EQ(Get("/api/v1/query", {{"query", "1"}}).status, 200);
}

TEST_F(ApiTest, AQueryBeyondItsTimeFails) {
  Start();
  store_.store().fail_after = 0;
  store_.store().hangs = true;
  const net::HttpClientResponse answer =
      Get("/api/v1/query", {{"query", "up"}, {"time", "30"}, {"timeout", "0.05"}});
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json::parse(answer.body)["errorType"], "timeout");
  EXPECT_EQ(
      Get("/api/v1/query_range",
          {{"query", "up"}, {"start", "0"}, {"end", "10"}, {"step", "1"}, {"timeout", "50ms"}})
          .status,
      503);
  EXPECT_EQ(Get("/api/v1/query", {{"query", "up"}, {"timeout", "soon"}}).status, 400);
}

TEST_F(ApiTest, AQueryThatEndsAtTheGateWasNotEvaluated) {
  options_.api.max_concurrent = 1;
  Start();
  store_.store().fail_after = 0;
  store_.store().hangs = true;
  std::thread running([&] {
    EXPECT_EQ(Get("/api/v1/query", {{"query", "up"}, {"time", "30"}, {"timeout", "2s"}}).status,
              503);
  });
  while (store_.store().series_requests().empty()) std::this_thread::yield();
  const net::HttpClientResponse answer =
      Get("/api/v1/query", {{"query", "1"}, {"timeout", "0.05"}});
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(json::parse(answer.body)["errorType"], "execution");
  running.join();
}

TEST_F(ApiTest, ARequestCanOnlyShortenTheTimeout) {
  options_.api.defaults.timeout = std::chrono::milliseconds(50);
  Start();
  store_.store().fail_after = 0;
  store_.store().hangs = true;
  EXPECT_EQ(Get("/api/v1/query", {{"query", "up"}, {"time", "30"}, {"timeout", "1h"}}).status, 503);
}

TEST_F(ApiTest, AnEndpointThatGoesIsShownAndThenForgotten) {
  options_.endpoints.unhealthy_timeout = std::chrono::milliseconds(300);
  Start();
  ASSERT_EQ(Data("/api/v1/stores")["sidecar"].size(), 1U);
  store_.Stop();
  json stores;
  const auto wait_for = [&](auto condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    do {
      stores = Data("/api/v1/stores");
    } while (!condition() && std::chrono::steady_clock::now() < end);
    return condition();
  };
  EXPECT_TRUE(
      wait_for([&] { return stores.empty() || stores["sidecar"][0]["lastError"] != nullptr; }));
  EXPECT_TRUE(wait_for([&] { return stores.empty(); })) << stores;
  EXPECT_EQ(Data("/api/v1/query", {{"query", "up"}, {"time", "30"}})["result"].size(), 0U);
}

TEST_F(ApiTest, AStrictEndpointIsAskedThoughItDoesNotAnswer) {
  options_.endpoints.endpoints.push_back({.address = "127.0.0.1:1", .strict = true});
  Start();
  EXPECT_THAT(Get("/api/v1/query", {{"query", "up"}, {"time", "30"}}).body,
              HasSubstr("127.0.0.1:1"));
  EXPECT_EQ(
      Get("/api/v1/query", {{"query", "up"}, {"time", "30"}, {"partial_response", "0"}}).status,
      422);
}

TEST_F(ApiTest, CountsWhatTheEngineDoes) {
  Start();
  Data("/api/v1/query", {{"query", "up"}, {"time", "30"}});
  const auto families = metrics_->Collect();
  const auto metric = [&](std::string_view name) -> const prometheus::ClientMetric& {
    for (const auto& family : families) {
      if (family.name != name) continue;
      for (const auto& one : family.metric) {
        for (const auto& label : one.label)
          if (label.name == "engine" && label.value == "prometheus") return one;
      }
    }
    ADD_FAILURE() << "no metric " << name;
    static const prometheus::ClientMetric kNone;
    return kNone;
  };
  EXPECT_EQ(metric("prometheus_engine_queries").gauge.value, 0);
  EXPECT_EQ(metric("prometheus_engine_queries_concurrent_max").gauge.value, 20);
  EXPECT_GT(metric("prometheus_engine_query_samples_total").counter.value, 0);
  EXPECT_EQ(metric("prometheus_engine_query_duration_seconds").summary.sample_count, 1U);
}

}  // namespace
}  // namespace aevum::query
