#include "compaction/series_downsampler.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "chunk/aggregate_chunk.h"
#include "chunk/testing/vectors.h"
#include "chunk/xor.h"
#include "compaction/aggregate_downsampler.h"
#include "compaction/downsample.h"
#include "compaction/window.h"

namespace aevum::compaction {
namespace {

using ::testing::AnyOf;

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

// What the windows of a series should hold, one sample after another.
struct NaiveWindow {
  TimestampMs end = 0;
  double count = 0;
  double sum = 0;
  double min = std::numeric_limits<double>::max();
  double max = std::numeric_limits<double>::lowest();
};

std::vector<NaiveWindow> NaiveWindows(const chunk::Columns& samples, std::int64_t resolution_ms) {
  std::map<TimestampMs, NaiveWindow> windows;
  TimestampMs last = 0;
  for (std::size_t i = 0; i < samples.times.size(); ++i) {
    const double value = samples.values[i];
    if (std::isnan(value)) continue;
    last = samples.times[i];
    NaiveWindow& window = windows[samples.times[i] / resolution_ms];
    window.end = (samples.times[i] / resolution_ms + 1) * resolution_ms - 1;
    window.count += 1;
    window.sum += value;
    window.min = std::min(window.min, value);
    window.max = std::max(window.max, value);
  }
  std::vector<NaiveWindow> list;
  for (const auto& [number, window] : windows) list.push_back(window);
  // The last window ends where its samples do; one that ends a chunk within the series may too.
  if (!list.empty()) list.back().end = last;
  return list;
}

// The growth of a counter over a series, resets taken out.
double NaiveGrowth(const chunk::Columns& samples) {
  double growth = 0;
  double previous = NAN;
  for (const double value : samples.values) {
    if (std::isnan(value)) continue;
    if (!std::isnan(previous)) growth += value < previous ? value : value - previous;
    previous = value;
  }
  return growth;
}

// The same as a query reads it from the counter parts of chunks.
double GrowthOf(const std::vector<AggregateChunk>& chunks) {
  double growth = 0;
  double previous = NAN;
  TimestampMs last = -1;
  for (const AggregateChunk& chunk : chunks) {
    const auto parts = chunk::SplitAggregateChunk(chunk.data);
    chunk::Columns counter;
    EXPECT_TRUE(parts.ok() && chunk::Decode((*parts)[4].encoding, (*parts)[4].data, &counter).ok());
    for (std::size_t i = 0; i < counter.times.size(); ++i) {
      const double value = counter.values[i];
      if (counter.times[i] > last && !std::isnan(previous))
        growth += value < previous ? value : value - previous;
      if (counter.times[i] < last) continue;
      last = counter.times[i];
      previous = value;
    }
  }
  return growth;
}

// Integers, so that sums are exact in any order.
chunk::Columns MakeSamples(std::mt19937_64& random) {
  chunk::Columns samples;
  TimestampMs time = 1'700'000'000'000 + static_cast<TimestampMs>(random() % 3'600'000);
  const TimestampMs step =
      std::array<TimestampMs, 4>{15'000, 60'000, 400'000, 3'000'000}[random() % 4];
  double value = 0;
  for (std::uint64_t left = random() % 4'000 + 1; left > 0; --left) {
    time += step + static_cast<TimestampMs>(random() % 50) + (random() % 200 == 0 ? 40 * step : 0);
    value = random() % 50 == 0 ? 0 : value + static_cast<double>(random() % 10);
    const std::uint64_t kind = random() % 60;
    samples.times.push_back(time);
    samples.values.push_back(kind == 0   ? std::bit_cast<double>(chunk::kStaleNanBits)
                             : kind == 1 ? std::bit_cast<double>(chunk::kNormalNanBits)
                                         : value);
  }
  return samples;
}

struct EncodedSeries {
  std::vector<std::string> bytes;
  std::vector<tsdb::WrittenChunk> chunks;
};

EncodedSeries Encode(const chunk::Columns& samples, std::mt19937_64& random) {
  EncodedSeries series;
  series.bytes.reserve(samples.times.size());
  for (std::size_t from = 0; from < samples.times.size();) {
    const std::size_t size = std::min<std::size_t>(random() % 120 + 1, samples.times.size() - from);
    chunk::XorEncoder encoder;
    encoder.Append(std::span(samples.times).subspan(from, size),
                   std::span(samples.values).subspan(from, size));
    series.bytes.push_back(encoder.Bytes());
    series.chunks.push_back(
        {samples.times[from],
         samples.times[from + size - 1],
         {static_cast<std::uint8_t>(chunk::Encoding::kXor), series.bytes.back()}});
    from += size;
  }
  return series;
}

// Of all chunks: count, sum, min and max by the window of each.
std::map<TimestampMs, std::array<double, 4>> WindowsOf(const std::vector<AggregateChunk>& chunks,
                                                       std::int64_t resolution_ms) {
  std::map<TimestampMs, std::array<double, 4>> windows;
  for (const AggregateChunk& chunk : chunks) {
    const auto parts = chunk::SplitAggregateChunk(chunk.data);
    EXPECT_TRUE(parts.ok());
    for (std::size_t part = 0; part < 4; ++part) {
      chunk::Columns columns;
      EXPECT_TRUE(chunk::Decode((*parts)[part].encoding, (*parts)[part].data, &columns).ok());
      for (std::size_t i = 0; i < columns.times.size(); ++i) {
        // A chunk of 5 minutes may end in the middle of an hour: then that has two windows.
        auto [at, is_new] = windows.try_emplace(columns.times[i] / resolution_ms);
        double& value = at->second[part];
        if (is_new) {
          at->second = {0, 0, std::numeric_limits<double>::max(),
                        std::numeric_limits<double>::lowest()};
        }
        value = part < 2    ? value + columns.values[i]
                : part == 2 ? std::min(value, columns.values[i])
                            : std::max(value, columns.values[i]);
      }
    }
  }
  return windows;
}

TEST(SeriesDownsamplerTest, AgreesWithANaiveModel) {
  SeriesDownsampler to_5m(kResolution5m);
  AggregateDownsampler to_1h(kResolution5m, kResolution1h);
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const chunk::Columns samples = MakeSamples(random);
    const EncodedSeries raw = Encode(samples, random);
    std::vector<AggregateChunk> made;
    ASSERT_TRUE(to_5m.Downsample(raw.chunks, &made).ok());
    std::vector<AggregateChunk> coarser;
    ASSERT_TRUE(to_1h.Downsample(Views(made), &coarser).ok());
    for (const auto& [chunks, resolution] :
         {std::pair(&made, kResolution5m), std::pair(&coarser, kResolution1h)}) {
      std::map<TimestampMs, std::array<double, 4>> expected;
      for (const NaiveWindow& window : NaiveWindows(samples, resolution))
        expected[window.end / resolution] = {window.count, window.sum, window.min, window.max};
      EXPECT_EQ(WindowsOf(*chunks, resolution), expected) << resolution;
      EXPECT_EQ(GrowthOf(*chunks), NaiveGrowth(samples)) << resolution;
      for (std::size_t i = 1; i < chunks->size(); ++i)
        EXPECT_GT((*chunks)[i].min_time, (*chunks)[i - 1].max_time);
    }
  }
}

TEST(SeriesDownsamplerTest, RefusesOrBearsDamage) {
  SeriesDownsampler to_5m(kResolution5m);
  AggregateDownsampler to_1h(kResolution5m, kResolution1h);
  std::mt19937_64 random(3);
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE(round);
    EncodedSeries series = Encode(MakeSamples(random), random);
    std::vector<AggregateChunk> made;
    if (round % 2 == 1) {
      ASSERT_TRUE(to_5m.Downsample(series.chunks, &made).ok());
      if (made.empty()) continue;
      series.bytes.clear();
      series.chunks = Views(made);
      for (const AggregateChunk& chunk : made) series.bytes.push_back(chunk.data);
    }
    // A checksum would have told; what is well formed all the same is as good as any series.
    const std::size_t at = random() % series.chunks.size();
    std::string& bytes = series.bytes[at];
    for (int i = 0; i < 4; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (round % 5 == 0) bytes.resize(random() % bytes.size());
    series.chunks[at].stored.data = bytes;
    std::vector<AggregateChunk> out;
    const Status status = round % 2 == 0 ? to_5m.Downsample(series.chunks, &out)
                                         : to_1h.Downsample(series.chunks, &out);
    if (status.ok()) continue;
    EXPECT_THAT(status.code(), AnyOf(StatusCode::kDataLoss, StatusCode::kUnimplemented)) << status;
    ++refused;
  }
  EXPECT_GT(refused, 100);
}

TEST(SeriesDownsamplerTest, RefusesChunksThatOverlap) {
  std::mt19937_64 random(5);
  EncodedSeries series = Encode(MakeSamples(random), random);
  ASSERT_GT(series.chunks.size(), 2U);
  series.chunks[1].min_time = series.chunks[0].max_time;
  std::vector<AggregateChunk> made;
  EXPECT_EQ(SeriesDownsampler(kResolution5m).Downsample(series.chunks, &made).code(),
            StatusCode::kDataLoss);
}

TEST(SeriesDownsamplerTest, SplitsWhatAChunkCannotCount) {
  constexpr std::size_t kMost = 10;
  std::mt19937_64 random(9);
  const chunk::Columns samples = MakeSamples(random);
  const EncodedSeries series = Encode(samples, random);
  std::vector<AggregateChunk> made;
  ASSERT_TRUE(SeriesDownsampler(kResolution5m, kMost).Downsample(series.chunks, &made).ok());
  EXPECT_GT(made.size(), 10U);
  std::size_t windows = 0;
  for (const AggregateChunk& chunk : made) {
    EXPECT_LE(chunk.windows, kMost);
    windows += chunk.windows;
  }
  EXPECT_EQ(windows, NaiveWindows(samples, kResolution5m).size());
  EXPECT_EQ(GrowthOf(made), NaiveGrowth(samples));
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
