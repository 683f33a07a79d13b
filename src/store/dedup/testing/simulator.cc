#include "store/dedup/testing/simulator.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace aevum::store::dedup::testing {
namespace {

using chunk::Columns;
using Random = std::mt19937_64;

constexpr TimestampMs kIntervals = 240;
constexpr TimestampMs kGridPerInterval = 8;
const double kStale = std::bit_cast<double>(chunk::kStaleNanBits);

// The distributions of the standard library differ between implementations.
double Uniform(Random& random, double from, double to) {
  return from + (to - from) * static_cast<double>(random() >> 11) * 0x1.0p-53;
}
TimestampMs Below(Random& random, TimestampMs n) {
  return n <= 0 ? 0 : static_cast<TimestampMs>(random() % static_cast<std::uint64_t>(n));
}
bool Chance(Random& random, double p) { return Uniform(random, 0, 1) < p; }

}  // namespace

Process::Process(Random& random, Kind kind, TimestampMs start, TimestampMs end,
                 TimestampMs interval)
    : kind_(kind),
      start_(start),
      end_(end),
      grid_(std::max<TimestampMs>(1, interval / kGridPerInterval)) {
  if (kind == Kind::kCounter) {
    for (TimestampMs n = Below(random, 4); n > 0; --n) {
      const TimestampMs from = start + Below(random, end - start);
      downs_.push_back({.from = from, .to = from + 1000 + Below(random, 2 * interval)});
    }
    std::sort(downs_.begin(), downs_.end(), [](Down a, Down b) { return a.from < b.from; });
    MakeCounter(random);
  } else {
    MakeGauge(random);
  }
}

void Process::MakeCounter(Random& random) {
  enum { kSteady, kBursty, kFloat };
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

void Process::MakeGauge(Random& random) {
  enum { kWalk, kStep, kSaw, kRare };
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

bool Process::Up(TimestampMs time) const {
  return std::none_of(downs_.begin(), downs_.end(),
                      [time](Down d) { return d.from <= time && time < d.to; });
}

double Process::Total(TimestampMs time) const {
  const TimestampMs at = std::clamp(time, start_, end_) - start_;
  const auto i = static_cast<std::size_t>(at / grid_);
  const double part = static_cast<double>(at % grid_) / static_cast<double>(grid_);
  const double value = points_[i] + part * (points_[i + 1] - points_[i]);
  return kind_ == Kind::kCounter && whole_ ? std::floor(value) : value;
}

double Process::Read(TimestampMs time) const {
  if (kind_ == Kind::kGauge) return Total(time);
  double life = 0;  // the counter began before we look
  for (const Down& down : downs_) {
    if (down.to <= time) life = Total(down.to);
  }
  return Total(time) - life;
}

double Process::Average(TimestampMs from, TimestampMs to) const {
  double sum = 0;
  TimestampMs count = 0;
  for (TimestampMs time = from; time <= to; time += std::max<TimestampMs>(1, grid_ / 4), ++count) {
    sum += Total(time);
  }
  return sum / static_cast<double>(count);
}

TimestampMs Process::Uptime(TimestampMs from, TimestampMs to) const {
  TimestampMs up = 0;
  const TimestampMs step = std::max<TimestampMs>(1, grid_ / 4);
  for (TimestampMs time = from + step; time <= to; time += step) up += Up(time) ? step : 0;
  return up;
}

bool Process::RestartsIn(TimestampMs from, TimestampMs to) const {
  return std::any_of(downs_.begin(), downs_.end(),
                     [&](Down d) { return d.to > from && d.from <= to; });
}

std::string NameOf(Fault fault) {
  constexpr std::array kNames = {"jitter",    "latency",        "missed scrapes",
                                 "outage",    "outage of all",  "late start",
                                 "early end", "other interval", "copies",
                                 "swapped",   "small skew",     "minutes of skew"};
  return kNames[static_cast<std::size_t>(fault)];
}

bool SimulatedCase::Has(Fault fault) const {
  return std::find(faults.begin(), faults.end(), fault) != faults.end();
}

namespace {

struct Outage {
  TimestampMs from = 0;
  TimestampMs to = 0;
};

struct Replica {
  TimestampMs interval = 0;
  TimestampMs offset = 0;
  double jitter = 0;
  TimestampMs latency = 0;
  double misses = 0;
  bool markers = false;
  TimestampMs skew = 0;
  TimestampMs start = 0;
  TimestampMs end = 0;
  std::vector<Outage> outages;
};

Outage MakeOutage(Random& random, const SimulatedCase& c) {
  const TimestampMs from = c.start + Below(random, c.end - c.start);
  return {.from = from, .to = from + c.interval * (2 + Below(random, 30))};
}

TimestampMs SkewOf(Random& random, const SimulatedCase& c) {
  if (c.Has(Fault::kMinuteSkew)) return Below(random, 360'001) - 180'000;
  if (!c.Has(Fault::kSmallSkew)) return 0;
  const TimestampMs most = Chance(random, 0.5) ? 900 : c.interval * 6 / 10;
  return Below(random, 2 * most + 1) - most;
}

Replica MakeReplica(Random& random, const SimulatedCase& c, TimestampMs base) {
  Replica r{.interval = base, .start = c.start, .end = c.end, .outages = {}};
  const auto has = [&](Fault fault) { return c.Has(fault) && Chance(random, 0.7); };
  if (has(Fault::kOtherInterval)) {
    constexpr std::array kFactors = {0.25, 0.5, 2.0, 3.0, 5.0};
    r.interval = static_cast<TimestampMs>(static_cast<double>(base) *
                                          kFactors[static_cast<std::size_t>(Below(random, 5))]);
  }
  r.offset = Below(random, r.interval);
  if (has(Fault::kJitter)) r.jitter = Uniform(random, 0, 0.2);
  if (has(Fault::kLatency)) {
    r.latency = std::min<TimestampMs>(
        10'000,
        static_cast<TimestampMs>(Uniform(random, 0, 0.6) * static_cast<double>(r.interval)));
  }
  if (has(Fault::kMisses)) r.misses = Uniform(random, 0, 0.3);
  r.markers = Chance(random, 0.5);
  r.skew = SkewOf(random, c);
  if (has(Fault::kLateStart)) r.start += Below(random, (c.end - c.start) / 2);
  if (has(Fault::kEarlyEnd)) r.end -= Below(random, (c.end - c.start) / 2);
  if (has(Fault::kOutage)) {
    for (TimestampMs n = 1 + Below(random, 3); n > 0; --n)
      r.outages.push_back(MakeOutage(random, c));
  }
  return r;
}

Columns Scrape(Random& random, const Process& process, const Replica& r) {
  Columns columns;
  bool live = false;
  TimestampMs last = kMinTime;
  for (TimestampMs slot = r.start + r.offset; slot < r.end; slot += r.interval) {
    const auto jitter = static_cast<TimestampMs>(r.jitter * Uniform(random, -0.5, 0.5) *
                                                 static_cast<double>(r.interval));
    const TimestampMs read = slot + jitter + Below(random, r.latency + 1);
    const bool missed = Chance(random, r.misses);
    const TimestampMs time = slot + jitter + r.skew;
    const bool out = std::any_of(r.outages.begin(), r.outages.end(),
                                 [slot](Outage o) { return o.from <= slot && slot < o.to; });
    if (out || time <= last) continue;
    const bool success = !missed && process.Up(read);
    if (!success && !(live && r.markers)) continue;
    columns.times.push_back(time);
    columns.values.push_back(success ? process.Read(read) : kStale);
    live = success;
    last = time;
  }
  return columns;
}

// Each row lacks some samples of the same replica.
std::vector<Columns> Copies(Random& random, const Columns& whole, std::size_t count) {
  std::vector<Columns> rows(count);
  for (Columns& row : rows) {
    const double holes = Uniform(random, 0.02, 0.3);
    for (std::size_t i = 0; i < whole.times.size(); ++i) {
      if (Chance(random, holes)) continue;
      row.times.push_back(whole.times[i]);
      row.values.push_back(whole.values[i]);
    }
  }
  return rows;
}

void Swap(TimestampMs at, Columns* a, Columns* b) {
  const auto tail = [at](Columns* columns) {
    const auto cut = std::lower_bound(columns->times.begin(), columns->times.end(), at);
    const auto values = columns->values.begin() + (cut - columns->times.begin());
    Columns rest;
    rest.times.assign(cut, columns->times.end());
    rest.values.assign(values, columns->values.end());
    columns->values.erase(values, columns->values.end());
    columns->times.erase(cut, columns->times.end());
    return rest;
  };
  const auto append = [](const Columns& rest, Columns* columns) {
    columns->times.insert(columns->times.end(), rest.times.begin(), rest.times.end());
    columns->values.insert(columns->values.end(), rest.values.begin(), rest.values.end());
  };
  const Columns rest_a = tail(a);
  append(tail(b), a);
  append(rest_a, b);
}

std::vector<Fault> PickFaults(Random& random) {
  std::vector<Fault> faults;
  for (int i = 0; i < static_cast<int>(Fault::kMinuteSkew); ++i) {
    if (Chance(random, i <= static_cast<int>(Fault::kOutage) ? 0.4 : 0.12)) {
      faults.push_back(static_cast<Fault>(i));
    }
  }
  if (Chance(random, 0.07)) faults.push_back(Fault::kMinuteSkew);
  return faults;
}

}  // namespace

SimulatedCase Simulate(std::uint64_t seed) {
  Random random(seed);
  constexpr std::array<TimestampMs, 7> kBases = {5, 10, 15, 30, 60, 120, 300};
  const TimestampMs base = 1000 * kBases[static_cast<std::size_t>(Below(random, 7))];
  const TimestampMs start = 1'700'000'000'000 + 1000 * Below(random, 86400);
  const TimestampMs end = start + kIntervals * base;
  const auto kind = Chance(random, 0.6) ? Process::Kind::kCounter : Process::Kind::kGauge;
  SimulatedCase c{.process = Process(random, kind, start, end, base),
                  .start = start,
                  .end = end,
                  .interval = base,
                  .faults = PickFaults(random),
                  .replicas = {}};
  const std::size_t count = Chance(random, 0.7) ? 2 : 3;
  std::vector<Replica> replicas;
  for (std::size_t i = 0; i < count; ++i) replicas.push_back(MakeReplica(random, c, base));
  if (c.Has(Fault::kCorrelatedOutage)) {
    const Outage all = MakeOutage(random, c);
    for (Replica& r : replicas) r.outages.push_back(all);
  }
  if (c.Has(Fault::kCopies)) replicas.resize(1);
  c.interval = replicas.front().interval;
  for (const Replica& r : replicas) {
    c.interval = std::min(c.interval, r.interval);
    c.slack = std::max(c.slack, r.latency + std::abs(r.skew) + r.interval / 5);
    c.replicas.push_back(Scrape(random, c.process, r));
  }
  if (c.Has(Fault::kCopies)) {
    const Columns whole = c.replicas.front();
    c.replicas = Copies(random, whole, count);
  }
  if (c.Has(Fault::kSwap)) {
    for (TimestampMs n = 1 + Below(random, 3); n > 0; --n) {
      Swap(start + Below(random, end - start), &c.replicas[0], &c.replicas[1]);
    }
  }
  return c;
}

}  // namespace aevum::store::dedup::testing
