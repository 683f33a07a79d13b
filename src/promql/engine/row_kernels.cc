#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "promql/engine/row_kernels.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set
#include <hwy/highway.h>

#include <bit>
#include <cstring>
#include <limits>

#include "chunk/chunk.h"
#include "promql/engine/row_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace aevum::promql::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Presence is read eight steps at a time, so a vector never has more lanes.
constexpr std::size_t kBlock = 8;
using Tag = hn::CappedTag<double, kBlock>;
using Vec = hn::Vec<Tag>;

HWY_INLINE void AddBlock(const double* values, double* sums, double* compensations) {
  const Tag d;
  const Vec infinity = hn::Set(d, std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < kBlock; i += hn::Lanes(d)) {
    const Vec value = hn::LoadU(d, values + i);
    const Vec sum = hn::LoadU(d, sums + i);
    const Vec total = hn::Add(sum, value);
    const auto sum_is_larger = hn::Ge(hn::Abs(sum), hn::Abs(value));
    const Vec large = hn::IfThenElse(sum_is_larger, sum, value);
    const Vec small = hn::IfThenElse(sum_is_larger, value, sum);
    const Vec lost = hn::Add(hn::Sub(large, total), small);
    const Vec compensation = hn::Add(hn::LoadU(d, compensations + i), lost);
    const auto infinite = hn::Eq(hn::Abs(total), infinity);
    hn::StoreU(total, d, sums + i);
    hn::StoreU(hn::IfThenZeroElse(infinite, compensation), d, compensations + i);
  }
}

void AddCompensated(std::size_t steps, const double* values, const std::uint8_t* present,
                    double* sums, double* compensations) {
  constexpr std::uint64_t kAllPresent = 0x0101010101010101;
  std::size_t k = 0;
  for (; k + kBlock <= steps; k += kBlock) {
    std::uint64_t mask;
    std::memcpy(&mask, present + k, sizeof(mask));
    if (mask == kAllPresent) {
      AddBlock(values + k, sums + k, compensations + k);
    } else if (mask != 0) {
      double block[kBlock];
      for (std::size_t i = 0; i < kBlock; ++i) {
        block[i] = present[k + i] != 0 ? values[k + i] : kEmptySum;
      }
      AddBlock(block, sums + k, compensations + k);
    }
  }
  if (k == steps) return;
  double block[kBlock];
  double block_sums[kBlock] = {};
  double block_compensations[kBlock] = {};
  const std::size_t rest = steps - k;
  for (std::size_t i = 0; i < kBlock; ++i) {
    block[i] = i < rest && present[k + i] != 0 ? values[k + i] : kEmptySum;
  }
  std::memcpy(block_sums, sums + k, rest * sizeof(double));
  std::memcpy(block_compensations, compensations + k, rest * sizeof(double));
  AddBlock(block, block_sums, block_compensations);
  std::memcpy(sums + k, block_sums, rest * sizeof(double));
  std::memcpy(compensations + k, block_compensations, rest * sizeof(double));
}

// One vector of steps; the order of operations is that of the formula, so that it rounds alike.
template <class D>
HWY_INLINE void PrepareAt(D d, std::size_t k, const WindowTimes& times, double divisor_seconds,
                          const Extrapolation& prepared) {
  using V = hn::Vec<D>;
  const V thousand = hn::Set(d, 1000.0);
  const V span = hn::Div(hn::LoadU(d, times.span + k), thousand);
  const V average = hn::Div(span, hn::LoadU(d, times.gaps + k));
  const V threshold = hn::Mul(average, hn::Set(d, 1.1));
  const V half = hn::Div(average, hn::Set(d, 2.0));
  V start = hn::Div(hn::LoadU(d, times.to_start + k), thousand);
  start = hn::IfThenElse(hn::Ge(start, threshold), half, start);
  V end = hn::Div(hn::LoadU(d, times.to_end + k), thousand);
  end = hn::IfThenElse(hn::Ge(end, threshold), half, end);
  const V factor = hn::Div(hn::Add(hn::Add(span, start), end), span);
  hn::StoreU(span, d, prepared.span + k);
  hn::StoreU(start, d, prepared.start + k);
  hn::StoreU(end, d, prepared.end + k);
  hn::StoreU(hn::Div(factor, hn::Set(d, divisor_seconds)), d, prepared.factor + k);
}

void PrepareExtrapolation(std::size_t steps, const WindowTimes& times, double divisor_seconds,
                          const Extrapolation& prepared) {
  const hn::ScalableTag<double> d;
  std::size_t k = 0;
  for (; k + hn::Lanes(d) <= steps; k += hn::Lanes(d))
    PrepareAt(d, k, times, divisor_seconds, prepared);
  for (; k < steps; ++k) PrepareAt(hn::CappedTag<double, 1>(), k, times, divisor_seconds, prepared);
}

template <class D>
HWY_INLINE void ExtrapolateAt(D d, std::size_t k, const Extrapolation& prepared,
                              double divisor_seconds, Slope slope, const double* firsts,
                              double* gained) {
  using V = hn::Vec<D>;
  const V zero = hn::Zero(d);
  const V gain = hn::LoadU(d, gained + k);
  V factor = hn::LoadU(d, prepared.factor + k);
  if (slope == Slope::kCounter) {
    const V span = hn::LoadU(d, prepared.span + k);
    const V first = hn::LoadU(d, firsts + k);
    const V to_zero = hn::Mul(span, hn::Div(first, gain));
    const auto rises = hn::And(hn::Gt(gain, zero), hn::Ge(first, zero));
    const auto begins = hn::And(rises, hn::Lt(to_zero, hn::LoadU(d, prepared.start + k)));
    if (!hn::AllFalse(d, begins)) {
      const V end = hn::LoadU(d, prepared.end + k);
      const V shorter = hn::Div(hn::Add(hn::Add(span, to_zero), end), span);
      factor = hn::IfThenElse(begins, hn::Div(shorter, hn::Set(d, divisor_seconds)), factor);
    }
  }
  hn::StoreU(hn::Mul(gain, factor), d, gained + k);
}

void Extrapolate(std::size_t steps, const Extrapolation& prepared, double divisor_seconds,
                 Slope slope, const double* first, double* gained) {
  const hn::ScalableTag<double> d;
  std::size_t k = 0;
  for (; k + hn::Lanes(d) <= steps; k += hn::Lanes(d))
    ExtrapolateAt(d, k, prepared, divisor_seconds, slope, first, gained);
  for (; k < steps; ++k) {
    ExtrapolateAt(hn::CappedTag<double, 1>(), k, prepared, divisor_seconds, slope, first, gained);
  }
}

void GainOfWindows(std::size_t steps, const double* samples, const std::int64_t* first_at,
                   const std::int64_t* last_at, double* first, double* gained) {
  const hn::ScalableTag<double> d;
  const hn::RebindToSigned<decltype(d)> di;
  std::size_t k = 0;
  for (; k + hn::Lanes(d) <= steps; k += hn::Lanes(d)) {
    const auto begin = hn::GatherIndex(d, samples, hn::LoadU(di, first_at + k));
    const auto end = hn::GatherIndex(d, samples, hn::LoadU(di, last_at + k));
    hn::StoreU(begin, d, first + k);
    hn::StoreU(hn::Sub(end, begin), d, gained + k);
  }
  for (; k < steps; ++k) {
    first[k] = samples[first_at[k]];
    gained[k] = samples[last_at[k]] - first[k];
  }
}

bool AnyDecrease(const double* values, std::size_t size) {
  const hn::ScalableTag<double> d;
  std::size_t i = 1;
  auto any = hn::Lt(hn::Zero(d), hn::Zero(d));
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    any = hn::Or(any, hn::Lt(hn::LoadU(d, values + i), hn::LoadU(d, values + i - 1)));
  }
  bool found = !hn::AllFalse(d, any);
  for (; i < size; ++i) found |= values[i] < values[i - 1];
  return found;
}

bool AnyStale(const double* values, std::size_t size) {
  const hn::ScalableTag<std::uint64_t> d;
  const auto marker = hn::Set(d, chunk::kStaleNanBits);
  auto any = hn::Ne(marker, marker);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto bits = hn::BitCast(d, hn::LoadU(hn::RebindToFloat<decltype(d)>(), values + i));
    any = hn::Or(any, hn::Eq(bits, marker));
  }
  bool found = !hn::AllFalse(d, any);
  for (; i < size; ++i) found |= std::bit_cast<std::uint64_t>(values[i]) == chunk::kStaleNanBits;
  return found;
}

}  // namespace aevum::promql::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace aevum::promql {

HWY_EXPORT(AddCompensated);
HWY_EXPORT(PrepareExtrapolation);
HWY_EXPORT(Extrapolate);
HWY_EXPORT(GainOfWindows);
HWY_EXPORT(AnyDecrease);
HWY_EXPORT(AnyStale);

void AddCompensated(std::size_t steps, const double* values, const std::uint8_t* present,
                    double* sums, double* compensations) {
  HWY_DYNAMIC_DISPATCH(AddCompensated)(steps, values, present, sums, compensations);
}

void PrepareExtrapolation(std::size_t steps, const WindowTimes& times, double divisor_seconds,
                          const Extrapolation& prepared) {
  HWY_DYNAMIC_DISPATCH(PrepareExtrapolation)(steps, times, divisor_seconds, prepared);
}

void Extrapolate(std::size_t steps, const Extrapolation& prepared, double divisor_seconds,
                 Slope slope, const double* first, double* gained) {
  HWY_DYNAMIC_DISPATCH(Extrapolate)(steps, prepared, divisor_seconds, slope, first, gained);
}

void GainOfWindows(std::size_t steps, const double* samples, const std::int64_t* first_at,
                   const std::int64_t* last_at, double* first, double* gained) {
  HWY_DYNAMIC_DISPATCH(GainOfWindows)(steps, samples, first_at, last_at, first, gained);
}

bool AnyDecrease(std::span<const double> values) {
  return HWY_DYNAMIC_DISPATCH(AnyDecrease)(values.data(), values.size());
}

bool AnyStale(std::span<const double> values) {
  return HWY_DYNAMIC_DISPATCH(AnyStale)(values.data(), values.size());
}

}  // namespace aevum::promql
#endif  // HWY_ONCE
