#include "promql/engine/calls.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <span>

#include "model/quote.h"
#include "promql/engine/elementwise.h"
#include "promql/engine/groups.h"
#include "promql/function_table.h"
#include "promql/functions/bucket_quantile.h"
#include "promql/functions/label_functions.h"
#include "promql/functions/row_functions.h"
#include "promql/parser.h"
#include "promql/printer.h"

namespace aevum::promql {
namespace {

// One row without labels, of a scalar.
StatusOr<OperatorPtr> RowOf(const std::vector<double>& values, Planner& planner) {
  RowBatch rows;
  rows.Reset(planner.steps(), planner.state().context.budget());
  RETURN_IF_ERROR(rows.Add({}, "vector"));
  std::copy(values.begin(), values.end(), rows.values(0));
  std::fill_n(rows.present(0), planner.steps(), std::uint8_t{1});
  return MakeRowSource(std::move(rows), planner.state().context.budget());
}

// Applies a function to each value of the first argument; names are dropped.
StatusOr<OperatorPtr> OverValues(const Call& call, Planner& planner, RowFunction function) {
  ASSIGN_OR_RETURN(OperatorPtr source, planner.Vector(*call.args[0], call.function->name));
  return MakeElementwise(planner.state(), planner.steps(), std::move(source), std::move(function),
                         NameRule::kDrop, Planner::UniqueWithoutName(*call.args[0]));
}

// minute(), year() and their kin take the time of the step when they have no argument.
StatusOr<OperatorPtr> OfTheTime(Planner& planner, functions::RowFunction function) {
  std::vector<double> values(planner.steps());
  for (std::size_t k = 0; k < values.size(); ++k)
    values[k] = static_cast<double>(planner.grid().At(k)) / 1000;
  function(values);
  return RowOf(values, planner);
}

StatusOr<OperatorPtr> RoundOrClamp(const Call& call, Planner& planner) {
  const std::string_view name = call.function->name;
  std::vector<std::vector<double>> args;
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    ASSIGN_OR_RETURN(auto values, planner.Scalar(*call.args[i]));
    args.push_back(std::move(values));
  }
  if (args.empty()) args.emplace_back(planner.steps(), 1.0);  // round to whole numbers
  if (name == "clamp") {
    return OverValues(
        call, planner,
        [args = std::move(args)](double* values, std::uint8_t* present, std::size_t steps) {
          functions::Clamp({values, steps}, args[0], args[1]);
          for (std::size_t k = 0; k < steps; ++k) {
            if (!functions::ClampHasResult(args[0][k], args[1][k])) present[k] = 0;
          }
        });
  }
  const auto function = name == "clamp_min"   ? functions::ClampMin
                        : name == "clamp_max" ? functions::ClampMax
                                              : functions::Round;
  return OverValues(
      call, planner,
      [function, arg = std::move(args[0])](double* values, std::uint8_t*, std::size_t steps) {
        function({values, steps}, arg);
      });
}

// Reads its source whole, lets `Change` make other rows of it, and gives those.
class WholeRowsOperator final : public Operator {
 public:
  using Change = std::function<StatusOr<RowBatch>(RowBatch rows)>;
  WholeRowsOperator(QueryState& state, std::size_t steps, std::string_view who, OperatorPtr source,
                    Change change)
      : state_(state),
        steps_(steps),
        who_(who),
        source_(std::move(source)),
        change_(std::move(change)) {}

  StatusOr<bool> Next(RowBatch* out) override {
    if (rows_ == nullptr) {
      ASSIGN_OR_RETURN(RowBatch rows, Materialize(*source_, state_, steps_, who_));
      source_.reset();
      ASSIGN_OR_RETURN(rows, change_(std::move(rows)));
      rows_ = MakeRowSource(std::move(rows), state_.context.budget());
    }
    return rows_->Next(out);
  }

 private:
  QueryState& state_;
  const std::size_t steps_;
  const std::string_view who_;
  OperatorPtr source_;
  const Change change_;
  OperatorPtr rows_;
};

StatusOr<OperatorPtr> ChangeLabels(const Call& call, Planner& planner) {
  ASSIGN_OR_RETURN(functions::LabelChange change, functions::LabelChange::Create(call));
  ASSIGN_OR_RETURN(OperatorPtr source, planner.Vector(*call.args[0], call.function->name));
  QueryState& state = planner.state();
  return OperatorPtr(std::make_unique<WholeRowsOperator>(
      state, planner.steps(), call.function->name, std::move(source),
      [change = std::move(change), &state](RowBatch rows) -> StatusOr<RowBatch> {
        for (std::size_t i = 0; i < rows.size(); ++i)
          rows.set_labels(i, change.Apply(rows.labels(i)));
        RETURN_IF_ERROR(MergeEqualLabels(&rows, state));
        return rows;
      }));
}

StatusOr<RowBatch> Reorder(const RowBatch& rows, const std::vector<std::size_t>& order,
                           const QueryState& state) {
  RowBatch sorted;
  sorted.Reset(rows.steps(), state.context.budget());
  for (const std::size_t row : order) {
    RETURN_IF_ERROR(sorted.Add(rows.labels(row), "sort"));
    std::memcpy(sorted.values(sorted.size() - 1), rows.values(row), rows.steps() * sizeof(double));
    std::memcpy(sorted.present(sorted.size() - 1), rows.present(row), rows.steps());
  }
  return sorted;
}

// Orders the series of an instant query by value; a range query has an order of its own.
StatusOr<OperatorPtr> Sort(const Call& call, Planner& planner) {
  ASSIGN_OR_RETURN(OperatorPtr source, planner.Vector(*call.args[0], call.function->name));
  if (planner.steps() > 1) return source;
  const bool descending = call.function->name == "sort_desc";
  QueryState& state = planner.state();
  return OperatorPtr(std::make_unique<WholeRowsOperator>(
      state, planner.steps(), call.function->name, std::move(source),
      [descending, &state](RowBatch rows) {
        std::vector<std::size_t> order(rows.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        // NaN comes last either way.
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
          const double x = rows.values(a)[0];
          const double y = rows.values(b)[0];
          if (std::isnan(x)) return false;
          if (std::isnan(y)) return true;
          return descending ? x > y : x < y;
        });
        return Reorder(rows, order, state);
      }));
}

// histogram_quantile over classic histograms: series that are equal but for `le`.
class ClassicQuantile {
 public:
  ClassicQuantile(const Call& call, Planner& planner, std::vector<double> quantiles)
      : call_(call),
        state_(planner.state()),
        steps_(planner.steps()),
        quantiles_(std::move(quantiles)) {}

  StatusOr<RowBatch> operator()(const RowBatch& rows) {
    struct Member {
      double bound;
      std::size_t row;
    };
    Groups groups(Grouping({"le"}, /*without=*/true));
    std::vector<std::vector<Member>> members;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      // Series whose le is no number are no buckets.
      const StatusOr<double> bound = ParseBound(rows.labels(i).Get("le"));
      if (!bound.ok()) continue;
      const std::size_t group = groups.Find(rows.labels(i));
      if (members.size() < groups.size()) {
        members.resize(groups.size());
        names.emplace_back(rows.labels(i).Get(model::kMetricName));
      }
      members[group].push_back({*bound, i});
    }
    RowBatch result;
    result.Reset(steps_, state_.context.budget());
    std::vector<functions::Bucket> buckets;
    for (std::size_t group = 0; group < members.size(); ++group) {
      RETURN_IF_ERROR(state_.context.status());
      RETURN_IF_ERROR(result.Add(groups.labels(group), "histogram_quantile"));
      for (std::size_t k = 0; k < steps_; ++k) {
        buckets.clear();
        for (const Member& member : members[group]) {
          if (rows.present(member.row)[k] != 0)
            buckets.push_back({member.bound, rows.values(member.row)[k]});
        }
        if (buckets.empty()) continue;
        const functions::BucketQuantile quantile =
            functions::QuantileOfBuckets(quantiles_[k], &buckets);
        if (quantile.forced_monotonic) NoteForced(names[group]);
        result.values(group)[k] = quantile.value;
        result.present(group)[k] = 1;
      }
      if (!result.AnyPresent(group)) std::fill_n(result.present(group), steps_, std::uint8_t{0});
    }
    return result;
  }

 private:
  static StatusOr<double> ParseBound(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    const bool negative = text.starts_with('-');
    StatusOr<double> value = ParseNumber(text.substr(negative ? 1 : 0));
    if (value.ok() && negative) return -*value;
    return value;
  }

  void NoteForced(const std::string& name) {
    std::string text =
        "input to histogram_quantile needed to be fixed for monotonicity (see "
        "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
    if (!name.empty()) {
      text += " for metric name ";
      model::AppendGoQuoted(text, name);
    }
    state_.annotations.AddInfo(std::move(text), *call_.args[1]);
  }

  const Call& call_;
  QueryState& state_;
  const std::size_t steps_;
  const std::vector<double> quantiles_;
};

StatusOr<OperatorPtr> HistogramQuantile(const Call& call, Planner& planner) {
  ASSIGN_OR_RETURN(std::vector<double> quantiles, planner.Scalar(*call.args[0]));
  planner.WarnOfQuantile(quantiles, *call.args[0]);
  ASSIGN_OR_RETURN(OperatorPtr source, planner.Vector(*call.args[1], call.function->name));
  return OperatorPtr(std::make_unique<WholeRowsOperator>(
      planner.state(), planner.steps(), call.function->name, std::move(source),
      ClassicQuantile(call, planner, std::move(quantiles))));
}

}  // namespace

StatusOr<OperatorPtr> MakeCall(const Call& call, Planner& planner) {
  const std::string_view name = call.function->name;
  if (const functions::RowFunction function = functions::FindRowFunction(name)) {
    if (call.args.empty()) return OfTheTime(planner, function);
    return OverValues(call, planner, [function](double* values, std::uint8_t*, std::size_t steps) {
      function({values, steps});
    });
  }
  if (name == "vector") {
    ASSIGN_OR_RETURN(const std::vector<double> values, planner.Scalar(*call.args[0]));
    return RowOf(values, planner);
  }
  if (name == "timestamp") {
    // Of anything but a selector: the time of the step.
    std::vector<double> times(planner.steps());
    for (std::size_t k = 0; k < times.size(); ++k)
      times[k] = static_cast<double>(planner.grid().At(k)) / 1000;
    return OverValues(call, planner,
                      [times = std::move(times)](double* values, std::uint8_t*, std::size_t steps) {
                        std::copy_n(times.data(), steps, values);
                      });
  }
  if (name == "round" || name == "clamp" || name == "clamp_min" || name == "clamp_max")
    return RoundOrClamp(call, planner);
  if (name == "label_replace" || name == "label_join") return ChangeLabels(call, planner);
  if (name == "sort" || name == "sort_desc") return Sort(call, planner);
  if (name == "histogram_quantile") return HistogramQuantile(call, planner);
  return Unimplemented("function \"{}\" is not available yet", name);
}

}  // namespace aevum::promql
