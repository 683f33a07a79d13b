// Measures summed over cases, as lines of a table.
#pragma once

#include <string>
#include <vector>

#include "store/dedup/testing/measure.h"

namespace aevum::store::dedup::testing {

class TableLine {
 public:
  void Add(const Measure& measure);

  double cases() const { return cases_; }
  double mean() const;      // of errors
  double max_mean() const;  // of errors of max_over_time
  double missing() const { return 100 * missing_ / windows_; }
  double false_resets() const { return 1000 * false_resets_ / cases_; }
  double coverage() const { return 100 * covered_ / slots_; }
  double doubled() const { return 1000 * doubled_ / samples_; }
  double count_error() const { return 100 * count_error_ / windows_; }

  static std::string Heading();
  std::string Text(const std::string& name);

 private:
  std::vector<double> errors_;
  std::vector<double> max_errors_;
  double windows_ = 0, missing_ = 0, count_error_ = 0, false_resets_ = 0, slots_ = 0, covered_ = 0;
  double samples_ = 0, doubled_ = 0, cases_ = 0;
};

}  // namespace aevum::store::dedup::testing
