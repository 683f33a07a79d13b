// Functions of one value at a time: arithmetic with a scalar, signs, abs, floor and their kin.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "promql/ast.h"
#include "promql/engine/evaluation.h"

namespace aevum::promql {

// The value of a binary operator on two numbers; comparisons give 1 or 0.
double Apply(BinaryOp op, double a, double b);

// Changes a row in place; may clear places of `present`, never set them.
using RowFunction = std::function<void(double* values, std::uint8_t* present, std::size_t steps)>;

// Changes the histograms of a row that has some.
using HistogramRowFunction = std::function<Status(RowBatch* rows, std::size_t row)>;

enum class NameRule : std::uint8_t { kKeep, kDrop };

// Applies a function to each row. Histograms are taken away unless there is a function for them.
// When names are dropped, series may become equal: see MakeMerging for `unique` and `rule`.
OperatorPtr MakeElementwise(QueryState& state, std::size_t steps, OperatorPtr source,
                            RowFunction function, NameRule names, bool unique,
                            HistogramRowFunction histograms = nullptr,
                            EqualLabels rule = EqualLabels::kByStep);

// Puts rows that dropped their names together, as MergeEqualLabels does; nothing is to be done
// where names are dropped at the end of the query. `unique` says that the rows were sorted and that
// names did not tell them apart.
OperatorPtr MakeMerging(QueryState& state, std::size_t steps, OperatorPtr source, bool unique,
                        EqualLabels rule = EqualLabels::kByStep);

// Where a number and a histogram meet, what evaluates step by step sees the number, and no
// histogram of the series from there on, as the reference does.
OperatorPtr MakeOneValueAStep(OperatorPtr source);

// vector op scalar, or scalar op vector when `scalar_first`. A comparison keeps the vector's value
// where it holds, unless `return_bool`.
RowFunction ScalarOperand(BinaryOp op, std::vector<double> scalar, bool scalar_first,
                          bool return_bool);

}  // namespace aevum::promql
