// States hold vectors as members, which these targets can't: their vectors have no size.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "promql/engine/window_lanes.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set
#include <hwy/highway.h>

#include <algorithm>
#include <limits>

#include "promql/engine/window_lanes.h"

HWY_BEFORE_NAMESPACE();
namespace aevum::promql::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kMaxLanes = 8;
using Tag = hn::CappedTag<double, kMaxLanes>;
using IndexTag = hn::RebindToSigned<Tag>;
using Vec = hn::Vec<Tag>;
using Mask = hn::Mask<Tag>;

// One step of KahanSum::Add for each lane.
struct LaneSum {
  Vec sum;
  Vec compensation;

  HWY_INLINE void Begin() { sum = compensation = hn::Zero(Tag()); }
  // The lanes whose sum became infinite.
  HWY_INLINE Mask Add(Vec value) {
    const Vec infinity = hn::Set(Tag(), std::numeric_limits<double>::infinity());
    const Vec total = hn::Add(sum, value);
    const Mask sum_is_larger = hn::Ge(hn::Abs(sum), hn::Abs(value));
    const Vec large = hn::IfThenElse(sum_is_larger, sum, value);
    const Vec small = hn::IfThenElse(sum_is_larger, value, sum);
    const Vec lost = hn::Add(hn::Sub(large, total), small);
    const Mask infinite = hn::Eq(hn::Abs(total), infinity);
    compensation = hn::IfThenZeroElse(infinite, hn::Add(compensation, lost));
    sum = total;
    return infinite;
  }
  HWY_INLINE void Keep(Mask active, const LaneSum& before) {
    sum = hn::IfThenElse(active, sum, before.sum);
    compensation = hn::IfThenElse(active, compensation, before.compensation);
  }
};

// What a kernel holds for a vector of windows, without constructors, which would be compiled for no
// instruction set in particular. `Begin` says where they begin in the arrays of its arguments;
// `Add` gets sample i of each; `Keep` takes back what was added to lanes that are not active;
// `Result` gives their values.
struct SumState {
  struct Arguments {};
  LaneSum sum;

  HWY_INLINE void Begin(const Arguments& /*arguments*/, std::size_t /*first*/,
                        std::size_t /*lanes*/) {
    sum.Begin();
  }
  HWY_INLINE void Add(Vec value, double /*count*/) { sum.Add(value); }
  HWY_INLINE void Keep(Mask active, const SumState& before) { sum.Keep(active, before.sum); }
  HWY_INLINE Vec Result(Vec /*count*/) const {
    const Vec infinity = hn::Set(Tag(), std::numeric_limits<double>::infinity());
    return hn::IfThenElse(hn::Eq(hn::Abs(sum.sum), infinity), sum.sum,
                          hn::Add(sum.sum, sum.compensation));
  }
};

struct MeanState {
  struct Arguments {
    bool* overflows;
  };
  LaneSum sum;
  Vec infinite;  // not 0 in lanes whose sum was infinite
  bool* overflows;

  HWY_INLINE void Begin(const Arguments& arguments, std::size_t /*first*/, std::size_t /*lanes*/) {
    sum.Begin();
    infinite = hn::Zero(Tag());
    overflows = arguments.overflows;
  }
  HWY_INLINE void Add(Vec value, double count) {
    const Mask infinite_now = sum.Add(value);
    infinite = hn::IfThenElse(infinite_now, hn::Set(Tag(), 1.0), infinite);
    // The mean begins with its first value, the sign of zero included.
    if (count == 1) sum.sum = value;
  }
  HWY_INLINE void Keep(Mask active, const MeanState& before) {
    sum.Keep(active, before.sum);
    infinite = hn::IfThenElse(active, infinite, before.infinite);
  }
  HWY_INLINE Vec Result(Vec count) const {
    if (!hn::AllFalse(Tag(), hn::Ne(infinite, hn::Zero(Tag())))) *overflows = true;
    return hn::Add(hn::Div(sum.sum, count), hn::Div(sum.compensation, count));
  }
};

struct VarianceState {
  struct Arguments {};
  LaneSum mean;
  LaneSum squares;

  HWY_INLINE void Begin(const Arguments& /*arguments*/, std::size_t /*first*/,
                        std::size_t /*lanes*/) {
    mean.Begin();
    squares.Begin();
  }
  HWY_INLINE void Add(Vec value, double count) {
    const Vec delta = hn::Sub(value, hn::Add(mean.sum, mean.compensation));
    mean.Add(hn::Div(delta, hn::Set(Tag(), count)));
    const Vec rest = hn::Sub(value, hn::Add(mean.sum, mean.compensation));
    squares.Add(hn::Mul(delta, rest));
  }
  HWY_INLINE void Keep(Mask active, const VarianceState& before) {
    mean.Keep(active, before.mean);
    squares.Keep(active, before.squares);
  }
  HWY_INLINE Vec Result(Vec count) const {
    return hn::Div(hn::Add(squares.sum, squares.compensation), count);
  }
};

// Loads up to a vector of values; those beyond are 0.
HWY_INLINE Vec LoadSome(const double* values, std::size_t size) {
  const Tag d;
  if (size >= hn::Lanes(d)) return hn::LoadU(d, values);
  double padded[kMaxLanes] = {};
  std::copy_n(values, size, padded);
  return hn::LoadU(d, padded);
}

struct SmoothState {
  struct Arguments {
    const double* smoothing;
    const double* trend;
  };
  Vec factor;
  Vec trend_factor;
  Vec before;
  Vec smoothed;
  Vec trend;

  HWY_INLINE void Begin(const Arguments& arguments, std::size_t first, std::size_t lanes) {
    factor = LoadSome(arguments.smoothing + first, lanes);
    trend_factor = LoadSome(arguments.trend + first, lanes);
    before = smoothed = trend = hn::Zero(Tag());
  }
  HWY_INLINE void Add(Vec value, double count) {
    const Vec one = hn::Set(Tag(), 1.0);
    if (count == 1) {
      smoothed = value;
      return;
    }
    if (count == 2) {
      trend = hn::Sub(value, smoothed);
    } else {
      trend = hn::Add(hn::Mul(trend_factor, hn::Sub(smoothed, before)),
                      hn::Mul(hn::Sub(one, trend_factor), trend));
    }
    const Vec next =
        hn::Add(hn::Mul(factor, value), hn::Mul(hn::Sub(one, factor), hn::Add(smoothed, trend)));
    before = smoothed;
    smoothed = next;
  }
  HWY_INLINE void Keep(Mask active, const SmoothState& old) {
    before = hn::IfThenElse(active, before, old.before);
    smoothed = hn::IfThenElse(active, smoothed, old.smoothed);
    trend = hn::IfThenElse(active, trend, old.trend);
  }
  HWY_INLINE Vec Result(Vec /*count*/) const { return smoothed; }
};

struct PlainSumState {
  struct Arguments {
    const double* sums;
  };
  Vec sum;

  HWY_INLINE void Begin(const Arguments& arguments, std::size_t first, std::size_t lanes) {
    sum = LoadSome(arguments.sums + first, lanes);
  }
  HWY_INLINE void Add(Vec value, double /*count*/) { sum = hn::Add(sum, value); }
  HWY_INLINE void Keep(Mask active, const PlainSumState& before) {
    sum = hn::IfThenElse(active, sum, before.sum);
  }
  HWY_INLINE Vec Result(Vec /*count*/) const { return sum; }
};

// Where the windows of some vectors begin and how many samples they have. Lanes beyond the last
// window repeat the first, so that it alone does not wait for masks.
template <std::size_t kVectors>
struct LanePlaces {
  LanePlaces(const LaneWindows& windows, std::size_t first) {
    const std::size_t width = hn::Lanes(Tag()) * kVectors;
    used = std::min(width, windows.size - first);
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t window = first + (i < used ? i : 0);
      const bool any = windows.lo[window] < windows.hi[window];
      lo[i] = any ? windows.lo[window] : 0;
      sizes[i] = any ? windows.hi[window] - windows.lo[window] : 0;
    }
    common = *std::min_element(sizes, sizes + width);
    longest = *std::max_element(sizes, sizes + width);
  }

  std::size_t used;
  std::int64_t common;   // samples that all windows have
  std::int64_t longest;  // of the largest
  std::int64_t lo[kVectors * kMaxLanes];
  std::int64_t sizes[kVectors * kMaxLanes];
};

// Some vectors of windows side by side, so that one's latency hides another's.
template <class State, std::size_t kVectors>
HWY_INLINE void RunGroup(const LaneWindows& windows, std::size_t first,
                         const typename State::Arguments& arguments, double* results) {
  const Tag d;
  const IndexTag di;
  const std::size_t lanes = hn::Lanes(d);
  const LanePlaces<kVectors> places(windows, first);
  State states[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) {
    const std::size_t begin = std::min(v * lanes, places.used);
    states[v].Begin(arguments, first + begin, places.used - begin);
  }
  for (std::int64_t i = 0; i < places.common; ++i) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      const auto lo = hn::LoadU(di, places.lo + v * lanes);
      states[v].Add(hn::GatherIndex(d, windows.samples + i, lo), static_cast<double>(i + 1));
    }
  }
  for (std::int64_t i = places.common; i < places.longest; ++i) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      const auto lo = hn::LoadU(di, places.lo + v * lanes);
      const auto active = hn::Lt(hn::Set(di, i), hn::LoadU(di, places.sizes + v * lanes));
      const auto at = hn::IfThenElseZero(active, hn::Add(lo, hn::Set(di, i)));
      const State before = states[v];
      states[v].Add(hn::GatherIndex(d, windows.samples, at), static_cast<double>(i + 1));
      states[v].Keep(hn::RebindMask(d, active), before);
    }
  }
  double found[kVectors * kMaxLanes];
  for (std::size_t v = 0; v < kVectors; ++v) {
    const Vec count = hn::ConvertTo(d, hn::LoadU(di, places.sizes + v * lanes));
    hn::StoreU(states[v].Result(count), d, found + v * lanes);
  }
  std::copy_n(found, places.used, results + first);
}

template <class State, std::size_t kVectors>
void RunLanes(const LaneWindows& windows, const typename State::Arguments& arguments,
              double* results) {
  const std::size_t lanes = hn::Lanes(Tag());
  for (std::size_t first = 0; first < windows.size; first += lanes * kVectors) {
    if (windows.size - first > lanes) {
      RunGroup<State, kVectors>(windows, first, arguments, results);
    } else {
      RunGroup<State, 1>(windows, first, arguments, results);
    }
  }
}

void SumWindows(const LaneWindows& windows, double* sums) {
  RunLanes<SumState, 2>(windows, {}, sums);
}

bool AverageWindows(const LaneWindows& windows, double* means) {
  bool overflows = false;
  RunLanes<MeanState, 2>(windows, {&overflows}, means);
  return !overflows;
}

void VarianceOfWindows(const LaneWindows& windows, double* variances) {
  RunLanes<VarianceState, 4>(windows, {}, variances);
}

void SmoothWindows(const LaneWindows& windows, const double* smoothing, const double* trend,
                   double* smoothed) {
  RunLanes<SmoothState, 4>(windows, {smoothing, trend}, smoothed);
}

void AddWindows(const LaneWindows& windows, double* sums) {
  RunLanes<PlainSumState, 4>(windows, {sums}, sums);
}

}  // namespace aevum::promql::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace aevum::promql {

HWY_EXPORT(SumWindows);
HWY_EXPORT(AverageWindows);
HWY_EXPORT(VarianceOfWindows);
HWY_EXPORT(SmoothWindows);
HWY_EXPORT(AddWindows);

void SumWindows(const LaneWindows& windows, double* sums) {
  HWY_DYNAMIC_DISPATCH(SumWindows)(windows, sums);
}

bool AverageWindows(const LaneWindows& windows, double* means) {
  return HWY_DYNAMIC_DISPATCH(AverageWindows)(windows, means);
}

void VarianceOfWindows(const LaneWindows& windows, double* variances) {
  HWY_DYNAMIC_DISPATCH(VarianceOfWindows)(windows, variances);
}

void SmoothWindows(const LaneWindows& windows, const double* smoothing, const double* trend,
                   double* smoothed) {
  HWY_DYNAMIC_DISPATCH(SmoothWindows)(windows, smoothing, trend, smoothed);
}

void AddWindows(const LaneWindows& windows, double* sums) {
  HWY_DYNAMIC_DISPATCH(AddWindows)(windows, sums);
}

}  // namespace aevum::promql
#endif  // HWY_ONCE
