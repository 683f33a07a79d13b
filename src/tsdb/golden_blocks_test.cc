// Every sample of every golden block, against what the real programs dumped of them.
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "chunk/aggregate_chunk.h"
#include "chunk/testing/vectors.h"
#include "tsdb/block_labels.h"
#include "tsdb/block_series.h"
#include "tsdb/local_block.h"
#include "tsdb/posting_groups.h"

namespace aevum::tsdb {
namespace {

namespace fs = std::filesystem;
using chunk::Aggregate;
using chunk::testing::ReadFloat;
using chunk::testing::ToText;

const std::string kBuckets = AEVUM_SHARED_DIR "/golden/buckets/";

struct DumpedChunk {
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
  std::string encoding;
  chunk::Columns samples;
};
struct DumpedSeries {
  model::Labels labels;
  std::vector<DumpedChunk> chunks;
};

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

// "-3:2,4:1|5,6,7": spans and absolute counts.
void ReadBuckets(const std::string& text, std::vector<model::Span>* spans,
                 std::vector<double>* buckets) {
  const std::size_t bar = text.find('|');
  for (const std::string& span : Split(text.substr(0, bar), ',')) {
    const std::vector<std::string> parts = Split(span, ':');
    spans->push_back({.offset = std::stoi(parts.at(0)),
                      .length = static_cast<std::uint32_t>(std::stoul(parts.at(1)))});
  }
  for (const std::string& count : Split(text.substr(bar + 1), ','))
    buckets->push_back(ReadFloat(count));
}

// Words: kind, hint, schema, zero threshold, zero count, count, sum, then p=, n=, c=.
model::FloatHistogram ReadHistogram(std::span<const std::string> words) {
  static const std::map<std::string, model::ResetHint> hints = {
      {"unknown", model::ResetHint::kUnknown},
      {"reset", model::ResetHint::kReset},
      {"noreset", model::ResetHint::kNoReset},
      {"gauge", model::ResetHint::kGauge}};
  model::FloatHistogram h;
  h.reset_hint = hints.at(words[1]);
  h.schema = std::stoi(words[2]);
  h.zero_threshold = ReadFloat(words[3]);
  h.zero_count = ReadFloat(words[4]);
  h.count = ReadFloat(words[5]);
  h.sum = ReadFloat(words[6]);
  for (const std::string& word : words.subspan(7)) {
    const std::string value = word.substr(2);
    if (word[0] == 'p') ReadBuckets(value, &h.positive_spans, &h.positive_buckets);
    if (word[0] == 'n') ReadBuckets(value, &h.negative_spans, &h.negative_buckets);
    if (word[0] == 'c') {
      for (const std::string& bound : Split(value, ','))
        h.custom_values.push_back(ReadFloat(bound));
    }
  }
  return h;
}

void ReadSample(const std::string& line, TimestampMs* time, chunk::Columns* out) {
  const std::vector<std::string> words = Split(line, ' ');
  const bool has_start = words[0].starts_with('@');
  std::size_t at = has_start ? 1 : 0;
  *time += std::stoll(words[at++]);
  const TimestampMs start = has_start ? *time + std::stoll(words[0].substr(1)) : 0;
  if (words[at] == "h" || words[at] == "fh") {
    out->histogram_times.push_back(*time);
    out->histogram_starts.push_back(start);
    out->histograms.push_back(ReadHistogram(std::span<const std::string>(words).subspan(at)));
  } else {
    out->times.push_back(*time);
    out->starts.push_back(start);
    out->values.push_back(ReadFloat(words[at]));
  }
}

std::vector<DumpedSeries> ReadDump(const std::string& path) {
  std::vector<DumpedSeries> dump;
  TimestampMs time = 0;
  std::istringstream stream(chunk::testing::ReadGzip(path));
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("S ")) {
      std::vector<model::Label> labels;
      const auto json = nlohmann::json::parse(line.substr(2));
      for (const auto& [name, value] : json.items())
        labels.push_back({name, value.get_ref<const std::string&>()});
      dump.push_back({model::Labels::FromUnsorted(labels), {}});
      time = 0;
    } else if (line.starts_with("C ")) {
      const std::vector<std::string> words = Split(line, ' ');
      dump.back().chunks.push_back({std::stoll(words[1]), std::stoll(words[2]), words[3], {}});
    } else {
      ReadSample(line, &time, &dump.back().chunks.back().samples);
    }
  }
  return dump;
}

std::string EncodingName(chunk::Encoding encoding) {
  static const char* const names[] = {"none", "XOR",         "histogram",       "floathistogram",
                                      "XOR2", "histogramST", "floathistogramST"};
  return names[static_cast<std::size_t>(encoding)];
}

std::vector<DumpedSeries> ReadBlock(const LocalBlock& block, Aggregate aggregate) {
  auto& source = const_cast<LocalBlock&>(block);
  const Context context = Context::Background();
  const auto groups = ResolveMatchers(context, block.tables().postings(), {});
  auto series = SelectSeries(context, *groups, source);
  EXPECT_TRUE(series.ok()) << series.status();
  BlockSeries reader(context, block.tables(), source, *std::move(series),
                     {.aggregates = {aggregate}, .batch_series = 7});
  std::vector<DumpedSeries> all;
  wire::SeriesBatch batch;
  while (true) {
    const auto more = reader.Next(&batch);
    EXPECT_TRUE(more.ok()) << more.status();
    if (!more.ok() || !*more) return all;
    for (const wire::SeriesBatch::Series& found : batch.series) {
      all.push_back({found.labels, {}});
      for (const chunk::ChunkView& view : batch.ChunksOf(found)) {
        DumpedChunk chunk{view.min_time, view.max_time, EncodingName(view.encoding), {}};
        chunk.samples.with_starts = true;
        const Status decoded = chunk::Decode(view.encoding, view.data, &chunk.samples);
        EXPECT_TRUE(decoded.ok()) << decoded;
        all.back().chunks.push_back(std::move(chunk));
      }
    }
  }
}

void Compare(const std::vector<DumpedSeries>& ours, const std::vector<DumpedSeries>& theirs) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    SCOPED_TRACE(theirs[i].labels.ToString());
    ASSERT_EQ(ours[i].labels.ToString(), theirs[i].labels.ToString());
    ASSERT_EQ(ours[i].chunks.size(), theirs[i].chunks.size());
    for (std::size_t c = 0; c < ours[i].chunks.size(); ++c) {
      const DumpedChunk& a = ours[i].chunks[c];
      const DumpedChunk& b = theirs[i].chunks[c];
      ASSERT_EQ(a.min_time, b.min_time);
      ASSERT_EQ(a.max_time, b.max_time);
      ASSERT_EQ(a.encoding, b.encoding);
      ASSERT_EQ(ToText(a.samples), ToText(b.samples));
      ASSERT_EQ(a.samples.starts, b.samples.starts);
      ASSERT_EQ(a.samples.histogram_starts, b.samples.histogram_starts);
    }
  }
}

TEST(GoldenBlocksTest, HoldWhatWasDumped) {
  if (!fs::exists(kBuckets)) GTEST_SKIP() << "no golden blocks at " << kBuckets;
  const std::map<std::string, Aggregate> aggregates = {{"count", Aggregate::kCount},
                                                       {"sum", Aggregate::kSum},
                                                       {"min", Aggregate::kMin},
                                                       {"max", Aggregate::kMax},
                                                       {"counter", Aggregate::kCounter}};
  int read = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kBuckets + "dumps")) {
    if (!entry.is_regular_file()) continue;
    SCOPED_TRACE(entry.path().string());
    const std::vector<std::string> name = Split(entry.path().filename().string(), '.');
    const bool aggregated = name.size() == 4;  // ULID.count.txt.gz
    if (aggregated && !aggregates.contains(name[1])) continue;
    const std::string bucket = entry.path().parent_path().filename().string();
    auto block = LocalBlock::Open(kBuckets + bucket + "/" + name[0]);
    ASSERT_TRUE(block.ok()) << block.status();
    std::vector<DumpedSeries> ours =
        ReadBlock(**block, aggregated ? aggregates.at(name[1]) : Aggregate::kRaw);
    // A series of histograms has no least and no greatest value.
    std::erase_if(ours, [](const DumpedSeries& series) { return series.chunks.empty(); });
    Compare(ours, ReadDump(entry.path().string()));
    ++read;
  }
  EXPECT_GT(read, 30);
}

}  // namespace
}  // namespace aevum::tsdb
