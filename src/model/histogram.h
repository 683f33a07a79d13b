// A native histogram at one moment.
#pragma once

#include <cstdint>
#include <vector>

namespace aevum::model {

// What is known about a reset of the counter between this histogram and the one before.
enum class ResetHint : std::uint8_t { kUnknown = 0, kReset = 1, kNoReset = 2, kGauge = 3 };

// The schema of histograms whose bounds are given by name rather than by exponent.
inline constexpr std::int32_t kCustomBucketsSchema = -53;

// A run of buckets: `offset` empty ones after the last run (for the first run: the index of its
// first bucket), then `length` that are present.
struct Span {
  std::int32_t offset = 0;
  std::uint32_t length = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

// Counts are absolute. Exponential schemas -4 .. 8: bucket i of the positive side covers
// (2^(2^-schema * (i-1)), 2^(2^-schema * i)]. Source: the native histogram specification of
// Prometheus.
struct FloatHistogram {
  ResetHint reset_hint = ResetHint::kUnknown;
  std::int32_t schema = 0;
  double zero_threshold = 0;
  double zero_count = 0;
  double count = 0;
  double sum = 0;
  std::vector<Span> positive_spans;
  std::vector<Span> negative_spans;
  std::vector<double> positive_buckets;
  std::vector<double> negative_buckets;
  std::vector<double> custom_values;  // upper bounds, ascending, of kCustomBucketsSchema

  bool uses_custom_buckets() const { return schema == kCustomBucketsSchema; }
};

}  // namespace aevum::model
