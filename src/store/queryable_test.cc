#include "store/queryable.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "chunk/xor.h"
#include "store/aggregates.h"
#include "store/proxy.h"
#include "store/testing/fake_store.h"

namespace aevum::store {
namespace {

using ::testing::ElementsAre;
using testing::FakeSeries;
using testing::FakeStore;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Chunks whose bytes live as long as this.
class ChunkMaker {
 public:
  chunk::ChunkView Make(std::vector<TimestampMs> times, double offset,
                        chunk::Aggregate aggregate = chunk::Aggregate::kRaw) {
    std::vector<double> values;
    for (const TimestampMs time : times) values.push_back(static_cast<double>(time) + offset);
    return Of(times, values, aggregate);
  }
  // An XOR2 chunk of one sample with a start timestamp; both times below 64.
  chunk::ChunkView Started(TimestampMs time, double value, TimestampMs start) {
    std::string bytes("\0\1\x80", 3);
    bytes += static_cast<char>(2 * time);  // zigzag
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(bits >> shift & 0xff);
    bytes += static_cast<char>(2 * (time - start));
    bytes_.push_back(std::make_unique<std::string>(std::move(bytes)));
    return {.min_time = time,
            .max_time = time,
            .data = *bytes_.back(),
            .encoding = chunk::Encoding::kXor2};
  }
  chunk::ChunkView Of(const std::vector<TimestampMs>& times, const std::vector<double>& values,
                      chunk::Aggregate aggregate = chunk::Aggregate::kRaw) {
    bytes_.push_back(std::make_unique<std::string>(Encode(times, values)));
    return {.min_time = times.front(),
            .max_time = times.back(),
            .data = *bytes_.back(),
            .encoding = chunk::Encoding::kXor,
            .aggregate = aggregate};
  }

 private:
  static std::string Encode(const std::vector<TimestampMs>& times,
                            const std::vector<double>& values);
  std::vector<std::unique_ptr<std::string>> bytes_;
};

std::string ChunkMaker::Encode(const std::vector<TimestampMs>& times,
                               const std::vector<double>& values) {
  chunk::XorEncoder encoder;
  for (std::size_t i = 0; i < times.size(); ++i) encoder.Append(times[i], values[i]);
  return encoder.Bytes();
}

class StoreQueryableTest : public ::testing::Test {
 protected:
  StoreQueryableTest() {
    clients_ = std::make_shared<StoreClients>();
    proxy_ = std::make_shared<Proxy>(
        ProxyOptions{}, [this] { return clients_; }, Logger(),
        std::make_shared<prometheus::Registry>());
    options_.replica_labels = {"replica"};
    hints_ = {.start_ms = 0, .end_ms = 1'000'000};
  }

  FakeStore& Add(std::string address, std::vector<FakeSeries> series) {
    auto store = std::make_shared<FakeStore>(std::move(series));
    FakeStore& fake = *store;
    clients_->push_back({.store = std::move(store),
                         .address = std::move(address),
                         .label_sets = {},
                         .min_time = 0,
                         .max_time = 5'000'000,
                         .supports_sharding = true,
                         .supports_without_replica_labels = true,
                         .strict = false,
                         .tsdb_infos = {}});
    return fake;
  }

  struct Answer {
    Status status;
    std::vector<std::string> labels;
    std::vector<chunk::Columns> columns;
    std::vector<std::string> warnings;
  };
  Answer Ask() {
    StoreQueryable queryable(proxy_, options_);
    Answer answer;
    auto stream =
        queryable.Select(Context::Background(), {model::Matcher::Equal("__name__", "m")}, hints_);
    if (!stream.ok()) return {stream.status(), {}, {}, {}};
    while (true) {
      auto batch = (*stream)->Next();
      answer.status = batch.status();
      if (!batch.ok() || *batch == nullptr) break;
      for (std::size_t i = 0; i < (*batch)->size(); ++i) {
        answer.labels.push_back((*batch)->labels(i).ToString());
        answer.columns.emplace_back().with_starts = with_starts_;
        const Status status = (*batch)->Decode(i, &answer.columns.back());
        if (!status.ok()) answer.status = status;
      }
      if (!answer.status.ok()) break;
    }
    answer.warnings = (*stream)->warnings();
    return answer;
  }

  static model::Labels M(std::string_view replica, std::string_view job = "j") {
    return model::Labels::Of({{"__name__", "m"}, {"job", job}, {"replica", replica}});
  }

  ChunkMaker chunks_;
  std::shared_ptr<StoreClients> clients_;
  std::shared_ptr<Proxy> proxy_;
  QueryableOptions options_;
  promql::SelectHints hints_;
  bool with_starts_ = false;
};

TEST_F(StoreQueryableTest, MakesOneSeriesOfReplicasByPenalty) {
  options_.dedup_function = DedupFunction::kPenalty;
  Add("a:1", {{M("a"), {chunks_.Make({0, 15000, 90000, 105000}, 0)}}});
  Add("b:1", {{M("b"), {chunks_.Make({3000, 18000, 33000, 48000, 63000, 78000, 93000}, 0)}}});
  const Answer answer = Ask();
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_THAT(answer.labels, ElementsAre("{__name__=\"m\", job=\"j\"}"));
  EXPECT_THAT(answer.columns[0].times, ElementsAre(0, 15000, 48000, 63000, 78000, 93000));
}

TEST_F(StoreQueryableTest, NeverChangesRawSamplesByPenalty) {
  options_.dedup_function = DedupFunction::kPenalty;
  // The second replica is behind when it takes over, and the counter has a reset.
  hints_.function = "rate";
  Add("a:1", {{M("a"), {chunks_.Of({0, 15000}, {100, 110})}}});
  Add("b:1", {{M("b"), {chunks_.Of({3000, 18000, 33000, 48000, 63000}, {90, 95, 98, 3, 5})}}});
  const Answer answer = Ask();
  EXPECT_THAT(answer.columns[0].times, ElementsAre(0, 15000, 48000, 63000));
  EXPECT_THAT(answer.columns[0].values, ElementsAre(100, 110, 3, 5));
}

TEST_F(StoreQueryableTest, StaysWithAReplicaUntilItHasAGap) {
  Add("a:1", {{M("a"), {chunks_.Make({0, 15000, 30000, 75000, 90000}, 0)}}});
  Add("b:1", {{M("b"), {chunks_.Make({3000, 18000, 33000, 48000, 63000, 78000, 93000}, 0)}}});
  const Answer answer = Ask();
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_THAT(answer.columns[0].times, ElementsAre(0, 15000, 30000, 48000, 63000, 78000, 93000));
}

TEST_F(StoreQueryableTest, FunctionTellsACounter) {
  // The second replica lags, by more than a series that may be a gauge is held for.
  Add("a:1", {{M("a"), {chunks_.Of({0, 15000, 30000}, {50, 48, 47})}}});
  Add("b:1", {{M("b"),
               {chunks_.Of({6000, 21000, 36000, 51000, 66000, 81000, 96000},
                           {44, 45, 46, 46, 46, 46, 47})}}});
  EXPECT_THAT(Ask().columns[0].times, ElementsAre(0, 15000, 30000, 81000, 96000));
  hints_.function = "rate";
  EXPECT_THAT(Ask().columns[0].times, ElementsAre(0, 15000, 30000, 96000));
}

TEST_F(StoreQueryableTest, DoesNotDecodeWhatTheFollowedReplicaCovers) {
  // Two chunks each; the first replica, which has the last sample too, is followed throughout.
  std::vector<TimestampMs> first;
  std::vector<TimestampMs> second;
  for (TimestampMs i = 0; i < 40; ++i) {
    (i < 20 ? first : second).push_back(i * 15000);
  }
  const auto later = [](std::vector<TimestampMs> times) {
    times.pop_back();
    for (TimestampMs& time : times) time += 3000;
    return times;
  };
  chunk::ChunkView damaged = chunks_.Make(later(second), 0);
  damaged.data = damaged.data.substr(0, 20);
  Add("a:1", {{M("a"), {chunks_.Make(first, 0), chunks_.Make(second, 0)}}});
  Add("b:1", {{M("b"), {chunks_.Make(later(first), 0), damaged}}});
  const Answer answer = Ask();
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  first.insert(first.end(), second.begin(), second.end());
  EXPECT_EQ(answer.columns[0].times, first);
}

TEST_F(StoreQueryableTest, ReplicasShareEqualChunks) {
  // The first chunk is the same in both; then the one that is followed ends.
  const chunk::ChunkView both = chunks_.Make({0, 15000, 30000, 45000}, 0);
  Add("a:1", {{M("a"), {both, chunks_.Make({60000, 75000}, 0)}}});
  Add("b:1", {{M("b"), {both, chunks_.Make({60000, 75000, 90000, 105000, 120000}, 0)}}});
  const std::vector<TimestampMs> times = Ask().columns[0].times;
  EXPECT_THAT(times, ElementsAre(0, 15000, 30000, 45000, 60000, 75000, 90000, 105000, 120000));
  std::reverse(clients_->begin(), clients_->end());
  EXPECT_EQ(Ask().columns[0].times, times);
}

TEST_F(StoreQueryableTest, RefusesSamplesOutsideTheBoundsOfTheirChunk) {
  chunk::ChunkView liar = chunks_.Make({0, 15000, 500000}, 0);
  liar.max_time = 30000;
  Add("a:1", {{M("a"), {liar}}});
  Add("b:1", {{M("b"), {chunks_.Make({3000, 18000}, 0)}}});
  EXPECT_EQ(Ask().status.code(), StatusCode::kDataLoss);
}

TEST_F(StoreQueryableTest, DownsampledReplicaWithTheMostSamplesIsFollowed) {
  using chunk::Aggregate;
  options_.max_source_resolution_ms = 300'000;
  hints_.end_ms = 2'000'000;
  const std::vector<TimestampMs> times = {300'000, 600'000, 900'000, 1'200'000};
  const auto replica = [&](const std::vector<double>& counts, const std::vector<double>& maxima,
                           std::vector<double> totals) {
    std::vector<TimestampMs> total_times = times;
    total_times.push_back(times.back());
    totals.push_back(totals.back());
    chunk::ChunkView counter = chunks_.Of(total_times, totals, Aggregate::kCounter);
    return std::vector<chunk::ChunkView>{chunks_.Of(times, counts, Aggregate::kCount),
                                         chunks_.Of(times, maxima, Aggregate::kMax), counter};
  };
  Add("a:1", {{M("a"), replica({20, 20, 3, 20}, {1, 2, 3, 4}, {100, 120, 125, 160})}});
  Add("b:1", {{M("b"), replica({18, 19, 19, 19}, {5, 6, 7, 8}, {90, 110, 130, 150})}});
  hints_.function = "max_over_time";
  EXPECT_THAT(Ask().columns[0].values, ElementsAre(1, 2, 7, 8));
  hints_.function = "rate";
  EXPECT_THAT(Ask().columns[0].values, ElementsAre(100, 120, 140, 160));
}

TEST_F(StoreQueryableTest, FinerDataCoversCoarser) {
  using chunk::Aggregate;
  options_.max_source_resolution_ms = 300'000;
  hints_ = {.start_ms = 0, .end_ms = 2'000'000, .function = "max_over_time"};
  Add("a:1", {{M("a"), {chunks_.Of({300'000, 600'000, 900'000}, {1, 2, 3}, Aggregate::kMax)}}});
  Add("b:1", {{M("b"), {chunks_.Of({590'000, 605'000, 620'000}, {7, 8, 9})}}});
  EXPECT_THAT(Ask().columns[0].values, ElementsAre(1, 7, 8, 9, 3));
}

TEST_F(StoreQueryableTest, KeepsReplicasApartWithoutDeduplication) {
  options_.deduplicate = false;
  const FakeStore& store =
      Add("a:1", {{M("a"), {chunks_.Make({0, 10}, 0)}}, {M("b"), {chunks_.Make({1, 11}, 0)}}});
  const Answer answer = Ask();
  EXPECT_EQ(answer.labels.size(), 2U);
  EXPECT_THAT(store.series_requests()[0].without_replica_labels, IsEmpty());
}

TEST_F(StoreQueryableTest, UnitesOverlappingChunksWithoutDeduplication) {
  options_.deduplicate = false;
  Add("a:1", {{M("a"), {chunks_.Make({0, 10, 20, 30}, 0)}}});
  Add("b:1", {{M("a"), {chunks_.Make({10, 20, 25, 40}, 1)}}});
  const Answer answer = Ask();
  EXPECT_THAT(answer.columns[0].times, ElementsAre(0, 10, 20, 25, 30, 40));
  EXPECT_THAT(answer.columns[0].values, ElementsAre(0, 11, 21, 26, 30, 41));
}

TEST_F(StoreQueryableTest, GivesStartTimesOnDemand) {
  with_starts_ = true;
  options_.dedup_function = DedupFunction::kPenalty;
  Add("a:1", {{M("a"), {chunks_.Started(10, 1, 5), chunks_.Started(40, 2, 5)}}});
  Add("b:1", {{M("b"), {chunks_.Started(10, 3, 6), chunks_.Make({50, 60}, 0)}}});
  Answer answer = Ask();
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  // Of the two samples at 10 that of the larger chunk; those of the plain one follow.
  EXPECT_THAT(answer.columns[0].times, ElementsAre(10, 40, 50, 60));
  EXPECT_THAT(answer.columns[0].starts, ElementsAre(6, 5, 0, 0));
  with_starts_ = false;
  EXPECT_THAT(Ask().columns[0].starts, IsEmpty());
}

TEST_F(StoreQueryableTest, GivesStartTimesOfUnitedChunks) {
  with_starts_ = true;
  options_.deduplicate = false;
  Add("a:1", {{M("a"), {chunks_.Started(10, 1, 5), chunks_.Started(40, 2, 5)}}});
  Add("b:1", {{M("a"), {chunks_.Started(10, 3, 6), chunks_.Make({50, 60}, 0)}}});
  const Answer answer = Ask();
  EXPECT_THAT(answer.columns[0].times, ElementsAre(10, 40, 50, 60));
  EXPECT_THAT(answer.columns[0].starts, ElementsAre(6, 5, 0, 0));
}

TEST_F(StoreQueryableTest, DecodesOnlyChunksThatTouchTheHints) {
  hints_ = {.start_ms = 100, .end_ms = 200};
  const std::string damaged = "\xff";
  chunk::ChunkView before = chunks_.Make({0, 99}, 0);
  before.data = damaged;
  chunk::ChunkView after = chunks_.Make({201, 300}, 0);
  after.data = damaged;
  Add("a:1", {{M("a"), {before, chunks_.Make({100, 150}, 0), after}}});
  const Answer answer = Ask();
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_THAT(answer.columns[0].times, ElementsAre(100, 150));
}

TEST_F(StoreQueryableTest, DamagedChunkNamesSeriesAndEndpoint) {
  chunk::ChunkView damaged = chunks_.Make({0, 10, 20}, 0);
  damaged.data = damaged.data.substr(0, 4);
  Add("good:1", {{M("a"), {chunks_.Make({30, 40}, 0)}}});
  Add("bad:1", {{M("a", "k"), {damaged}}, {M("b"), {chunks_.Make({50, 60}, 0)}}});
  const Answer answer = Ask();
  EXPECT_EQ(answer.status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(answer.status.message()),
              HasSubstr("read chunk 0 to 20 of series {__name__=\"m\", job=\"k\"} from Addr: bad:1 "
                        "MinTime: 0 MaxTime: 5000000: "));
  EXPECT_THAT(answer.columns[0].times, ElementsAre(30, 40, 50, 60));
}

TEST_F(StoreQueryableTest, RefusesTimesThatDoNotAscend) {
  // The bounds of the chunks say that they follow one another; their samples do not.
  chunk::ChunkView liar = chunks_.Make({0, 500}, 0);
  liar.max_time = 10;
  Add("bad:1", {{M("a"), {liar, chunks_.Make({20, 30}, 0)}}});
  EXPECT_EQ(Ask().status.code(), StatusCode::kDataLoss);
}

TEST_F(StoreQueryableTest, KeepsWarningsOnce) {
  Add("a:1", {}).call_error = Unavailable("refused");
  Add("b:1", {{M("a"), {chunks_.Make({0, 10}, 0)}}}).warnings = {"w", "w"};
  const Answer answer = Ask();
  EXPECT_TRUE(answer.status.ok());
  EXPECT_THAT(answer.warnings, ElementsAre(HasSubstr("Addr: a:1"), "w"));
  options_.partial_response = wire::PartialResponse::kAbort;
  EXPECT_EQ(Ask().status.code(), StatusCode::kUnavailable);
}

TEST_F(StoreQueryableTest, ReadsDownsampledDataByFunction) {
  using chunk::Aggregate;
  const std::vector<TimestampMs> times = {100, 200};
  std::vector<chunk::ChunkView> parts = {
      chunks_.Of(times, {4, 5}, Aggregate::kCount), chunks_.Of(times, {8, 20}, Aggregate::kSum),
      chunks_.Of(times, {1, 2}, Aggregate::kMin), chunks_.Of(times, {3, 6}, Aggregate::kMax),
      chunks_.Of({100, 200, 200}, {10, 12, 50}, Aggregate::kCounter)};
  const std::vector<TimestampMs> later = {300, 400};
  parts.push_back(chunks_.Of(later, {7, 9}, Aggregate::kCounter));
  parts.back().max_time = 400;
  struct Case {
    std::string function;
    std::vector<double> values;
  };
  const Case cases[] = {{"count_over_time", {4, 5}}, {"sum_over_time", {8, 20}}, {"min", {1, 2}},
                        {"max_over_time", {3, 6}},   {"avg_over_time", {2, 4}},  {"", {2, 4}}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.function);
    clients_->clear();
    Add("a:1", {{M("a"), {parts.begin(), parts.begin() + 5}}});
    hints_.function = c.function;
    const Answer answer = Ask();
    EXPECT_TRUE(answer.status.ok()) << answer.status;
    EXPECT_EQ(answer.columns[0].values, c.values);
  }
  clients_->clear();
  Add("a:1", {{M("a"), parts}});
  hints_.function = "rate";
  EXPECT_THAT(Ask().columns[0].values, ElementsAre(10, 12, 19, 21));
  hints_.function = "min";
  EXPECT_EQ(Ask().status.code(), StatusCode::kDataLoss);
}

TEST_F(StoreQueryableTest, AsksForWhatTheFunctionNeeds) {
  options_.max_source_resolution_ms = 3'600'000;
  hints_.function = "rate";
  hints_.range_ms = 600'000;
  const FakeStore& store = Add("a:1", {});
  Ask();
  const wire::SeriesRequest request = store.series_requests()[0];
  EXPECT_EQ(request.max_resolution_window_ms, 300'000);
  EXPECT_THAT(request.aggregates, ElementsAre(wire::Aggr::kCounter, wire::Aggr::kCount));
  EXPECT_THAT(request.without_replica_labels, ElementsAre("replica"));
  EXPECT_EQ(request.query_hints->function, "rate");
}

TEST(DedupFunctionTest, ParsesNames) {
  EXPECT_EQ(*ParseDedupFunction("adaptive"), DedupFunction::kAdaptive);
  EXPECT_EQ(*ParseDedupFunction("penalty"), DedupFunction::kPenalty);
  EXPECT_EQ(*ParseDedupFunction("chain"), DedupFunction::kChain);
  EXPECT_EQ(ParseDedupFunction("quorum").status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aevum::store
