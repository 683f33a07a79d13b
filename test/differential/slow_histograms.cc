#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>

#include "slow_parts.h"

namespace aevum::promql::differential {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The bounds of the test's data are decimal numbers and infinities.
std::optional<double> ParseBound(const std::string& text) {
  if (text.empty()) return std::nullopt;
  char* end = nullptr;
  const double bound = std::strtod(text.c_str(), &end);
  if (*end != '\0') return std::nullopt;
  return bound;
}

// Ascending, one a bound.
std::vector<Bucket> SortAndJoin(std::vector<Bucket> buckets) {
  std::stable_sort(buckets.begin(), buckets.end(),
                   [](const Bucket& a, const Bucket& b) { return a.upper_bound < b.upper_bound; });
  std::vector<Bucket> joined;
  for (const Bucket& bucket : buckets) {
    if (!joined.empty() && joined.back().upper_bound == bucket.upper_bound) {
      joined.back().count += bucket.count;
    } else {
      joined.push_back(bucket);
    }
  }
  return joined;
}

bool AlmostEqual(double a, double b) {
  constexpr double kTolerance = 1e-12;
  constexpr double kLeastNormal = std::numeric_limits<double>::min();
  if (a == b || (std::isnan(a) && std::isnan(b))) return true;
  const double sum = std::fabs(a) + std::fabs(b);
  const double difference = std::fabs(a - b);
  if (a == 0 || b == 0 || sum < kLeastNormal) return difference < kTolerance * kLeastNormal;
  return difference / std::fmin(sum, std::numeric_limits<double>::max()) < kTolerance;
}

// Counts never go down, and do not go up by what rounding may have added.
void MakeMonotonic(std::vector<Bucket>* buckets) {
  double before = buckets->front().count;
  for (Bucket& bucket : *buckets) {
    if (bucket.count == before) continue;
    if (AlmostEqual(before, bucket.count) || bucket.count < before) {
      bucket.count = before;
    } else {
      before = bucket.count;
    }
  }
}

}  // namespace

Vector OverClassicHistograms(const Vector& samples,
                             const std::function<double(std::vector<Bucket>)>& answer) {
  // In the order of their labels: the reference has none.
  std::map<model::Labels, std::vector<Bucket>> histograms;
  for (const Sample& sample : samples) {
    const auto bound = ParseBound(std::string(sample.labels.Get("le")));
    if (!bound) continue;
    const model::Labels rest = model::LabelsBuilder(sample.labels).Remove("le").Build();
    histograms[rest].push_back({*bound, sample.value});
  }
  Vector result;
  for (const auto& [labels, buckets] : histograms)
    result.push_back({WithoutName(labels), answer(buckets), 0});
  return result;
}

double BucketQuantile(double rank, std::vector<Bucket> buckets) {
  if (std::isnan(rank)) return kNan;
  if (rank < 0) return -kInfinity;
  if (rank > 1) return kInfinity;
  buckets = SortAndJoin(std::move(buckets));
  if (buckets.back().upper_bound != kInfinity) return kNan;
  MakeMonotonic(&buckets);
  if (buckets.size() < 2 || buckets.back().count == 0) return kNan;
  double wanted = rank * buckets.back().count;
  // The reference searches by halves, which differs from a walk where counts are NaN.
  std::size_t low = 0;
  std::size_t high = buckets.size() - 1;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (buckets[middle].count >= wanted) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  if (low == buckets.size() - 1) return buckets[buckets.size() - 2].upper_bound;
  if (low == 0 && buckets[0].upper_bound <= 0) return buckets[0].upper_bound;
  const double end = buckets[low].upper_bound;
  if (low == 0) return 0 + end * (wanted / buckets[0].count);
  const double start = buckets[low - 1].upper_bound;
  const double count = buckets[low].count - buckets[low - 1].count;
  wanted -= buckets[low - 1].count;
  return start + (end - start) * (wanted / count);
}

double BucketFraction(double lower, double upper, std::vector<Bucket> buckets) {
  buckets = SortAndJoin(std::move(buckets));
  if (buckets.back().upper_bound != kInfinity) return kNan;
  const double count = buckets.back().count;
  if (count == 0 || std::isnan(lower) || std::isnan(upper)) return kNan;
  if (lower >= upper) return 0;
  // How many observations are below a value.
  const auto rank_of = [&](double value) -> double {
    double rank = 0;
    double start = buckets[0].upper_bound <= 0 ? -kInfinity : 0;
    for (const Bucket& bucket : buckets) {
      if (start >= value) return rank;
      if (bucket.upper_bound > value) {
        if (start == -kInfinity) return bucket.count;
        return rank + (bucket.count - rank) * (value - start) / (bucket.upper_bound - start);
      }
      rank = bucket.count;
      start = bucket.upper_bound;
    }
    return count;
  };
  const double below_upper = rank_of(upper);
  const double below_lower = rank_of(lower);
  const auto bounded = [&](double rank) { return rank > count ? count : rank; };
  return (bounded(below_upper) - bounded(below_lower)) / count;
}

}  // namespace aevum::promql::differential
