#include "compaction/series_downsampler.h"

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "chunk/aggregate_chunk.h"
#include "chunk/testing/vectors.h"
#include "compaction/aggregate_downsampler.h"
#include "compaction/downsample.h"
#include "compaction/window.h"

namespace aevum::compaction {
namespace {

const std::string kVectors = AEVUM_SHARED_DIR "/golden/vectors/downsample/";

// Chunks with the bytes that they borrow.
struct OwnedChunks {
  std::vector<std::string> bytes;
  std::vector<tsdb::WrittenChunk> chunks;

  explicit OwnedChunks(const nlohmann::json& list) {
    bytes.reserve(list.size());
    for (const auto& chunk : list) {
      bytes.push_back(chunk::testing::FromHex(chunk["hex"].get<std::string>()));
      chunks.push_back({chunk["mint"].get<TimestampMs>(),
                        chunk["maxt"].get<TimestampMs>(),
                        {chunk["enc"].get<std::uint8_t>(), bytes.back()}});
    }
  }
};

std::vector<tsdb::WrittenChunk> Views(const std::vector<AggregateChunk>& chunks) {
  std::vector<tsdb::WrittenChunk> views;
  for (const AggregateChunk& chunk : chunks) views.push_back(chunk.View());
  return views;
}

// All parts of an aggregate chunk as text.
std::string Describe(const tsdb::WrittenChunk& chunk) {
  std::string text = fmt::format("{} to {}\n", chunk.min_time, chunk.max_time);
  const auto parts = chunk::SplitAggregateChunk(chunk.stored.data);
  if (!parts.ok()) return text + parts.status().ToString();
  for (std::size_t i = 0; i < parts->size(); ++i) {
    const chunk::AggregatePart& part = (*parts)[i];
    text += fmt::format("part {} encoding {} bytes {}\n", i, static_cast<int>(part.encoding),
                        part.data.size());
    if (part.encoding == chunk::Encoding::kNone) continue;
    if (part.encoding != chunk::Encoding::kXor)
      text += fmt::format("flags {:02x}\n", static_cast<std::uint8_t>(part.data[2]));
    chunk::Columns columns;
    const Status status = chunk::Decode(part.encoding, part.data, &columns);
    text += status.ok() ? chunk::testing::ToText(columns) : status.ToString();
  }
  return text;
}

void ExpectEqual(const std::vector<AggregateChunk>& made, const OwnedChunks& expected) {
  const std::vector<tsdb::WrittenChunk> ours = Views(made);
  ASSERT_EQ(ours.size(), expected.chunks.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    SCOPED_TRACE(i);
    const tsdb::WrittenChunk& theirs = expected.chunks[i];
    EXPECT_EQ(ours[i].min_time, theirs.min_time);
    EXPECT_EQ(ours[i].max_time, theirs.max_time);
    EXPECT_EQ(ours[i].stored.encoding, theirs.stored.encoding);
    if (ours[i].stored.data == theirs.stored.data) continue;
    EXPECT_EQ(Describe(ours[i]), Describe(theirs));
    ADD_FAILURE() << "bytes differ";
  }
}

// The windows of all chunks: their times and counts.
std::vector<std::pair<TimestampMs, double>> CountsOf(
    const std::vector<tsdb::WrittenChunk>& chunks) {
  std::vector<std::pair<TimestampMs, double>> counts;
  for (const tsdb::WrittenChunk& chunk : chunks) {
    const auto parts = chunk::SplitAggregateChunk(chunk.stored.data);
    chunk::Columns columns;
    EXPECT_TRUE(parts.ok() && chunk::Decode((*parts)[0].encoding, (*parts)[0].data, &columns).ok());
    for (std::size_t i = 0; i < columns.times.size(); ++i)
      counts.emplace_back(columns.times[i], columns.values[i]);
  }
  return counts;
}

// That the sum and the counter of each chunk have the windows that its count has, and a counter
// never falls inside a chunk.
void ExpectWholeWindows(const std::vector<AggregateChunk>& chunks) {
  for (const AggregateChunk& made : chunks) {
    const auto parts = chunk::SplitAggregateChunk(made.data);
    ASSERT_TRUE(parts.ok()) << parts.status();
    std::array<chunk::Columns, 5> columns;
    for (std::size_t i = 0; i < parts->size(); ++i) {
      const chunk::AggregatePart& part = (*parts)[i];
      if (part.encoding == chunk::Encoding::kNone) continue;
      ASSERT_TRUE(chunk::Decode(part.encoding, part.data, &columns[i]).ok());
    }
    if ((*parts)[4].encoding == chunk::Encoding::kXor) continue;
    EXPECT_EQ(columns[1].histogram_times, columns[0].times);
    EXPECT_EQ(columns[4].histogram_times, columns[0].times);
    EXPECT_EQ(made.windows, columns[0].times.size());
    for (std::size_t i = 1; i < columns[4].histograms.size(); ++i) {
      const model::FloatHistogram& counter = columns[4].histograms[i];
      if (counter.reset_hint == model::ResetHint::kGauge) continue;
      EXPECT_GE(counter.count, columns[4].histograms[i - 1].count);
    }
  }
}

TEST(SeriesDownsamplerTest, ChunksAreThoseOfTheReference) {
  const std::string path = kVectors + "series.jsonl.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no golden vectors at " << path;
  std::istringstream stream(chunk::testing::ReadGzip(path));
  SeriesDownsampler to_5m(kResolution5m);
  AggregateDownsampler to_1h(kResolution5m, kResolution1h);
  int compared = 0;
  for (std::string line; std::getline(stream, line);) {
    const auto vector = nlohmann::json::parse(line);
    SCOPED_TRACE(vector["id"].dump() + " " + vector["shape"].get<std::string>());
    // Where the reference fails or loses windows there is nothing to compare with.
    if (vector.contains("windows_lost") || vector.contains("res5m_panic")) continue;
    const OwnedChunks raw(vector["raw"]);
    const OwnedChunks res5m(vector.value("res5m", nlohmann::json::array()));
    const OwnedChunks res1h(vector.value("res1h", nlohmann::json::array()));
    std::vector<AggregateChunk> made;
    Status status = to_5m.Downsample(raw.chunks, &made);
    ASSERT_TRUE(status.ok()) << status;
    ExpectEqual(made, res5m);
    std::vector<AggregateChunk> coarser;
    status = to_1h.Downsample(Views(made), &coarser);
    ASSERT_TRUE(status.ok()) << status;
    ExpectEqual(coarser, res1h);
    ++compared;
  }
  EXPECT_GT(compared, 150);
}

TEST(SeriesDownsamplerTest, KeepsTheWindowsThatTheReferenceLoses) {
  const std::string path = kVectors + "series.jsonl.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no golden vectors at " << path;
  std::istringstream stream(chunk::testing::ReadGzip(path));
  SeriesDownsampler to_5m(kResolution5m);
  AggregateDownsampler to_1h(kResolution5m, kResolution1h);
  int checked = 0;
  for (std::string line; std::getline(stream, line);) {
    const auto vector = nlohmann::json::parse(line);
    SCOPED_TRACE(vector["id"].dump() + " " + vector["shape"].get<std::string>());
    if (!vector.contains("windows_lost") && !vector.contains("res5m_panic")) continue;
    const OwnedChunks raw(vector["raw"]);
    std::vector<AggregateChunk> made;
    Status status = to_5m.Downsample(raw.chunks, &made);
    ASSERT_TRUE(status.ok()) << status;
    ExpectWholeWindows(made);
    std::vector<AggregateChunk> coarser;
    status = to_1h.Downsample(Views(made), &coarser);
    ASSERT_TRUE(status.ok()) << status;
    ExpectWholeWindows(coarser);
    // The reference keeps the counts of all windows; where it fails there is nothing.
    if (vector.contains("windows_lost")) {
      EXPECT_EQ(CountsOf(Views(made)), CountsOf(OwnedChunks(vector["res5m"]).chunks));
    } else {
      EXPECT_GT(made.size(), 1U);
    }
    ++checked;
  }
  EXPECT_GT(checked, 10);
}

TEST(WindowTest, EndsAreThoseOfTheReference) {
  std::ifstream file(kVectors + "windows.tsv");
  if (!file) GTEST_SKIP() << "no golden vectors at " << kVectors;
  int lines = 0;
  for (TimestampMs time, r5m, end_5m, r1h, end_1h; file >> time >> r5m >> end_5m >> r1h >> end_1h;
       ++lines) {
    EXPECT_EQ(WindowEnd(time, r5m, kMaxTime), end_5m) << time;
    EXPECT_EQ(WindowEnd(time, r1h, kMaxTime), end_1h) << time;
  }
  EXPECT_GT(lines, 50);
}

TEST(WindowTest, NumbersOfChunksAreThoseOfTheReference) {
  std::ifstream file(kVectors + "target_chunk_count.tsv");
  if (!file) GTEST_SKIP() << "no golden vectors at " << kVectors;
  int lines = 0;
  std::uint64_t samples = 0;
  std::uint64_t chunks = 0;
  for (TimestampMs min, max, from, to; file >> min >> max >> from >> to >> samples >> chunks;
       ++lines) {
    EXPECT_EQ(TargetChunkCount(min, max, from, to, samples), chunks)
        << min << " " << max << " " << from << " " << to << " " << samples;
  }
  EXPECT_GT(lines, 50);
}

}  // namespace
}  // namespace aevum::compaction
