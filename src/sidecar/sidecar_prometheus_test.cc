// The sidecar against a real Prometheus.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <set>

#include "chunk/chunk.h"
#include "encoding/proto_wire.h"
#include "encoding/snappy.h"
#include "sidecar/prometheus_client.h"
#include "sidecar/prometheus_store.h"
#include "sidecar/sidecar.h"
#include "sidecar/testing/prometheus_process.h"

namespace aevum::sidecar {
namespace {

using namespace std::chrono_literals;
using model::Labels;
using model::Matcher;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr TimestampMs kStart = 1'767'225'600'000;  // 2026-01-01
constexpr int kSamples = 600;
constexpr TimestampMs kStep = 15'000;
constexpr TimestampMs kEnd = kStart + (kSamples - 1) * kStep;

constexpr std::string_view kConfig =
    "global:\n  external_labels:\n    cluster: eu1\n    replica: \"0\"\n";

// Metrics of one series each or more, sample k of series s being 1000 s + k.
std::string OpenMetrics(const std::vector<std::string>& series) {
  std::string text;
  for (std::size_t s = 0; s < series.size(); ++s) {
    for (int k = 0; k < kSamples; ++k) {
      text += fmt::format("{} {} {}\n", series[s], 1000 * static_cast<int>(s) + k,
                          (kStart + k * kStep) / 1000);
    }
  }
  return text + "# EOF\n";
}

struct Result {
  Labels labels;
  chunk::Columns columns;
  std::size_t chunks = 0;
};

StatusOr<std::vector<Result>> Collect(store::Store& store, const wire::SeriesRequest& request,
                                      const Context& context = Context::Background()) {
  ASSIGN_OR_RETURN(const auto stream, store.Series(context, request));
  std::vector<Result> results;
  wire::SeriesBatch batch;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, stream->Next(&batch));
    for (const wire::SeriesBatch::Series& series : batch.series) {
      Result result{.labels = series.labels, .columns = {}, .chunks = series.chunk_count};
      for (const chunk::ChunkView& chunk : batch.ChunksOf(series)) {
        RETURN_IF_ERROR(chunk::Decode(chunk.encoding, chunk.data, &result.columns));
      }
      results.push_back(std::move(result));
    }
    if (!more) return results;
  }
}

std::vector<Labels> LabelsOf(const std::vector<Result>& results) {
  std::vector<Labels> labels;
  for (const Result& result : results) labels.push_back(result.labels);
  return labels;
}

Matcher Regex(const std::string& name, const std::string& value) {
  return *Matcher::Create(model::MatchType::kRegex, name, value);
}

wire::SeriesRequest Select(model::Matchers matchers) {
  wire::SeriesRequest request;
  request.min_time = kStart;
  request.max_time = kEnd;
  request.matchers = std::move(matchers);
  return request;
}

// A Prometheus with a sidecar that had one heartbeat.
struct Pair {
  std::unique_ptr<PrometheusProcess> prometheus;
  prometheus::Registry registry;
  std::shared_ptr<PrometheusClient> client;
  std::unique_ptr<Heartbeat> heartbeat;
  std::unique_ptr<PrometheusStore> store;

  static std::unique_ptr<Pair> Start(const PrometheusOptions& options,
                                     HeartbeatOptions heartbeat = {},
                                     const std::string& prefix = "") {
    auto started = PrometheusProcess::Start(options);
    EXPECT_TRUE(started.ok()) << started.status();
    if (!started.ok()) return nullptr;
    auto pair = std::make_unique<Pair>();
    pair->prometheus = std::move(*started);
    pair->client = std::make_shared<PrometheusClient>(pair->prometheus->url() + prefix,
                                                      net::HttpClientOptions());
    pair->heartbeat = std::make_unique<Heartbeat>(std::move(heartbeat), pair->client, nullptr,
                                                  Logger(), pair->registry);
    pair->store = std::make_unique<PrometheusStore>(pair->client, *pair->heartbeat, pair->registry);
    return pair;
  }
};

class SidecarPrometheusTest : public ::testing::Test {
 protected:
  // One Prometheus for all tests that only read: those of the order of labels (a < cluster < d <
  // replica < zone) and a family of counters.
  static void SetUpTestSuite() {
    if (PrometheusProcess::FindProgram().empty()) return;
    std::vector<std::string> series = {
        "plain",
        "plain{a=\"1\"}",
        "plain{a=\"1\",d=\"1\"}",
        "plain{a=\"1\",d=\"1\",zone=\"x\"}",
        "plain{a=\"1\",zone=\"x\"}",
        "plain{d=\"1\"}",
        "plain{zone=\"x\"}",
    };
    for (int i = 0; i < 20; ++i) {
      series.push_back(fmt::format("requests_total{{instance=\"i{:02}\",job=\"api\"}}", i));
    }
    shared_ = Pair::Start(
                  {.config = std::string(kConfig), .openmetrics = OpenMetrics(series), .flags = {}})
                  .release();
    if (shared_ == nullptr) return;
    const Status status = shared_->heartbeat->Beat();
    ASSERT_TRUE(status.ok()) << status;
  }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }
  void SetUp() override {
    if (PrometheusProcess::FindProgram().empty()) GTEST_SKIP() << PrometheusProcess::kSkip;
    ASSERT_NE(shared_, nullptr);
  }

  store::Store& store() { return *shared_->store; }

  static Pair* shared_;
  const Context context_ = Context::Background();
};

Pair* SidecarPrometheusTest::shared_ = nullptr;

TEST_F(SidecarPrometheusTest, DescribesItself) {
  const auto info = store().Info(context_);
  ASSERT_TRUE(info.ok()) << info.status();
  const Labels external = Labels::Of({{"cluster", "eu1"}, {"replica", "0"}});
  EXPECT_EQ(info->component_type, "sidecar");
  EXPECT_THAT(info->label_sets, ElementsAre(external));
  ASSERT_TRUE(info->store.has_value());
  EXPECT_EQ(info->store->min_time, kStart);
  EXPECT_EQ(info->store->max_time, kMaxTime);
  EXPECT_TRUE(info->store->supports_sharding);
  EXPECT_TRUE(info->store->supports_without_replica_labels);
  ASSERT_EQ(info->store->tsdb_infos.size(), 1u);
  EXPECT_EQ(info->store->tsdb_infos[0].labels, external);
  EXPECT_EQ(info->store->tsdb_infos[0].min_time, kStart);
  EXPECT_FALSE(info->rules);
  EXPECT_FALSE(info->exemplars.has_value());
  EXPECT_TRUE(VersionAtLeast(shared_->heartbeat->state()->version, 2, 30));
}

TEST_F(SidecarPrometheusTest, GivesAllSamplesWithExternalLabels) {
  const auto results = Collect(store(), Select({Matcher::Equal("__name__", "requests_total")}));
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 20u);
  for (std::size_t i = 0; i < results->size(); ++i) {
    const Result& result = (*results)[i];
    SCOPED_TRACE(result.labels.ToString());
    EXPECT_EQ(result.labels.Get("instance"), fmt::format("i{:02}", i));
    EXPECT_EQ(result.labels.Get("cluster"), "eu1");
    EXPECT_EQ(result.labels.Get("replica"), "0");
    ASSERT_EQ(result.columns.times.size(), static_cast<std::size_t>(kSamples));
    EXPECT_EQ(result.chunks, 5u);
    for (int k = 0; k < kSamples; ++k) {
      const auto at = static_cast<std::size_t>(k);
      ASSERT_EQ(result.columns.times[at], kStart + k * kStep);
      ASSERT_EQ(result.columns.values[at], 1000.0 * static_cast<double>(7 + i) + k);
    }
  }
}

TEST_F(SidecarPrometheusTest, SortsByTheLabelsOfTheAnswer) {
  for (const std::vector<std::string>& removed : {std::vector<std::string>{},
                                                  {"replica"},
                                                  {"cluster"},
                                                  {"cluster", "replica"},
                                                  {"a"},
                                                  {"d", "replica"}}) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(removed, ",")));
    wire::SeriesRequest request = Select({Matcher::Equal("__name__", "plain")});
    request.without_replica_labels = removed;
    const auto results = Collect(store(), request);
    ASSERT_TRUE(results.ok()) << results.status();
    ASSERT_EQ(results->size(), 7u);
    const std::vector<Labels> labels = LabelsOf(*results);
    EXPECT_TRUE(std::is_sorted(labels.begin(), labels.end()));
    for (const Labels& each : labels) {
      for (const std::string& name : removed) EXPECT_FALSE(each.Has(name)) << each.ToString();
    }
  }
}

TEST_F(SidecarPrometheusTest, AnswersMatchersOnExternalLabelsItself) {
  const Matcher plain = Matcher::Equal("__name__", "plain");
  struct Case {
    std::string name;
    model::Matchers matchers;
    std::size_t series;
  };
  const Case cases[] = {
      {"equal", {plain, Matcher::Equal("cluster", "eu1")}, 7},
      {"regex", {plain, Regex("cluster", "eu.")}, 7},
      {"another cluster", {plain, Matcher::Equal("cluster", "us1")}, 0},
      {"not there", {plain, *Matcher::Create(model::MatchType::kNotEqual, "replica", "0")}, 0},
      {"empty", {plain, Matcher::Equal("replica", "")}, 0},
  };
  for (const Case& c : cases) {
    for (const bool skip_chunks : {false, true}) {
      SCOPED_TRACE(c.name);
      wire::SeriesRequest request = Select(c.matchers);
      request.skip_chunks = skip_chunks;
      const auto results = Collect(store(), request);
      ASSERT_TRUE(results.ok()) << results.status();
      EXPECT_EQ(results->size(), c.series);
    }
  }
  const Status status = Collect(store(), Select({Matcher::Equal("cluster", "eu1")})).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "no matchers specified (excluding external labels)");
}

TEST_F(SidecarPrometheusTest, GivesTheSameSeriesWithoutChunks) {
  for (const std::vector<std::string>& removed : {std::vector<std::string>{}, {"replica"}}) {
    wire::SeriesRequest request = Select({Regex("__name__", "plain|requests_total")});
    request.without_replica_labels = removed;
    const auto with_chunks = Collect(store(), request);
    request.skip_chunks = true;
    const auto without = Collect(store(), request);
    ASSERT_TRUE(with_chunks.ok() && without.ok()) << with_chunks.status() << without.status();
    EXPECT_EQ(LabelsOf(*without), LabelsOf(*with_chunks));
    EXPECT_EQ(without->size(), 27u);
    EXPECT_EQ((*without)[0].chunks, 0u);
  }
}

TEST_F(SidecarPrometheusTest, ShardsAreDisjointAndComplete) {
  for (const bool skip_chunks : {false, true}) {
    std::vector<Labels> all;
    std::size_t largest = 0;
    for (std::int64_t shard = 0; shard < 4; ++shard) {
      wire::SeriesRequest request = Select({Matcher::Equal("__name__", "requests_total")});
      request.skip_chunks = skip_chunks;
      request.shard_info = wire::ShardInfo{
          .shard_index = shard, .total_shards = 4, .by = true, .labels = {"instance"}};
      const auto results = Collect(store(), request);
      ASSERT_TRUE(results.ok()) << results.status();
      largest = std::max(largest, results->size());
      for (const Result& result : *results) all.push_back(result.labels);
    }
    EXPECT_LT(largest, 15u);
    std::sort(all.begin(), all.end());
    EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
    EXPECT_EQ(all.size(), 20u);
  }
}

TEST_F(SidecarPrometheusTest, StopsAtTheLimit) {
  for (const bool skip_chunks : {false, true}) {
    for (const std::vector<std::string>& removed : {std::vector<std::string>{}, {"a"}}) {
      wire::SeriesRequest request = Select({Matcher::Equal("__name__", "requests_total")});
      request.skip_chunks = skip_chunks;
      request.limit = 3;
      request.without_replica_labels = removed;
      const auto results = Collect(store(), request);
      ASSERT_TRUE(results.ok()) << results.status();
      ASSERT_EQ(results->size(), 3u);
      EXPECT_EQ((*results)[2].labels.Get("instance"), "i02");
    }
  }
}

TEST_F(SidecarPrometheusTest, GivesOnlyTheTimeThatIsAskedFor) {
  wire::SeriesRequest request = Select({Matcher::Equal("instance", "i00")});
  request.min_time = kStart + 130 * kStep;
  request.max_time = kStart + 140 * kStep;
  const auto results = Collect(store(), request);
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 1u);
  EXPECT_EQ((*results)[0].chunks, 1u);  // whole chunks pass as they are
  EXPECT_THAT((*results)[0].columns.times, Contains(request.min_time));
  EXPECT_THAT((*results)[0].columns.times, Contains(request.max_time));
  request.max_time = kStart - 1;
  request.min_time = kStart - 1000;
  EXPECT_THAT(*Collect(store(), request), IsEmpty());
}

TEST_F(SidecarPrometheusTest, KnowsLabelNames) {
  struct Case {
    std::string name;
    wire::LabelNamesRequest request;
    std::vector<std::string> names;
  };
  const auto request = [](model::Matchers matchers, std::vector<std::string> removed = {},
                          std::int64_t limit = 0) {
    wire::LabelNamesRequest made;
    made.start = kStart;
    made.end = kEnd;
    made.matchers = std::move(matchers);
    made.without_replica_labels = std::move(removed);
    made.limit = limit;
    return made;
  };
  const Case cases[] = {
      {"all", request({}), {"__name__", "a", "cluster", "d", "instance", "job", "replica", "zone"}},
      {"matching",
       request({Matcher::Equal("__name__", "requests_total")}),
       {"__name__", "cluster", "instance", "job", "replica"}},
      {"external",
       request({Matcher::Equal("cluster", "eu1"), Matcher::Equal("zone", "x")}),
       {"__name__", "a", "cluster", "d", "replica", "zone"}},
      {"external does not match", request({Matcher::Equal("cluster", "us1")}), {}},
      {"nothing there", request({Matcher::Equal("__name__", "none")}), {}},
      {"removed",
       request({}, {"replica", "job"}),
       {"__name__", "a", "cluster", "d", "instance", "zone"}},
      {"limit", request({}, {}, 3), {"__name__", "a", "cluster"}},
      {"limit and removed", request({}, {"a"}, 2), {"__name__", "cluster"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto names = store().LabelNames(context_, c.request);
    ASSERT_TRUE(names.ok()) << names.status();
    EXPECT_EQ(names->strings, c.names);
  }
}

TEST_F(SidecarPrometheusTest, KnowsLabelValues) {
  struct Case {
    std::string name;
    wire::LabelValuesRequest request;
    std::vector<std::string> values;
  };
  const auto request = [](std::string label, model::Matchers matchers = {},
                          std::vector<std::string> removed = {}, std::int64_t limit = 0) {
    wire::LabelValuesRequest made;
    made.label = std::move(label);
    made.start = kStart;
    made.end = kEnd;
    made.matchers = std::move(matchers);
    made.without_replica_labels = std::move(removed);
    made.limit = limit;
    return made;
  };
  const Matcher plain = Matcher::Equal("__name__", "plain");
  const Case cases[] = {
      {"all", request("__name__"), {"plain", "requests_total"}},
      {"matching", request("a", {plain}), {"1"}},
      {"limit", request("instance", {}, {}, 2), {"i00", "i01"}},
      {"external", request("cluster"), {"eu1"}},
      {"external with matchers", request("cluster", {plain}), {"eu1"}},
      {"external, no series", request("cluster", {Matcher::Equal("__name__", "none")}), {}},
      {"external does not match", request("__name__", {Matcher::Equal("cluster", "us1")}), {}},
      {"removed", request("replica", {}, {"replica"}), {}},
      {"unknown", request("nobody_has_it"), {}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto values = store().LabelValues(context_, c.request);
    ASSERT_TRUE(values.ok()) << values.status();
    EXPECT_EQ(values->strings, c.values);
  }
  EXPECT_EQ(store().LabelValues(context_, request("")).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(SidecarPrometheusTest, PassesOnWhatPrometheusRefuses) {
  wire::SeriesRequest request = Select({Regex("job", ".*")});
  request.skip_chunks = true;
  const Status status = Collect(store(), request).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("/api/v1/series"), HasSubstr("400"), HasSubstr("match[]")));
}

TEST_F(SidecarPrometheusTest, PostsSelectionsThatAreTooLongForAUrl) {
  std::string any_of = "none";
  for (int i = 0; i < 3000; ++i) any_of += fmt::format("|instance-{}", i);
  wire::SeriesRequest request = Select({Regex("instance", any_of + "|i07")});
  request.skip_chunks = true;
  const auto results = Collect(store(), request);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ(results->size(), 1u);
}

TEST_F(SidecarPrometheusTest, EndsWithTheBudgetAndWithCancellation) {
  const auto request = Select({Matcher::Equal("__name__", "requests_total")});
  const auto budget = std::make_shared<MemoryBudget>("query", 10'000);
  const Status status = Collect(store(), request, context_.WithBudget(budget)).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(budget->used_bytes(), 0);

  CancelScope scope(context_);
  scope.Cancel();
  EXPECT_EQ(Collect(store(), request, scope.context()).status().code(), StatusCode::kCancelled);
  EXPECT_EQ(Collect(store(), request, context_.WithTimeout(0s)).status().code(),
            StatusCode::kDeadlineExceeded);
  // A stream that nobody reads ends as well.
  ASSERT_TRUE(store().Series(context_, request).ok());
}

TEST_F(SidecarPrometheusTest, SpansLessWithAMinimumTime) {
  auto min_time = TimeOrDuration::Parse("2026-01-01T01:00:00Z");
  ASSERT_TRUE(min_time.ok());
  HeartbeatOptions options;
  options.min_time = *min_time;
  prometheus::Registry registry;
  Heartbeat heartbeat(options, shared_->client, nullptr, Logger(), registry);
  PrometheusStore bounded(shared_->client, heartbeat, registry);
  EXPECT_EQ(bounded.Info(context_).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Collect(bounded, Select({Matcher::Equal("instance", "i00")})).status().code(),
            StatusCode::kUnavailable);
  ASSERT_TRUE(heartbeat.Beat().ok());
  EXPECT_EQ(bounded.Info(context_)->store->min_time, kStart + 3'600'000);
  const auto results = Collect(bounded, Select({Matcher::Equal("instance", "i00")}));
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 1u);
  EXPECT_EQ((*results)[0].chunks, 3u);  // two chunks of the first hour are not asked for
  wire::SeriesRequest before = Select({Matcher::Equal("instance", "i00")});
  before.max_time = kStart + 1'800'000;
  EXPECT_THAT(*Collect(bounded, before), IsEmpty());
}

TEST_F(SidecarPrometheusTest, ExternalLabelsWinOverThoseOfSeries) {
  const auto pair = Pair::Start({.config = std::string(kConfig),
                                 .openmetrics = OpenMetrics({
                                     "m{replica=\"inner\",x=\"2\"}",
                                     "m{replica=\"other\",x=\"1\"}",
                                     "m{x=\"3\"}",
                                 }),
                                 .flags = {}});
  ASSERT_NE(pair, nullptr);
  ASSERT_TRUE(pair->heartbeat->Beat().ok());
  EXPECT_TRUE(pair->heartbeat->state()->MayHaveLabel("replica"));
  for (const bool skip_chunks : {false, true}) {
    wire::SeriesRequest request = Select({Matcher::Equal("__name__", "m")});
    request.skip_chunks = skip_chunks;
    const auto results = Collect(*pair->store, request);
    ASSERT_TRUE(results.ok()) << results.status();
    const auto expected = [](std::string_view x) {
      return Labels::Of({{"__name__", "m"}, {"cluster", "eu1"}, {"replica", "0"}, {"x", x}});
    };
    EXPECT_THAT(LabelsOf(*results), ElementsAre(expected("1"), expected("2"), expected("3")));
  }
  wire::LabelValuesRequest values;
  values.label = "replica";
  values.start = kStart;
  values.end = kEnd;
  EXPECT_THAT(pair->store->LabelValues(context_, values)->strings, ElementsAre("0"));
}

TEST_F(SidecarPrometheusTest, KeepsThePathOfTheUrl) {
  const auto pair = Pair::Start(
      {.config = std::string(kConfig),
       .openmetrics = OpenMetrics({"m"}),
       .flags = {"--web.external-url=http://127.0.0.1/prom", "--web.route-prefix=/prom"}},
      {}, "/prom/");
  ASSERT_NE(pair, nullptr);
  const Status status = pair->heartbeat->Beat();
  ASSERT_TRUE(status.ok()) << status;
  const auto results = Collect(*pair->store, Select({Matcher::Equal("__name__", "m")}));
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ(results->size(), 1u);
}

TEST_F(SidecarPrometheusTest, NeedsExternalLabels) {
  const auto pair = Pair::Start({.config = "global: {}\n", .openmetrics = "", .flags = {}});
  ASSERT_NE(pair, nullptr);
  const Status status = pair->heartbeat->Beat();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("no external labels"), HasSubstr(pair->prometheus->url())));
  EXPECT_EQ(pair->heartbeat->state(), nullptr);
}

// One series with a native histogram a minute, as a remote write.
std::string HistogramWrite(std::string_view name, bool with_floats) {
  using encoding::PutBytesField;
  using encoding::PutVarintField;
  const auto put_double = [](std::string& out, std::uint32_t field, double value) {
    encoding::PutUvarint(out, field << 3 | 1);
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);  // little endian, as the machines of the tests
    out.append(bytes, sizeof bytes);
  };
  std::string label;
  PutBytesField(label, 1, "__name__");
  PutBytesField(label, 2, name);
  std::string series;
  PutBytesField(series, 1, label);
  for (int i = 0; i < 5; ++i) {
    std::string histogram;
    std::string span;
    PutVarintField(span, 2, 1);  // one bucket
    if (with_floats) {
      put_double(histogram, 2, 2.5 + i);
      put_double(histogram, 3, 10);
      PutBytesField(histogram, 11, span);
      std::string counts;
      put_double(counts, 1, 2.5 + i);
      PutBytesField(histogram, 13, counts.substr(1));
    } else {
      PutVarintField(histogram, 1, static_cast<std::uint64_t>(2 + i));
      put_double(histogram, 3, 10);
      PutBytesField(histogram, 11, span);
      PutBytesField(histogram, 12, std::string(1, static_cast<char>(2 * (2 + i))));  // zigzag
    }
    PutVarintField(histogram, 15, static_cast<std::uint64_t>(kStart + i * 60'000));
    PutBytesField(series, 4, histogram);
  }
  std::string request;
  PutBytesField(request, 1, series);
  return encoding::SnappyCompress(request);
}

TEST_F(SidecarPrometheusTest, PassesNativeHistogramsAsTheyAre) {
  const auto pair = Pair::Start(
      {.config = std::string(kConfig),
       .openmetrics = "",
       .flags = {"--web.enable-remote-write-receiver", "--enable-feature=native-histograms"}});
  ASSERT_NE(pair, nullptr);
  net::HttpClient http{net::HttpClientOptions()};
  for (const bool with_floats : {false, true}) {
    net::HttpClientRequest write;
    write.method = "POST";
    write.url = pair->prometheus->url() + "/api/v1/write";
    write.headers = {{"Content-Type", "application/x-protobuf"},
                     {"Content-Encoding", "snappy"},
                     {"X-Prometheus-Remote-Write-Version", "0.1.0"}};
    write.body = HistogramWrite(with_floats ? "h_float" : "h_int", with_floats);
    const auto written = http.Do(context_, write);
    ASSERT_TRUE(written.ok()) << written.status();
    ASSERT_EQ(written->status, 204) << written->body;
  }
  ASSERT_TRUE(pair->heartbeat->Beat().ok());
  const auto stream = pair->store->Series(context_, Select({Regex("__name__", "h_.*")}));
  ASSERT_TRUE(stream.ok()) << stream.status();
  std::vector<std::string> names;
  std::vector<chunk::Encoding> encodings;
  wire::SeriesBatch batch;
  while (true) {
    const auto more = (*stream)->Next(&batch);
    ASSERT_TRUE(more.ok()) << more.status();
    if (!*more) break;
    for (const auto& series : batch.series) names.emplace_back(series.labels.Get("__name__"));
    for (const chunk::ChunkView& chunk : batch.chunks) {
      encodings.push_back(chunk.encoding);
      EXPECT_EQ(chunk::ClaimedSamples(chunk.encoding, chunk.data), 5u);
      EXPECT_EQ(chunk.min_time, kStart);
      EXPECT_EQ(chunk.max_time, kStart + 4 * 60'000);
    }
  }
  EXPECT_THAT(names, ElementsAre("h_float", "h_int"));
  EXPECT_THAT(encodings,
              ElementsAre(chunk::Encoding::kFloatHistogram, chunk::Encoding::kHistogram));
}

// Waits for what a listener was told.
class Told {
 public:
  Heartbeat::Listener Listener() {
    return [this](const Status& status) {
      std::lock_guard lock(mutex_);
      last_ = status;
      changed_.notify_all();
    };
  }
  bool WaitFor(const std::function<bool(const Status&)>& wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 30s, [&] { return last_ && wanted(*last_); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Status> last_;
};

TEST_F(SidecarPrometheusTest, FollowsPrometheusThroughReloadsAndItsEnd) {
  for (const ReloadMethod method : {ReloadMethod::kHttp, ReloadMethod::kSignal}) {
    SCOPED_TRACE(method == ReloadMethod::kHttp ? "http" : "signal");
    // A name of its own, so that no other Prometheus of this machine gets the signal.
    const std::string name = fmt::format("prom-{}", ::getpid());
    auto process = PrometheusProcess::Start(
        {.config = std::string(kConfig), .openmetrics = "", .flags = {}, .process_name = name});
    ASSERT_TRUE(process.ok()) << process.status();
    const std::string config_in = (*process)->config_path() + ".in";
    ASSERT_TRUE(WriteFileAtomically(config_in, kConfig).ok());
    SidecarOptions options;
    options.prometheus_url = (*process)->url();
    options.heartbeat.interval = 10ms;
    options.reloader.config_file = config_in;
    options.reloader.config_envsubst_file = (*process)->config_path();
    options.reloader.environment = [](const std::string&) {
      return std::optional<std::string>("changed");
    };
    options.reloader.debounce = 1ms;
    options.reloader.retry_interval = 100ms;
    options.reloader.method = method;
    options.reloader.process_name = name;
    Told told;
    prometheus::Registry registry;
    Sidecar sidecar(options, told.Listener(), nullptr, nullptr, Logger(), registry);
    const Status started = sidecar.Start();
    ASSERT_TRUE(started.ok()) << started;
    EXPECT_TRUE(told.WaitFor([](const Status& status) { return status.ok(); }));
    EXPECT_TRUE(sidecar.ready().ok());
    ASSERT_TRUE(
        WriteFileAtomically(config_in, "global: {external_labels: {replica: $(X)}}\n").ok());
    EXPECT_TRUE(told.WaitFor([&](const Status&) {
      const auto info = sidecar.store().Info(Context::Background());
      return info.ok() && info->label_sets[0] == Labels::Of({{"replica", "changed"}});
    }));
    (*process)->Kill();
    EXPECT_TRUE(told.WaitFor([](const Status& status) { return !status.ok(); }));
    EXPECT_EQ(sidecar.ready().code(), StatusCode::kUnavailable);
    EXPECT_EQ(sidecar.store().Info(Context::Background()).status().code(),
              StatusCode::kUnavailable);
    EXPECT_FALSE(Collect(sidecar.store(), Select({Matcher::Equal("__name__", "m")})).ok());
    sidecar.Stop();
  }
}

}  // namespace
}  // namespace aevum::sidecar
