#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <string>

#include "promql/function_table.h"
#include "promql/printer.h"
#include "slow_evaluator.h"
#include "slow_parts.h"

namespace aevum::promql::differential {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void SortByLabels(Matrix* matrix) {
  std::sort(matrix->begin(), matrix->end(),
            [](const Series& a, const Series& b) { return a.labels < b.labels; });
}

// A function of the values of one vector, with the scalar arguments of the step.
using VectorFunction = std::function<Vector(const Vector&, const std::vector<double>& scalars)>;

VectorFunction OverValues(const std::function<double(double, const std::vector<double>&)>& value) {
  return [value](const Vector& input, const std::vector<double>& scalars) {
    Vector result;
    for (const Sample& sample : input)
      result.push_back({WithoutName(sample.labels), value(sample.value, scalars), sample.rank});
    return result;
  };
}

Vector Clamped(const Vector& input, double least, double most) {
  if (most < least) return {};
  return OverValues([&](double value, const std::vector<double>&) {
    return Larger(least, Smaller(most, value));
  })(input, {});
}

Vector SortedByValue(Vector input, bool descending) {
  std::sort(input.begin(), input.end(), [&](const Sample& a, const Sample& b) {
    if (std::isnan(a.value) || std::isnan(b.value)) {
      if (std::isnan(a.value) != std::isnan(b.value)) return std::isnan(b.value);
    } else if (a.value != b.value) {
      return descending ? a.value > b.value : a.value < b.value;
    }
    return a.labels < b.labels;
  });
  return input;
}

Vector SortedByLabels(Vector input, const Call& call, bool descending) {
  std::sort(input.begin(), input.end(), [&](const Sample& a, const Sample& b) {
    for (std::size_t i = 1; i < call.args.size(); ++i) {
      const std::string& name = StringArgument(call, i);
      const int order = NaturalOrder(a.labels.Get(name), b.labels.Get(name));
      if (order != 0) return descending ? order > 0 : order < 0;
    }
    return descending ? b.labels < a.labels : a.labels < b.labels;
  });
  return input;
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Null when there is no such function.
VectorFunction FindVectorFunction(const Call& call) {
  const std::string_view name = call.function->name;
  if (const ValueFunction function = FindValueFunction(name))
    return OverValues([function](double v, const std::vector<double>&) { return function(v); });
  if (name == "round") {
    return OverValues([](double v, const std::vector<double>& scalars) {
      const double inverse = 1 / (scalars.empty() ? 1 : scalars[0]);
      return std::floor(v * inverse + 0.5) / inverse;
    });
  }
  if (name == "clamp") {
    return [](const Vector& v, const std::vector<double>& s) { return Clamped(v, s[0], s[1]); };
  }
  if (name == "clamp_min") {
    return
        [](const Vector& v, const std::vector<double>& s) { return Clamped(v, s[0], kInfinity); };
  }
  if (name == "clamp_max") {
    return
        [](const Vector& v, const std::vector<double>& s) { return Clamped(v, -kInfinity, s[0]); };
  }
  if (name == "sort" || name == "sort_desc") {
    return [name](const Vector& v, const std::vector<double>&) {
      return SortedByValue(v, name == "sort_desc");
    };
  }
  if (name == "sort_by_label" || name == "sort_by_label_desc") {
    return [&call, name](const Vector& v, const std::vector<double>&) {
      return SortedByLabels(v, call, name == "sort_by_label_desc");
    };
  }
  if (name == "histogram_quantile") {
    return [](const Vector& v, const std::vector<double>& s) {
      return OverClassicHistograms(
          v, [&](std::vector<Bucket> b) { return BucketQuantile(s[0], std::move(b)); });
    };
  }
  if (name == "histogram_fraction") {
    return [](const Vector& v, const std::vector<double>& s) {
      return OverClassicHistograms(
          v, [&](std::vector<Bucket> b) { return BucketFraction(s[0], s[1], std::move(b)); });
    };
  }
  return nullptr;
}

// Whole quantiles have a point, as in OpenMetrics.
std::string QuantileText(double rank) {
  if (rank == 0) return "0.0";
  std::string text = FormatShort(rank);
  if (std::isfinite(rank) && text.find('.') == std::string::npos &&
      text.find('e') == std::string::npos)
    text += ".0";
  return text;
}

}  // namespace

StatusOr<Matrix> SlowEvaluator::EvaluateCall(const Call& call, const Steps& steps) {
  const std::string_view name = call.function->name;
  if (FindWindowFunction(name) != nullptr) return EvaluateWindows(call, steps);
  if (call.function->return_type == ValueType::kScalar) return EvaluateScalarCall(call, steps);
  if (name == "label_replace" || name == "label_join") {
    ASSIGN_OR_RETURN(const auto change, FindLabelChange(call));
    ASSIGN_OR_RETURN(Matrix matrix, Evaluate(*call.args[0], steps));
    for (Series& series : matrix) series.labels = change(series.labels);
    return Merged(matrix);
  }
  if (name == "timestamp") return Timestamps(call, steps);
  if (name == "histogram_quantiles") return Quantiles(call, steps);
  if (name == "vector") return Evaluate(*call.args[0], steps);
  if (name == "absent") {
    ASSIGN_OR_RETURN(const Matrix matrix, Evaluate(*call.args[0], steps));
    return OfSteps(steps, {matrix}, [&](const std::vector<Vector>& args, std::size_t) {
      return args[0].empty() ? Vector{{AbsentLabels(*call.args[0]), 1, 0}} : Vector();
    });
  }
  if (call.args.empty()) {
    const ValueFunction function = FindValueFunction(name);
    return Constant(
        steps, [&](std::size_t k) { return function(static_cast<double>(steps.At(k) / 1000)); });
  }
  const VectorFunction function = FindVectorFunction(call);
  if (function == nullptr) return Unimplemented("function \"{}\" is not known", name);
  Matrix vectors;
  std::vector<std::vector<double>> scalars;
  for (const ExprPtr& arg : call.args) {
    if (TypeOf(*arg) == ValueType::kVector) {
      ASSIGN_OR_RETURN(vectors, Evaluate(*arg, steps));
    } else if (TypeOf(*arg) == ValueType::kScalar) {
      ASSIGN_OR_RETURN(scalars.emplace_back(), Scalar(*arg, steps));
    }
  }
  ASSIGN_OR_RETURN(Matrix result,
                   OfSteps(steps, {vectors}, [&](const std::vector<Vector>& args, std::size_t k) {
                     std::vector<double> now;
                     for (const std::vector<double>& scalar : scalars) now.push_back(scalar[k]);
                     return function(args[0], now);
                   }));
  if (name.starts_with("histogram_")) SortByLabels(&result);
  return result;
}

StatusOr<Matrix> SlowEvaluator::EvaluateScalarCall(const Call& call, const Steps& steps) {
  const std::string_view name = call.function->name;
  if (name == "scalar") {
    ASSIGN_OR_RETURN(const Matrix matrix, Evaluate(*call.args[0], steps));
    return Constant(steps, [&](std::size_t k) {
      double value = kNan;
      int count = 0;
      for (const Series& series : matrix) {
        if (!series.values[k]) continue;
        value = *series.values[k];
        ++count;
      }
      return count == 1 ? value : kNan;
    });
  }
  if (name == "min_of" || name == "max_of") {
    ASSIGN_OR_RETURN(const std::vector<double> a, Scalar(*call.args[0], steps));
    ASSIGN_OR_RETURN(const std::vector<double> b, Scalar(*call.args[1], steps));
    return Constant(steps, [&](std::size_t k) {
      return name == "min_of" ? Smaller(a[k], b[k]) : Larger(a[k], b[k]);
    });
  }
  return Constant(steps, [&](std::size_t k) {
    if (name == "time") return InSeconds(steps.At(k));
    if (name == "start") return InSeconds(query_start_);
    if (name == "end") return InSeconds(query_end_);
    if (name == "range") return Seconds(query_end_ - query_start_);
    if (name == "step") return query_step_seconds_;
    return std::numbers::pi;
  });
}

StatusOr<Matrix> SlowEvaluator::Timestamps(const Call& call, const Steps& steps) {
  const Expr& arg = WithoutParens(*call.args[0]);
  const bool of_samples = arg.kind == ExprKind::kVectorSelector;
  ASSIGN_OR_RETURN(const Matrix matrix, of_samples ? Select(As<VectorSelector>(arg), steps, true)
                                                   : Evaluate(arg, steps));
  return OfSteps(steps, {matrix}, [&](const std::vector<Vector>& args, std::size_t k) {
    Vector result;
    for (const Sample& sample : args[0]) {
      result.push_back({WithoutName(sample.labels),
                        of_samples ? sample.value : InSeconds(steps.At(k)), sample.rank});
    }
    return result;
  });
}

StatusOr<Matrix> SlowEvaluator::Quantiles(const Call& call, const Steps& steps) {
  ASSIGN_OR_RETURN(const Matrix matrix, Evaluate(*call.args[0], steps));
  Matrix all;
  for (std::size_t i = 2; i < call.args.size(); ++i) {
    ASSIGN_OR_RETURN(const std::vector<double> ranks, Scalar(*call.args[i], steps));
    ASSIGN_OR_RETURN(Matrix result,
                     OfSteps(steps, {matrix}, [&](const std::vector<Vector>& args, std::size_t k) {
                       Vector vector =
                           OverClassicHistograms(args[0], [&](std::vector<Bucket> buckets) {
                             return BucketQuantile(ranks[k], std::move(buckets));
                           });
                       for (Sample& sample : vector) {
                         model::LabelsBuilder labels(sample.labels);
                         const std::string text = QuantileText(ranks[k]);
                         sample.labels = labels.Set(StringArgument(call, 1), text).Build();
                       }
                       return vector;
                     }));
    SortByLabels(&result);
    all.insert(all.end(), result.begin(), result.end());
  }
  return Merged(all);
}

}  // namespace aevum::promql::differential
