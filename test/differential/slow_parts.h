// The parts of the slow evaluator: what single functions make of samples at one step.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "promql/ast.h"
#include "samples.h"

namespace aevum::promql::differential {

// ---- slow_evaluator.cc ----

// A series without labels that has a value at every step.
Matrix Constant(const Steps& steps, const std::function<double(std::size_t)>& value);
// Puts series with equal labels together; they may not have values at the same step.
StatusOr<Matrix> Merged(const Matrix& matrix);
inline double InSeconds(TimestampMs time) { return static_cast<double>(time) / 1000; }

// ---- slow_windows.cc: functions over ranges ----

// The samples in (start, end], at least one, and what a function may need beside them.
struct Window {
  std::vector<Point> points;
  TimestampMs start = 0;
  TimestampMs end = 0;
  TimestampMs step = 0;            // the time of the step, whatever offset and @ say
  std::vector<double> parameters;  // the scalar arguments
};
using WindowFunction = std::function<StatusOr<std::optional<double>>(const Window&)>;
// Null when there is no such function.
WindowFunction FindWindowFunction(std::string_view name);

// As Go's Duration.Seconds.
double Seconds(std::int64_t milliseconds);
// The quantile of values in any order.
double QuantileOf(double rank, std::vector<double> values);

// A sum with Neumaier's compensation.
struct CompensatedSum {
  double sum = 0;
  double lost = 0;
  void Add(double value);
  double Total() const { return sum + lost; }
};
// Their mean, also where their sum is too large.
double MeanOf(const std::vector<double>& values);

// ---- slow_functions.cc: functions of one value ----

using ValueFunction = std::function<double(double)>;
// Null when there is no such function.
ValueFunction FindValueFunction(std::string_view name);
// As Go's math.Min and math.Max.
double Smaller(double a, double b);
double Larger(double a, double b);

// ---- slow_labels.cc: label_replace, label_join, sort_by_label, labels of absent ----

StatusOr<std::function<model::Labels(const model::Labels&)>> FindLabelChange(const Call& call);
// Negative, zero, positive.
int NaturalOrder(std::string_view a, std::string_view b);
model::Labels AbsentLabels(const Expr& argument);
model::Labels WithoutName(const model::Labels& labels);
const std::string& StringArgument(const Call& call, std::size_t index);

// ---- slow_histograms.cc: classic histograms ----

// What one classic histogram answers; buckets in any order.
struct Bucket {
  double upper_bound = 0;
  double count = 0;
};
// Calls `answer` for each histogram among the samples.
Vector OverClassicHistograms(const Vector& samples,
                             const std::function<double(std::vector<Bucket>)>& answer);
double BucketQuantile(double rank, std::vector<Bucket> buckets);
double BucketFraction(double lower, double upper, std::vector<Bucket> buckets);

// ---- slow_binary.cc: operators between two values and two vectors ----

// The value of a pair: of comparisons 1 or 0.
double OperateOnNumbers(BinaryOp op, double a, double b);
bool DropsName(const BinaryExpr& expr);
// `left_series`: how many series the left side has at all steps, to rank those of the right.
StatusOr<Vector> OperateOnVectors(const BinaryExpr& expr, const Vector& left, const Vector& right,
                                  std::size_t left_series, std::size_t right_series);

// ---- slow_aggregations.cc ----

// What an aggregation gives at one step; count_values numbers its ranks by `k` of `steps`.
struct AggregationStep {
  double parameter = 0;
  std::size_t k = 0;
  std::size_t steps = 1;
};
Vector Aggregate(const AggregateExpr& expr, const Vector& input, const AggregationStep& step);

}  // namespace aevum::promql::differential
