#include "store/dedup/testing/design.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace aevum::store::dedup::testing {
namespace {

using chunk::Columns;

constexpr TimestampMs kIntervals = 240;
constexpr TimestampMs kWindowIntervals = 8;

template <typename T, std::size_t kCount>
T OneOf(Random& random, const std::array<T, kCount>& values) {
  return values[static_cast<std::size_t>(Below(random, static_cast<TimestampMs>(kCount)))];
}

// A share of the range between two.
TimestampMs Share(Random& random, const Design& d, double least, double most) {
  return static_cast<TimestampMs>(Uniform(random, least, most) *
                                  static_cast<double>(d.end - d.start));
}

// What the replicas of a case share beside its faults.
struct Habits {
  double jitter = 0;
  double most_misses = 0;
  bool same_offset = false;
  TimestampMs offset = 0;
  TimestampMs late_start = 0;  // of one replica
};

std::vector<Fault> PickFaults(Random& random) {
  struct Likely {
    Fault fault;
    double chance;
  };
  constexpr std::array kFaults = {Likely{Fault::kJitter, 0.2},
                                  Likely{Fault::kLatency, 0.23},
                                  Likely{Fault::kMisses, 0.47},
                                  Likely{Fault::kCorrelatedOutage, 0.24},
                                  Likely{Fault::kLateStart, 0.12},
                                  Likely{Fault::kEarlyEnd, 0.13},
                                  Likely{Fault::kOtherInterval, 0.09},
                                  Likely{Fault::kCopies, 0.065},
                                  Likely{Fault::kSwap, 0.04},
                                  Likely{Fault::kSmallSkew, 0.2},
                                  Likely{Fault::kIntervalChange, 0.055},
                                  Likely{Fault::kMinuteSkew, 0.067}};
  std::vector<Fault> faults;
  for (const Likely& likely : kFaults) {
    if (Chance(random, likely.chance)) faults.push_back(likely.fault);
  }
  return faults;
}

Habits DrawHabits(Random& random, Design* d) {
  Habits habits;
  if (d->Has(Fault::kJitter)) habits.jitter = Chance(random, 0.25) ? 0.2 : 0.05;
  if (d->Has(Fault::kMisses)) habits.most_misses = Chance(random, 0.25) ? 0.3 : 0.1;
  habits.same_offset = Chance(random, 0.1);
  habits.offset = Below(random, d->base);
  if (d->Has(Fault::kLateStart)) habits.late_start = Share(random, *d, 0.15, 0.7);
  if (d->Has(Fault::kIntervalChange)) {
    constexpr std::array kFactors = {0.25, 0.5, 2.0, 4.0};
    d->change_factor = OneOf(random, kFactors);
    d->change = d->start + Share(random, *d, 0.3, 0.7);
  }
  return habits;
}

TimestampMs DrawSkew(Random& random, const Design& d) {
  if (d.Has(Fault::kMinuteSkew)) return Below(random, 360'001) - 180'000;
  if (!d.Has(Fault::kSmallSkew)) return 0;
  const TimestampMs most = Chance(random, 0.5) ? 900 : d.base * 6 / 10;
  return Below(random, 2 * most + 1) - most;
}

// Now and then a few scrapes, and in a third of the replicas a good part of the range.
void AddOutages(Random& random, const Design& d, ReplicaPlan* plan) {
  const auto add = [&](TimestampMs lasts) {
    const TimestampMs from = d.start + Below(random, d.end - d.start);
    plan->outages.push_back(
        {.down = {.from = from, .to = from + lasts}, .marked = Chance(random, 0.45)});
  };
  for (double n = Poisson(random, 1.2); n > 0; --n) {
    TimestampMs lasts = d.base;
    while (lasts < 8 * d.base && Chance(random, 0.5)) lasts += d.base;
    add(lasts);
  }
  if (Chance(random, 0.3)) add(Share(random, d, 0.04, 0.4));
}

ReplicaPlan DrawPlan(Random& random, const Design& d, const Habits& habits) {
  const bool first = d.plans.empty();
  ReplicaPlan r{.interval = d.base,
                .jitter = habits.jitter,
                .start = d.start,
                .end = d.end,
                .change = d.change,
                .change_factor = d.change_factor,
                .outages = {}};
  if (d.Has(Fault::kOtherInterval) && !first) {
    constexpr std::array kFactors = {0.25, 0.5, 4.0 / 3, 2.0, 4.0, 5.0};
    r.interval = static_cast<TimestampMs>(static_cast<double>(d.base) * OneOf(random, kFactors));
  }
  r.offset = habits.same_offset ? habits.offset : Below(random, r.interval);
  if (d.Has(Fault::kLatency)) {
    const double finest = std::min(1.0, d.change_factor) * static_cast<double>(r.interval);
    r.latency =
        std::min<TimestampMs>(10'000, static_cast<TimestampMs>(Uniform(random, 0, 0.6) * finest));
  }
  r.misses = Uniform(random, 0, habits.most_misses);
  r.markers = Chance(random, 0.5);
  r.skew = DrawSkew(random, d);
  if (first) r.start += habits.late_start;
  if (d.Has(Fault::kEarlyEnd) && Chance(random, 0.5)) r.end -= Share(random, d, 0.2, 0.5);
  AddOutages(random, d, &r);
  return r;
}

// Outages that all replicas notice, not all at the same scrape.
void AddCommonOutages(Random& random, Design* d) {
  for (TimestampMs n = 1 + Below(random, 3); n > 0; --n) {
    const TimestampMs from = d->start + Below(random, d->end - d->start);
    const TimestampMs lasts = d->base * (3 + Below(random, 8));
    for (ReplicaPlan& plan : d->plans) {
      const TimestampMs at = from + Below(random, 3 * d->base) - 3 * d->base / 2;
      plan.outages.push_back(
          {.down = {.from = at, .to = at + lasts}, .marked = Chance(random, 0.5)});
    }
  }
}

// Rows of one replica, each without the samples that its own plan misses.
std::vector<Columns> Copies(Random& random, const Columns& whole,
                            const std::vector<ReplicaPlan>& plans) {
  std::vector<Columns> rows(plans.size());
  for (std::size_t r = 0; r < plans.size(); ++r) {
    const double holes = std::max(0.02, plans[r].misses);
    for (std::size_t i = 0; i < whole.times.size(); ++i) {
      const TimestampMs time = whole.times[i];
      const auto is_out = [time](const ReplicaPlan::Outage& o) {
        return o.down.from <= time && time < o.down.to;
      };
      if (Chance(random, holes) ||
          std::any_of(plans[r].outages.begin(), plans[r].outages.end(), is_out)) {
        continue;
      }
      rows[r].times.push_back(time);
      rows[r].values.push_back(whole.values[i]);
    }
  }
  return rows;
}

}  // namespace

bool Design::Has(Fault fault) const {
  return std::find(faults.begin(), faults.end(), fault) != faults.end();
}

TimestampMs Design::finest() const {
  TimestampMs interval = plans.front().interval;
  for (const ReplicaPlan& plan : plans) interval = std::min(interval, plan.interval);
  return interval;
}

TimestampMs Design::slack() const {
  TimestampMs most = 0;
  for (const ReplicaPlan& plan : plans) {
    most = std::max(most, plan.latency + std::abs(plan.skew) + plan.interval / 5);
  }
  return most;
}

TimestampMs DrawInterval(Random& random) {
  constexpr std::array<TimestampMs, 12> kSeconds = {5,  10, 15, 15, 15,  30,
                                                    30, 30, 60, 60, 120, 300};
  return 1000 * OneOf(random, kSeconds);
}

Design DrawDesign(Random& random, TimestampMs base, TimestampMs intervals) {
  Design d;
  d.base = base;
  d.start = 1'700'000'000'000 + 1000 * Below(random, 86400);
  d.end = d.start + intervals * base;
  d.faults = PickFaults(random);
  const Habits habits = DrawHabits(random, &d);
  for (int n = Chance(random, 0.8) ? 2 : 3; n > 0; --n) {
    d.plans.push_back(DrawPlan(random, d, habits));
  }
  if (d.Has(Fault::kCorrelatedOutage)) AddCommonOutages(random, &d);
  return d;
}

SimulatedCase SimulateDesigned(std::uint64_t seed) {
  Random random(seed);
  const TimestampMs base = DrawInterval(random);
  const Design d = DrawDesign(random, base, kIntervals);
  const auto kind = Chance(random, 0.6) ? ProcessKind::kCounter : ProcessKind::kGauge;
  SimulatedCase c{
      .process = Process::Sparse(random, kind, {.start = d.start, .end = d.end, .interval = base}),
      .start = d.start,
      .end = d.end,
      .interval = d.finest(),
      .slack = d.slack(),
      .faults = d.faults,
      .replicas = {},
      .slots = {},
      .windows = {}};
  if (c.Has(Fault::kCopies)) {
    ReplicaPlan source = d.plans.front();
    source.misses = 0;
    source.outages.clear();
    c.replicas = Copies(random, SamplesOf(random, c.process, source), d.plans);
    c.interval = source.interval;
  } else {
    for (const ReplicaPlan& plan : d.plans) {
      c.replicas.push_back(SamplesOf(random, c.process, plan));
    }
  }
  if (c.Has(Fault::kSwap)) {
    for (TimestampMs n = 1 + Below(random, 2); n > 0; --n) {
      Swap(c.start + Below(random, c.end - c.start), &c.replicas[0], &c.replicas[1]);
    }
  }
  const auto coarser = static_cast<TimestampMs>(std::max(1.0, d.change_factor));
  AddTruth({.range = kWindowIntervals * base * coarser, .step = 2 * base, .least_due = 4}, d.change,
           d.change_factor, &c);
  return c;
}

}  // namespace aevum::store::dedup::testing
