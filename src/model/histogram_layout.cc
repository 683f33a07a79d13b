#include "model/histogram_layout.h"

#include <algorithm>
#include <cmath>

namespace aevum::model::internal {

void AddCompensated(double value, double* sum, double* lost) {
  const double total = *sum + value;
  if (std::isinf(total)) {
    *lost = 0;
  } else if (std::abs(*sum) >= std::abs(value)) {
    *lost += (*sum - total) + value;
  } else {
    *lost += (value - total) + *sum;
  }
  *sum = total;
}

BucketColumns ToColumns(const std::vector<Span>& spans, const std::vector<double>& counts,
                        const std::vector<double>* lost) {
  BucketColumns columns;
  columns.indices.reserve(counts.size());
  // Wide, since the offsets of damaged spans may add up to anything.
  std::int64_t index = 0;
  for (const Span& span : spans) {
    index += span.offset;
    for (std::uint32_t i = 0; i < span.length && columns.indices.size() < counts.size(); ++i)
      columns.indices.push_back(static_cast<std::int32_t>(index++));
  }
  columns.counts = counts;
  columns.counts.resize(columns.indices.size());
  if (lost != nullptr) {
    columns.lost = *lost;
    columns.lost.resize(columns.indices.size());
  }
  return columns;
}

std::vector<Span> ToSpans(const std::vector<std::int32_t>& indices) {
  std::vector<Span> spans;
  std::int64_t next = 0;
  for (const std::int32_t index : indices) {
    if (spans.empty() || index != next)
      spans.push_back({static_cast<std::int32_t>(index - next), 0});
    ++spans.back().length;
    next = std::int64_t{index} + 1;
  }
  return spans;
}

void ReduceColumns(int halvings, BucketColumns* columns) {
  const bool compensated = columns->compensated();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < columns->indices.size(); ++i) {
    const auto index =
        static_cast<std::int32_t>(((std::int64_t{columns->indices[i]} - 1) >> halvings) + 1);
    const double count = columns->counts[i];
    if (kept == 0 || columns->indices[kept - 1] != index) {
      columns->indices[kept] = index;
      columns->counts[kept] = count;
      if (compensated) columns->lost[kept] = columns->lost[i];
      ++kept;
    } else if (compensated) {
      const double lost = columns->lost[i];
      AddCompensated(count, &columns->counts[kept - 1], &columns->lost[kept - 1]);
      AddCompensated(lost, &columns->counts[kept - 1], &columns->lost[kept - 1]);
    } else {
      columns->counts[kept - 1] += count;
    }
  }
  columns->indices.resize(kept);
  columns->counts.resize(kept);
  if (compensated) columns->lost.resize(kept);
}

void MergeColumns(const BucketColumns& b, std::size_t first, bool negative, bool compensated,
                  BucketColumns* a) {
  BucketColumns merged;
  const std::size_t most = a->indices.size() + b.indices.size();
  merged.indices.reserve(most);
  merged.counts.reserve(most);
  const double sign = negative ? -1 : 1;
  std::size_t i = 0;
  std::size_t j = first;
  while (i < a->indices.size() || j < b.indices.size()) {
    const bool from_a =
        i < a->indices.size() && (j >= b.indices.size() || a->indices[i] <= b.indices[j]);
    const bool from_b =
        j < b.indices.size() && (i >= a->indices.size() || b.indices[j] <= a->indices[i]);
    const double b_count = from_b ? b.counts[j] * sign : 0;
    const double b_lost = from_b && b.compensated() ? b.lost[j] * sign : 0;
    double count = from_a ? a->counts[i] : b_count;
    double lost = from_a ? (a->compensated() ? a->lost[i] : 0) : b_lost;
    if (from_a && from_b) {
      if (compensated) {
        AddCompensated(b_count, &count, &lost);
        if (b_lost != 0) AddCompensated(b_lost, &count, &lost);
      } else {
        count += b_count;
      }
    }
    merged.indices.push_back(from_a ? a->indices[i] : b.indices[j]);
    merged.counts.push_back(count);
    if (compensated) merged.lost.push_back(lost);
    i += from_a ? 1 : 0;
    j += from_b ? 1 : 0;
  }
  *a = std::move(merged);
}

}  // namespace aevum::model::internal
