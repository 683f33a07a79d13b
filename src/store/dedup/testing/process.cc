#include "store/dedup/testing/process.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace aevum::store::dedup::testing {
namespace {

constexpr TimestampMs kGridPerInterval = 8;
enum CounterShape : TimestampMs { kSteady, kBursty, kFloat };
enum GaugeShape : TimestampMs { kWalk, kStep, kSaw, kRare };

}  // namespace

Process::Process(ProcessKind kind, const Span& span)
    : kind_(kind),
      start_(span.start),
      end_(span.end),
      grid_(std::max<TimestampMs>(1, span.interval / kGridPerInterval)) {}

void Process::GoDown(TimestampMs from, TimestampMs length) {
  downs_.push_back({.from = from, .to = from + length});
  std::sort(downs_.begin(), downs_.end(), [](Down a, Down b) { return a.from < b.from; });
}

Process Process::Dense(Random& random, ProcessKind kind, const Span& span) {
  Process process(kind, span);
  if (kind == ProcessKind::kGauge) {
    process.DenseGauge(random);
    return process;
  }
  for (TimestampMs n = Below(random, 4); n > 0; --n) {
    const TimestampMs from = span.start + Below(random, span.end - span.start);
    process.GoDown(from, 1000 + Below(random, 2 * span.interval));
  }
  process.DenseCounter(random);
  return process;
}

void Process::DenseCounter(Random& random) {
  const TimestampMs shape = Below(random, 3);
  whole_ = shape != kFloat;
  const double rate = std::exp(Uniform(random, std::log(0.3), std::log(3000)));
  double total = Uniform(random, 0, 1e5);
  if (whole_) total = std::floor(total);
  bool burst = false;
  for (TimestampMs time = start_; time <= end_ + grid_; time += grid_) {
    points_.push_back(total);
    if (!Up(time) || !Up(time + grid_)) continue;
    if (shape == kBursty && Chance(random, burst ? 0.1 : 0.02)) burst = !burst;
    double step = rate * Uniform(random, 0.5, 1.5);
    if (shape == kBursty) step = burst ? 20 * step : Chance(random, 0.2) ? step : 0;
    total += whole_ ? std::floor(step + Uniform(random, 0, 1)) : step;
  }
}

void Process::DenseGauge(Random& random) {
  const TimestampMs shape = Below(random, 4);
  double value = Uniform(random, 10, 100);
  const TimestampMs period = kGridPerInterval * (5 + Below(random, 60));
  TimestampMs i = 0;
  for (TimestampMs time = start_; time <= end_ + grid_; time += grid_, ++i) {
    points_.push_back(value);
    switch (shape) {
      case kWalk:
        value += Uniform(random, -1, 1);
        break;
      case kStep:
        if (Chance(random, 0.02)) value = Uniform(random, 10, 100);
        break;
      case kSaw:
        value = 10 + 90 * static_cast<double>(i % period) / static_cast<double>(period);
        break;
      default:
        value = Chance(random, 0.01) ? Uniform(random, 50, 100) : 10;
    }
  }
}

Process Process::Sparse(Random& random, ProcessKind kind, const Span& span) {
  Process process(kind, span);
  const TimestampMs length = span.end - span.start;
  if (kind == ProcessKind::kGauge) {
    if (Chance(random, 0.33)) {
      process.GoDown(span.start + Below(random, length),
                     span.interval + Below(random, 9 * span.interval));
    }
    process.SparseGauge(random);
    return process;
  }
  for (TimestampMs n = Chance(random, 0.5) ? 1 + Below(random, 3) : 0; n > 0; --n) {
    process.GoDown(span.start + Below(random, length), 1000 + Below(random, 5 * span.interval));
  }
  process.SparseCounter(random);
  return process;
}

void Process::SparseCounter(Random& random) {
  const double kind = Uniform(random, 0, 1);
  const TimestampMs shape = kind < 0.5 ? kSteady : kind < 0.85 ? kBursty : kFloat;
  whole_ = shape != kFloat;
  const double rate = LogUniform(random, 1e-3, 300) * static_cast<double>(grid_) / 1000;
  double total = LogUniform(random, 1, 1e9);
  if (whole_) total = std::floor(total);
  bool on = true;
  for (TimestampMs time = start_; time <= end_ + grid_; time += grid_) {
    points_.push_back(total);
    if (!Up(time) || !Up(time + grid_)) continue;
    // On and off for six intervals in the mean.
    if (shape == kBursty && Chance(random, 1.0 / (6 * kGridPerInterval))) on = !on;
    if (!on) continue;
    total += whole_ ? Poisson(random, rate) : rate * Uniform(random, 0.9, 1.1);
  }
}

void Process::SparseGauge(Random& random) {
  const TimestampMs shape = Below(random, 4);
  const double level = LogUniform(random, 0.01, 1e8);
  constexpr TimestampMs kPeriod = 25 * kGridPerInterval;
  double value = shape == kRare ? 0 : Uniform(random, 0, level);
  TimestampMs i = Below(random, kPeriod);
  for (TimestampMs time = start_; time <= end_ + grid_; time += grid_, ++i) {
    points_.push_back(value);
    switch (shape) {
      case kWalk:
        // Drawn back to the middle, so that its deviation does not depend on the length.
        value += 0.05 / std::sqrt(kGridPerInterval) * level * Normal(random) +
                 0.05 / kGridPerInterval * (level / 2 - value);
        break;
      case kStep:
        if (Chance(random, 0.1 / kGridPerInterval)) value = Uniform(random, 0, level);
        break;
      case kSaw:
        value = level * static_cast<double>(i % kPeriod) / static_cast<double>(kPeriod);
        break;
      default:  // a peak once in twenty intervals, for one and a half in the mean
        if (value > 0 && Chance(random, 0.67 / kGridPerInterval)) {
          value = 0;
        } else if (value == 0 && Chance(random, 0.05 / kGridPerInterval)) {
          value = static_cast<double>(1 + Below(random, 5));
        }
    }
  }
}

bool Process::Up(TimestampMs time) const {
  return std::none_of(downs_.begin(), downs_.end(),
                      [time](Down d) { return d.from <= time && time < d.to; });
}

double Process::Total(TimestampMs time) const {
  const TimestampMs at = std::clamp(time, start_, end_) - start_;
  const auto i = static_cast<std::size_t>(at / grid_);
  const double part = static_cast<double>(at % grid_) / static_cast<double>(grid_);
  const double value = points_[i] + part * (points_[i + 1] - points_[i]);
  return kind_ == ProcessKind::kCounter && whole_ ? std::floor(value) : value;
}

double Process::Read(TimestampMs time) const {
  if (kind_ == ProcessKind::kGauge) return Total(time);
  double life = 0;  // the counter began before we look
  for (const Down& down : downs_) {
    if (down.to <= time) life = Total(down.to);
  }
  return Total(time) - life;
}

double Process::Average(TimestampMs from, TimestampMs to) const {
  double sum = 0;
  TimestampMs count = 0;
  for (TimestampMs time = from; time <= to; time += fine_step()) {
    if (!Up(time)) continue;
    sum += Total(time);
    ++count;
  }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

double Process::Maximum(TimestampMs from, TimestampMs to) const {
  double most = -std::numeric_limits<double>::infinity();
  for (TimestampMs time = from; time <= to; time += fine_step()) {
    if (Up(time)) most = std::max(most, Total(time));
  }
  return std::isinf(most) ? 0 : most;
}

double Process::Minimum(TimestampMs from, TimestampMs to) const {
  double least = std::numeric_limits<double>::infinity();
  for (TimestampMs time = from; time <= to; time += fine_step()) {
    if (Up(time)) least = std::min(least, Total(time));
  }
  return std::isinf(least) ? 0 : least;
}

TimestampMs Process::Uptime(TimestampMs from, TimestampMs to) const {
  TimestampMs up = 0;
  for (TimestampMs time = from + fine_step(); time <= to; time += fine_step()) {
    up += Up(time) ? fine_step() : 0;
  }
  return up;
}

bool Process::RestartsIn(TimestampMs from, TimestampMs to) const {
  return std::any_of(downs_.begin(), downs_.end(),
                     [&](Down d) { return d.to > from && d.from <= to; });
}

}  // namespace aevum::store::dedup::testing
