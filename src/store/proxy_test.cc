#include "store/proxy.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "base/memory_budget.h"
#include "store/external_labels.h"
#include "store/limits.h"
#include "store/sharding.h"
#include "store/testing/fake_store.h"

namespace aevum::store {
namespace {

using testing::Drain;
using ::testing::ElementsAre;
using testing::FakeSeries;
using testing::FakeStore;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using wire::PartialResponse;

model::Labels L(std::initializer_list<model::Label> labels) { return model::Labels::Of(labels); }

chunk::ChunkView Chunk(TimestampMs min, std::string_view data) {
  return {.min_time = min, .max_time = min + 9, .data = data, .encoding = chunk::Encoding::kXor};
}

class ProxyTest : public ::testing::Test {
 protected:
  // Adds a store of these series with the announcements of a modern one.
  FakeStore& Add(std::string address, std::vector<FakeSeries> series) {
    auto store = std::make_shared<FakeStore>(std::move(series));
    FakeStore& fake = *store;
    clients_.push_back({.store = std::move(store),
                        .address = std::move(address),
                        .label_sets = {},
                        .min_time = 0,
                        .max_time = 1000,
                        .supports_sharding = true,
                        .supports_without_replica_labels = true,
                        .strict = false,
                        .tsdb_infos = {}});
    return fake;
  }

  Proxy& proxy() {
    if (!proxy_) {
      proxy_ = std::make_unique<Proxy>(
          options_, [this] { return std::make_shared<const StoreClients>(clients_); }, Logger(),
          metrics_);
    }
    return *proxy_;
  }

  static wire::SeriesRequest Request(PartialResponse partial = PartialResponse::kWarn) {
    wire::SeriesRequest request;
    request.min_time = 0;
    request.max_time = 100;
    request.matchers = {model::Matcher::Equal("__name__", "up")};
    request.partial_response = partial;
    return request;
  }

  struct Answer {
    Status status;
    std::vector<std::string> series;
    std::vector<std::string> warnings;
  };
  static Answer Ask(Store& store, const wire::SeriesRequest& request,
                    const Context& context = Context::Background()) {
    StatusOr<std::unique_ptr<SeriesStream>> stream = store.Series(context, request);
    if (!stream.ok()) return {stream.status(), {}, {}};
    Answer answer;
    const wire::SeriesBatch all = Drain(**stream, &answer.status);
    for (const auto& series : all.series) {
      std::string line = series.labels.ToString();
      for (const chunk::ChunkView& chunk : all.ChunksOf(series))
        line += " " + std::string(chunk.data);
      answer.series.push_back(line);
    }
    answer.warnings = all.warnings;
    return answer;
  }
  Answer Ask(const wire::SeriesRequest& request) { return Ask(proxy(), request); }

  ProxyOptions options_;
  StoreClients clients_;
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  std::unique_ptr<Proxy> proxy_;
};

FakeSeries Up(std::initializer_list<model::Label> labels, std::string_view data) {
  std::vector<model::Label> all(labels);
  all.push_back({"__name__", "up"});
  return {model::Labels::FromUnsorted(all), {Chunk(0, data)}};
}

TEST_F(ProxyTest, MergesStores) {
  Add("a:1", {Up({{"job", "x"}}, "1"), Up({{"job", "z"}}, "2")});
  Add("b:1", {Up({{"job", "x"}}, "1"), Up({{"job", "y"}}, "3")});
  const Answer answer = Ask(Request());
  EXPECT_TRUE(answer.status.ok());
  EXPECT_THAT(answer.series,
              ElementsAre("{__name__=\"up\", job=\"x\"} 1", "{__name__=\"up\", job=\"y\"} 3",
                          "{__name__=\"up\", job=\"z\"} 2"));
  EXPECT_THAT(answer.warnings, IsEmpty());
}

TEST_F(ProxyTest, AsksOnlyStoresThatCanAnswer) {
  FakeStore& late = Add("late:1", {});
  clients_.back().min_time = 101;
  FakeStore& early = Add("early:1", {});
  clients_.back().max_time = -1;
  FakeStore& edge = Add("edge:1", {});
  clients_.back().min_time = 100;
  FakeStore& other = Add("other:1", {});
  clients_.back().label_sets = {L({{"region", "eu"}}), L({{"region", "asia"}})};
  FakeStore& fitting = Add("fitting:1", {});
  clients_.back().label_sets = {L({{"region", "eu"}}), L({{"region", "us"}})};
  FakeStore& silent = Add("silent:1", {});
  wire::SeriesRequest request = Request();
  request.matchers.push_back(*model::Matcher::Create(model::MatchType::kRegex, "region", "us.*"));
  EXPECT_TRUE(Ask(request).status.ok());
  EXPECT_THAT(late.series_requests(), IsEmpty());
  EXPECT_THAT(early.series_requests(), IsEmpty());
  EXPECT_THAT(other.series_requests(), IsEmpty());
  EXPECT_THAT(edge.series_requests(), SizeIs(1));
  EXPECT_THAT(fitting.series_requests(), SizeIs(1));
  EXPECT_THAT(silent.series_requests(), SizeIs(1));
}

TEST_F(ProxyTest, StoreMatchersChooseByAddress) {
  FakeStore& a = Add("a:1", {});
  FakeStore& b = Add("b:1", {});
  FakeStore& local = Add("", {});
  const std::unique_ptr<Store> restricted =
      proxy().Restrict({{model::Matcher::Equal("__address__", "b:1")}});
  EXPECT_TRUE(Ask(*restricted, Request()).status.ok());
  EXPECT_THAT(a.series_requests(), IsEmpty());
  EXPECT_THAT(b.series_requests(), SizeIs(1));
  EXPECT_THAT(local.series_requests(), IsEmpty());
}

TEST_F(ProxyTest, AnswersSelectorLabelsItself) {
  options_.selector_labels = L({{"cluster", "c1"}});
  FakeStore& store = Add("a:1", {Up({}, "1")});
  clients_.back().label_sets = {L({{"region", "eu"}})};
  wire::SeriesRequest request = Request();
  request.matchers.push_back(model::Matcher::Equal("cluster", "c2"));
  EXPECT_THAT(Ask(request).series, IsEmpty());
  request.matchers.back() = model::Matcher::Equal("cluster", "c1");
  EXPECT_THAT(Ask(request).series, SizeIs(1));
  ASSERT_THAT(store.series_requests(), SizeIs(1));
  EXPECT_THAT(store.series_requests()[0].matchers, SizeIs(1));
  request.matchers = {request.matchers.back()};
  const Status status = Ask(request).status;
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "no matchers specified (excluding selector labels)");
  const wire::InfoResponse info = *proxy().Info(Context::Background());
  EXPECT_THAT(info.label_sets, ElementsAre(L({{"cluster", "c1"}, {"region", "eu"}})));
}

TEST_F(ProxyTest, StoreThatFailsIsNamed) {
  struct Case {
    std::string name;
    std::size_t fail_after;
    Status error;
    std::string message;
    StatusCode abort_code;
  };
  const Case cases[] = {
      {"not reached", 0, Unavailable("connection refused"),
       "fetch series for {region=\"eu\"} Addr: b:1 MinTime: 0 MaxTime: 1000: rpc error: code = "
       "Unavailable desc = connection refused",
       StatusCode::kUnavailable},
      {"dies in the middle", 2, Unavailable("connection reset"),
       "receive series from Addr: b:1 MinTime: 0 MaxTime: 1000: rpc error: code = Unavailable desc "
       "= connection reset",
       StatusCode::kAborted},
      {"limit of the peer", 0, ResourceExhausted("exceeded series limit"),
       "receive series from Addr: b:1 MinTime: 0 MaxTime: 1000: rpc error: code = "
       "ResourceExhausted desc = exceeded series limit",
       StatusCode::kAborted},
      {"damaged message", 1, Corruption("bytes end inside a value"),
       "receive series from Addr: b:1 MinTime: 0 MaxTime: 1000: rpc error: code = DataLoss desc = "
       "bytes end inside a value",
       StatusCode::kAborted},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    clients_.clear();
    Add("a:1", {Up({{"job", "x"}}, "1"), Up({{"job", "z"}}, "1")});
    FakeStore& bad =
        Add("b:1", {Up({{"job", "b"}}, "1"), Up({{"job", "y"}}, "1"), Up({{"k", ""}}, "")});
    clients_.back().label_sets = {L({{"region", "eu"}})};
    bad.batch_size = 1;
    bad.fail_after = c.fail_after;
    bad.stream_error = c.error;
    const Answer warned = Ask(Request());
    EXPECT_TRUE(warned.status.ok());
    // The labels are named once.
    const bool named = c.message.starts_with("fetch series for");
    EXPECT_THAT(warned.warnings,
                ElementsAre(c.message + (named ? "" : " (external labels: {region=\"eu\"})")));
    EXPECT_THAT(warned.series, SizeIs(2 + c.fail_after));
    const Answer aborted = Ask(Request(PartialResponse::kAbort));
    EXPECT_EQ(aborted.status.code(), c.abort_code);
    EXPECT_EQ(aborted.status.message(), c.message);
  }
}

TEST_F(ProxyTest, StoreOutOfOrderIsNamed) {
  Add("bad:1", {Up({{"job", "z"}}, "1"), Up({{"job", "a"}}, "1")}).sorts = false;
  EXPECT_THAT(
      Ask(Request()).warnings,
      ElementsAre(StartsWith("receive series from Addr: bad:1 MinTime: 0 MaxTime: 1000: rpc "
                             "error: code = DataLoss desc = series are not sorted")));
}

TEST_F(ProxyTest, StoresThatStallAreLeftTogether) {
  options_.response_timeout = std::chrono::milliseconds(300);
  Add("ok:1", {Up({{"job", "x"}}, "1")});
  for (int i = 0; i < 10; ++i) {
    FakeStore& stalls = Add("b" + std::to_string(i) + ":1", {});
    stalls.fail_after = 0;
    stalls.hangs = true;
  }
  const auto began = std::chrono::steady_clock::now();
  const Answer answer = Ask(Request());
  EXPECT_TRUE(answer.status.ok());
  EXPECT_THAT(answer.series, SizeIs(1));
  EXPECT_THAT(answer.warnings, SizeIs(10));
  EXPECT_THAT(answer.warnings[0], StartsWith("failed to receive any data in 300ms from Addr: "));
  // One after the other would take three seconds.
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(1500));
}

TEST_F(ProxyTest, SaysWhatIsMissing) {
  const auto add = [&](const std::string& address, const std::string& zone,
                       const std::string& replica) -> FakeStore& {
    FakeStore& store = Add(address, {Up({{"zone", zone}, {"replica", replica}}, "1")});
    clients_.back().label_sets = {L({{"replica", replica}, {"zone", zone}})};
    return store;
  };
  add("a0:1", "a", "0");
  add("a1:1", "a", "1").call_error = Unavailable("refused");
  add("b0:1", "b", "0").call_error = Unavailable("refused");
  add("c0:1", "c", "0").warnings = {"half the data"};
  add("d0:1", "d", "0");
  clients_.back().lost = "it does not answer";
  // Its replica has less: from 50 on.
  add("e0:1", "e", "0").call_error = Unavailable("refused");
  add("e1:1", "e", "1");
  clients_.back().min_time = 50;
  // Not asked at all: it is over.
  add("f0:1", "f", "0").call_error = Unavailable("refused");
  clients_.back().min_time = 500;

  const auto missing = std::make_shared<MissingParts>(std::vector<std::string>{"replica"});
  const std::unique_ptr<Store> scoped = proxy().Restrict({}, missing);
  EXPECT_THAT(Ask(*scoped, Request()).warnings, SizeIs(4));  // none of what was not asked
  std::vector<std::string> lines;
  for (const MissingPart& part : missing->List()) {
    lines.push_back(fmt::format("{} {} {}-{} by '{}'", part.endpoint, part.label_sets[0].ToString(),
                                part.min_time, part.max_time, part.answered_by));
  }
  EXPECT_THAT(lines, ElementsAre("a1:1 {replica=\"1\", zone=\"a\"} 0-100 by 'a0:1'",
                                 "b0:1 {replica=\"0\", zone=\"b\"} 0-100 by ''",
                                 "c0:1 {replica=\"0\", zone=\"c\"} 0-100 by ''",
                                 "d0:1 {replica=\"0\", zone=\"d\"} 0-100 by ''",
                                 "e0:1 {replica=\"0\", zone=\"e\"} 0-100 by ''"));
  EXPECT_FALSE(IsComplete(missing->List()));
  // A request that wants to see each replica lacks one.
  const auto each = std::make_shared<MissingParts>(std::vector<std::string>());
  Ask(*proxy().Restrict({}, each), Request());
  EXPECT_EQ(each->List()[0].answered_by, "");
}

TEST_F(ProxyTest, WarningOfAStoreAbortsWhenAsked) {
  Add("a:1", {Up({}, "1")}).warnings = {"half the data"};
  EXPECT_THAT(Ask(Request()).warnings, ElementsAre("half the data"));
  const Status status = Ask(Request(PartialResponse::kAbort)).status;
  EXPECT_EQ(status.code(), StatusCode::kAborted);
  EXPECT_EQ(status.message(), "half the data");
}

TEST_F(ProxyTest, NoStoresIsAnErrorOnlyWithAbort) {
  EXPECT_TRUE(Ask(Request()).status.ok());
  EXPECT_EQ(Ask(Request(PartialResponse::kAbort)).status.code(), StatusCode::kUnknown);
  Add("a:1", {});
  clients_.back().max_time = -1;
  EXPECT_TRUE(Ask(Request(PartialResponse::kAbort)).status.ok());
}

TEST_F(ProxyTest, GivesUpOnASilentStore) {
  options_.response_timeout = std::chrono::milliseconds(20);
  Add("a:1", {Up({{"job", "a"}}, "1")});
  FakeStore& silent = Add("b:1", {Up({{"job", "b"}}, "1"), Up({{"job", "c"}}, "1")});
  silent.hangs = true;
  silent.fail_after = 1;
  const Answer answer = Ask(Request());
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_THAT(answer.series, SizeIs(2));
  EXPECT_THAT(answer.warnings,
              ElementsAre(StartsWith("failed to receive any data in 20ms from Addr: b:1")));
  EXPECT_EQ(Ask(Request(PartialResponse::kAbort)).status.code(), StatusCode::kAborted);
}

TEST_F(ProxyTest, EndOfTheRequestIsNotBlamedOnAStore) {
  FakeStore& silent = Add("b:1", {});
  silent.hangs = true;
  const Answer late =
      Ask(proxy(), Request(), Context::Background().WithTimeout(std::chrono::milliseconds(5)));
  EXPECT_EQ(late.status.code(), StatusCode::kDeadlineExceeded);
  CancelScope scope(Context::Background());
  scope.Cancel();
  EXPECT_EQ(Ask(proxy(), Request(), scope.context()).status.code(), StatusCode::kCancelled);
}

TEST_F(ProxyTest, DoesForOldStoresWhatTheyCannot) {
  FakeStore& old = Add(
      "old:1", {Up({{"a", "1"}, {"replica", "x"}}, "1"), Up({{"b", "1"}, {"replica", "x"}}, "2"),
                Up({{"replica", "y"}, {"a", "1"}}, "3")});
  old.strips = false;
  clients_.back().supports_sharding = false;
  clients_.back().supports_without_replica_labels = false;
  FakeStore& modern = Add("new:1", {Up({{"a", "1"}, {"replica", "z"}}, "4")});
  wire::SeriesRequest request = Request();
  request.without_replica_labels = {"replica"};
  request.limit = 10;
  EXPECT_THAT(Ask(request).series,
              ElementsAre("{__name__=\"up\", a=\"1\"} 4 3 1", "{__name__=\"up\", b=\"1\"} 2"));
  EXPECT_THAT(old.series_requests()[0].without_replica_labels, IsEmpty());
  EXPECT_EQ(old.series_requests()[0].limit, 0);
  EXPECT_THAT(modern.series_requests()[0].without_replica_labels, ElementsAre("replica"));
  EXPECT_EQ(modern.series_requests()[0].limit, 10);
  EXPECT_EQ(modern.series_requests()[0].response_batch_size, 64);

  // The shards of the old store, with replicas of a series in the same one.
  clients_.pop_back();
  std::size_t series = 0;
  for (std::int64_t shard = 0; shard < 3; ++shard) {
    request.shard_info =
        wire::ShardInfo{.shard_index = shard, .total_shards = 3, .by = false, .labels = {}};
    for (const std::string& line : Ask(request).series) {
      ++series;
      if (line.find("a=") != std::string::npos) {
        EXPECT_THAT(line, HasSubstr(" 3 1"));
      }
    }
  }
  EXPECT_EQ(series, 2U);
}

TEST_F(ProxyTest, StopsAtTheLimit) {
  std::vector<FakeSeries> series;
  for (int i = 0; i < 2500; ++i) series.push_back(Up({{"i", fmt::format("{:04}", i)}}, "1"));
  Add("a:1", series);
  Add("b:1", series);
  for (const std::int64_t limit : {1, 1023, 1024, 1025, 2500, 5000}) {
    wire::SeriesRequest request = Request();
    request.limit = limit;
    EXPECT_THAT(Ask(request).series, SizeIs(std::min<std::int64_t>(limit, 2500)));
  }
}

TEST_F(ProxyTest, ChargesWhatItHolds) {
  Add("a:1", {Up({{"job", "x"}}, "some bytes"), Up({{"job", "z"}}, "2")});
  const auto budget = std::make_shared<MemoryBudget>("query", 1 << 20);
  EXPECT_TRUE(Ask(proxy(), Request(), Context::Background().WithBudget(budget)).status.ok());
  EXPECT_GT(budget->peak_bytes(), 0);
  EXPECT_EQ(budget->used_bytes(), 0);
  const auto small = std::make_shared<MemoryBudget>("query", 10);
  const Answer answer = Ask(proxy(), Request(), Context::Background().WithBudget(small));
  EXPECT_EQ(answer.status.code(), StatusCode::kResourceExhausted);
}

TEST_F(ProxyTest, ChargesLabels) {
  Add("a:1", {Up({{"job", "x"}}, "")});
  Add("b:1", {Up({{"job", "y"}}, "")});
  wire::LabelNamesRequest names;
  names.end = 100;
  wire::LabelValuesRequest values;
  values.label = "job";
  values.end = 100;
  const auto budget = std::make_shared<MemoryBudget>("query", 1 << 20);
  const Context context = Context::Background().WithBudget(budget);
  EXPECT_TRUE(proxy().LabelNames(context, names).ok());
  EXPECT_TRUE(proxy().LabelValues(context, values).ok());
  EXPECT_GT(budget->peak_bytes(), 0);
  EXPECT_EQ(budget->used_bytes(), 0);
  // The request's own failure, whatever it does with those of stores.
  const auto small = std::make_shared<MemoryBudget>("query", 10);
  const Context tight = Context::Background().WithBudget(small);
  EXPECT_EQ(proxy().LabelNames(tight, names).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(proxy().LabelValues(tight, values).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(small->used_bytes(), 0);
}

TEST_F(ProxyTest, JoinsLabels) {
  Add("a:1", {Up({{"job", "x"}, {"replica", "1"}}, "")});
  Add("b:1", {Up({{"job", "y"}, {"zone", "1"}}, "")});
  FakeStore& bad = Add("c:1", {});
  bad.call_error = Unavailable("refused");
  wire::LabelNamesRequest names;
  names.end = 100;
  names.without_replica_labels = {"replica"};
  StatusOr<wire::LabelsResponse> response = proxy().LabelNames(Context::Background(), names);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_THAT(response->strings, ElementsAre("__name__", "job", "zone"));
  EXPECT_THAT(response->warnings,
              ElementsAre("fetch label names from store Addr: c:1 MinTime: 0 MaxTime: 1000: rpc "
                          "error: code = Unavailable desc = refused"));
  names.limit = 2;
  EXPECT_THAT(proxy().LabelNames(Context::Background(), names)->strings,
              ElementsAre("__name__", "job"));
  names.partial_response = PartialResponse::kAbort;
  EXPECT_EQ(proxy().LabelNames(Context::Background(), names).status().code(),
            StatusCode::kUnavailable);

  wire::LabelValuesRequest values;
  values.end = 100;
  EXPECT_EQ(proxy().LabelValues(Context::Background(), values).status().code(),
            StatusCode::kInvalidArgument);
  values.label = "job";
  EXPECT_THAT(proxy().LabelValues(Context::Background(), values)->strings, ElementsAre("x", "y"));
  values.label = "replica";
  EXPECT_THAT(proxy().LabelValues(Context::Background(), values)->strings, ElementsAre("1"));
  values.without_replica_labels = {"replica"};
  EXPECT_THAT(proxy().LabelValues(Context::Background(), values)->strings, IsEmpty());
}

TEST_F(ProxyTest, InfoJoinsStores) {
  EXPECT_EQ(proxy().Info(Context::Background())->store->min_time, kMinTime);
  Add("a:1", {});
  clients_.back().label_sets = {L({{"region", "eu"}})};
  Add("b:1", {});
  clients_.back().label_sets = {L({{"region", "eu"}}), L({{"region", "us"}})};
  clients_.back().max_time = 5000;
  clients_.back().tsdb_infos = {{.labels = L({{"region", "us"}}), .min_time = 1, .max_time = 2}};
  const wire::InfoResponse info = *proxy().Info(Context::Background());
  EXPECT_EQ(info.component_type, "query");
  EXPECT_THAT(info.label_sets, ElementsAre(L({{"region", "eu"}}), L({{"region", "us"}})));
  EXPECT_EQ(info.store->min_time, 0);
  EXPECT_EQ(info.store->max_time, 5000);
  EXPECT_TRUE(info.store->supports_sharding);
  EXPECT_TRUE(info.store->supports_without_replica_labels);
  EXPECT_THAT(info.store->tsdb_infos, SizeIs(1));
}

TEST_F(ProxyTest, LimitedStoreRefusesTooMuch) {
  Add("a:1", {Up({{"job", "x"}}, "1"), Up({{"job", "y"}}, "2"), Up({{"job", "z"}}, "2")});
  struct Case {
    SelectLimits limits;
    std::string message;
  };
  const Case cases[] = {
      {{.series = 0, .samples = 0}, ""},
      {{.series = 3, .samples = 360}, ""},
      {{.series = 2, .samples = 0}, "failed to send series: limit 2 violated (got 3)"},
      {{.series = 0, .samples = 359}, "failed to send samples: limit 359 violated (got 360)"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.message);
    LimitedStore limited(proxy(), c.limits, std::make_shared<prometheus::Registry>());
    const Answer answer = Ask(limited, Request());
    EXPECT_EQ(answer.status.message(), c.message);
    EXPECT_EQ(answer.status.code(),
              c.message.empty() ? StatusCode::kOk : StatusCode::kResourceExhausted);
  }
}

}  // namespace
}  // namespace aevum::store
