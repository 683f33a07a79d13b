#include "promql/engine/histogram_sum.h"

#include <utility>

namespace aevum::promql {

void HistogramSum::Note(const model::CombineOutcome& outcome) {
  incompatible_ |= !outcome.compatible;
  bounds_reconciled_ |= outcome.bounds_reconciled;
}

bool HistogramSum::Add(const model::FloatHistogram& histogram, HistogramFold fold) {
  reset_seen_ |= histogram.reset_hint == model::ResetHint::kReset;
  no_reset_seen_ |= histogram.reset_hint == model::ResetHint::kNoReset;
  count_ += 1;
  if (count_ == 1) {
    value_ = histogram;
  } else if (fold == HistogramFold::kSum) {
    Note(model::AddCompensated(&value_, histogram, &compensation_));
  } else {
    AddToMean(histogram);
  }
  return !incompatible_;
}

void HistogramSum::AddToMean(const model::FloatHistogram& histogram) {
  if (!incremental_) {
    const bool safe = model::FarFromOverflow(value_) && model::FarFromOverflow(histogram) &&
                      (!compensation_ || model::FarFromOverflow(*compensation_));
    if (safe) {
      Note(model::AddCompensated(&value_, histogram, &compensation_));
      return;
    }
    model::FloatHistogram sum = value_;
    std::optional<model::FloatHistogram> compensation = compensation_;
    Note(model::AddCompensated(&sum, histogram, &compensation));
    if (incompatible_) return;
    if (!model::Overflows(sum)) {
      value_ = std::move(sum);
      compensation_ = std::move(compensation);
      return;
    }
    incremental_ = true;
    model::Divide(&value_, count_ - 1);
    if (compensation_) model::Divide(&*compensation_, count_ - 1);
  }
  const double q = (count_ - 1) / count_;
  if (compensation_) model::Multiply(&*compensation_, q);
  model::FloatHistogram part = histogram;
  model::Divide(&part, count_);
  model::Multiply(&value_, q);
  Note(model::AddCompensated(&value_, part, &compensation_));
}

model::FloatHistogram HistogramSum::Finish(HistogramFold fold) {
  if (fold == HistogramFold::kMean && !incremental_) {
    model::Divide(&value_, count_);
    if (compensation_) model::Divide(&*compensation_, count_);
  }
  if (compensation_) bounds_reconciled_ |= model::Add(&value_, *compensation_).bounds_reconciled;
  return std::move(value_);
}

}  // namespace aevum::promql
