#include "store/dedup/penalty.h"

#include <algorithm>
#include <bit>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chunk/testing/vectors.h"
#include "store/dedup/counter.h"
#include "store/dedup/replicas.h"

namespace aevum::store::dedup {
namespace {

using chunk::Columns;
using chunk::testing::ReadSamples;
using chunk::testing::ReadVectors;
using chunk::testing::ToText;
using nlohmann::json;

std::vector<Row> RowsOf(const std::vector<Columns>& columns, TimestampMs max_time = kMaxTime) {
  std::vector<Row> rows;
  for (const Columns& one : columns) rows.push_back({.columns = &one, .max_time = max_time});
  return rows;
}

Columns Merge(const json& vector, const std::vector<Row>& rows) {
  Columns out;
  if (vector.at("algorithm") == "chain") {
    MergeChain(rows, &out);
  } else {
    const bool counter = IsCounterFunction(vector.at("func").get<std::string>());
    MergePenalty(rows, counter ? Adjust::kCounter : Adjust::kNone, ResetHints::kKeep, &out);
  }
  return out;
}

TEST(PenaltyTest, AnswersAsThanosOnSamples) {
  const std::vector<json> vectors = ReadVectors("dedup/iterator.jsonl.gz");
  if (vectors.empty()) GTEST_SKIP() << "no golden vectors at " << AEVUM_SHARED_DIR;
  for (const json& vector : vectors) {
    SCOPED_TRACE(vector.at("id").dump() + " " + vector.at("shape").dump());
    std::vector<Columns> replicas;
    for (const json& samples : vector.at("replicas")) replicas.push_back(ReadSamples(samples));
    EXPECT_EQ(ToText(Merge(vector, RowsOf(replicas))), ToText(ReadSamples(vector.at("output"))));
  }
}

// The columns of a row of chunks, bounded as Thanos's querier bounds them.
Columns RowColumns(const json& row, bool unroll, TimestampMs min_time) {
  std::vector<Columns> chunks;
  for (const json& chunk : row) chunks.push_back(ReadSamples(chunk.at("samples")));
  Columns all;
  if (unroll) {
    ApplyCounterResets(chunks, &all);
  } else {
    Union(chunks, &all);
  }
  Columns bounded;
  for (std::size_t i = 0; i < all.times.size(); ++i) {
    if (all.times[i] < min_time) continue;
    bounded.times.push_back(all.times[i]);
    bounded.values.push_back(all.values[i]);
  }
  for (std::size_t i = 0; i < all.histogram_times.size(); ++i) {
    if (all.histogram_times[i] < min_time) continue;
    bounded.histogram_times.push_back(all.histogram_times[i]);
    bounded.histograms.push_back(all.histograms[i]);
  }
  return bounded;
}

TEST(PenaltyTest, AnswersAsThanosOnChunks) {
  const std::vector<json> vectors = ReadVectors("dedup/query.jsonl.gz");
  if (vectors.empty()) GTEST_SKIP() << "no golden vectors at " << AEVUM_SHARED_DIR;
  for (const json& vector : vectors) {
    SCOPED_TRACE(vector.at("id").dump() + " " + vector.at("shape").dump());
    const bool unroll = vector.at("aggregates") == json::array({"COUNTER"});
    std::vector<Columns> replicas;
    for (const json& series : vector.at("series")) {
      std::vector<chunk::ChunkView> chunks;
      for (const json& chunk : series) {
        chunks.push_back({.min_time = chunk.at("mint"), .max_time = chunk.at("maxt"), .data = {}});
      }
      for (const std::vector<std::size_t>& row : SplitOverlaps(chunks)) {
        json list = json::array();
        for (const std::size_t i : row) list.push_back(series[i]);
        replicas.push_back(RowColumns(list, unroll, vector.at("mint")));
      }
    }
    const Columns merged = Merge(vector, RowsOf(replicas, vector.at("maxt")));
    EXPECT_EQ(ToText(merged), ToText(ReadSamples(vector.at("output"))));
  }
}

Columns Floats(std::vector<TimestampMs> times, double offset = 0) {
  Columns columns;
  for (const TimestampMs time : times) columns.values.push_back(static_cast<double>(time) + offset);
  columns.times = std::move(times);
  return columns;
}

TEST(PenaltyTest, FillsGapOfOneReplica) {
  const std::vector<Columns> replicas = {Floats({0, 15000, 90000, 105000}),
                                         Floats({3000, 18000, 33000, 48000, 63000, 78000, 93000})};
  Columns out;
  MergePenalty(RowsOf(replicas), Adjust::kNone, ResetHints::kKeep, &out);
  EXPECT_THAT(out.times, ::testing::ElementsAre(0, 15000, 48000, 63000, 78000, 93000));
}

// Samples of a replica that say in their values and in their starts whose they are.
Columns Marked(std::mt19937& random, TimestampMs replica) {
  std::uniform_int_distribution<TimestampMs> distance(1, 9);
  Columns columns;
  columns.with_starts = true;
  TimestampMs time = 0;
  for (int i = 0; i < 100; ++i) {
    time += distance(random) * (i % 20 == 0 ? 100 : 10);
    const TimestampMs start = time * 10 + replica;
    if (i % 30 > 24) {
      columns.histogram_times.push_back(time);
      columns.histogram_starts.push_back(start);
      columns.histograms.emplace_back().sum = static_cast<double>(start);
      continue;
    }
    columns.times.push_back(time);
    columns.starts.push_back(start);
    columns.values.push_back(static_cast<double>(start));
  }
  return columns;
}

TEST(PenaltyTest, KeepsStartTimesWithTheirSamples) {
  std::mt19937 random(5);
  for (std::size_t count = 1; count < 5; ++count) {
    std::vector<Columns> replicas;
    for (std::size_t i = 0; i < count; ++i)
      replicas.push_back(Marked(random, static_cast<TimestampMs>(i)));
    Columns outs[3];
    for (Columns& out : outs) out.with_starts = true;
    MergePenalty(RowsOf(replicas, 30'000), Adjust::kNone, ResetHints::kKeep, &outs[0]);
    MergeChain(RowsOf(replicas), &outs[1]);
    Union(replicas, &outs[2]);
    for (const Columns& out : outs) {
      EXPECT_GT(out.times.size(), 50U);
      ASSERT_EQ(out.starts.size(), out.values.size());
      ASSERT_EQ(out.histogram_starts.size(), out.histograms.size());
      for (std::size_t i = 0; i < out.values.size(); ++i)
        EXPECT_EQ(out.values[i], static_cast<double>(out.starts[i]));
      for (std::size_t i = 0; i < out.histograms.size(); ++i)
        EXPECT_EQ(out.histograms[i].sum, static_cast<double>(out.histogram_starts[i]));
    }
  }
}

TEST(PenaltyTest, TakesTimesNearTheEndsOfTheRange) {
  const std::vector<Columns> replicas = {Floats({kMinTime + 1, 0, kMaxTime}),
                                         Floats({kMinTime, kMaxTime - 1})};
  Columns out;
  MergePenalty(RowsOf(replicas), Adjust::kNone, ResetHints::kKeep, &out);
  EXPECT_FALSE(out.empty());
}

TEST(PenaltyTest, ForgetsResetHintsWhereRowsChange) {
  std::vector<Columns> replicas(2);
  for (const TimestampMs time : {0, 15000, 90000}) replicas[0].histogram_times.push_back(time);
  for (const TimestampMs time : {3000, 48000, 63000}) replicas[1].histogram_times.push_back(time);
  model::FloatHistogram follower;
  follower.reset_hint = model::ResetHint::kNoReset;
  for (Columns& columns : replicas) columns.histograms.assign(3, follower);
  Columns out;
  MergePenalty(RowsOf(replicas), Adjust::kNone, ResetHints::kForgetAtSeams, &out);
  EXPECT_THAT(out.histogram_times, ::testing::ElementsAre(0, 15000, 48000, 63000));
  std::vector<model::ResetHint> hints;
  for (const model::FloatHistogram& h : out.histograms) hints.push_back(h.reset_hint);
  EXPECT_THAT(hints,
              ::testing::ElementsAre(model::ResetHint::kUnknown, model::ResetHint::kNoReset,
                                     model::ResetHint::kUnknown, model::ResetHint::kNoReset));
}

TEST(UnionTest, DoesNotDependOnOrderOrLayout) {
  std::mt19937 generator(7);
  const auto random = [&] { return static_cast<int>(generator() % 1000); };
  const double stale = std::bit_cast<double>(chunk::kStaleNanBits);
  const double nan = std::bit_cast<double>(chunk::kNormalNanBits);
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    std::vector<Columns> chunks(1 + generator() % 5);
    for (Columns& chunk : chunks) {
      TimestampMs time = random() % 50;
      for (int i = random() % 20; i > 0; --i) {
        time += 1 + random() % 10;
        if (random() % 4 == 0) {
          chunk.histogram_times.push_back(time);
          chunk.histograms.emplace_back();
          chunk.histograms.back().count = random() % 3;
        } else {
          const double values[] = {stale, nan, 1, 2, -0.0, 0.0};
          chunk.times.push_back(time);
          chunk.values.push_back(values[random() % 6]);
        }
      }
    }
    Columns expected;
    Union(chunks, &expected);
    EXPECT_TRUE(std::is_sorted(expected.times.begin(), expected.times.end()));
    for (int shuffle = 0; shuffle < 5; ++shuffle) {
      std::shuffle(chunks.begin(), chunks.end(), generator);
      Columns out;
      Union(chunks, &out);
      EXPECT_EQ(ToText(out), ToText(expected));
    }
  }
}

TEST(UnionTest, PrefersNumbersAndGreaterValues) {
  const double stale = std::bit_cast<double>(chunk::kStaleNanBits);
  Columns a = Floats({1, 2, 3});
  Columns b = Floats({2, 3, 4});
  a.values = {1, stale, 5};
  b.values = {7, 9, 8};
  Columns out;
  Union(std::vector<Columns>{a, b}, &out);
  EXPECT_THAT(out.times, ::testing::ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(out.values, ::testing::ElementsAre(1, 7, 9, 8));
}

TEST(SplitOverlapsTest, PutsChunksIntoTheFirstRowThatEnded) {
  const auto chunk = [](TimestampMs min, TimestampMs max) {
    return chunk::ChunkView{.min_time = min, .max_time = max, .data = {}};
  };
  const std::vector<chunk::ChunkView> chunks = {chunk(0, 9), chunk(1, 8), chunk(9, 20),
                                                chunk(10, 12), chunk(11, 30)};
  EXPECT_THAT(SplitOverlaps(chunks),
              ::testing::ElementsAre(::testing::ElementsAre(0, 3), ::testing::ElementsAre(1, 2),
                                     ::testing::ElementsAre(4)));
}

TEST(ApplyCounterResetsTest, JoinsChunksAtTheirSeams) {
  // The last sample of a downsampled counter chunk stands twice: the second time with the true
  // value.
  std::vector<Columns> chunks(2);
  chunks[0].times = {0, 10, 10};
  chunks[0].values = {5, 8, 20};
  chunks[1].times = {20, 30};
  chunks[1].values = {25, 3};
  Columns out;
  ApplyCounterResets(chunks, &out);
  EXPECT_THAT(out.times, ::testing::ElementsAre(0, 10, 20, 30));
  EXPECT_THAT(out.values, ::testing::ElementsAre(5, 8, 13, 16));
}

}  // namespace
}  // namespace aevum::store::dedup
