#include "store/dedup/row_order.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>

namespace aevum::store::dedup {
namespace {

using model::FloatHistogram;

// Negative, zero or positive as a comes before, with or after b.
int Order(double a, double b) {
  if (a > b) return -1;
  if (a < b) return 1;
  const auto x = std::bit_cast<std::uint64_t>(a);
  const auto y = std::bit_cast<std::uint64_t>(b);
  return x == y ? 0 : x > y ? -1 : 1;
}

int Order(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) return a.size() > b.size() ? -1 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (const int order = Order(a[i], b[i]); order != 0) return order;
  }
  return 0;
}

int Order(std::span<const model::Span> a, std::span<const model::Span> b) {
  if (a.size() != b.size()) return a.size() > b.size() ? -1 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = std::tie(a[i].offset, a[i].length);
    const auto y = std::tie(b[i].offset, b[i].length);
    if (x != y) return x > y ? -1 : 1;
  }
  return 0;
}

int Order(const FloatHistogram& a, const FloatHistogram& b) {
  const auto header = [](const FloatHistogram& h) { return std::tuple(h.reset_hint, h.schema); };
  if (header(a) != header(b)) return header(a) > header(b) ? -1 : 1;
  for (const int order :
       {Order(a.count, b.count), Order(a.sum, b.sum), Order(a.zero_count, b.zero_count),
        Order(a.zero_threshold, b.zero_threshold), Order(a.positive_spans, b.positive_spans),
        Order(a.negative_spans, b.negative_spans), Order(a.positive_buckets, b.positive_buckets),
        Order(a.negative_buckets, b.negative_buckets), Order(a.custom_values, b.custom_values)}) {
    if (order != 0) return order;
  }
  return 0;
}

int OrderOfSamples(RowReader& a, std::size_t i, RowReader& b, std::size_t j) {
  if (a.Time(i) != b.Time(j)) return a.Time(i) < b.Time(j) ? -1 : 1;
  const bool live = !chunk::IsStale(a.Value(i));
  if (live != !chunk::IsStale(b.Value(j))) return live ? -1 : 1;
  const bool number = !std::isnan(a.Value(i));
  if (number != !std::isnan(b.Value(j))) return number ? -1 : 1;
  if (const int order = Order(a.Value(i), b.Value(j)); order != 0) return order;
  if (a.IsHistogram(i) != b.IsHistogram(j)) return a.IsHistogram(i) ? -1 : 1;
  return a.IsHistogram(i) ? Order(a.Histogram(i), b.Histogram(j)) : 0;
}

int OrderOfRows(RowReader& a, RowReader& b) {
  std::size_t i = a.begin();
  std::size_t j = b.begin();
  while (true) {
    const std::size_t shared = a.SharedWith(i, b, j);
    i += shared;
    j += shared;
    const bool more = a.Has(i);
    if (more != b.Has(j)) return more ? -1 : 1;
    if (!more) return 0;
    if (const int order = OrderOfSamples(a, i, b, j); order != 0) return order;
    ++i;
    ++j;
  }
}

}  // namespace

// Bounded whatever the comparison says, which is not to be relied on where reading fails.
void SortDistinct(std::vector<RowReader*>* rows) {
  std::vector<RowReader*> sorted;
  for (RowReader* row : *rows) {
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), row,
                                     [](auto* a, auto* b) { return OrderOfRows(*a, *b) < 0; });
    if (at != sorted.end() && OrderOfRows(**at, *row) == 0) continue;
    sorted.insert(at, row);
  }
  *rows = std::move(sorted);
}

}  // namespace aevum::store::dedup
