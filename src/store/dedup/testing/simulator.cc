#include "store/dedup/testing/simulator.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "store/dedup/testing/design.h"

namespace aevum::store::dedup::testing {
namespace {

using chunk::Columns;

constexpr TimestampMs kIntervals = 240;
constexpr TimestampMs kWindowIntervals = 8;
const double kStale = std::bit_cast<double>(chunk::kStaleNanBits);

ReplicaPlan::Outage MakeOutage(Random& random, const SimulatedCase& c) {
  const TimestampMs from = c.start + Below(random, c.end - c.start);
  return {.down = {.from = from, .to = from + c.interval * (2 + Below(random, 30))}};
}

TimestampMs SkewOf(Random& random, const SimulatedCase& c) {
  if (c.Has(Fault::kMinuteSkew)) return Below(random, 360'001) - 180'000;
  if (!c.Has(Fault::kSmallSkew)) return 0;
  const TimestampMs most = Chance(random, 0.5) ? 900 : c.interval * 6 / 10;
  return Below(random, 2 * most + 1) - most;
}

ReplicaPlan MakeReplica(Random& random, const SimulatedCase& c, TimestampMs base) {
  ReplicaPlan r{.interval = base, .start = c.start, .end = c.end, .outages = {}};
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

SimulatedCase SimulateHard(std::uint64_t seed) {
  Random random(seed);
  constexpr std::array<TimestampMs, 7> kBases = {5, 10, 15, 30, 60, 120, 300};
  const TimestampMs base = 1000 * kBases[static_cast<std::size_t>(Below(random, 7))];
  const TimestampMs start = 1'700'000'000'000 + 1000 * Below(random, 86400);
  const TimestampMs end = start + kIntervals * base;
  const auto kind = Chance(random, 0.6) ? ProcessKind::kCounter : ProcessKind::kGauge;
  SimulatedCase c{
      .process = Process::Dense(random, kind, {.start = start, .end = end, .interval = base}),
      .start = start,
      .end = end,
      .interval = base,
      .faults = PickFaults(random),
      .replicas = {},
      .slots = {},
      .windows = {}};
  const std::size_t count = Chance(random, 0.7) ? 2 : 3;
  std::vector<ReplicaPlan> replicas;
  for (std::size_t i = 0; i < count; ++i) replicas.push_back(MakeReplica(random, c, base));
  if (c.Has(Fault::kCorrelatedOutage)) {
    const ReplicaPlan::Outage all = MakeOutage(random, c);
    for (ReplicaPlan& r : replicas) r.outages.push_back(all);
  }
  if (c.Has(Fault::kCopies)) replicas.resize(1);
  c.interval = replicas.front().interval;
  for (const ReplicaPlan& r : replicas) {
    c.interval = std::min(c.interval, r.interval);
    c.slack = std::max(c.slack, r.latency + std::abs(r.skew) + r.interval / 5);
    c.replicas.push_back(SamplesOf(random, c.process, r));
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
  const TimestampMs range = kWindowIntervals * c.interval;
  AddTruth({.range = range, .step = range / 2, .least_due = 4}, kMaxTime, 1, &c);
  return c;
}

double ScaleOf(const SimulatedCase& c, TimestampMs range) {
  const double windows = static_cast<double>(c.end - c.start) / static_cast<double>(range);
  if (c.process.kind() == ProcessKind::kCounter) {
    const double mean = c.process.Increase(c.start, c.end) / windows;
    return c.process.counts_events() ? std::max(0.5, mean) : mean;
  }
  double sum = 0;
  double squares = 0;
  double n = 0;
  for (TimestampMs time = c.start; time < c.end; time += c.interval) {
    if (!c.process.Up(time)) continue;
    const double value = c.process.Read(time);
    sum += value;
    squares += value * value;
    n += 1;
  }
  return std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)));
}

}  // namespace

std::string NameOf(Fault fault) {
  constexpr std::array kNames = {
      "jitter",     "latency",         "missed scrapes",  "outage", "outage of all",
      "late start", "early end",       "other interval",  "copies", "swapped",
      "small skew", "minutes of skew", "interval changes"};
  return kNames[static_cast<std::size_t>(fault)];
}

bool SimulatedCase::Has(Fault fault) const {
  return std::find(faults.begin(), faults.end(), fault) != faults.end();
}

Columns SamplesOf(Random& random, const Process& process, const ReplicaPlan& plan) {
  Columns columns;
  Scrape(random, process, plan, [&](TimestampMs time, std::optional<TimestampMs> read) {
    columns.times.push_back(time);
    columns.values.push_back(read ? process.Read(*read) : kStale);
  });
  return columns;
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

void AddTruth(const WindowShape& shape, TimestampMs change, double change_factor,
              SimulatedCase* c) {
  for (TimestampMs from = c->start; from < c->end;) {
    const double factor = from < change ? 1 : change_factor;
    const auto length = static_cast<TimestampMs>(static_cast<double>(c->interval) * factor);
    if (from + length > c->end) break;
    if (c->process.Up(from) && c->process.Up(from + length)) {
      c->slots.push_back({.from = from, .to = from + length});
    }
    from += length;
  }
  const bool counter = c->process.kind() == ProcessKind::kCounter;
  for (TimestampMs end = c->start + shape.range; end <= c->end; end += shape.step) {
    SimulatedCase::Window window{.from = end - shape.range, .end = end};
    const auto before = [](const SimulatedCase::Slot& slot, TimestampMs time) {
      return slot.from < time;
    };
    const auto first = std::lower_bound(c->slots.begin(), c->slots.end(), window.from, before);
    const auto last = std::lower_bound(first, c->slots.end(), end, before);
    window.due = static_cast<double>(last - first);
    if (window.due < shape.least_due) continue;
    window.value =
        counter ? c->process.Increase(window.from, end) : c->process.Average(window.from, end);
    if (!counter) window.maximum = c->process.Maximum(window.from, end);
    c->windows.push_back(window);
  }
  c->scale = ScaleOf(*c, shape.range);
}

SimulatedCase Simulate(std::uint64_t seed, Population population) {
  return population == Population::kDesigned ? SimulateDesigned(seed) : SimulateHard(seed);
}

}  // namespace aevum::store::dedup::testing
