// Chunks of every encoding that Prometheus made, and what becomes of damaged ones.
#include <algorithm>
#include <bit>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "chunk/chunk.h"
#include "chunk/testing/vectors.h"

namespace aevum::chunk {
namespace {

using model::FloatHistogram;
using nlohmann::json;
using testing::Bits;
using testing::FromHex;
using testing::ReadFloat;

void ExpectSpans(const std::vector<model::Span>& spans, const json& expected) {
  ASSERT_EQ(spans.size(), expected.size());
  for (std::size_t i = 0; i < spans.size(); ++i) {
    EXPECT_EQ(spans[i].offset, expected[i][0].get<std::int32_t>());
    EXPECT_EQ(spans[i].length, expected[i][1].get<std::uint32_t>());
  }
}

// `integer`: the vector has differences of counts.
void ExpectBuckets(const std::vector<double>& buckets, const json& expected, bool integer) {
  ASSERT_EQ(buckets.size(), expected.size());
  std::int64_t current = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const std::string text = expected[i];
    if (integer) {
      current += std::stoll(text);
      EXPECT_EQ(buckets[i], static_cast<double>(current));
    } else {
      EXPECT_EQ(Bits(buckets[i]), Bits(ReadFloat(text)));
    }
  }
}

json ArrayOf(const json& object, const char* name) { return object.value(name, json::array()); }

void ExpectHistogram(const FloatHistogram& h, const json& expected) {
  EXPECT_EQ(static_cast<int>(h.reset_hint), expected["hint"].get<int>());
  EXPECT_EQ(h.schema, expected["schema"].get<std::int32_t>());
  EXPECT_EQ(h.zero_threshold, ReadFloat(expected["zero_threshold"]));
  EXPECT_EQ(Bits(h.zero_count), Bits(ReadFloat(expected["zero_count"])));
  EXPECT_EQ(Bits(h.count), Bits(ReadFloat(expected["count"])));
  EXPECT_EQ(Bits(h.sum), Bits(ReadFloat(expected["sum"])));
  const bool integer = expected["kind"] == "int";
  ExpectSpans(h.positive_spans, ArrayOf(expected, "pos_spans"));
  ExpectSpans(h.negative_spans, ArrayOf(expected, "neg_spans"));
  ExpectBuckets(h.positive_buckets, ArrayOf(expected, "pos"), integer);
  ExpectBuckets(h.negative_buckets, ArrayOf(expected, "neg"), integer);
  ExpectBuckets(h.custom_values, ArrayOf(expected, "custom"), false);
}

void ExpectDecodes(const json& vector) {
  SCOPED_TRACE(vector["shape"].dump());
  Columns columns;
  columns.with_starts = true;
  const Status status =
      Decode(static_cast<Encoding>(vector["enc"].get<int>()), FromHex(vector["hex"]), &columns);
  ASSERT_TRUE(status.ok()) << status;
  const json& samples = vector["samples"];
  ASSERT_EQ(columns.times.size() + columns.histograms.size(), samples.size());
  ASSERT_EQ(columns.histogram_times.size(), columns.histograms.size());
  ASSERT_EQ(columns.starts.size(), columns.times.size());
  ASSERT_EQ(columns.histogram_starts.size(), columns.histograms.size());
  const auto start_of = [&](std::size_t i) {
    return samples[i].size() > 2 ? samples[i][2].get<TimestampMs>() : 0;
  };
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples[i][1].is_object()) {
      EXPECT_EQ(columns.histogram_times[i], samples[i][0].get<TimestampMs>());
      ExpectHistogram(columns.histograms[i], samples[i][1]);
      EXPECT_EQ(columns.histogram_starts[i], start_of(i));
    } else {
      EXPECT_EQ(columns.times[i], samples[i][0].get<TimestampMs>());
      EXPECT_EQ(Bits(columns.values[i]), Bits(ReadFloat(samples[i][1])));
      EXPECT_EQ(columns.starts[i], start_of(i));
    }
  }
}

std::vector<json> Vectors() {
  std::ifstream file(std::string(AEVUM_SOURCE_DIR) + "/src/chunk/testdata/decode.jsonl");
  std::vector<json> vectors;
  for (std::string line; std::getline(file, line);) vectors.push_back(json::parse(line));
  return vectors;
}

// The lines of a file of the shared vectors, "" when it is not here.
std::string SharedVectors(const std::string& name) {
  const std::string path = std::string(AEVUM_SHARED_DIR) + "/golden/vectors/chunks/" + name;
  std::string text;
  if (!std::ifstream(path)) return text;
  std::FILE* pipe = ::popen(("gzip -dc " + path).c_str(), "r");
  char buffer[1 << 16];
  for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    text.append(buffer, got);
  ::pclose(pipe);
  return text;
}

TEST(DecodeTest, ReadsWhatPrometheusWrote) {
  int checked = 0;
  for (const json& vector : Vectors()) {
    ExpectDecodes(vector);
    ++checked;
  }
  EXPECT_GT(checked, 50);
}

TEST(DecodeTest, ReadsAllSharedVectors) {
  std::istringstream lines(SharedVectors("chunks.jsonl.gz"));
  int checked = 0;
  for (std::string line; std::getline(lines, line); ++checked) ExpectDecodes(json::parse(line));
  if (checked == 0) GTEST_SKIP() << "the shared vectors are not here";
  EXPECT_GT(checked, 200);
}

TEST(DecodeTest, RefusesSharedDamagedChunks) {
  std::istringstream lines(SharedVectors("damaged.jsonl.gz"));
  int checked = 0;
  for (std::string line; std::getline(lines, line); ++checked) {
    const json vector = json::parse(line);
    const int encoding = vector["enc"];
    if (encoding < 1 || encoding > 6) continue;
    Columns columns;
    const Status status = Decode(static_cast<Encoding>(encoding), FromHex(vector["hex"]), &columns);
    if (!status.ok()) {
      EXPECT_TRUE(columns.empty()) << line;
    }
  }
  if (checked == 0) GTEST_SKIP() << "the shared vectors are not here";
}

// Nothing reads outside the bytes (AddressSanitizer sees it on an exact copy), and nothing is left
// of a chunk that is refused.
void ExpectSafe(Encoding encoding, const std::string& bytes) {
  const std::vector<char> exact(bytes.begin(), bytes.end());
  Columns columns;
  columns.with_starts = true;
  const Status status = Decode(encoding, {exact.data(), exact.size()}, &columns);
  EXPECT_EQ(columns.times.size(), columns.values.size());
  EXPECT_EQ(columns.histogram_times.size(), columns.histograms.size());
  EXPECT_EQ(columns.starts.size(), columns.times.size());
  EXPECT_EQ(columns.histogram_starts.size(), columns.histograms.size());
  if (status.ok()) {
    EXPECT_EQ(columns.times.size() + columns.histograms.size(), ClaimedSamples(encoding, bytes));
  } else {
    EXPECT_TRUE(columns.empty());
  }
}

TEST(DecodeTest, WithstandsDamage) {
  for (const json& vector : Vectors()) {
    const auto encoding = static_cast<Encoding>(vector["enc"].get<int>());
    const std::string bytes = FromHex(vector["hex"]);
    if (bytes.size() > 300) continue;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      ExpectSafe(encoding, bytes.substr(0, i));
      for (const int flip : {0x01, 0x80, 0xff}) {
        std::string damaged = bytes;
        damaged[i] = static_cast<char>(damaged[i] ^ flip);
        ExpectSafe(encoding, damaged);
      }
    }
  }
}

TEST(DecodeTest, GivesStartTimesOnDemandOnly) {
  int with_starts = 0;
  for (const json& vector : Vectors()) {
    const auto encoding = static_cast<Encoding>(vector["enc"].get<int>());
    Columns plain;
    Columns wanted;
    wanted.with_starts = true;
    ASSERT_TRUE(Decode(encoding, FromHex(vector["hex"]), &plain).ok());
    ASSERT_TRUE(Decode(encoding, FromHex(vector["hex"]), &wanted).ok());
    EXPECT_TRUE(plain.starts.empty() && plain.histogram_starts.empty());
    EXPECT_EQ(plain.times, wanted.times);
    EXPECT_EQ(plain.histogram_times, wanted.histogram_times);
    const auto known = [](TimestampMs start) { return start != 0; };
    with_starts +=
        std::any_of(wanted.starts.begin(), wanted.starts.end(), known) ||
        std::any_of(wanted.histogram_starts.begin(), wanted.histogram_starts.end(), known);
  }
  EXPECT_GT(with_starts, 5);
}

TEST(DecodeTest, RefusesACutChunk) {
  for (const json& vector : Vectors()) {
    const std::string bytes = FromHex(vector["hex"]);
    if (bytes.size() < 8) continue;
    Columns columns;
    EXPECT_FALSE(Decode(static_cast<Encoding>(vector["enc"].get<int>()),
                        bytes.substr(0, bytes.size() - 2), &columns)
                     .ok())
        << vector["shape"];
  }
}

// Few bytes that name a large layout for many samples must not become gigabytes.
TEST(DecodeTest, BoundsTheCopiesOfALayout) {
  std::string bytes("\xff\xff\x00", 3);
  bytes += '\0';                     // no zero threshold
  bytes += static_cast<char>(0x3f);  // schema 0, then a wide count of spans
  bytes.append(40'000, '\x77');
  Columns columns;
  EXPECT_FALSE(Decode(Encoding::kHistogram, bytes, &columns).ok());
  EXPECT_TRUE(columns.empty());
}

}  // namespace
}  // namespace aevum::chunk
