#include "model/histogram_arithmetic.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "model/histogram_buckets.h"
#include "model/histogram_column.h"
#include "model/histogram_layout.h"
#include "model/histogram_trim.h"

namespace aevum::model {
namespace {

FloatHistogram Exponential(std::int32_t schema, std::int32_t first, std::vector<double> counts) {
  FloatHistogram histogram;
  histogram.schema = schema;
  for (const double count : counts) histogram.count += count;
  histogram.positive_spans = {{first, static_cast<std::uint32_t>(counts.size())}};
  histogram.positive_buckets = std::move(counts);
  return histogram;
}

FloatHistogram Custom(std::vector<double> bounds, std::vector<double> counts) {
  FloatHistogram histogram = Exponential(kCustomBucketsSchema, 0, std::move(counts));
  histogram.custom_values = std::move(bounds);
  return histogram;
}

TEST(HistogramBucketsTest, BoundsArePowersOfTwoAndEndAtTheGreatestNumber) {
  EXPECT_EQ(ExponentialBound(0, 0), 1);
  EXPECT_EQ(ExponentialBound(3, 0), 8);
  EXPECT_EQ(ExponentialBound(-2, 1), 0.5);
  EXPECT_EQ(ExponentialBound(1, 1), 1.414213562373095);
  EXPECT_EQ(ExponentialBound(1, -2), 16);
  EXPECT_EQ(ExponentialBound(1024, 0), std::numeric_limits<double>::max());
  EXPECT_EQ(ExponentialBound(256, -2), std::numeric_limits<double>::max());
  EXPECT_TRUE(std::isinf(ExponentialBound(1025, 0)));
}

TEST(HistogramBucketsTest, DamagedSpansGiveNoMoreThanThereIs) {
  FloatHistogram histogram = Exponential(0, 0, {1, 2});
  histogram.positive_spans = {{0, 1}, {5, 4'000'000'000}};
  EXPECT_EQ(AllBuckets(histogram).size(), 2u);
  histogram.positive_spans = {{INT32_MAX, 1}, {INT32_MAX, 1}};
  FloatHistogram other = histogram;
  other.schema = INT32_MIN;
  Add(&other, histogram);
  EXPECT_EQ(AllBuckets(other).size(), other.positive_buckets.size());
  FloatHistogram custom = Custom({1}, {1, 2, 3});
  EXPECT_TRUE(std::isinf(AllBuckets(custom).back().lower));
  EXPECT_TRUE(Add(&custom, Custom({1, 2}, {1, 1, 1})).bounds_reconciled);
}

TEST(HistogramArithmeticTest, AddsAtTheLowerResolution) {
  FloatHistogram sum = Exponential(1, 1, {1, 2, 3});
  EXPECT_TRUE(Add(&sum, Exponential(0, 1, {10, 20})).compatible);
  EXPECT_EQ(sum.schema, 0);
  EXPECT_EQ(sum.positive_spans, (std::vector<Span>{{1, 2}}));
  EXPECT_EQ(sum.positive_buckets, (std::vector<double>{13, 23}));
  EXPECT_EQ(sum.count, 36);
}

TEST(HistogramArithmeticTest, SubtractsBucketsThatOnlyOneHas) {
  FloatHistogram difference = Exponential(0, 1, {1});
  EXPECT_TRUE(Subtract(&difference, Exponential(0, 3, {4})).compatible);
  EXPECT_EQ(difference.positive_spans, (std::vector<Span>{{1, 1}, {1, 1}}));
  EXPECT_EQ(difference.positive_buckets, (std::vector<double>{1, -4}));
}

TEST(HistogramArithmeticTest, WidensTheZeroBucket) {
  FloatHistogram narrow = Exponential(0, 0, {1, 2, 4});  // (0.5,1] (1,2] (2,4]
  narrow.zero_threshold = 0.25;
  narrow.zero_count = 8;
  FloatHistogram wide;
  wide.zero_threshold = 1.5;  // within (1,2], which is populated
  wide.zero_count = 16;
  EXPECT_TRUE(Add(&narrow, wide).compatible);
  EXPECT_EQ(narrow.zero_threshold, 2);
  EXPECT_EQ(narrow.zero_count, 27);
  EXPECT_EQ(narrow.positive_spans, (std::vector<Span>{{2, 1}}));
  EXPECT_EQ(narrow.positive_buckets, (std::vector<double>{4}));
}

TEST(HistogramArithmeticTest, KeepsTheBoundsThatBothHave) {
  FloatHistogram sum = Custom({1, 2, 5}, {1, 2, 4, 8});
  EXPECT_TRUE(Add(&sum, Custom({2, 3}, {16, 32, 64})).bounds_reconciled);
  EXPECT_EQ(sum.custom_values, (std::vector<double>{2}));
  EXPECT_EQ(sum.positive_buckets, (std::vector<double>{19, 108}));
  EXPECT_FALSE(Add(&sum, Exponential(0, 0, {1})).compatible);
}

TEST(HistogramArithmeticTest, HintsMeet) {
  using enum ResetHint;
  struct Case {
    ResetHint a, b, result;
    bool collision;
  };
  for (const Case& c :
       {Case{kReset, kReset, kReset, false}, Case{kReset, kNoReset, kUnknown, true},
        Case{kUnknown, kNoReset, kUnknown, false}, Case{kNoReset, kUnknown, kUnknown, false},
        Case{kGauge, kReset, kGauge, false}, Case{kReset, kGauge, kGauge, false}}) {
    FloatHistogram a;
    a.reset_hint = c.a;
    FloatHistogram b;
    b.reset_hint = c.b;
    EXPECT_EQ(Add(&a, b).reset_collision, c.collision);
    EXPECT_EQ(a.reset_hint, c.result);
  }
}

TEST(HistogramArithmeticTest, CompensationKeepsWhatRoundingLoses) {
  FloatHistogram sum = Exponential(0, 0, {1e16});
  std::optional<FloatHistogram> compensation;
  for (int i = 0; i < 10; ++i) AddCompensated(&sum, Exponential(0, 0, {1}), &compensation);
  EXPECT_EQ(sum.positive_buckets[0], 1e16);
  Add(&sum, *compensation);
  EXPECT_EQ(sum.positive_buckets[0], 1e16 + 10);
  EXPECT_EQ(sum.count, 1e16 + 10);
}

// Sums of whole numbers are exact, so all ways to add must agree whatever the layouts.
TEST(HistogramArithmeticTest, WaysToAddAgree) {
  std::mt19937 random(7);
  bool same_schema = false;
  const auto make = [&] {
    FloatHistogram h = Exponential(same_schema ? 1 : static_cast<std::int32_t>(random() % 4),
                                   static_cast<std::int32_t>(random() % 9) - 4,
                                   std::vector<double>(1 + random() % 6));
    h.count = h.zero_count = static_cast<double>(random() % 5);
    // Up to the first bucket at most.
    h.zero_threshold =
        random() % 2 == 0 ? 0.001 : ExponentialBound(h.positive_spans[0].offset - 1, h.schema);
    for (double& count : h.positive_buckets) h.count += count = static_cast<double>(random() % 4);
    h.negative_spans = h.positive_spans;
    h.negative_buckets = h.positive_buckets;
    for (const double count : h.negative_buckets) h.count += count;
    return h;
  };
  for (int round = 0; round < 500; ++round) {
    same_schema = round % 2 == 0;
    FloatHistogram plain = make();
    FloatHistogram compensated = plain;
    std::optional<FloatHistogram> compensation;
    for (int i = 0; i < 4; ++i) {
      const FloatHistogram other = make();
      Add(&plain, other);
      AddCompensated(&compensated, other, &compensation);
      ASSERT_EQ(compensation->positive_buckets.size(), compensated.positive_buckets.size());
      ASSERT_EQ(compensation->negative_buckets.size(), compensated.negative_buckets.size());
    }
    Compact(&plain);
    Compact(&compensated);
    ASSERT_TRUE(Identical(plain, compensated)) << "round " << round;
    // Buckets are widened after the zero bucket, so with several resolutions Prometheus counts
    // what lies between twice.
    if (!same_schema) continue;
    double total = 0;
    for (const HistogramBucket& bucket : AllBuckets(plain)) total += bucket.count;
    ASSERT_EQ(total, plain.count) << "round " << round;
  }
}

// The buckets of one side by index.
std::map<std::int32_t, double> ByIndex(const std::vector<Span>& spans,
                                       const std::vector<double>& counts) {
  std::map<std::int32_t, double> buckets;
  std::int32_t index = 0;
  std::size_t at = 0;
  for (const Span& span : spans) {
    index += span.offset;
    for (std::uint32_t i = 0; i < span.length; ++i) buckets[index++] = counts[at++];
  }
  return buckets;
}

std::uint64_t Bits(double value) { return std::bit_cast<std::uint64_t>(value); }

FloatHistogram OfBuckets(const std::map<std::int32_t, double>& buckets) {
  FloatHistogram h;
  h.schema = 3;
  h.zero_threshold = 1e-30;
  std::int32_t next = 0;
  for (const auto& [index, count] : buckets) {
    if (h.positive_spans.empty() || index != next) h.positive_spans.push_back({index - next, 0});
    ++h.positive_spans.back().length;
    next = index + 1;
    h.positive_buckets.push_back(count);
  }
  h.negative_spans = h.positive_spans;
  h.negative_buckets = h.positive_buckets;
  return h;
}

// Any layouts: equal ones, one within the other, ones that have parts in common, and more spans
// than are added in place.
TEST(HistogramArithmeticTest, AddsBucketByBucketWhateverTheLayouts) {
  std::mt19937 random(11);
  const auto make = [&](int buckets, int one_in) {
    std::map<std::int32_t, double> made;
    for (int i = 0; i < buckets; ++i) {
      if (random() % static_cast<unsigned>(one_in) != 0) continue;
      const double kinds[] = {0, -0.0, 0.1, 1e17, static_cast<double>(random() % 1000) / 7};
      made[i - 20] = kinds[random() % 5];
    }
    return made;
  };
  for (int round = 0; round < 600; ++round) {
    const auto a = make(1 + round % 300, 1 + round % 4);
    auto b = round % 3 == 0 ? a : make(1 + round % 300, 1 + round % 5);
    const FloatHistogram other = OfBuckets(b);
    FloatHistogram sum = OfBuckets(a);
    FloatHistogram difference = sum;
    FloatHistogram compensated = sum;
    std::optional<FloatHistogram> lost;
    Add(&sum, other);
    Subtract(&difference, other);
    AddCompensated(&compensated, other, &lost);
    auto expected_sum = a;
    auto expected_difference = a;
    for (const auto& [index, count] : b) {
      const bool known = a.contains(index);
      expected_sum[index] = known ? a.at(index) + count : count;
      expected_difference[index] = known ? a.at(index) - count : -count;
    }
    const auto check = [&](const std::vector<Span>& spans, const std::vector<double>& counts,
                           const std::map<std::int32_t, double>& expected) {
      const auto got = ByIndex(spans, counts);
      ASSERT_EQ(got.size(), expected.size());
      for (const auto& [index, count] : expected)
        ASSERT_EQ(Bits(got.at(index)), Bits(count)) << "round " << round << " bucket " << index;
      for (std::size_t i = 1; i < spans.size(); ++i) ASSERT_GT(spans[i].offset, 0);
    };
    check(sum.positive_spans, sum.positive_buckets, expected_sum);
    check(sum.negative_spans, sum.negative_buckets, expected_sum);
    check(difference.positive_spans, difference.positive_buckets, expected_difference);
    check(compensated.positive_spans, compensated.positive_buckets, expected_sum);
    auto expected_lost = expected_sum;
    for (auto& [index, count] : expected_lost) {
      double total = a.contains(index) ? a.at(index) : 0;
      count = 0;
      if (a.contains(index) && b.contains(index))
        internal::AddCompensated(b.at(index), &total, &count);
    }
    check(lost->positive_spans, lost->positive_buckets, expected_lost);
    Compact(&difference);
    std::erase_if(expected_difference, [](const auto& bucket) { return bucket.second == 0; });
    check(difference.positive_spans, difference.positive_buckets, expected_difference);
    check(difference.negative_spans, difference.negative_buckets, expected_difference);
  }
}

TEST(HistogramArithmeticTest, DetectsResetsOfOneBucketInEqualLayouts) {
  const FloatHistogram before = OfBuckets({{-3, 5}, {-2, 1}, {4, 7}});
  FloatHistogram after = before;
  EXPECT_FALSE(DetectReset(after, before));
  after.negative_buckets[1] -= 1;
  EXPECT_TRUE(DetectReset(after, before));
  after = before;
  after.positive_buckets[2] += 1;
  EXPECT_FALSE(DetectReset(after, before));
  EXPECT_TRUE(DetectReset(before, after));
}

TEST(BucketSequenceTest, GivesTheBucketsOfAll) {
  FloatHistogram h = OfBuckets({{-3, 5}, {-2, 0}, {4, 7}});
  h.zero_threshold = 0.8;  // within a bucket
  h.zero_count = 2;
  for (const bool zero : {true, false}) {
    if (!zero) h.zero_count = 0;
    const std::vector<HistogramBucket> all = AllBuckets(h);
    const BucketSequence sequence(h);
    ASSERT_EQ(sequence.size(), all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      const HistogramBucket bucket = sequence[i];
      EXPECT_EQ(sequence.Count(i), all[i].count);
      EXPECT_EQ(bucket.count, all[i].count);
      EXPECT_EQ(bucket.lower, all[i].lower);
      EXPECT_EQ(bucket.upper, all[i].upper);
      EXPECT_EQ(bucket.lower_inclusive, all[i].lower_inclusive);
      EXPECT_EQ(bucket.upper_inclusive, all[i].upper_inclusive);
    }
  }
  h.positive_spans = {{0, 1}, {5, 4'000'000'000}};
  EXPECT_EQ(BucketSequence(h).size(), AllBuckets(h).size());
}

TEST(HistogramColumnTest, IsAVectorThatKeepsItsMemory) {
  HistogramColumn column;
  for (int i = 0; i < 4; ++i) column.push_back(Exponential(0, i, {1, 2}));
  column.push_back(column[1]);
  EXPECT_EQ(column.back().positive_spans[0].offset, 1);
  const double* const buckets = column[0].positive_buckets.data();
  const std::int64_t bytes = column.memory_bytes();
  column.erase(column.begin() + 1, column.begin() + 3);
  ASSERT_EQ(column.size(), 3u);
  EXPECT_EQ(column[1].positive_spans[0].offset, 3);
  column.insert(column.begin() + 1, Exponential(0, 9, {4}));
  EXPECT_EQ(column[1].positive_spans[0].offset, 9);
  EXPECT_EQ(column[2].positive_spans[0].offset, 3);
  HistogramColumn copy = column;
  column.clear();
  EXPECT_TRUE(column.empty());
  EXPECT_GE(column.memory_bytes(), bytes);
  const FloatHistogram next = Exponential(0, 5, {3});
  column.AddUnset() = next;
  EXPECT_EQ(column[0].positive_buckets.data(), buckets);
  column.resize(2);
  EXPECT_TRUE(column[1].positive_buckets.empty());
  column = std::move(copy);
  EXPECT_EQ(column.size(), 4u);
}

TEST(HistogramArithmeticTest, DetectsResets) {
  const FloatHistogram before = Exponential(1, 1, {1, 2, 3});
  EXPECT_FALSE(DetectReset(before, before));
  EXPECT_FALSE(DetectReset(Exponential(0, 1, {3, 3}), before));
  EXPECT_TRUE(DetectReset(Exponential(0, 1, {2, 9}), before));
  EXPECT_TRUE(DetectReset(Exponential(2, 1, {9, 9, 9}), before));
  EXPECT_TRUE(DetectReset(Exponential(1, 2, {9, 9}), before));
  FloatHistogram hinted = Exponential(1, 1, {0, 0, 0});
  hinted.reset_hint = ResetHint::kNoReset;
  EXPECT_FALSE(DetectReset(hinted, before));
  EXPECT_TRUE(DetectReset(Custom({1, 2}, {0, 9, 9}), Custom({1, 3}, {1, 1, 1})));
  EXPECT_FALSE(DetectReset(Custom({1, 2}, {1, 1, 1}), Custom({1, 3}, {1, 1, 1})));
}

TEST(HistogramArithmeticTest, SpansOfNoLengthDoNotMatter) {
  const FloatHistogram a = Exponential(0, 3, {1});
  FloatHistogram b = a;
  b.positive_spans = {{1, 0}, {2, 1}, {4, 0}};
  EXPECT_TRUE(Identical(a, b));
  b.positive_spans = {{2, 1}};
  EXPECT_FALSE(Identical(a, b));
}

TEST(HistogramTrimTest, InterpolatesInTheBucketOfTheValue) {
  FloatHistogram custom = Custom({0, 10, 20}, {0, 4, 8, 0});
  TrimBuckets(&custom, 15, Trim::kAbove);
  EXPECT_EQ(custom.count, 8);
  EXPECT_EQ(custom.sum, 5 * 4 + 12.5 * 4);
  FloatHistogram exponential = Exponential(0, 1, {4, 8});
  TrimBuckets(&exponential, 2, Trim::kBelow);
  EXPECT_EQ(exponential.count, 8);
  EXPECT_EQ(exponential.positive_spans, (std::vector<Span>{{2, 1}}));
}

}  // namespace
}  // namespace aevum::model
