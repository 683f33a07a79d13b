#include "store/dedup/aggregate_rows.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <vector>

#include "store/dedup/row_order.h"
#include "store/dedup/row_reader.h"
#include "store/dedup/row_steps.h"

namespace aevum::store::dedup {
namespace {

constexpr std::size_t kNone = RowReader::kNone;

// Appends samples of several rows, totals of counters continued from one row to the next.
class Joiner {
 public:
  Joiner(Totals totals, chunk::Columns* out)
      : totals_(totals), out_(out), first_(out->times.size()) {}

  bool any() const { return row_ != nullptr; }
  const RowReader* row() const { return row_; }
  TimestampMs last_time() const { return last_time_; }

  void Append(RowReader& row, std::size_t i) {
    const bool changes = &row != row_;
    const bool total = totals_ == Totals::kYes && !row.IsHistogram(i);
    if (changes && total && any_total_) offsets_[&row] = OffsetOf(row, i);
    row.MoveTo(i, 1, /*forget=*/changes, out_);
    if (total) {
      out_->values.back() += offsets_[&row];
      last_total_ = out_->values.back();
      any_total_ = true;
    }
    row_ = &row;
    last_time_ = row.Time(i);
  }

 private:
  // What is added to the totals of a row from `i` on. Totals of two rows differ by the resets that
  // only one of them saw, mostly not at all; so what is known of a row stays, unless its last total
  // before the change shows that it is not true any longer.
  double OffsetOf(RowReader& row, std::size_t i) {
    double offset = offsets_[&row];
    const std::size_t after = row.Next(Plus(last_time_, 1));
    if (after != kNone && after > row.begin() && after <= i) {
      const std::size_t before = after - 1;
      const double difference = GivenOutAt(row.Time(before)) - row.Value(before);
      if (3 * std::abs(difference - offset) > StepNear(row, before)) offset = difference;
    }
    return std::max(offset, last_total_ - row.Value(i));
  }

  // The last total up to a time.
  double GivenOutAt(TimestampMs time) const {
    const auto begin = out_->times.begin() + static_cast<std::ptrdiff_t>(first_);
    const auto beyond = std::upper_bound(begin, out_->times.end(), time);
    const auto i = beyond == begin ? begin : beyond - 1;
    return out_->values[static_cast<std::size_t>(i - out_->times.begin())];
  }

  // The greater growth of a row to a position and from it. Of this a third at most is due to the
  // times of scrapes, and to a window that a row is followed in without being whole.
  static double StepNear(RowReader& row, std::size_t i) {
    const double value = row.Value(i);
    const double to = i > row.begin() ? value - row.Value(i - 1) : 0;
    const double from = row.Has(i + 1) ? row.Value(i + 1) - value : 0;
    return std::max(to, from);
  }

  const Totals totals_;
  chunk::Columns* const out_;
  const std::size_t first_;  // float of `out_` that is ours
  const RowReader* row_ = nullptr;
  TimestampMs last_time_ = kMinTime;
  bool any_total_ = false;
  double last_total_ = 0;
  std::map<const RowReader*, double> offsets_;
};

// A position in each row; all move on together in the order of time.
struct Positions {
  explicit Positions(std::vector<RowReader*> readers) : rows(std::move(readers)) {
    for (const RowReader* row : rows) at.push_back(row->begin());
  }
  bool Has(std::size_t r) { return rows[r]->Has(at[r]); }
  // The next time of all rows; false at the end.
  bool Next(TimestampMs* time) {
    bool any = false;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (!Has(r)) continue;
      *time = any ? std::min(*time, rows[r]->Time(at[r])) : rows[r]->Time(at[r]);
      any = true;
    }
    return any;
  }
  bool IsAt(std::size_t r, TimestampMs time) { return Has(r) && rows[r]->Time(at[r]) == time; }
  void Pass(TimestampMs time) {
    for (std::size_t r = 0; r < rows.size(); ++r) at[r] += IsAt(r, time) ? 1 : 0;
  }

  std::vector<RowReader*> rows;
  std::vector<std::size_t> at;
};

double CountAt(const chunk::Columns* counts, TimestampMs time) {
  if (counts == nullptr) return 0;
  const auto found = std::lower_bound(counts->times.begin(), counts->times.end(), time);
  if (found == counts->times.end() || *found != time) return 0;
  const double count = counts->values[static_cast<std::size_t>(found - counts->times.begin())];
  return std::isnan(count) ? 0 : count;
}

}  // namespace

void MergeAggregates(std::span<const AggregateRow> rows, TimestampMs window, Totals totals,
                     chunk::Columns* out) {
  std::vector<RowReader> readers;
  std::map<const RowReader*, const chunk::Columns*> counts;
  readers.reserve(rows.size());
  std::vector<RowReader*> distinct;
  for (const AggregateRow& row : rows) {
    distinct.push_back(&readers.emplace_back(*row.values));
    counts[distinct.back()] = row.counts;
  }
  SortDistinct(&distinct);
  Positions positions(std::move(distinct));
  Joiner joiner(totals, out);
  TimestampMs time = 0;
  for (; positions.Next(&time); positions.Pass(time)) {
    std::size_t best = kNone;
    std::size_t own = kNone;  // the followed row
    double greatest = 0;
    double followed = 0;
    for (std::size_t r = 0; r < positions.rows.size(); ++r) {
      if (!positions.IsAt(r, time)) continue;
      const double count = CountAt(counts[positions.rows[r]], time);
      if (positions.rows[r] == joiner.row()) {
        own = r;
        followed = count;
      }
      if (best == kNone || count > greatest) {
        best = r;
        greatest = count;
      }
    }
    if (own != kNone && followed * 4 >= greatest * 3) {
      best = own;
    } else if (joiner.any() && Between(joiner.last_time(), time) < window / 2) {
      continue;
    }
    joiner.Append(*positions.rows[best], positions.at[best]);
  }
}

void JoinLayers(std::span<const Layer> layers, Totals totals, chunk::Columns* out) {
  std::vector<RowReader> readers;
  readers.reserve(layers.size());
  std::vector<RowReader*> rows;
  for (const Layer& layer : layers) rows.push_back(&readers.emplace_back(layer.samples));
  Positions positions(std::move(rows));
  Joiner joiner(totals, out);
  TimestampMs time = 0;
  for (; positions.Next(&time); positions.Pass(time)) {
    for (std::size_t k = 0; k < layers.size(); ++k) {
      if (positions.IsAt(k, time)) {
        joiner.Append(*positions.rows[k], positions.at[k]);
        break;
      }
      const auto covers = [time](const Layer::Span& s) { return s.from <= time && time <= s.to; };
      if (std::any_of(layers[k].spans.begin(), layers[k].spans.end(), covers)) break;
    }
  }
}

}  // namespace aevum::store::dedup
