#include "chunk/xor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <limits>
#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "chunk/testing/vectors.h"

namespace aevum::chunk {
namespace {

using nlohmann::json;
using testing::Bits;
using testing::FromHex;
using testing::ReadFloat;

TEST(XorTest, DecodesAndEncodesAsPrometheus) {
  std::ifstream file(std::string(AEVUM_SOURCE_DIR) + "/src/chunk/testdata/xor.jsonl");
  int checked = 0;
  for (std::string line; std::getline(file, line); ++checked) {
    const json vector = json::parse(line);
    SCOPED_TRACE(vector["shape"].dump());
    const std::string bytes = FromHex(vector["hex"]);
    Columns columns;
    const Status status = DecodeXor(bytes, &columns);
    ASSERT_TRUE(status.ok()) << status;
    const json& samples = vector["samples"];
    ASSERT_EQ(columns.times.size(), samples.size());
    XorEncoder encoder;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const TimestampMs time = samples[i][0].get<TimestampMs>();
      const double value = ReadFloat(samples[i][1]);
      ASSERT_EQ(columns.times[i], time);
      ASSERT_EQ(Bits(columns.values[i]), Bits(value));
      encoder.Append(time, value);
    }
    EXPECT_EQ(encoder.Bytes(), bytes);
  }
  EXPECT_GT(checked, 10);
}

class Random {
 public:
  explicit Random(unsigned seed) : random_(seed) {}
  std::uint64_t operator()(std::uint64_t below) { return random_() % below; }
  TimestampMs Step() {
    switch ((*this)(6)) {
      case 0:
        return static_cast<TimestampMs>(random_());
      case 1:
        return static_cast<TimestampMs>((*this)(1 << 22)) - (1 << 21);
      case 2:
        return static_cast<TimestampMs>((*this)(100));
      default:
        return 15'000;
    }
  }
  double Value(double last) {
    switch ((*this)(6)) {
      case 0:
        return std::bit_cast<double>(random_());
      case 1:
        return static_cast<double>((*this)(1000));
      case 2:
        return last + 1;
      case 3:
        return std::numeric_limits<double>::quiet_NaN();
      default:
        return last;
    }
  }

 private:
  std::mt19937_64 random_;
};

TEST(XorTest, RoundTripsAnything) {
  for (unsigned seed = 0; seed < 3'000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const std::size_t count = 1 + random(400);
    std::vector<TimestampMs> times;
    std::vector<double> values;
    XorEncoder encoder;
    std::uint64_t time = random(1ULL << 41);
    double value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      time += static_cast<std::uint64_t>(random.Step());
      value = random.Value(value);
      times.push_back(static_cast<TimestampMs>(time));
      values.push_back(value);
      encoder.Append(times.back(), value);
    }
    const std::string bytes = encoder.Bytes();
    // An exact heap copy, so that AddressSanitizer sees a read behind the end.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    Columns columns;
    ASSERT_TRUE(DecodeXor({exact.data(), exact.size()}, &columns).ok());
    ASSERT_EQ(columns.times, times);
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_EQ(Bits(columns.values[i]), Bits(values[i])) << i;

    // A cut chunk is refused, unless only padding was cut; nothing is appended then.
    const std::size_t cut = random(bytes.size());
    const std::vector<char> part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut));
    Columns nothing;
    EXPECT_FALSE(DecodeXor({part.data(), part.size()}, &nothing).ok());
    EXPECT_TRUE(nothing.empty());

    // A damaged one decodes to something or is refused.
    std::vector<char> damaged = exact;
    damaged[random(damaged.size())] ^= static_cast<char>(1 << random(8));
    Columns any;
    DecodeXor({damaged.data(), damaged.size()}, &any).IgnoreError();
    EXPECT_EQ(any.times.size(), any.values.size());
  }
}

// What the summary and the walk over a chunk must tell of its samples.
void ExpectToldOf(const std::string& bytes) {
  Columns columns;
  XorSummary seen;
  ASSERT_TRUE(DecodeXor(bytes, &seen, &columns).ok());
  Columns plain;
  ASSERT_TRUE(DecodeXor(bytes, &plain).ok());
  EXPECT_EQ(columns.times, plain.times);
  bool finite = true;
  TimestampMs least = kMaxTime;
  TimestampMs most = kMinTime;
  for (std::size_t i = 0; i < columns.times.size(); ++i) {
    EXPECT_EQ(Bits(columns.values[i]), Bits(plain.values[i]));
    finite &= std::isfinite(columns.values[i]);
    if (i == 0) continue;
    const auto step = static_cast<TimestampMs>(static_cast<std::uint64_t>(columns.times[i]) -
                                               static_cast<std::uint64_t>(columns.times[i - 1]));
    least = std::min(least, step);
    most = std::max(most, step);
  }
  EXPECT_EQ(seen.finite, finite);
  EXPECT_EQ(seen.least_step, least);
  EXPECT_EQ(seen.most_step, most);
  EXPECT_EQ(IsFiniteXor(bytes), finite);
}

TEST(XorTest, TellsWhetherAllValuesAreFinite) {
  int finite = 0;
  for (unsigned seed = 0; seed < 6'000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    // Few values of any bits, so that half of the chunks have no NaN.
    const std::uint64_t odd = 1 + random(2'000);
    XorEncoder encoder;
    TimestampMs time = 1'700'000'000'000;
    double value = 1;
    for (std::uint64_t i = 1 + random(200); i > 0; --i) {
      const TimestampMs step = random(4) == 0 ? random.Step() : 15'000;
      // Times may wrap, which the encoding bears.
      time = static_cast<TimestampMs>(static_cast<std::uint64_t>(time) +
                                      static_cast<std::uint64_t>(step));
      value = random(odd) == 0
                  ? random.Value(value)
                  : static_cast<double>(random(1 << 20)) * (random(2) == 0 ? 1e-3 : -2);
      if (random(odd) == 1) value = std::bit_cast<double>(kStaleNanBits);
      if (random(odd) == 2) value = std::numeric_limits<double>::infinity();
      encoder.Append(time, value);
    }
    const std::string bytes = encoder.Bytes();
    ExpectToldOf(bytes);
    finite += IsFiniteXor(bytes);
    EXPECT_FALSE(IsFiniteXor(bytes.substr(0, random(bytes.size()))));
    // Of a damaged chunk it may doubt more, never less.
    std::string damaged = bytes;
    damaged[2 + random(bytes.size() - 2)] ^= static_cast<char>(1 << random(8));
    Columns any;
    const bool decodes = DecodeXor(damaged, &any).ok();
    const bool all = std::all_of(any.values.begin(), any.values.end(),
                                 [](double decoded) { return std::isfinite(decoded); });
    EXPECT_TRUE(!IsFiniteXor(damaged) || (decodes && all));
  }
  EXPECT_GT(finite, 1'000);
  EXPECT_LT(finite, 5'000);
}

TEST(XorTest, AnEmptyChunkHasNoSamples) {
  Columns columns;
  EXPECT_TRUE(DecodeXor(std::string_view("\0\0", 2), &columns).ok());
  EXPECT_TRUE(columns.empty());
  EXPECT_FALSE(DecodeXor("", &columns).ok());
  EXPECT_EQ(XorEncoder().Bytes(), std::string("\0\0", 2));
}

TEST(XorTest, NamesAnEncodingThatItDoesNotKnow) {
  Columns columns;
  EXPECT_EQ(Decode(static_cast<Encoding>(9), "xx", &columns).code(), StatusCode::kUnimplemented);
  EXPECT_TRUE(IsStale(std::bit_cast<double>(kStaleNanBits)));
  EXPECT_FALSE(IsStale(std::bit_cast<double>(kNormalNanBits)));
}

}  // namespace
}  // namespace aevum::chunk
