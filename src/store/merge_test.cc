#include "store/merge.h"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/memory_budget.h"
#include "store/sort_stream.h"
#include "store/testing/fake_store.h"

namespace aevum::store {
namespace {

using chunk::ChunkView;
using testing::Drain;
using ::testing::ElementsAre;
using testing::FakeSeries;
using ::testing::HasSubstr;
using testing::StreamOf;

ChunkView Chunk(TimestampMs min, TimestampMs max, std::string_view data,
                chunk::Aggregate aggregate = chunk::Aggregate::kRaw) {
  return {.min_time = min,
          .max_time = max,
          .data = data,
          .encoding = chunk::Encoding::kXor,
          .aggregate = aggregate};
}

// A chunk in the order in which chunks of a series come: of those at equal times the larger bytes
// first.
struct ChunkKey {
  TimestampMs min_time;
  TimestampMs max_time;
  std::string data;
  friend bool operator<(const ChunkKey& a, const ChunkKey& b) {
    return std::tie(a.min_time, a.max_time, b.data) < std::tie(b.min_time, b.max_time, a.data);
  }
};

std::vector<std::string> Text(const wire::SeriesBatch& batch) {
  std::vector<std::string> lines;
  for (const wire::SeriesBatch::Series& series : batch.series) {
    std::string line = series.labels.ToString();
    for (const ChunkView& chunk : batch.ChunksOf(series)) {
      line += fmt::format(" {}-{}:{}", chunk.min_time, chunk.max_time, chunk.data);
      if (chunk.aggregate != chunk::Aggregate::kRaw) {
        line += fmt::format("/{}", static_cast<int>(chunk.aggregate));
      }
    }
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> Merged(std::vector<std::vector<FakeSeries>> inputs,
                                std::size_t batch_size) {
  std::vector<std::unique_ptr<SeriesStream>> streams;
  for (auto& input : inputs) streams.push_back(StreamOf(std::move(input), batch_size));
  const auto merged = MergeStreams(std::move(streams));
  Status status;
  const wire::SeriesBatch all = Drain(*merged, &status);
  EXPECT_TRUE(status.ok()) << status;
  return Text(all);
}

TEST(MergeStreamsTest, GivesEachLabelSetOnceWithAllChunks) {
  const model::Labels a = model::Labels::Of({{"a", "1"}});
  const model::Labels ab = model::Labels::Of({{"a", "1"}, {"b", "2"}});
  const model::Labels b = model::Labels::Of({{"b", "1"}});
  EXPECT_THAT(
      Merged({{{ab, {Chunk(5, 9, "x")}}, {b, {Chunk(1, 2, "y")}}},
              {{a, {}}, {ab, {Chunk(1, 3, "z"), Chunk(5, 9, "x")}}},
              {},
              {{b, {Chunk(1, 2, "w")}}, {b, {Chunk(0, 1, "v")}}}},
             1),
      ElementsAre("{a=\"1\"}", "{a=\"1\", b=\"2\"} 1-3:z 5-9:x", "{b=\"1\"} 0-1:v 1-2:y 1-2:w"));
  EXPECT_THAT(Merged({}, 1), ElementsAre());
  EXPECT_THAT(Merged({{}, {}}, 1), ElementsAre());
  EXPECT_THAT(Merged({{{model::Labels(), {}}, {a, {}}}, {{model::Labels(), {}}}}, 1),
              ElementsAre("{}", "{a=\"1\"}"));
}

TEST(MergeStreamsTest, AgreesWithNaiveMerge) {
  // Long shared prefixes, prefixes of one another, bytes that need escapes, bytes above 127.
  const std::string pieces[] = {
      "a",        "aa", "instance-0000", "instance-0001", std::string("\0", 1), "\1", "\xff",
      "\xfe\xff", "z"};
  static const std::string payloads[] = {"p0", "p1", "p2"};
  std::mt19937 generator(11);
  const auto random = [&](std::uint32_t n) { return static_cast<std::size_t>(generator() % n); };
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    std::vector<std::vector<FakeSeries>> inputs(1 + random(9));
    std::map<model::Labels, std::set<ChunkKey>> expected;
    for (std::vector<FakeSeries>& input : inputs) {
      for (std::size_t i = random(30); i > 0; --i) {
        std::vector<model::Label> labels;
        for (const char* name : {"job", "instance", "pod"}) {
          if (random(3) > 0) labels.push_back({name, pieces[random(std::size(pieces))]});
        }
        FakeSeries series{.labels = model::Labels::FromUnsorted(labels), .chunks = {}};
        for (std::size_t c = random(3); c > 0; --c) {
          const auto min = static_cast<TimestampMs>(random(4));
          series.chunks.push_back(Chunk(min, min + 1, payloads[random(std::size(payloads))]));
        }
        std::sort(series.chunks.begin(), series.chunks.end(),
                  [](const ChunkView& x, const ChunkView& y) {
                    return std::tie(x.min_time, y.data) < std::tie(y.min_time, x.data);
                  });
        if (series.chunks.size() == 2 && series.chunks[0].min_time == series.chunks[1].min_time &&
            series.chunks[0].data == series.chunks[1].data) {
          series.chunks.pop_back();
        }
        auto& chunks = expected[series.labels];
        for (const ChunkView& c : series.chunks)
          chunks.insert({c.min_time, c.max_time, std::string(c.data)});
        input.push_back(std::move(series));
      }
      std::sort(input.begin(), input.end(),
                [](const FakeSeries& x, const FakeSeries& y) { return x.labels < y.labels; });
    }
    std::vector<std::string> lines;
    const std::vector<std::string> got = Merged(inputs, 1 + random(5));
    for (const auto& [labels, chunks] : expected) {
      std::string line = labels.ToString();
      for (const auto& [min, max, data] : chunks) line += fmt::format(" {}-{}:{}", min, max, data);
      lines.push_back(line);
    }
    EXPECT_EQ(got, lines);
  }
}

TEST(MergeStreamsTest, FillsBatchesUpToTheirBound) {
  std::vector<FakeSeries> series;
  for (int i = 0; i < 3000; ++i) {
    series.push_back({model::Labels::Of({{"i", fmt::format("{:05}", i)}}), {}});
  }
  std::vector<std::unique_ptr<SeriesStream>> streams;
  streams.push_back(StreamOf(series, 100));
  streams.push_back(StreamOf(series, 77));
  const auto merged = MergeStreams(std::move(streams));
  wire::SeriesBatch batch;
  std::vector<std::size_t> sizes;
  while (*merged->Next(&batch)) sizes.push_back(batch.series.size());
  EXPECT_THAT(sizes,
              ElementsAre(kMergeBatchSeries, kMergeBatchSeries, 3000 - 2 * kMergeBatchSeries));
}

TEST(MergeStreamsTest, KeepsBuffersAliveAsLongAsTheirBatch) {
  // Under AddressSanitizer a lost owner is a use after free.
  class OwningStream final : public SeriesStream {
   public:
    explicit OwningStream(int from) : next_(from) {}
    StatusOr<bool> Next(wire::SeriesBatch* batch) override {
      batch->Clear();
      if (next_ >= 20) return false;
      const SharedBytes bytes = SharedBytes::Own(fmt::format("a payload of some length {}", next_));
      batch->owners.push_back(bytes.owner);
      batch->chunks.push_back(Chunk(next_, next_, bytes.view));
      batch->series.push_back(
          {.labels = model::Labels::Of({{"i", fmt::format("{:02}", next_ / 2)}}),
           .first_chunk = 0,
           .chunk_count = 1});
      next_ += 1;
      return true;
    }

   private:
    int next_;
  };
  std::vector<std::unique_ptr<SeriesStream>> streams;
  streams.push_back(std::make_unique<OwningStream>(0));
  streams.push_back(std::make_unique<OwningStream>(1));
  auto merged = MergeStreams(std::move(streams));
  wire::SeriesBatch batch;
  ASSERT_TRUE(*merged->Next(&batch));
  merged.reset();
  ASSERT_EQ(batch.series.size(), 10U);
  EXPECT_EQ(Text(batch)[0],
            "{i=\"00\"} 0-0:a payload of some length 0 1-1:a payload of some length 1");
}

TEST(MergeStreamsTest, KeepsWarnings) {
  std::vector<std::unique_ptr<SeriesStream>> streams;
  streams.push_back(StreamOf({{model::Labels::Of({{"a", "1"}}), {}}}, 1, OkStatus(), {"one"}));
  streams.push_back(StreamOf({}, 1, OkStatus(), {"two"}));
  const auto merged = MergeStreams(std::move(streams));
  Status status;
  EXPECT_THAT(Drain(*merged, &status).warnings, ElementsAre("one", "two"));
}

TEST(MergeStreamsTest, EndsWithErrorOfInputUnlessHandled) {
  const model::Labels a = model::Labels::Of({{"a", "1"}});
  const model::Labels b = model::Labels::Of({{"b", "1"}});
  const model::Labels c = model::Labels::Of({{"c", "1"}});
  const auto inputs = [&] {
    std::vector<std::unique_ptr<SeriesStream>> streams;
    streams.push_back(StreamOf({{a, {}}, {c, {}}}, 1));
    streams.push_back(StreamOf({{a, {}}, {b, {}}}, 1, Unavailable("gone")));
    return streams;
  };
  Status status;
  const auto plain = MergeStreams(inputs());
  Drain(*plain, &status);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  wire::SeriesBatch batch;
  EXPECT_EQ(plain->Next(&batch).status().code(), StatusCode::kUnavailable);

  const auto handled =
      MergeStreams(inputs(), [](std::size_t input, const Status& error, wire::SeriesBatch* out) {
        out->warnings.push_back(fmt::format("{}: {}", input, error.message()));
        return OkStatus();
      });
  const wire::SeriesBatch all = Drain(*handled, &status);
  EXPECT_TRUE(status.ok());
  EXPECT_THAT(Text(all), ElementsAre("{a=\"1\"}", "{b=\"1\"}", "{c=\"1\"}"));
  EXPECT_THAT(all.warnings, ElementsAre("1: gone"));
}

TEST(MergeStreamsTest, RefusesInputThatIsNotSorted) {
  const model::Labels a = model::Labels::Of({{"a", "1"}});
  const model::Labels b = model::Labels::Of({{"b", "1"}});
  for (const std::size_t batch_size : {1, 5}) {
    std::vector<std::unique_ptr<SeriesStream>> streams;
    streams.push_back(StreamOf({{b, {}}, {a, {}}}, batch_size));
    Status status;
    Drain(*MergeStreams(std::move(streams)), &status);
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr("not sorted by their labels: {a=\"1\"}"));
  }
}

TEST(SortChunksTest, KeepsPartsOfAnAggregateTogether) {
  using chunk::Aggregate;
  std::vector<ChunkView> chunks = {
      Chunk(5, 9, "c2", Aggregate::kCount), Chunk(5, 9, "s2", Aggregate::kSum),
      Chunk(0, 4, "c1", Aggregate::kCount), Chunk(0, 4, "s1", Aggregate::kSum),
      Chunk(5, 9, "c0", Aggregate::kCount), Chunk(5, 9, "s0", Aggregate::kSum),
      Chunk(0, 4, "c1", Aggregate::kCount), Chunk(0, 4, "s1", Aggregate::kSum),
  };
  SortChunks(&chunks, 0);
  std::string order;
  for (const ChunkView& chunk : chunks) order += chunk.data;
  EXPECT_EQ(order, "c1s1c2s2c0s0");
}

TEST(SortWithoutLabelsTest, SortsByWhatRemains) {
  const std::vector<FakeSeries> series = {
      {model::Labels::Of({{"a", "1"}, {"replica", "x"}}), {Chunk(0, 1, "1")}},
      {model::Labels::Of({{"a", "1"}, {"z", "1"}}), {Chunk(0, 1, "2")}},
      {model::Labels::Of({{"b", "1"}, {"replica", "x"}}), {}},
      {model::Labels::Of({{"replica", "y"}, {"a", "1"}}), {Chunk(0, 1, "3")}},
  };
  const auto budget = std::make_shared<MemoryBudget>("query", 1 << 20);
  {
    auto sorted =
        SortWithoutLabels(Context::Background().WithBudget(budget),
                          StreamOf(series, 3, OkStatus(), {"warned"}), {"replica", "none"});
    Status status;
    const wire::SeriesBatch all = Drain(*sorted, &status);
    EXPECT_TRUE(status.ok());
    EXPECT_THAT(Text(all), ElementsAre("{a=\"1\"} 0-1:1", "{a=\"1\"} 0-1:3",
                                       "{a=\"1\", z=\"1\"} 0-1:2", "{b=\"1\"}"));
    EXPECT_THAT(all.warnings, ElementsAre("warned"));
    sorted.reset();
    EXPECT_GT(budget->used_bytes(), 0);
  }
  EXPECT_EQ(budget->used_bytes(), 0);

  const auto small = std::make_shared<MemoryBudget>("query", 50);
  Status status;
  Drain(
      *SortWithoutLabels(Context::Background().WithBudget(small), StreamOf(series, 3), {"replica"}),
      &status);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace aevum::store
