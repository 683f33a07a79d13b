// The warnings and infos about native histograms and counters, in Prometheus's words.
#pragma once

#include <string_view>

#include "promql/ast.h"
#include "promql/engine/evaluation.h"

namespace aevum::promql {

// What histograms were put together for.
inline constexpr std::string_view kForAddition = "addition";
inline constexpr std::string_view kForSubtraction = "subtraction";
inline constexpr std::string_view kForAggregation = "aggregation";

// Writes about the expression `where` and, where a text has one, the metric `name`. Borrows all.
class HistogramNotes {
 public:
  HistogramNotes(Annotations& annotations, const Expr& where, std::string_view name = "")
      : annotations_(annotations), where_(where), name_(name) {}

  void MixedFloatsHistograms() const;
  void MixedInAggregation() const;
  void MixedExponentialCustom() const;
  void NotCounter() const;
  void NotGauge() const;
  void IgnoredInMixedRange() const;
  void IgnoredInAggregation(std::string_view aggregation) const;
  void BoundsReconciled(std::string_view operation) const;
  void ResetCollision(std::string_view operation) const;
  void PossibleNonCounter() const;
  // By the value of __type__.
  void PossibleNonCounterType(std::string_view type) const;
  // Counted: once a window.
  void StartOverlap() const;

 private:
  void Warn(std::string_view text) const;
  void WarnNamed(std::string_view text) const;

  Annotations& annotations_;
  const Expr& where_;
  const std::string_view name_;
};

}  // namespace aevum::promql
