#include "store/dedup/counter_guard.h"

#include <algorithm>
#include <cmath>

#include "store/dedup/row_steps.h"

namespace aevum::store::dedup {
namespace {

constexpr std::size_t kNone = RowReader::kNone;
// Left out at most where it is not known that the series is a counter.
constexpr std::size_t kHold = 2;
// Steps that are looked at to tell a counter.
constexpr int kCounterSteps = 8;

// Whether a row goes on over such a distance: of two scrapes one at most is missing.
bool Continues(TimestampMs distance, TimestampMs interval) {
  return static_cast<double>(distance) <= 2.5 * static_cast<double>(interval);
}

}  // namespace

void CounterGuard::Emitted(std::size_t row, std::size_t i) {
  const double value = rows_[row]->Value(i);
  if (std::isnan(value)) return;
  any_ = true;
  value_ = value;
  source_ = row;
  histogram_ = rows_[row]->IsHistogram(i);
}

SeriesType CounterGuard::TypeOf(std::size_t row, std::size_t i) {
  if (!rows_[row]->IsHistogram(i)) return type_;
  return rows_[row]->IsGaugeHistogram(i) ? SeriesType::kGauge : SeriesType::kCounter;
}

// Floats and histograms in one series say nothing about one another.
bool CounterGuard::Numeric(std::size_t row, std::size_t i) {
  return !std::isnan(rows_[row]->Value(i)) && rows_[row]->IsHistogram(i) == histogram_;
}

std::size_t CounterGuard::NumericBefore(std::size_t row, std::size_t i) {
  while (i-- > rows_[row]->begin()) {
    if (Numeric(row, i)) return i;
  }
  return kNone;
}

bool CounterGuard::IsDrop(std::size_t row, std::size_t i) {
  if (!Numeric(row, i)) return false;
  RowReader& r = *rows_[row];
  const std::size_t before = NumericBefore(row, i);
  if (before == kNone || !(r.Value(i) < r.Value(before))) return false;
  // No process counts half of a whole life while two scrapes are due.
  return r.Value(i) < r.Value(before) / 2 ||
         !Continues(Between(r.Time(before), r.Time(i)), IntervalAt(r, i));
}

bool CounterGuard::MissedReset(std::size_t row, TimestampMs after, TimestampMs until,
                               TimestampMs window, TimestampMs last_time) {
  RowReader& r = *rows_[row];
  const std::size_t reset = Drop(row, after, until);
  if (reset == kNone) return false;
  RowReader& source = *rows_[source_];
  // One that began later could not show it.
  if (source.Time(source.begin()) > r.Time(reset)) return false;
  // Where this row was away, the reset may be as old as its sample before.
  return Drop(source_, Plus(r.Time(NumericBefore(row, reset)), -window), last_time) == kNone;
}

std::size_t CounterGuard::Drop(std::size_t row, TimestampMs after, TimestampMs until) {
  RowReader& r = *rows_[row];
  std::size_t last = kNone;
  for (std::size_t i = r.Next(Plus(after, 1)); i != kNone && r.Has(i) && r.Time(i) <= until; ++i) {
    if (IsDrop(row, i)) last = i;
  }
  return last;
}

std::size_t CounterGuard::DropAfter(std::size_t row, std::size_t j, TimestampMs until) {
  RowReader& r = *rows_[row];
  for (std::size_t q = j + 1; r.Has(q) && r.Time(q) <= until; ++q) {
    if (IsDrop(row, q)) return q;
  }
  return kNone;
}

bool CounterGuard::SourceGoesOn(TimestampMs after, TimestampMs until) {
  RowReader& r = *rows_[source_];
  for (std::size_t i = r.Next(Plus(after, 1)); i != kNone && r.Has(i) && r.Time(i) <= until; ++i) {
    if (Numeric(source_, i)) return r.Value(i) >= value_;
  }
  return false;
}

bool CounterGuard::Rises(std::size_t row, std::size_t i, int least) {
  int rises = 0;
  for (int step = 0; step < kCounterSteps; ++step) {
    const std::size_t before = NumericBefore(row, i);
    if (before == kNone) break;
    const double a = rows_[row]->Value(before);
    const double b = rows_[row]->Value(i);
    if (b < a) return false;
    if (b > a) ++rises;
    i = before;
  }
  return rises >= least;
}

bool CounterGuard::IsCounter(std::size_t row, std::size_t i, TimestampMs last_time) {
  const SeriesType type = TypeOf(row, i);
  if (type != SeriesType::kUnknown) return type == SeriesType::kCounter;
  if (!any_ || !Numeric(row, i)) return false;
  RowReader& source = *rows_[source_];
  std::size_t last = source.Next(last_time);
  if (last == kNone) {
    last = source.Next(kMinTime);
    while (source.Has(last + 1)) ++last;
  }
  if (source.Time(last) > last_time || !Numeric(source_, last)) last = NumericBefore(source_, last);
  return last != kNone && Rises(source_, last, 2) && Rises(row, i, 1);
}

bool CounterGuard::StepsBack(std::size_t row, std::size_t i, TimestampMs distance,
                             TimestampMs interval) {
  // Even steps are longer, so none of them has to be asked for.
  if (kTolerance * static_cast<double>(distance) >= static_cast<double>(interval)) return false;
  if (!any_ || TypeOf(row, i) == SeriesType::kGauge || !Numeric(row, i)) return false;
  const double value = rows_[row]->Value(i);
  return value < value_ && (value >= value_ / 2 || distance < interval / 2);
}

bool CounterGuard::ShowsSkew(std::size_t row, std::size_t i, std::size_t other, std::size_t j,
                             TimestampMs last_time) {
  if (!any_ || !Numeric(row, i) || !Numeric(other, j)) return false;
  const double own = rows_[row]->Value(i);
  return own >= value_ && rows_[other]->Value(j) > own && IsCounter(other, j, last_time);
}

std::size_t CounterGuard::Admit(std::size_t row, std::size_t j, TimestampMs last_time) {
  if (j == kNone || !any_ || row == source_ || TypeOf(row, j) == SeriesType::kGauge) return j;
  RowReader& y = *rows_[row];
  const TimestampMs interval = IntervalAt(y, j);
  const bool known = IsCounter(row, j, last_time);
  const TimestampMs window =
      known ? std::max(Times(interval, 3), kGuardWindow) : Times(interval, 3);
  const TimestampMs reach = Plus(last_time, -window);
  const TimestampMs far_reach = Plus(last_time, -Times(window, 2));
  TimestampMs first_time = y.Time(j);
  const std::size_t source_drop = Drop(source_, reach, last_time);
  const bool dropped = source_drop != kNone;
  const double before = dropped ? rows_[source_]->Value(NumericBefore(source_, source_drop)) : 0;
  bool waited = false;
  std::size_t left_out = 0;
  for (; y.Has(j); ++j) {
    if (!Numeric(row, j)) return j;
    const TimestampMs time = y.Time(j);
    if (known ? left_out > 0 && Between(first_time, time) >= kGuardWindow : left_out >= kHold) {
      return j;
    }
    const double value = y.Value(j);
    if (const TimestampMs start = y.Start(j); start != 0) {  // then nothing has to be guessed
      if (start > last_time || value >= value_) return j;
      ++left_out;
      continue;
    }
    const std::size_t p = NumericBefore(row, j);
    const bool continues = p != kNone && Continues(Between(y.Time(p), time), interval);
    // The followed row has shown a reset that this one has not reached yet.
    if (!waited && dropped && value_ < before / 2 && value >= before / 2 &&
        (!continues || y.Value(p) > value_) && Drop(row, far_reach, time) == kNone) {
      const std::size_t reset = DropAfter(row, j, Plus(last_time, window));
      if (reset != kNone) {
        waited = true;
        left_out += reset - j;
        first_time = y.Time(reset);
        j = reset - 1;
        continue;
      }
    }
    if (value >= value_) return j;
    if (!waited && !continues && value < value_ / 2 &&
        !SourceGoesOn(last_time, Plus(last_time, window))) {
      return j;  // restarted while it was away
    }
    if (!waited && continues && MissedReset(row, reach, time, window, last_time)) return j;
    ++left_out;
  }
  return kNone;
}

}  // namespace aevum::store::dedup
