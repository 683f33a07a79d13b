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

// Of one algorithm on one case. Errors are shares of the scale of the case: of a counter its mean
// increase over a window, of a gauge its standard deviation.
struct Measure {
  struct Window {
    std::optional<double> error;  // of increase or avg_over_time
    bool one_replica = false;     // has the samples of one replica there, all of them and no others
  };
  std::vector<Window> each;    // of `windows`
  std::vector<double> errors;  // of those that have an answer
  int windows = 0;             // that truth has an answer for
  int missing = 0;             // of them without an answer
  double count_error = 0;      // of count_over_time, summed over windows, as a share
  int false_resets = 0;
  double slots = 0;  // scrapes that were due while the process was up
  int covered = 0;   // of them that have a sample
  int samples = 0;
  int doubled = 0;  // samples that follow another one after less than half an interval

  double MeanError() const;
};

Measure MeasureSamples(const SimulatedCase& c, const chunk::Columns& columns);

}  // namespace aevum::store::dedup::testing
