#include "promql/engine/interpolation.h"

#include "model/histogram_arithmetic.h"

namespace aevum::promql {

double Interpolate(SampleAt<double> before, SampleAt<double> after, TimestampMs time,
                   bool counter) {
  const double from = counter && after.value < before.value ? 0 : before.value;
  return from + (after.value - from) * static_cast<double>(time - before.time) /
                    static_cast<double>(after.time - before.time);
}

std::optional<model::FloatHistogram> Interpolate(SampleAt<model::FloatHistogram> before,
                                                 SampleAt<model::FloatHistogram> after,
                                                 TimestampMs time, bool counter,
                                                 const HistogramNotes& notes) {
  if (time == before.time) return before.value;
  if (time == after.time) return after.value;
  const double fraction =
      static_cast<double>(time - before.time) / static_cast<double>(after.time - before.time);
  model::FloatHistogram result = after.value;
  if (counter && model::DetectReset(after.value, before.value)) {
    model::Multiply(&result, fraction);
    return result;
  }
  const model::CombineOutcome difference = model::Subtract(&result, before.value);
  if (!difference.compatible) {
    notes.MixedExponentialCustom();
    return std::nullopt;
  }
  if (difference.bounds_reconciled) notes.BoundsReconciled(kForSubtraction);
  model::Multiply(&result, fraction);
  if (model::Add(&result, before.value).bounds_reconciled) notes.BoundsReconciled(kForAddition);
  return result;
}

}  // namespace aevum::promql
