#include "model/histogram_layout.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace aevum::model::internal {
namespace {

constexpr std::size_t kMostRuns = 64;  // in place; more are rare

// Buckets that follow one another in both of two layouts.
struct Run {
  std::size_t a;  // position of the first count
  std::size_t b;
  std::size_t length;
};
struct Runs {
  std::array<Run, kMostRuns> runs;
  std::size_t size = 0;
};

// Where the buckets of `b` are among those of `a`. False when some are not, or there are too many
// runs, or the spans of `b` don't describe so many counts.
bool MapRuns(const std::vector<Span>& a, const std::vector<Span>& b, std::size_t b_counts,
             Runs* mapped) {
  std::size_t i = 0;
  std::size_t a_at = 0;
  std::size_t b_at = 0;
  std::int64_t a_begin = a.empty() ? 0 : a[0].offset;
  std::int64_t b_begin = 0;
  for (std::size_t j = 0; j < b.size(); ++j) {
    if (j > 0 && b[j].offset < 0) return false;
    b_begin += b[j].offset;
    const std::size_t length = b[j].length;
    if (length == 0) continue;
    for (; i < a.size() && a_begin + a[i].length <= b_begin; ++i) {
      a_at += a[i].length;
      a_begin += a[i].length;
      if (i + 1 < a.size()) a_begin += a[i + 1].offset;
    }
    const auto b_end = b_begin + static_cast<std::int64_t>(length);
    if (i == a.size() || b_begin < a_begin || b_end > a_begin + a[i].length) return false;
    if (mapped->size == kMostRuns) return false;
    const auto skipped = static_cast<std::size_t>(b_begin - a_begin);
    mapped->runs[mapped->size++] = {.a = a_at + skipped, .b = b_at, .length = length};
    b_at += length;
    b_begin = b_end;
  }
  return b_at == b_counts;
}

// The spans of the buckets of either of two canonical layouts.
std::vector<Span> UniteSpans(const std::vector<Span>& a, const std::vector<Span>& b) {
  std::vector<Span> united;
  united.reserve(a.size() + b.size());
  std::size_t i = 0;
  std::size_t j = 0;
  std::int64_t a_begin = a.empty() ? 0 : a[0].offset;
  std::int64_t b_begin = b.empty() ? 0 : b[0].offset;
  std::int64_t end = 0;  // of the last span
  const auto next = [](const std::vector<Span>& spans, std::size_t* at, std::int64_t* begin) {
    *begin += spans[*at].length;
    if (++*at < spans.size()) *begin += spans[*at].offset;
  };
  while (i < a.size() || j < b.size()) {
    const bool take_a = i < a.size() && (j == b.size() || a_begin <= b_begin);
    const std::int64_t begin = take_a ? a_begin : b_begin;
    const std::int64_t span_end = begin + (take_a ? a[i].length : b[j].length);
    if (united.empty() || begin > end) {
      united.push_back({static_cast<std::int32_t>(begin - end), 0});
      end = begin;
    }
    if (span_end > end) {
      united.back().length += static_cast<std::uint32_t>(span_end - end);
      end = span_end;
    }
    take_a ? next(a, &i, &a_begin) : next(b, &j, &b_begin);
  }
  return united;
}

// Moves counts to their places among `size`, the last first, and puts `empty` where there is none.
void Spread(const Runs& runs, std::size_t size, double empty, std::vector<double>* counts) {
  counts->resize(size);
  double* const first = counts->data();
  std::size_t end = size;
  for (std::size_t i = runs.size; i-- > 0;) {
    const Run& run = runs.runs[i];
    std::fill(first + run.a + run.length, first + end, empty);
    std::copy_backward(first + run.b, first + run.b + run.length, first + run.a + run.length);
    end = run.a;
  }
  std::fill(first, first + end, empty);
}

// As AddCompensated, without branches.
void AddCompensatedRun(const double* values, std::size_t size, double* __restrict sums,
                       double* __restrict lost) {
  for (std::size_t i = 0; i < size; ++i) {
    const double sum = sums[i];
    const double value = values[i];
    const double total = sum + value;
    const bool sum_leads = std::abs(sum) >= std::abs(value);
    const double greater = sum_leads ? sum : value;
    const double lesser = sum_leads ? value : sum;
    const double left = lost[i] + ((greater - total) + lesser);
    lost[i] = std::abs(total) == std::numeric_limits<double>::infinity() ? 0 : left;
    sums[i] = total;
  }
}

void AddRun(const double* values, std::size_t size, double sign, double* __restrict sums) {
  for (std::size_t i = 0; i < size; ++i) sums[i] += values[i] * sign;
}

// A bit for each of up to 64 counts that are not 0.
std::uint64_t Occupied(const double* counts, std::size_t size) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < size; ++i) bits |= std::uint64_t{counts[i] != 0} << i;
  return bits;
}

}  // namespace

bool IsCanonical(const std::vector<Span>& spans, std::size_t counts) {
  std::int64_t index = 0;
  std::size_t buckets = 0;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (spans[i].length == 0 || (i > 0 && spans[i].offset <= 0)) return false;
    buckets += spans[i].length;
    index += std::int64_t{spans[i].offset} + spans[i].length;
  }
  return buckets == counts && index <= std::numeric_limits<std::int32_t>::max();
}

bool AddInPlace(const std::vector<Span>& b_spans, const std::vector<double>& b_counts,
                bool negative, const std::vector<Span>& a_spans, std::vector<double>* a_counts,
                std::vector<double>* lost) {
  if (!IsCanonical(a_spans, a_counts->size())) return false;
  if (lost != nullptr && lost->size() != a_counts->size()) return false;
  Runs mapped;
  if (a_spans == b_spans && a_counts->size() == b_counts.size()) {
    mapped.runs[mapped.size++] = {.a = 0, .b = 0, .length = b_counts.size()};
  } else if (!MapRuns(a_spans, b_spans, b_counts.size(), &mapped)) {
    return false;
  }
  const double sign = negative ? -1 : 1;
  for (std::size_t i = 0; i < mapped.size; ++i) {
    const Run& run = mapped.runs[i];
    if (lost == nullptr) {
      AddRun(b_counts.data() + run.b, run.length, sign, a_counts->data() + run.a);
    } else {
      AddCompensatedRun(b_counts.data() + run.b, run.length, a_counts->data() + run.a,
                        lost->data() + run.a);
    }
  }
  return true;
}

bool WidenInPlace(const std::vector<Span>& b_spans, std::size_t b_counts,
                  std::vector<Span>* a_spans, std::vector<double>* a_counts,
                  std::vector<double>* lost) {
  if (!IsCanonical(*a_spans, a_counts->size()) || !IsCanonical(b_spans, b_counts)) return false;
  if (lost != nullptr && lost->size() != a_counts->size()) return false;
  std::vector<Span> wide = UniteSpans(*a_spans, b_spans);
  std::size_t buckets = 0;
  for (const Span& span : wide) buckets += span.length;
  Runs mapped;
  if (!MapRuns(wide, *a_spans, a_counts->size(), &mapped)) return false;
  Spread(mapped, buckets, -0.0, a_counts);
  if (lost != nullptr) Spread(mapped, buckets, 0, lost);
  *a_spans = std::move(wide);
  return true;
}

bool CompactInPlace(std::vector<Span>* spans, std::vector<double>* counts) {
  if (!IsCanonical(*spans, counts->size())) return false;
  const double* const first = counts->data();
  std::array<Span, kMostRuns> kept;
  std::size_t kept_spans = 0;
  // Where the counts of each go to is known only once it is known that there is room for all.
  std::array<Run, kMostRuns> runs;
  std::size_t at = 0;
  std::int64_t index = 0;
  std::int64_t end = 0;  // of the last that was kept
  for (const Span& span : *spans) {
    index += span.offset;
    for (std::size_t done = 0; done < span.length;) {
      const std::size_t size = std::min<std::size_t>(span.length - done, 64);
      std::uint64_t bits = Occupied(first + at, size);
      for (unsigned skipped = 0; bits != 0;) {
        const auto empty = static_cast<unsigned>(std::countr_zero(bits));
        bits >>= empty;
        const auto length = static_cast<unsigned>(std::countr_one(bits));
        skipped += empty;
        const std::int64_t begin = index + skipped;
        if (kept_spans > 0 && begin == end) {
          kept[kept_spans - 1].length += length;
          runs[kept_spans - 1].length += length;
        } else {
          if (kept_spans == kMostRuns) return false;
          kept[kept_spans] = {static_cast<std::int32_t>(begin - end), length};
          runs[kept_spans++] = {.a = at + skipped, .b = 0, .length = length};
        }
        end = begin + length;
        skipped += length;
        bits = length == 64 ? 0 : bits >> length;
      }
      index += static_cast<std::int64_t>(size);
      at += size;
      done += size;
    }
  }
  double* to = counts->data();
  for (std::size_t i = 0; i < kept_spans; ++i)
    to = std::copy_n(first + runs[i].a, runs[i].length, to);
  counts->resize(static_cast<std::size_t>(to - first));
  spans->assign(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(kept_spans));
  return true;
}

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
