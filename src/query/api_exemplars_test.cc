// Metadata, exemplars and statistics over HTTP, with endpoints behind real gRPC servers on
// loopback.
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <nlohmann/json.hpp>

#include "net/grpc/client.h"
#include "net/grpc/server.h"
#include "net/http/client.h"
#include "net/url.h"
#include "query/query.h"
#include "store/grpc_server.h"

namespace aevum::query {
namespace {

using model::Labels;
using net::grpc::Server;
using net::grpc::ServerCall;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// An endpoint that says what it is told to.
class FakeEndpoint {
 public:
  explicit FakeEndpoint(Labels external, std::string component = "sidecar")
      : server_({.address = "127.0.0.1:0"}, Logger(), std::make_shared<prometheus::Registry>()) {
    info.component_type = std::move(component);
    info.label_sets = {std::move(external)};
    info.metric_metadata = info.status = true;
    info.exemplars = wire::TimeRange{.min_time = 5, .max_time = 10};
    store::RegisterInfo(server_,
                        [this](const Context&) -> StatusOr<wire::InfoResponse> { return info; });
    Answer("/thanos.Metadata/MetricMetadata", &metadata);
    Answer("/thanos.Exemplars/Exemplars", &exemplars);
    Answer("/thanos.Status/TSDBStatistics", &statistics);
    EXPECT_TRUE(server_.Start().ok());
  }
  ~FakeEndpoint() { server_.Stop(std::chrono::milliseconds(0)); }

  std::string address() const { return fmt::format("127.0.0.1:{}", server_.port()); }
  // The messages that came for a method.
  std::vector<std::string> requests(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const auto it = requests_.find(path);
    return it == requests_.end() ? std::vector<std::string>() : it->second;
  }
  wire::ExemplarsRequest exemplars_request() const {
    const auto all = requests("/thanos.Exemplars/Exemplars");
    EXPECT_THAT(all, SizeIs(1));
    return all.empty() ? wire::ExemplarsRequest() : *wire::DecodeExemplarsRequest(all[0]);
  }

  // Set before the first question.
  wire::InfoResponse info;
  std::vector<wire::MetricMetadataResponse> metadata;
  std::vector<wire::ExemplarsResponse> exemplars;
  std::vector<wire::TsdbStatisticsResponse> statistics;
  std::string damaged;  // sent instead when it is not empty
  Status end;           // of each call

 private:
  template <typename Response>
  void Answer(const std::string& path, const std::vector<Response>* responses) {
    server_.Register(path, Server::Kind::kServerStream,
                     [this, path, responses](ServerCall& call) -> Status {
                       {
                         const std::lock_guard lock(mutex_);
                         requests_[path].emplace_back(call.request().view);
                       }
                       if (!damaged.empty()) call.Write(SharedBytes::Own(damaged));
                       for (const Response& response : *responses)
                         call.Write(SharedBytes::Own(wire::Encode(response)));
                       return end;
                     });
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> requests_;
  Server server_;
};

// A querier with its HTTP and gRPC servers.
class Querier {
 public:
  Querier(QueryOptions options, const std::vector<std::string>& addresses)
      : metrics_(std::make_shared<prometheus::Registry>()),
        grpc_({.address = "127.0.0.1:0"}, Logger(), metrics_),
        http_(HttpOptions(), Logger(), metrics_),
        client_(net::HttpClientOptions{}) {
    // Long, so that no endpoint is lost on a busy machine.
    options.endpoints.info_timeout = std::chrono::seconds(30);
    for (const std::string& address : addresses)
      options.endpoints.endpoints.push_back({.address = address});
    query_ = std::make_unique<Query>(std::move(options), Logger(), metrics_);
    query_->AddRoutes(http_);
    RegisterMetadataServices(grpc_, query_->metadata(),
                             [this] { return query_->evaluator().MakeBudget(); });
    store::RegisterInfo(grpc_, [this](const Context& context) -> StatusOr<wire::InfoResponse> {
      ASSIGN_OR_RETURN(wire::InfoResponse info, query_->store().Info(context));
      info.metric_metadata = info.status = true;
      info.exemplars = query_->ExemplarTimes();
      return info;
    });
    EXPECT_TRUE(http_.Start().ok());
    EXPECT_TRUE(grpc_.Start().ok());
    std::atomic<bool> ready = false;
    EXPECT_TRUE(query_->Start([&] { ready = true; }).ok());
    while (!ready) std::this_thread::yield();
  }
  ~Querier() {
    http_.Stop(std::chrono::milliseconds(0));
    grpc_.Stop(std::chrono::milliseconds(0));
  }

  using Params = std::vector<std::pair<std::string, std::string>>;
  net::HttpClientResponse Get(const std::string& path, const Params& params = {}) {
    std::string url = fmt::format("http://127.0.0.1:{}/api/v1{}", http_.port(), path);
    char separator = '?';
    for (const auto& [name, value] : params) {
      url += separator + net::PercentEncode(name) + "=" + net::PercentEncode(value);
      separator = '&';
    }
    auto response = client_.Do(Context::Background(), {.method = "GET", .url = url});
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : net::HttpClientResponse{};
  }
  std::string address() const { return fmt::format("127.0.0.1:{}", grpc_.port()); }
  Query& query() { return *query_; }

 private:
  static net::HttpServerOptions HttpOptions() {
    net::HttpServerOptions options;
    options.address = "127.0.0.1:0";
    return options;
  }

  std::shared_ptr<prometheus::Registry> metrics_;
  std::unique_ptr<Query> query_;
  Server grpc_;
  net::HttpServer http_;
  net::HttpClient client_;
};

QueryOptions Options() {
  QueryOptions options;
  options.api.defaults.replica_labels = {"replica"};
  return options;
}

wire::ExemplarsResponse ExemplarOf(Labels labels, TimestampMs time, double value = 0.5) {
  wire::ExemplarsResponse response;
  response.series = wire::ExemplarSeries{
      .labels = std::move(labels),
      .exemplars = {{.labels = Labels::Of({{"trace_id", fmt::format("<{}>", time)}}),
                     .value = value,
                     .time = time}}};
  return response;
}

wire::MetricMetadataResponse MetadataOf(wire::MetricMetadata metadata) {
  wire::MetricMetadataResponse response;
  response.metadata = std::move(metadata);
  return response;
}

wire::TsdbStatisticsResponse StatisticsOf(wire::TsdbStatisticsByTenant by_tenant) {
  wire::TsdbStatisticsResponse response;
  response.statistics = std::move(by_tenant);
  return response;
}

TEST(ApiExemplarsTest, MetadataOfAllEndpoints) {
  FakeEndpoint a(Labels::Of({{"replica", "0"}}));
  FakeEndpoint b(Labels::Of({{"replica", "1"}}));
  a.metadata = {MetadataOf({{"up", {{"gauge", "Is <it> up?", ""}}}})};
  b.metadata = {MetadataOf({{"up", {{"gauge", "Is <it> up?", ""}, {"counter", "", "s"}}}}),
                {.warning = "from below"}};
  Querier querier(Options(), {a.address(), b.address()});
  const auto response = querier.Get("/metadata", {{"metric", "up"}, {"limit", "7"}});
  EXPECT_EQ(response.status, 200);
  const json data = json::parse(response.body)["data"];
  EXPECT_EQ(data["up"].size(), 2U);
  EXPECT_THAT(response.body,
              HasSubstr(R"({"type":"gauge","help":"Is \u003cit\u003e up?","unit":""})"));
  EXPECT_THAT(response.body, HasSubstr(R"({"type":"counter","help":"","unit":"s"})"));
  EXPECT_THAT(response.body, HasSubstr(R"("warnings":["from below"])"));
  EXPECT_EQ(response.Header("Cache-Control"), "no-store");
  const auto asked =
      wire::DecodeMetricMetadataRequest(a.requests("/thanos.Metadata/MetricMetadata").at(0));
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(asked->metric, "up");
  EXPECT_EQ(asked->limit, 7);
  EXPECT_EQ(asked->partial_response, wire::PartialResponse::kWarn);

  EXPECT_EQ(querier.Get("/metadata", {{"limit", "0"}}).body,
            R"({"status":"success","data":{},"warnings":["from below"]})");
  struct Case {
    const char* limit;
    const char* shown;
  };
  for (const Case c : {Case{"x", "0"}, Case{"1x", "0"}, Case{"3000000000", "2147483647"},
                       Case{"-3000000000", "-2147483648"}}) {
    SCOPED_TRACE(c.limit);
    const auto bad = querier.Get("/metadata", {{"limit", c.limit}});
    EXPECT_EQ(bad.status, 400);
    EXPECT_THAT(bad.body, HasSubstr(fmt::format("invalid metric metadata limit='{}'", c.shown)));
  }
}

TEST(ApiExemplarsTest, ExemplarsOfReplicasComeOnce) {
  FakeEndpoint a(Labels::Of({{"cluster", "eu"}, {"replica", "0"}}));
  FakeEndpoint b(Labels::Of({{"cluster", "eu"}, {"replica", "1"}}));
  FakeEndpoint c(Labels::Of({{"cluster", "us"}, {"replica", "0"}}));
  const auto of = [](const char* replica) {
    return Labels::Of({{"__name__", "up"}, {"cluster", "eu"}, {"replica", replica}});
  };
  a.exemplars = {ExemplarOf(of("0"), 1'700'000'000'120), ExemplarOf(of("0"), 1'700'000'000'000)};
  b.exemplars = {ExemplarOf(of("1"), 1'700'000'000'120),
                 ExemplarOf(of("1"), 1'700'000'001'000, 1e21)};
  Querier querier(Options(), {a.address(), b.address(), c.address()});
  const auto response = querier.Get("/query_exemplars", {{"query", "rate(up{cluster=\"eu\"}[5m])"},
                                                         {"start", "1700000000"},
                                                         {"end", "1700000002.5"}});
  EXPECT_EQ(
      response.body,
      R"({"status":"success","data":[{"seriesLabels":{"__name__":"up","cluster":"eu"},"exemplars":[)"
      R"({"labels":{"trace_id":"\u003c1700000000000\u003e"},"timestamp":1700000000,"value":"0.5"},)"
      R"({"labels":{"trace_id":"\u003c1700000000120\u003e"},"timestamp":1700000000.12,"value":"0.5"},)"
      R"({"labels":{"trace_id":"\u003c1700000001000\u003e"},"timestamp":1700000001,)"
      R"("value":"1000000000000000000000"}]}]})");
  EXPECT_EQ(a.exemplars_request().query, R"({__name__="up"})");
  EXPECT_EQ(a.exemplars_request().start, 1'700'000'000'000);
  EXPECT_EQ(a.exemplars_request().end, 1'700'000'002'500);
  EXPECT_THAT(c.requests("/thanos.Exemplars/Exemplars"), IsEmpty());
}

TEST(ApiExemplarsTest, ExemplarsOfWhatSelectsNothing) {
  FakeEndpoint a(Labels::Of({{"cluster", "eu"}}));
  QueryOptions options = Options();
  options.proxy.selector_labels = Labels::Of({{"fleet", "x"}});
  Querier querier(std::move(options), {a.address()});
  // Another fleet's, and a query without a selector.
  for (const char* query : {"up{fleet=\"y\"}", "1"})
    EXPECT_EQ(querier.Get("/query_exemplars", {{"query", query}}).body,
              R"({"status":"success","data":[]})");
  const auto alone = querier.Get("/query_exemplars", {{"query", "{fleet=\"x\"}"}});
  EXPECT_EQ(alone.status, 500);
  EXPECT_THAT(alone.body, HasSubstr("no matchers specified (excluding external labels)"));
  const auto broken = querier.Get("/query_exemplars", {{"query", "{"}});
  EXPECT_EQ(broken.status, 500);
  EXPECT_THAT(broken.body, HasSubstr("retrieving exemplars: proxy Exemplars: 1:2: parse error: "
                                     "unexpected end of input inside braces"));
  EXPECT_EQ(querier.Get("/query_exemplars", {{"query", "up"}, {"start", "2"}, {"end", "1"}}).status,
            400);
  EXPECT_THAT(a.requests("/thanos.Exemplars/Exemplars"), IsEmpty());
}

wire::TsdbStatistics Counted(std::uint64_t series) {
  wire::TsdbStatistics statistics;
  statistics.head = {
      .series = series, .label_pairs = 2, .chunks = 3, .min_time = 1000, .max_time = 2000};
  statistics.series_by_metric = {{"up", series}, {"down", 1}};
  statistics.values_by_label = {{"job", series}};
  statistics.memory_bytes_by_label = {{"job", 10}};
  statistics.series_by_label_pair = {{"job=a", 4}};
  return statistics;
}

TEST(ApiExemplarsTest, TsdbStatusOfAllEndpoints) {
  FakeEndpoint a(Labels::Of({{"replica", "0"}}));
  FakeEndpoint b(Labels::Of({{"replica", "1"}}));
  a.statistics = {StatisticsOf({{"", Counted(5)}})};
  b.statistics = {StatisticsOf({{"", Counted(7)}, {"other", Counted(1)}})};
  Querier querier(Options(), {a.address(), b.address()});
  const auto response =
      querier.Get("/status/tsdb", {{"limit", "1"}, {"match[]", "{replica=~\".*\"}"}});
  EXPECT_EQ(response.body,
            R"({"status":"success","data":{"headStats":{"numSeries":13,"numLabelPairs":6,)"
            R"("chunkCount":9,"minTime":1000,"maxTime":2000},)"
            R"("seriesCountByMetricName":[{"name":"up","value":13}],)"
            R"("labelValueCountByLabelName":[{"name":"job","value":7}],)"
            R"("memoryInBytesByLabelName":[{"name":"job","value":30}],)"
            R"("seriesCountByLabelValuePair":[{"name":"job=a","value":12}]}})");
  const auto asked =
      wire::DecodeTsdbStatisticsRequest(a.requests("/thanos.Status/TSDBStatistics").at(0));
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(asked->limit, 1);
  EXPECT_EQ(model::ToString(asked->matchers), "{replica=~\".*\"}");

  for (const char* limit : {"-1", "x", "4000000000"})
    EXPECT_EQ(querier.Get("/status/tsdb", {{"limit", limit}}).status, 400) << limit;
}

TEST(ApiExemplarsTest, TsdbStatusOfTheTenantAlone) {
  FakeEndpoint a(Labels::Of({{"tenant_id", "one"}}), "receive");
  a.statistics = {StatisticsOf({{"one", Counted(5)}, {"two", Counted(7)}})};
  QueryOptions options = Options();
  options.api.tenancy.enforce = true;
  options.api.tenancy.default_tenant = "two";
  Querier querier(options, {a.address()});
  const json data = json::parse(querier.Get("/status/tsdb").body)["data"];
  EXPECT_EQ(data["headStats"]["numSeries"], 7);
  const auto asked =
      wire::DecodeTsdbStatisticsRequest(a.requests("/thanos.Status/TSDBStatistics").at(0));
  EXPECT_EQ(model::ToString(asked->matchers), "{tenant_id=\"two\"}");
  EXPECT_EQ(asked->limit, 10);

  options.api.tenancy.default_tenant = "three";
  Querier other(options, {a.address()});
  const auto missing = other.Get("/status/tsdb");
  EXPECT_EQ(missing.status, 500);
  EXPECT_THAT(missing.body, HasSubstr("retrieving tsdb statistics: three tenant not found"));
}

TEST(ApiExemplarsTest, EndpointsThatFailAreNamed) {
  FakeEndpoint good(Labels::Of({{"replica", "0"}}));
  FakeEndpoint bad(Labels::Of({{"replica", "1"}}));
  good.metadata = {MetadataOf({{"up", {{"gauge", "", ""}}}})};
  good.statistics = {StatisticsOf({{"", Counted(5)}})};
  bad.end = Unavailable("no disk");
  const std::pair<const char*, const char*> questions[] = {
      {"/metadata", "retrieving metadata: proxy MetricMetadata: "},
      {"/query_exemplars", "retrieving exemplars: proxy Exemplars: "},
      {"/status/tsdb", "retrieving tsdb statistics: proxy TSDBStatistics: "}};
  Querier lenient(Options(), {good.address(), bad.address()});
  QueryOptions options = Options();
  options.api.metadata_partial_response = options.api.exemplar_partial_response =
      options.api.status_partial_response = false;
  Querier strict(std::move(options), {good.address(), bad.address()});
  for (const auto& [path, what] : questions) {
    SCOPED_TRACE(path);
    const auto partial = lenient.Get(path, {{"query", "up"}});
    EXPECT_EQ(partial.status, 200);
    EXPECT_THAT(json::parse(partial.body)["warnings"].get<std::vector<std::string>>(),
                ElementsAre(AllOf(HasSubstr(bad.address()), HasSubstr("no disk"))));
    const auto failed = strict.Get(path, {{"query", "up"}});
    EXPECT_EQ(failed.status, 500);
    EXPECT_THAT(failed.body, AllOf(HasSubstr(what), HasSubstr(bad.address()), HasSubstr("no disk"),
                                   HasSubstr("\"errorType\":\"internal\"")));
  }
}

TEST(ApiExemplarsTest, DamagedAnswersAreWarnings) {
  FakeEndpoint a(Labels::Of({{"replica", "0"}}));
  a.damaged =
      "\x0a\x05"
      "ab";
  Querier querier(Options(), {a.address()});
  for (const char* path : {"/metadata", "/query_exemplars", "/status/tsdb"}) {
    SCOPED_TRACE(path);
    const auto response = querier.Get(path, {{"query", "up"}});
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(json::parse(response.body)["warnings"].get<std::vector<std::string>>(),
                ElementsAre(AllOf(HasSubstr(a.address()), HasSubstr("DataLoss"))));
  }
}

TEST(ApiExemplarsTest, QueriersStack) {
  FakeEndpoint a(Labels::Of({{"cluster", "eu"}, {"replica", "0"}}));
  FakeEndpoint b(Labels::Of({{"cluster", "us"}, {"replica", "0"}}));
  a.info.store = b.info.store = wire::StoreInfo{};  // so that the querier says their labels
  for (FakeEndpoint* endpoint : {&a, &b}) {
    endpoint->metadata = {MetadataOf({{"up", {{"gauge", "", ""}}}})};
    endpoint->statistics = {StatisticsOf({{"", Counted(5)}})};
    endpoint->exemplars = {ExemplarOf(endpoint->info.label_sets[0], 1000)};
  }
  Querier below(Options(), {a.address(), b.address()});
  EXPECT_EQ(below.query().ExemplarTimes().min_time, 5);
  EXPECT_EQ(below.query().ExemplarTimes().max_time, 10);
  Querier above(Options(), {below.address()});
  const json metadata = json::parse(above.Get("/metadata").body)["data"];
  EXPECT_EQ(metadata["up"].size(), 1U);
  const json status = json::parse(above.Get("/status/tsdb").body)["data"];
  EXPECT_EQ(status["headStats"]["numSeries"], 10);
  const json exemplars =
      json::parse(above.Get("/query_exemplars", {{"query", "up{cluster=\"us\"}"}}).body)["data"];
  ASSERT_EQ(exemplars.size(), 1U);
  EXPECT_EQ(exemplars[0]["seriesLabels"], json::parse(R"({"cluster":"us"})"));
  EXPECT_THAT(a.requests("/thanos.Exemplars/Exemplars"), IsEmpty());
  EXPECT_EQ(b.exemplars_request().query, R"({__name__="up"})");
}

TEST(ApiExemplarsTest, RefusesOverGrpcWhatIsNoQuery) {
  FakeEndpoint a(Labels::Of({{"replica", "0"}}));
  Querier querier(Options(), {a.address()});
  net::grpc::ClientRuntime runtime(1, std::make_shared<prometheus::Registry>());
  net::grpc::Channel channel(runtime, {.address = querier.address()});
  const auto ask = [&](const std::string& request) {
    return channel
        .Start(Context::Background().WithTimeout(std::chrono::seconds(20)),
               "/thanos.Exemplars/Exemplars", SharedBytes::Own(request))
        ->Next()
        .status();
  };
  const Status text = ask(wire::Encode(wire::ExemplarsRequest{.query = "{"}));
  EXPECT_EQ(text.code(), StatusCode::kUnknown);
  EXPECT_EQ(text.message(), "1:2: parse error: unexpected end of input inside braces");
  EXPECT_EQ(ask("\x0a\x05"
                "ab")
                .code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aevum::query
