#include "promql/engine/histogram_calls.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "promql/engine/elementwise.h"
#include "promql/function_table.h"
#include "promql/functions/native_histograms.h"

namespace aevum::promql {
namespace {

using model::FloatHistogram;
using OfHistogram = double (*)(const FloatHistogram&);

struct Entry {
  std::string_view name;
  OfHistogram function;
};

constexpr std::array<Entry, 5> kFunctions = {{
    {"histogram_count", [](const FloatHistogram& h) { return h.count; }},
    {"histogram_sum", [](const FloatHistogram& h) { return h.sum; }},
    {"histogram_avg", [](const FloatHistogram& h) { return h.sum / h.count; }},
    {"histogram_stddev",
     [](const FloatHistogram& h) { return std::sqrt(functions::NativeVariance(h)); }},
    {"histogram_stdvar", [](const FloatHistogram& h) { return functions::NativeVariance(h); }},
}};

OfHistogram Find(std::string_view name) {
  for (const Entry& entry : kFunctions) {
    if (entry.name == name) return entry.function;
  }
  return nullptr;
}

// Replaces histograms by numbers, and takes numbers away.
class HistogramCallOperator final : public Operator {
 public:
  HistogramCallOperator(QueryState& state, OperatorPtr source, OfHistogram function)
      : state_(state), source_(std::move(source)), function_(function) {}

  StatusOr<bool> Next(RowBatch* out) override {
    RETURN_IF_ERROR(state_.context.status());
    ASSIGN_OR_RETURN(const bool more, source_->Next(out));
    for (std::size_t i = 0; i < out->size(); ++i) {
      std::fill_n(out->values(i), out->steps(), 0.0);
      std::fill_n(out->present(i), out->steps(), std::uint8_t{0});
      if (state_.delays_names) {
        out->set_drops_name(i, true);
      } else {
        // Not __type__ and __unit__, as in the reference.
        out->set_labels(i, model::LabelsBuilder(out->labels(i)).Remove(model::kMetricName).Build());
      }
      const HistogramPtr* histograms = out->histograms(i);
      if (histograms == nullptr) continue;
      for (std::size_t k = 0; k < out->steps(); ++k) {
        if (histograms[k] == nullptr) continue;
        out->values(i)[k] = function_(*histograms[k]);
        out->present(i)[k] = 1;
      }
      out->RemoveHistograms(i);
    }
    return more;
  }

 private:
  QueryState& state_;
  OperatorPtr source_;
  const OfHistogram function_;
};

}  // namespace

bool IsHistogramCall(std::string_view name) { return Find(name) != nullptr; }

StatusOr<OperatorPtr> MakeHistogramCall(const Call& call, Planner& planner) {
  QueryState& state = planner.state();
  const std::string_view name = call.function->name;
  const bool statistics = !name.starts_with("histogram_std");
  state.statistics_depth += statistics ? 1 : 0;
  StatusOr<OperatorPtr> source = planner.Vector(*call.args[0], name);
  state.statistics_depth -= statistics ? 1 : 0;
  if (!source.ok()) return source.status();
  OperatorPtr rows = std::make_unique<HistogramCallOperator>(state, *std::move(source), Find(name));
  return MakeMerging(state, planner.steps(), std::move(rows),
                     Planner::UniqueWithoutName(*call.args[0]));
}

}  // namespace aevum::promql
