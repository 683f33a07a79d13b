#include "promql/engine/calls.h"

#include <algorithm>
#include <optional>
#include <span>

#include "promql/engine/deadline_check.h"
#include "promql/engine/elementwise.h"
#include "promql/engine/histogram_calls.h"
#include "promql/engine/info.h"
#include "promql/function_table.h"
#include "promql/functions/label_functions.h"
#include "promql/functions/row_functions.h"
#include "promql/functions/whole_vectors.h"

namespace aevum::promql {
namespace {

constexpr std::size_t kMaxLabelBytes = 256 << 20;

// The time of the step for each sample, histograms too.
StatusOr<OperatorPtr> TimesOfSamples(const Call& call, Planner& planner,
                                     std::vector<double> times) {
  ASSIGN_OR_RETURN(OperatorPtr source, planner.Vector(*call.args[0], call.function->name));
  const auto mark = [](RowBatch* rows, std::size_t row) {
    for (std::size_t k = 0; k < rows->steps(); ++k) {
      if (rows->histograms(row)[k] != nullptr) rows->present(row)[k] = 1;
    }
    rows->RemoveHistograms(row);
    return OkStatus();
  };
  return MakeElementwise(
      planner.state(), planner.steps(), std::move(source),
      [times = std::move(times)](double* values, std::uint8_t*, std::size_t steps) {
        std::copy_n(times.data(), steps, values);
      },
      NameRule::kDrop, Planner::UniqueWithoutName(*call.args[0]), mark);
}

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
  ASSIGN_OR_RETURN(std::vector<double> values, planner.Constant(0));
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
  if (args.empty()) {
    ASSIGN_OR_RETURN(auto whole, planner.Constant(1));
    args.push_back(std::move(whole));
  }
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
  WholeRowsOperator(QueryState& state, std::size_t steps, OperatorPtr source, Change change)
      : state_(state), steps_(steps), source_(std::move(source)), change_(std::move(change)) {}

  StatusOr<bool> Next(RowBatch* out) override {
    if (rows_ == nullptr) {
      ASSIGN_OR_RETURN(RowBatch rows, Materialize(*source_, state_, steps_));
      source_.reset();
      ASSIGN_OR_RETURN(rows, change_(std::move(rows)));
      rows_ = MakeRowSource(std::move(rows), state_.context.budget());
    }
    return rows_->Next(out);
  }

 private:
  QueryState& state_;
  const std::size_t steps_;
  OperatorPtr source_;
  const Change change_;
  OperatorPtr rows_;
};

StatusOr<OperatorPtr> ChangeLabels(const Call& call, Planner& planner) {
  auto created = functions::LabelChange::Create(call);
  if (!created.ok()) {
    // The query parses; its evaluation fails, as the reference sees it.
    return MakeError(StatusCode::kFailedPrecondition, std::string(created.status().message()));
  }
  functions::LabelChange change = *std::move(created);
  ASSIGN_OR_RETURN(OperatorPtr source, planner.Vector(*call.args[0], call.function->name));
  QueryState& state = planner.state();
  return OperatorPtr(std::make_unique<WholeRowsOperator>(
      state, planner.steps(), std::move(source),
      [change = std::move(change), name = call.function->name,
       &state](RowBatch rows) -> StatusOr<RowBatch> {
        DeadlineCheck deadline(state.context);
        for (std::size_t i = 0; i < rows.size(); ++i) {
          // Made of labels that may be as long as the last change left them.
          const std::size_t most = change.MostBytes(rows.labels(i));
          if (most > kMaxLabelBytes) {
            return ResourceExhausted(
                "{} would make labels of up to {} bytes, more than the limit of {}", name, most,
                kMaxLabelBytes);
          }
          RETURN_IF_ERROR(deadline.After(most));
          MemoryCharge charge(state.context.budget());
          RETURN_IF_ERROR(charge.Add(static_cast<std::int64_t>(most), name));
          std::optional<model::Labels> changed = change.Apply(rows.labels(i));
          if (!changed) continue;
          RETURN_IF_ERROR(rows.ReplaceLabels(i, *std::move(changed), name));
          if (change.sets_name()) rows.set_drops_name(i, false);
        }
        RETURN_IF_ERROR(MergeEqualLabels(&rows, state, EqualLabels::kBySeries));
        return rows;
      }));
}

// Evaluates the argument and gives nothing.
StatusOr<OperatorPtr> DropRows(const Call& call, Planner& planner) {
  ASSIGN_OR_RETURN(OperatorPtr source, planner.Vector(*call.args[0], call.function->name));
  QueryState& state = planner.state();
  return OperatorPtr(std::make_unique<WholeRowsOperator>(
      state, planner.steps(), std::move(source), [&state](RowBatch rows) -> StatusOr<RowBatch> {
        rows.Reset(rows.steps(), state.context.budget());
        return rows;
      }));
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
    ASSIGN_OR_RETURN(std::vector<double> times, planner.Constant(0));
    for (std::size_t k = 0; k < times.size(); ++k)
      times[k] = static_cast<double>(planner.grid().At(k)) / 1000;
    return TimesOfSamples(call, planner, std::move(times));
  }
  // Only samples of a selector have one, and only where the engine reads them.
  if (name == "start_timestamp") return DropRows(call, planner);
  if (name == "round" || name == "clamp" || name == "clamp_min" || name == "clamp_max")
    return RoundOrClamp(call, planner);
  if (name == "label_replace" || name == "label_join") return ChangeLabels(call, planner);
  if (name.starts_with("sort")) return MakeSort(call, planner);
  if (name == "info") return MakeInfo(call, planner);
  if (IsHistogramCall(name)) return MakeHistogramCall(call, planner);
  if (name == "histogram_quantile") return MakeHistogramQuantile(call, planner);
  if (name == "histogram_fraction") return MakeHistogramFraction(call, planner);
  if (name == "histogram_quantiles") return MakeHistogramQuantiles(call, planner);
  return Unimplemented("function \"{}\" is not available yet", name);
}

}  // namespace aevum::promql
