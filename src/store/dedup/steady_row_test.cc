#include "store/dedup/steady_row.h"

#include <bit>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "chunk/testing/vectors.h"
#include "chunk/xor.h"
#include "store/dedup/adaptive.h"
#include "store/dedup/replicas.h"
#include "store/dedup/row_reader.h"
#include "store/merge.h"

namespace aevum::store::dedup {
namespace {

using chunk::ChunkView;
using chunk::Columns;
using chunk::testing::ToText;

const double kStale = std::bit_cast<double>(chunk::kStaleNanBits);

// What the rule makes of chunks.
Columns AskTheRule(const std::vector<ChunkView>& chunks, TimestampMs start, TimestampMs end) {
  const auto read = [](const ChunkView& chunk, std::uint32_t samples, Columns* out) {
    return chunk::DecodeFirst(chunk.encoding, chunk.data, samples, out);
  };
  std::vector<RowReader> rows;
  for (const std::vector<std::size_t>& row : SplitReplicas(chunks)) {
    std::vector<ChunkView> of_row;
    for (const std::size_t i : row) {
      if (chunks[i].max_time >= start && chunks[i].min_time <= end) of_row.push_back(chunks[i]);
    }
    rows.emplace_back(of_row, start, end, read);
  }
  Columns out;
  const Status status = MergeAdaptive(rows, {.range_start = start}, &out);
  EXPECT_TRUE(status.ok()) << status;
  return out;
}

// The replicas of a series in chunks.
class Series {
 public:
  void Add(const Columns& samples, std::size_t chunk_size, std::uint16_t replica) {
    chunk::XorEncoder encoder;
    for (std::size_t i = 0; i < samples.times.size(); ++i) {
      const TimestampMs first = samples.times[i - encoder.samples()];
      encoder.Append(samples.times[i], samples.values[i]);
      if (encoder.samples() < chunk_size && i + 1 < samples.times.size()) continue;
      bytes_.push_back(std::make_unique<std::string>(encoder.Bytes()));
      chunks_.push_back({.min_time = first,
                         .max_time = samples.times[i],
                         .data = *bytes_.back(),
                         .encoding = chunk::Encoding::kXor,
                         .replicas = static_cast<std::uint16_t>(1U << replica)});
      encoder.Reset();
    }
  }
  // As the merge gives them.
  std::vector<ChunkView> chunks() const {
    std::vector<ChunkView> sorted = chunks_;
    SortChunks(&sorted, 0);
    return sorted;
  }

 private:
  std::vector<std::unique_ptr<std::string>> bytes_;
  std::vector<ChunkView> chunks_;
};

// A replica that is mostly whole.
Columns RandomReplica(std::mt19937& random, TimestampMs start, TimestampMs interval, int samples,
                      unsigned jitter) {
  const auto one_in = [&](unsigned n) { return random() % n == 0; };
  Columns replica;
  TimestampMs scrape = start + static_cast<TimestampMs>(random() % unsigned(interval));
  const bool gaps = one_in(6);
  double value = static_cast<double>(random() % 1000);
  for (int i = 0; i < samples; ++i, scrape += interval) {
    if (gaps && one_in(40)) continue;
    value += static_cast<double>(random() % 3);
    const bool marker = one_in(i + 1 == samples ? 3 : 2000);
    replica.times.push_back(scrape + static_cast<TimestampMs>(random() % (jitter + 1)));
    replica.values.push_back(marker ? kStale : one_in(500) ? std::nan("") : value);
  }
  return replica;
}

TEST(SteadyRowTest, GivesWhatTheRuleGives) {
  std::mt19937 random(20240711);
  int copied = 0;
  int asked = 0;
  for (int round = 0; round < 20'000 && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    // Around the start of an epoch, and well inside one.
    const TimestampMs start = 7'200'000 - (random() % 2 == 0 ? 600'000 : 7'200'000);
    const TimestampMs interval = 1'000 + random() % 15'000;
    const auto jitter = static_cast<unsigned>(random() % 3 == 0 ? interval / 4 : random() % 50);
    Series series;
    TimestampMs newest = start;
    for (std::uint16_t r = 0; r < 2 + random() % 2; ++r) {
      const bool finer = random() % 20 == 0;
      const int samples = static_cast<int>(50 + random() % (random() % 4 == 0 ? 20 : 3));
      const Columns replica = RandomReplica(random, start + (random() % 10 == 0 ? 100'000 : 0),
                                            finer ? interval / 2 : interval, samples, jitter);
      newest = std::max(newest, replica.times.back());
      series.Add(replica, 1 + random() % 60, r);
    }
    // Trimmed to the range by who gave them, or not.
    const TimestampMs from = start + (random() % 2 == 0 ? 0 : 5 * interval);
    const TimestampMs to = random() % 2 == 0 ? newest : newest - 4 * interval;
    std::vector<ChunkView> chunks = series.chunks();
    std::erase_if(chunks, [&](const ChunkView& c) { return c.max_time < from || c.min_time > to; });
    Columns out;
    out.times = {1};
    out.values = {2};
    if (!CopySteadyRow(chunks, from, to, &out)) {
      ++asked;
      ASSERT_EQ(out.times, std::vector<TimestampMs>{1});
      ASSERT_EQ(out.values, std::vector<double>{2});
      continue;
    }
    ++copied;
    Columns expected = AskTheRule(chunks, from, to);
    expected.times.insert(expected.times.begin(), 1);
    expected.values.insert(expected.values.begin(), 2);
    ASSERT_EQ(ToText(out), ToText(expected));
  }
  EXPECT_GT(copied, 4'000);
  EXPECT_GT(asked, 2'000);
}

}  // namespace
}  // namespace aevum::store::dedup
