#include "promql/engine/info.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "promql/engine/groups.h"
#include "promql/engine/selector.h"
#include "promql/function_table.h"

namespace aevum::promql {
namespace {

constexpr std::size_t kNone = SIZE_MAX;

// What tells which target a series is of, whatever the info metric.
constexpr std::array<std::string_view, 2> kIdentifyingLabels = {"instance", "job"};

// What the second argument asks for.
struct InfoMatchers {
  model::Matchers names;      // of the metrics that are info metrics
  model::Matchers data;       // of their other labels
  bool needs_series = false;  // a series without info series has no answer

  bool IsInfo(const model::Labels& labels) const { return model::MatchesAll(names, labels); }
  // Labels that are not asked for stay away, unless none is.
  bool Adds(std::string_view label) const {
    if (label == model::kMetricName) return false;
    return data.empty() || std::any_of(data.begin(), data.end(),
                                       [&](const model::Matcher& m) { return m.name() == label; });
  }
};

StatusOr<InfoMatchers> MatchersOf(const Call& call) {
  InfoMatchers matchers;
  if (call.args.size() > 1) {
    for (const model::Matcher& matcher :
         As<VectorSelector>(WithoutParens(*call.args[1])).matchers) {
      (matcher.name() == model::kMetricName ? matchers.names : matchers.data).push_back(matcher);
    }
  }
  matchers.needs_series = std::any_of(matchers.data.begin(), matchers.data.end(),
                                      [](const model::Matcher& m) { return !m.MatchesEmpty(); });
  if (matchers.names.empty()) {
    matchers.names.push_back(model::Matcher::Equal(std::string(model::kMetricName), "target_info"));
    return matchers;
  }
  const bool says_which =
      std::any_of(matchers.names.begin(), matchers.names.end(), [](const model::Matcher& m) {
        return m.type() == model::MatchType::kEqual || m.type() == model::MatchType::kRegex;
      });
  if (!says_which) {
    ASSIGN_OR_RETURN(model::Matcher any_info,
                     model::Matcher::Create(model::MatchType::kRegex,
                                            std::string(model::kMetricName), ".+_info"));
    matchers.names.insert(matchers.names.begin(), std::move(any_info));
  }
  return matchers;
}

// The first selector of an expression, in the order of Prometheus's walk, or null; the modifiers of
// the subqueries around it go to `around`, the outermost first. The parser bounds the depth.
const VectorSelector* FirstSelector(const Expr& expr, std::vector<const TimeModifiers*>* around) {
  switch (expr.kind) {
    case ExprKind::kVectorSelector:
      return &As<VectorSelector>(expr);
    case ExprKind::kMatrixSelector:
      return As<MatrixSelector>(expr).selector.get();
    case ExprKind::kSubquery: {
      around->push_back(&As<SubqueryExpr>(expr).time);
      const VectorSelector* found = FirstSelector(*As<SubqueryExpr>(expr).expr, around);
      if (found == nullptr) around->pop_back();
      return found;
    }
    case ExprKind::kCall:
      for (const ExprPtr& arg : As<Call>(expr).args) {
        if (const VectorSelector* found = FirstSelector(*arg, around)) return found;
      }
      return nullptr;
    case ExprKind::kAggregate: {
      const auto& aggregate = As<AggregateExpr>(expr);
      const VectorSelector* found = FirstSelector(*aggregate.expr, around);
      if (found != nullptr || aggregate.param == nullptr) return found;
      return FirstSelector(*aggregate.param, around);
    }
    case ExprKind::kBinary: {
      const VectorSelector* found = FirstSelector(*As<BinaryExpr>(expr).lhs, around);
      return found != nullptr ? found : FirstSelector(*As<BinaryExpr>(expr).rhs, around);
    }
    case ExprKind::kUnary:
      return FirstSelector(*As<UnaryExpr>(expr).expr, around);
    case ExprKind::kParen:
      return FirstSelector(*As<ParenExpr>(expr).expr, around);
    default:
      return nullptr;
  }
}

// When info series are looked at: when the first selector of the argument is. Subqueries around it
// shift it until one of them is fixed.
SelectTimes InfoTimes(const Expr& argument, const Grid& grid, const QueryState& state) {
  std::vector<const TimeModifiers*> around;
  const VectorSelector* selector = FirstSelector(argument, &around);
  if (selector == nullptr) return {.grid = grid};
  SelectTimes times = TimesOf(selector->time, grid, state);
  for (; !times.fixed && !around.empty(); around.pop_back()) {
    SelectTimes outer = TimesOf(*around.back(), grid, state);
    outer.offset_ms += times.offset_ms;
    times = outer;
  }
  return times;
}

// An expression that matches the text alone.
std::string Quoted(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) quoted += '\\';
    quoted += c;
  }
  return quoted;
}

// What fails first in the time of the query.
struct Failure {
  std::size_t step = kNone;
  std::size_t row = kNone;
  Status status = OkStatus();

  bool Precedes(std::size_t at, std::size_t by) const {
    return std::pair(step, row) <= std::pair(at, by);
  }
};

class InfoOperator final : public Operator {
 public:
  InfoOperator(QueryState& state, SelectTimes times, InfoMatchers matchers, OperatorPtr source)
      : state_(state),
        times_(times),
        steps_(times.grid.steps),
        matchers_(std::move(matchers)),
        source_(std::move(source)),
        charge_(state.context.budget()) {}

  StatusOr<bool> Next(RowBatch* out) override {
    if (result_ == nullptr) {
      ASSIGN_OR_RETURN(RowBatch rows, Evaluate());
      result_ = MakeRowSource(std::move(rows), state_.context.budget());
    }
    return result_->Next(out);
  }

 private:
  // The info series of a target, by metric in the order of their first series.
  struct Metric {
    std::string_view name;
    std::vector<std::size_t> rows;
  };
  using Target = std::vector<Metric>;

  StatusOr<RowBatch> Evaluate() {
    ASSIGN_OR_RETURN(RowBatch rows, Materialize(*source_, state_, steps_));
    source_.reset();
    KeepPresent(&rows);
    RETURN_IF_ERROR(ReadInfo(rows));
    for (const auto& [identity, target] : targets_) {
      for (const Metric& metric : target) KeepNewest(metric, rows);
    }
    RowBatch more;
    more.Reset(steps_, state_.context.budget());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      RETURN_IF_ERROR(state_.context.status());
      if (!matchers_.IsInfo(rows.labels(i))) RETURN_IF_ERROR(AddLabels(&rows, i, &more));
    }
    RETURN_IF_ERROR(failure_.status);
    KeepPresent(&rows);
    rows.Append(std::move(more));
    RETURN_IF_ERROR(MergeEqualLabels(&rows, state_));
    return rows;
  }

  static void KeepPresent(RowBatch* rows) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < rows->size(); ++i) {
      if (rows->AnyPresent(i)) order.push_back(i);
    }
    if (order.size() != rows->size()) rows->Select(order);
  }

  // ---- the info series ----

  // Matchers for what could describe a series of `rows`; none when nothing could.
  StatusOr<model::Matchers> InfoSelect(const RowBatch& rows) {
    model::Matchers select;
    for (const std::string_view name : kIdentifyingLabels) {
      std::set<std::string_view> values;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string_view value = rows.labels(i).Get(name);
        if (!value.empty() && !matchers_.IsInfo(rows.labels(i))) values.insert(value);
      }
      if (values.empty()) continue;
      std::string pattern;
      for (const std::string_view value : values) {
        if (!pattern.empty()) pattern += '|';
        pattern += Quoted(value);
      }
      RETURN_IF_ERROR(charge_.Add(static_cast<std::int64_t>(3 * pattern.size()), "info"));
      ASSIGN_OR_RETURN(
          model::Matcher matcher,
          model::Matcher::Create(model::MatchType::kRegex, std::string(name), std::move(pattern)));
      select.push_back(std::move(matcher));
    }
    if (select.empty()) return select;
    select.insert(select.end(), matchers_.data.begin(), matchers_.data.end());
    select.insert(select.end(), matchers_.names.begin(), matchers_.names.end());
    return select;
  }

  Status ReadInfo(const RowBatch& rows) {
    info_.Reset(steps_, state_.context.budget());
    ASSIGN_OR_RETURN(model::Matchers select, InfoSelect(rows));
    if (select.empty()) return OkStatus();
    SelectHints hints;
    hints.start_ms = times_.At(0) - state_.lookback_ms + 1;
    hints.end_ms = times_.At(steps_ - 1);
    hints.step_ms = steps_ > 1 ? times_.grid.step : 0;
    hints.function = "info";
    SeriesReader reader(state_, std::move(select), std::move(hints));
    while (true) {
      ASSIGN_OR_RETURN(const model::Labels* labels, reader.Next());
      if (labels == nullptr) return OkStatus();
      RETURN_IF_ERROR(info_.Add(*labels, "info"));
      const std::size_t row = info_.size() - 1;
      if (FillTimes(reader.columns(), row)) {
        return MakeError(
            StatusCode::kFailedPrecondition,
            "this should be an info metric, with float samples: " + labels->ToString());
      }
      if (!info_.AnyPresent(row)) {
        info_.RemoveLast();
        continue;
      }
      RETURN_IF_ERROR(AddToTarget(row));
    }
  }

  // The values of the row become the times of the samples. True when a step sees a histogram.
  bool FillTimes(const chunk::Columns& columns, std::size_t row) {
    std::size_t next = 0;
    std::size_t next_histogram = 0;
    for (std::size_t k = 0; k < steps_; ++k) {
      const TimestampMs at = times_.At(k);
      const TimestampMs from = at - state_.lookback_ms;
      const auto advance = [at](const std::vector<TimestampMs>& times, std::size_t* position) {
        while (*position < times.size() && times[*position] <= at) ++*position;
      };
      advance(columns.times, &next);
      advance(columns.histogram_times, &next_histogram);
      const bool number = next > 0 && columns.times[next - 1] > from;
      if (next_histogram > 0 && columns.histogram_times[next_histogram - 1] > from &&
          (!number || columns.histogram_times[next_histogram - 1] >= columns.times[next - 1])) {
        if (!chunk::IsStale(columns.histograms[next_histogram - 1].sum)) return true;
        continue;
      }
      if (!number || chunk::IsStale(columns.values[next - 1])) continue;
      info_.values(row)[k] = static_cast<double>(columns.times[next - 1]);
      info_.present(row)[k] = 1;
    }
    return false;
  }

  static model::Labels IdentityOf(const model::Labels& labels) {
    model::LabelsBuilder identity;
    for (const std::string_view name : kIdentifyingLabels) identity.Set(name, labels.Get(name));
    return identity.Build();
  }

  Status AddToTarget(std::size_t row) {
    const model::Labels& labels = info_.labels(row);
    const auto [it, inserted] = targets_.try_emplace(IdentityOf(labels));
    if (inserted) {
      RETURN_IF_ERROR(charge_.Add(
          static_cast<std::int64_t>(it->first.memory_bytes() + sizeof(Metric) + sizeof *it),
          "info"));
    }
    const std::string_view name = labels.Get(model::kMetricName);
    Target& target = it->second;
    auto metric = std::find_if(target.begin(), target.end(),
                               [name](const Metric& m) { return m.name == name; });
    if (metric == target.end()) metric = target.insert(metric, Metric{.name = name, .rows = {}});
    metric->rows.push_back(row);
    return OkStatus();
  }

  // Leaves at each step only the newest of the info series that describe the same target.
  void KeepNewest(const Metric& metric, const RowBatch& rows) {
    for (std::size_t k = 0; metric.rows.size() > 1 && k < steps_; ++k) {
      std::size_t newest = kNone;
      for (const std::size_t row : metric.rows) {
        if (info_.present(row)[k] == 0) continue;
        if (newest == kNone) {
          newest = row;
          continue;
        }
        const double time = info_.values(row)[k];
        if (time == info_.values(newest)[k]) {
          NoteDuplicate(k, newest, row, rows);
          break;
        }
        const bool newer = time > info_.values(newest)[k];
        info_.present(newer ? newest : row)[k] = 0;
        if (newer) newest = row;
      }
    }
  }

  void NoteDuplicate(std::size_t k, std::size_t existing, std::size_t row, const RowBatch& rows) {
    if (failure_.Precedes(k, row)) return;
    bool looked_at = false;  // where there is nothing to describe, nobody looks
    for (std::size_t i = 0; i < rows.size() && !looked_at; ++i) looked_at = rows.Holds(i, k);
    if (!looked_at) return;
    const auto time = static_cast<std::int64_t>(info_.values(row)[k]);
    failure_ = {
        k, row,
        MakeError(StatusCode::kFailedPrecondition,
                  "found duplicate series for info metric: existing " +
                      info_.labels(existing).ToString() + " @ " + std::to_string(time) + ", new " +
                      info_.labels(row).ToString() + " @ " + std::to_string(time))};
  }

  // ---- the series to describe ----

  enum class Place : std::uint8_t { kNowhere, kHere, kMore };

  // What a series is described by at some steps, and where it goes with that.
  struct Description {
    std::vector<std::size_t> info;  // a row of each metric, or kNone
    Place place = Place::kNowhere;
    std::size_t row = 0;  // of kMore
  };

  // Adds labels to a row. With its first description it stays in its place, with others it goes to
  // rows of `more`.
  Status AddLabels(RowBatch* rows, std::size_t row, RowBatch* more) {
    static const Target kNobody;
    const model::Labels labels = rows->labels(row);
    const auto found = targets_.find(IdentityOf(labels));
    const Target& target = found == targets_.end() ? kNobody : found->second;
    std::vector<Description> descriptions;
    std::vector<std::size_t> info(target.size());
    std::size_t current = 0;
    bool stays = false;
    for (std::size_t k = 0; k < steps_; ++k) {
      if (!rows->Holds(row, k)) continue;
      InfoAt(target, k, &info);
      if (descriptions.empty() || descriptions[current].info != info)
        current = FindDescription(descriptions, info);
      if (current == descriptions.size()) {
        Description& made = descriptions.emplace_back(Description{.info = info});
        model::Labels described;
        if (Describe(labels, row, k, info, &described)) {
          made.place = stays ? Place::kMore : Place::kHere;
          if (stays) {
            RETURN_IF_ERROR(more->Add(described, "info"));
            made.row = more->size() - 1;
            more->set_drops_name(made.row, rows->drops_name(row));
          }
          if (!std::exchange(stays, true))
            RETURN_IF_ERROR(rows->ReplaceLabels(row, std::move(described), "info"));
        }
      }
      RETURN_IF_ERROR(Move(rows, row, k, descriptions[current], more));
    }
    return OkStatus();
  }

  static std::size_t FindDescription(const std::vector<Description>& descriptions,
                                     const std::vector<std::size_t>& info) {
    const auto it = std::find_if(descriptions.begin(), descriptions.end(),
                                 [&](const Description& known) { return known.info == info; });
    return static_cast<std::size_t>(it - descriptions.begin());
  }

  void InfoAt(const Target& target, std::size_t k, std::vector<std::size_t>* info) const {
    for (std::size_t m = 0; m < target.size(); ++m) {
      const std::vector<std::size_t>& rows = target[m].rows;
      const auto it = std::find_if(rows.begin(), rows.end(),
                                   [&](std::size_t row) { return info_.present(row)[k] != 0; });
      (*info)[m] = it == rows.end() ? kNone : *it;
    }
  }

  // The labels of a series with those of its info series. False when it has no answer: nothing
  // describes it, or the info series contradict one another, which fails the query.
  bool Describe(const model::Labels& labels, std::size_t row, std::size_t k,
                const std::vector<std::size_t>& info, model::Labels* described) {
    const bool any =
        std::any_of(info.begin(), info.end(), [](std::size_t r) { return r != kNone; });
    if (!any && matchers_.needs_series) return false;
    model::LabelsBuilder builder(labels);
    for (const std::size_t info_row : info) {
      if (info_row == kNone) continue;
      for (const model::Label& label : info_.labels(info_row)) {
        if (!matchers_.Adds(label.name) || labels.Has(label.name)) continue;
        const std::string_view other = builder.Get(label.name);
        if (other.empty()) {
          builder.Set(label.name, label.value);
        } else if (other != label.value) {
          if (k < failure_.step) {
            failure_ = {k, row,
                        MakeError(StatusCode::kFailedPrecondition,
                                  "conflicting label: " + std::string(label.name))};
          }
          return false;
        }
      }
    }
    *described = builder.Build();
    return true;
  }

  static Status Move(RowBatch* rows, std::size_t row, std::size_t k, const Description& to,
                     RowBatch* more) {
    if (to.place == Place::kHere) return OkStatus();
    const bool number = rows->present(row)[k] != 0;
    if (to.place == Place::kMore) {
      more->values(to.row)[k] = rows->values(row)[k];
      more->present(to.row)[k] = rows->present(row)[k];
      if (!number) RETURN_IF_ERROR(more->SetHistogram(to.row, k, rows->histograms(row)[k], "info"));
    }
    rows->values(row)[k] = 0;
    rows->present(row)[k] = 0;
    if (!number) rows->RemoveHistogram(row, k);
    return OkStatus();
  }

  QueryState& state_;
  const SelectTimes times_;
  const std::size_t steps_;
  const InfoMatchers matchers_;
  OperatorPtr source_;
  OperatorPtr result_;
  MemoryCharge charge_;
  RowBatch info_;              // values: the times of the samples
  LabelsMap<Target> targets_;  // by their identifying labels
  Failure failure_;
};

}  // namespace

StatusOr<OperatorPtr> MakeInfo(const Call& call, Planner& planner) {
  ASSIGN_OR_RETURN(InfoMatchers matchers, MatchersOf(call));
  const SelectTimes times = InfoTimes(*call.args[0], planner.grid(), planner.state());
  ASSIGN_OR_RETURN(OperatorPtr source, planner.Vector(*call.args[0], call.function->name));
  return OperatorPtr(std::make_unique<InfoOperator>(planner.state(), times, std::move(matchers),
                                                    std::move(source)));
}

}  // namespace aevum::promql
