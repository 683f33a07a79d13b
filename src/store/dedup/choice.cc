#include "store/dedup/choice.h"

#include <algorithm>
#include <limits>

#include "store/dedup/row_steps.h"

namespace aevum::store::dedup {
namespace {

// Keeps the spots that a predicate does not hold for, in order.
template <typename Predicate>
std::span<Spot> Without(std::span<Spot> spots, Predicate predicate) {
  const auto end = std::remove_if(spots.begin(), spots.end(), predicate);
  return spots.first(static_cast<std::size_t>(end - spots.begin()));
}

}  // namespace

Spot ChooseSpot(std::span<Spot> spots, TimestampMs from, Choosing choosing) {
  const auto known =
      std::find_if(spots.begin(), spots.end(), [](const Spot& spot) { return spot.interval > 0; });
  const Spot first = spots.front();
  if (known == spots.end()) return first;
  const TimestampMs until = Plus(first.time, known->interval);
  spots = spots.first(
      Without(spots.subspan(1), [until](const Spot& spot) { return spot.time >= until; }).size() +
      1);
  TimestampMs finest = kMaxTime;
  for (const Spot& spot : spots) {
    if (spot.interval > 0) finest = std::min(finest, spot.interval);
  }
  if (spots.size() == 1 || finest == kMaxTime) return first;
  spots = Without(spots, [finest](const Spot& spot) {
    return spot.interval == 0 ||
           static_cast<double>(spot.interval) * kFiner > static_cast<double>(finest);
  });
  int fewest = std::numeric_limits<int>::max();
  for (Spot& spot : spots) {
    if (Between(first.time, spot.time) >= spot.interval - spot.interval / 16) ++spot.demerits;
    const bool late = from != kMinTime && Between(from, spot.time) >= spot.interval;
    if (choosing == Choosing::kAfresh && late) ++spot.demerits;
    fewest = std::min(fewest, spot.demerits);
  }
  spots = Without(spots, [fewest](const Spot& spot) { return spot.demerits > fewest; });
  std::size_t best = 0;
  TimestampMs longest = Between(spots.back().time, Plus(spots.front().time, finest));
  for (std::size_t k = 1; k < spots.size(); ++k) {
    const TimestampMs silence = Between(spots[k - 1].time, spots[k].time);
    if (silence > longest) {
      longest = silence;
      best = k;
    }
  }
  return spots[best];
}

}  // namespace aevum::store::dedup
