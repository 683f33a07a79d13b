// How far the samples of an algorithm are from what truly happened.
#pragma once

#include <optional>
#include <vector>

#include "store/dedup/testing/simulator.h"

namespace aevum::store::dedup::testing {

// `increase` over (end - range, end] as PromQL extrapolates it; none with less than two samples.
std::optional<double> Increase(const chunk::Columns& columns, TimestampMs end, TimestampMs range);
std::optional<double> AverageOverTime(const chunk::Columns& columns, TimestampMs end,
                                      TimestampMs range);
std::optional<double> MaxOverTime(const chunk::Columns& columns, TimestampMs end,
                                  TimestampMs range);
std::optional<double> MinOverTime(const chunk::Columns& columns, TimestampMs end,
                                  TimestampMs range);

// Of one algorithm on one case. Errors are shares of the scale of the case.
struct Measure {
  std::vector<std::optional<double>> each;  // error of increase or avg_over_time, by window
  std::vector<double> errors;               // of those that have an answer
  std::vector<double> max_errors;           // of a gauge, of max_over_time
  int windows = 0;                          // that truth has an answer for
  int missing = 0;                          // of them without an answer
  double count_error = 0;                   // of count_over_time, summed over windows, as a share
  int false_resets = 0;
  double slots = 0;  // scrapes that were due while the process was up
  int covered = 0;   // of them that have a sample
  int samples = 0;
  int doubled = 0;  // samples that follow another one after less than half an interval

  double MeanError() const;
};

Measure MeasureSamples(const SimulatedCase& c, const chunk::Columns& columns);

// The live samples in a window.
chunk::Columns SamplesIn(const chunk::Columns& columns, TimestampMs from, TimestampMs end);
// Whether samples in a window are those of one replica there, all of them and no others.
bool IsOneReplica(const SimulatedCase& c, const chunk::Columns& columns,
                  const SimulatedCase::Window& window);

}  // namespace aevum::store::dedup::testing
