#include "promql/engine/engine.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>

#include "base/thread_pool.h"
#include "model/histogram_arithmetic.h"
#include "promql/engine/distribute.h"
#include "promql/engine/durations.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/extended_windows.h"
#include "promql/engine/optimizer.h"
#include "promql/engine/planner.h"
#include "promql/engine/select_sharing.h"
#include "promql/engine/selector.h"
#include "promql/engine/shared_rows.h"
#include "promql/engine/subquery.h"
#include "promql/function_table.h"

namespace aevum::promql {

// A checked tree, what is known of it, and the steps it is for.
struct PreparedQuery {
  std::string text;
  ExprPtr expr;
  PlanNotes notes;
  Grid grid;
  TimestampMs end = 0;  // as asked for, maybe after the last step
  bool instant = false;
};

namespace {

constexpr std::size_t kMaxSteps = 50'000'000;
constexpr std::size_t kMaxWaitingRanges = 1024;

// Whether the order of an instant vector is the query's own: the outermost call or aggregation
// sorts.
bool Sorts(const Expr& expr) {
  const Expr& inner = WithoutParens(expr);
  if (inner.kind == ExprKind::kCall) return As<Call>(inner).function->name.starts_with("sort");
  if (inner.kind != ExprKind::kAggregate) return false;
  const AggregateOp op = As<AggregateExpr>(inner).op;
  return op == AggregateOp::kTopk || op == AggregateOp::kBottomk;
}

// The eight bytes of labels from a position on, so that they compare as the bytes do.
std::uint64_t BytesFrom(std::size_t position, std::string_view packed) {
  std::uint64_t bytes = 0;
  for (std::size_t i = position; i < position + sizeof(bytes); ++i)
    bytes = bytes << 8 | (i < packed.size() ? static_cast<unsigned char>(packed[i]) : 0U);
  return bytes;
}

// Rows without a value are left out.
void SortByLabels(RowBatch* rows) {
  // Labels of a result mostly begin alike, and then differ soon: a few bytes from there on, side by
  // side, spare looking into the labels themselves, which lie scattered.
  struct Place {
    std::uint64_t bytes;
    std::size_t row;
  };
  std::vector<Place> places;
  std::size_t common = SIZE_MAX;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    if (!rows->AnyPresent(i)) continue;
    places.push_back({.bytes = 0, .row = i});
    const std::string_view first = rows->labels(places[0].row).packed();
    const std::string_view packed = rows->labels(i).packed();
    const auto end = std::min({common, first.size(), packed.size()});
    common = static_cast<std::size_t>(
        std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(end),
                      packed.begin())
            .first -
        first.begin());
  }
  for (Place& place : places) place.bytes = BytesFrom(common, rows->labels(place.row).packed());
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    if (a.bytes != b.bytes) return a.bytes < b.bytes;
    return rows->labels(a.row) < rows->labels(b.row);
  });
  std::vector<std::size_t> order;
  order.reserve(places.size());
  for (const Place& place : places) order.push_back(place.row);
  rows->Select(order);
}

// An instant query answers with the histogram where a number is at the same step.
void PreferHistograms(RowBatch* rows) {
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const HistogramPtr* histograms = rows->histograms(i);
    if (histograms == nullptr || histograms[0] == nullptr) continue;
    rows->present(i)[0] = 0;
    rows->values(i)[0] = 0;
  }
}

bool IsSorted(const RowBatch& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows.AnyPresent(i) || (i > 0 && !(rows.labels(i - 1) < rows.labels(i)))) return false;
  }
  return true;
}

// Adds the time of its scope.
class Stopwatch {
 public:
  explicit Stopwatch(std::chrono::nanoseconds* sum)
      : sum_(sum), began_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() { *sum_ += std::chrono::steady_clock::now() - began_; }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  std::chrono::nanoseconds* const sum_;
  const std::chrono::steady_clock::time_point began_;
};

// What queries of an engine have in common, and what one was asked for. Borrowed.
struct Setup {
  const EngineOptions& engine;
  ThreadPool* helpers;
  const QueryOptions& options;
};

// Borrows what it is made of.
class Query {
 public:
  Query(const Context& context, Queryable& queryable, const PreparedQuery& prepared,
        const Setup& setup)
      : setup_(setup),
        expr_(*prepared.expr),
        instant_(prepared.instant),
        grid_(prepared.grid),
        notes_(prepared.notes),
        selects_(queryable, setup.engine.optimize),
        state_{
            .context = context,
            .selects = selects_,
            .query_start = grid_.start,
            .query_end = prepared.end,
            .query_step_ms = grid_.step,
            .lookback_ms = (setup.options.lookback_delta.count() > 0 ? setup.options.lookback_delta
                                                                     : setup.engine.lookback_delta)
                               .count(),
            .default_subquery_step_ms = setup.engine.default_subquery_step.count(),
            .use_start_timestamps = setup.engine.use_start_timestamps,
            .annotations = annotations_,
            .notes = notes_,
            .shared = shared_,
            .delays_names = setup.engine.delayed_name_removal,
            .reads_types = setup.engine.type_and_unit_labels,
            .helpers = setup.helpers,
            .series_per_range = setup.engine.series_per_range,
            .scalars = MemoryCharge(context.budget())} {
    annotations_.Init(prepared.text, context.budget());
    if (setup.options.analyze) state_.analysis = &analysis_.emplace();
  }

  // What leaves evaluate in Evaluate, which must be called while the plan lives; null when they
  // evaluate nothing.
  std::unique_ptr<DistributedPlan> PlanForLeaves() {
    // Leaves give rows without the names that this query would drop only at its end.
    if (setup_.options.distribution == nullptr || setup_.engine.delayed_name_removal)
      return nullptr;
    auto plan = Distribute(expr_, instant_ && Sorts(expr_), grid_, state_,
                           *setup_.options.distribution, setup_.engine.parse);
    if (plan->empty()) return nullptr;
    state_.plan = plan.get();
    return plan;
  }

  PlanNode Explain() {
    const auto plan = PlanForLeaves();
    return PlanOf(expr_, notes_, grid_.steps, nullptr, plan.get());
  }

  StatusOr<QueryResult> Evaluate() {
    result_.range_charge = MemoryCharge(state_.context.budget());
    result_.start = grid_.start;
    result_.step = grid_.step;
    result_.type = instant_ ? TypeOf(expr_) : ValueType::kMatrix;
    MemoryCharge charge(state_.context.budget());
    if (setup_.options.count_samples) {
      // What is counted, and its copy in the result.
      RETURN_IF_ERROR(
          charge.Add(static_cast<std::int64_t>(2 * sizeof(std::int64_t) * grid_.steps), "stats"));
      state_.counts = &counts_.emplace(grid_.steps, StepCounts::Keep::kSteps);
    }
    {
      const Stopwatch watch(&result_.stats.evaluation);
      RETURN_IF_ERROR(EvaluateByType());
    }
    result_.stats.evaluation -= result_.stats.sorting;
    RETURN_IF_ERROR(state_.context.status());
    RETURN_IF_ERROR(annotations_.status());
    result_.warnings = annotations_.warnings();
    result_.infos = annotations_.infos();
    result_.store_warnings = annotations_.store_warnings();
    result_.stats.samples = state_.samples.load();
    if (counts_) result_.stats.step_samples = counts_->PerStep();
    if (analysis_) result_.analysis = PlanOf(expr_, notes_, grid_.steps, &*analysis_, state_.plan);
    if (state_.context.budget()) result_.stats.peak_bytes = state_.context.budget()->peak_bytes();
    return std::move(result_);
  }

 private:
  Status EvaluateByType() {
    Planner planner(state_, grid_);
    switch (TypeOf(expr_)) {
      case ValueType::kScalar:
        return EvaluateScalar(planner);
      case ValueType::kVector:
        return EvaluateVector(planner);
      case ValueType::kMatrix:
        return EvaluateRanges(WithoutParens(expr_));
      case ValueType::kString: {
        ASSIGN_OR_RETURN(result_.text, Planner::String(expr_));
        return OkStatus();
      }
      case ValueType::kNone:
        break;
    }
    return Internal("the expression has no type");
  }

  Status EvaluateScalar(Planner& planner) {
    ASSIGN_OR_RETURN(const std::vector<double> values, planner.Scalar(expr_));
    if (instant_) {
      result_.scalar = values[0];
      return OkStatus();
    }
    result_.rows.Reset(grid_.steps, state_.context.budget());
    RETURN_IF_ERROR(result_.rows.Add({}, "result"));
    std::copy(values.begin(), values.end(), result_.rows.values(0));
    std::fill_n(result_.rows.present(0), grid_.steps, std::uint8_t{1});
    return OkStatus();
  }

  Status EvaluateVector(Planner& planner) {
    ASSIGN_OR_RETURN(const OperatorPtr root, planner.Vector(expr_));
    ASSIGN_OR_RETURN(RowBatch rows, Materialize(*root, state_, grid_.steps));
    RETURN_IF_ERROR(DropDelayedNames(&rows));
    const Stopwatch watch(&result_.stats.sorting);
    if (instant_) PreferHistograms(&rows);
    if (!(instant_ && Sorts(expr_)) && !IsSorted(rows)) SortByLabels(&rows);
    result_.rows = std::move(rows);
    return OkStatus();
  }

  Status DropDelayedNames(RowBatch* rows) {
    if (!state_.delays_names) return OkStatus();
    DropMarkedNames(rows);
    return MergeEqualLabels(rows, state_, EqualLabels::kBySeries);
  }

  // The samples themselves, of an instant query for x[5m] or a subquery.
  Status EvaluateRanges(const Expr& expr) {
    const auto began = std::chrono::steady_clock::now();
    StepCounts* const counts = analysis_ ? analysis_->CountsOf(expr, state_.counts) : state_.counts;
    RETURN_IF_ERROR(expr.kind == ExprKind::kSubquery
                        ? EvaluateSubquery(As<SubqueryExpr>(expr), counts)
                        : EvaluateMatrix(As<MatrixSelector>(expr)));
    if (analysis_) analysis_->AddTime(expr, std::chrono::steady_clock::now() - began);
    if (counts == nullptr || expr.kind == ExprKind::kSubquery) return OkStatus();
    for (const QueryResult::Range& range : result_.ranges) {
      counts->Add(0, static_cast<std::int64_t>(range.times.size()));
      for (const HistogramPtr& histogram : range.histograms) counts->Add(0, SamplesOf(*histogram));
    }
    return OkStatus();
  }

  Status EvaluateMatrix(const MatrixSelector& matrix) {
    const Extension extension = ExtensionOf(*matrix.selector, state_.lookback_ms);
    const SelectTimes times = TimesOf(matrix.selector->time, grid_, state_);
    SelectHints hints =
        HintsOf(times, matrix.range_ms + extension.back_ms(), extension.ahead_ms(), "");
    hints.range_ms = matrix.range_ms;
    SeriesReader reader(state_, matrix.selector->matchers, hints);
    chunk::Columns& columns = reader.columns();
    while (true) {
      ASSIGN_OR_RETURN(const model::Labels* labels, reader.Next());
      if (labels == nullptr) break;
      RETURN_IF_ERROR(ChargeRange(*labels, columns.times.size() + columns.histogram_times.size()));
      QueryResult::Range range{.labels = *labels};
      range.times.reserve(columns.times.size());
      range.values.reserve(columns.times.size());
      for (std::size_t i = 0; i < columns.times.size(); ++i) {
        if (columns.times[i] < hints.start_ms || columns.times[i] > hints.end_ms ||
            chunk::IsStale(columns.values[i]))
          continue;
        range.times.push_back(columns.times[i]);
        range.values.push_back(columns.values[i]);
      }
      for (std::size_t i = 0; i < columns.histograms.size(); ++i) {
        const TimestampMs time = columns.histogram_times[i];
        if (time < hints.start_ms || time > hints.end_ms) continue;
        RETURN_IF_ERROR(RefuseHistograms(extension));
        if (chunk::IsStale(columns.histograms[i].sum)) continue;
        RETURN_IF_ERROR(ChargeResult(model::SizeBytes(columns.histograms[i])));
        range.histogram_times.push_back(time);
        range.histograms.push_back(
            std::make_shared<model::FloatHistogram>(std::move(columns.histograms[i])));
      }
      if (extension.kind != Extension::Kind::kNone) {
        const TimestampMs end = times.At(0);
        BoundSamples(extension, Moved(end, -matrix.range_ms), end, &range.times, &range.values);
      }
      if (range.times.empty() && range.histograms.empty()) continue;
      result_.ranges.push_back(std::move(range));
    }
    return OkStatus();
  }

  Status ChargeResult(std::int64_t bytes) {
    return result_.range_charge.Add(bytes, "samples of the result");
  }

  // A series with so many samples, without the buckets of histograms.
  Status ChargeRange(const model::Labels& labels, std::size_t samples) {
    constexpr std::int64_t kSampleBytes = sizeof(TimestampMs) + sizeof(HistogramPtr);
    return ChargeResult(
        static_cast<std::int64_t>(sizeof(QueryResult::Range) + labels.memory_bytes()) +
        kSampleBytes * static_cast<std::int64_t>(samples));
  }

  // What its expression looks at counts for the only step.
  Status EvaluateSubquery(const SubqueryExpr& subquery, StepCounts* counts) {
    const SelectTimes times = TimesOf(subquery.time, grid_, state_);
    ASSIGN_OR_RETURN(const Grid inner, SubqueryGrid(subquery, times, state_));
    if (inner.steps == 0) return OkStatus();
    if (counts != nullptr)
      state_.counts = &inner_counts_.emplace(inner.steps, StepCounts::Keep::kTotal);
    ASSIGN_OR_RETURN(const OperatorPtr root, Planner(state_, inner).Vector(*subquery.expr));
    ASSIGN_OR_RETURN(RowBatch rows, Materialize(*root, state_, inner.steps));
    if (counts != nullptr) counts->Add(0, inner_counts_->total());
    RETURN_IF_ERROR(DropDelayedNames(&rows));
    SortByLabels(&rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      RETURN_IF_ERROR(state_.context.status());
      std::size_t samples = 0;
      for (std::size_t k = 0; k < inner.steps; ++k) samples += rows.Holds(i, k) ? 1 : 0;
      RETURN_IF_ERROR(ChargeRange(rows.labels(i), samples));
      QueryResult::Range range{.labels = rows.labels(i)};
      range.times.reserve(samples);
      range.values.reserve(samples);
      for (std::size_t k = 0; k < inner.steps; ++k) {
        if (!rows.Holds(i, k)) continue;
        if (rows.histograms(i) != nullptr && rows.histograms(i)[k] != nullptr) {
          range.histogram_times.push_back(inner.At(k));
          range.histograms.push_back(rows.histograms(i)[k]);
        }
        if (rows.present(i)[k] == 0) continue;
        range.times.push_back(inner.At(k));
        range.values.push_back(rows.values(i)[k]);
      }
      result_.ranges.push_back(std::move(range));
    }
    return OkStatus();
  }

  const Setup setup_;
  const Expr& expr_;
  const bool instant_;
  const Grid grid_;
  const PlanNotes& notes_;
  SelectSharing selects_;
  Annotations annotations_;
  QueryState state_;
  std::optional<StepCounts> counts_;
  std::optional<StepCounts> inner_counts_;  // of a subquery that is the whole query
  std::optional<Analysis> analysis_;
  SharedParts shared_;  // its operators use all of the above
  QueryResult result_;
};

// An error that a local evaluation may not give, or give in other words.
bool IsOfTheQuery(StatusCode code) {
  return code == StatusCode::kFailedPrecondition || code == StatusCode::kInvalidArgument ||
         code == StatusCode::kUnimplemented;
}

// With the help of leaves where there are some, and anew without them when that may have given
// another answer.
StatusOr<QueryResult> Evaluate(const Context& context, Queryable& queryable,
                               const PreparedQuery& prepared, const Setup& setup) {
  {
    Query query(context, queryable, prepared, setup);
    const auto plan = query.PlanForLeaves();
    StatusOr<QueryResult> result = query.Evaluate();
    if (plan == nullptr) return result;
    if (!plan->doubtful() && (result.ok() || !IsOfTheQuery(result.status().code()))) return result;
  }
  return Query(context, queryable, prepared, setup).Evaluate();
}

}  // namespace

Engine::Engine(EngineOptions options) : options_(options) {
  // A query's own thread works too.
  const std::size_t threads =
      options.threads > 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
  if (threads > 1)
    helpers_ = std::make_unique<ThreadPool>("promql", threads - 1, kMaxWaitingRanges);
}

Engine::~Engine() = default;

PlanNotes Engine::Optimized(const Queryable& queryable, ExprPtr* expr) const {
  return options_.optimize ? Optimize(queryable, expr) : PlanNotes();
}

StatusOr<PreparedQuery> Engine::PrepareInstant(const Queryable& queryable, std::string_view query,
                                               TimestampMs time) const {
  ASSIGN_OR_RETURN(ExprPtr expr, Parse(query, options_.parse));
  RETURN_IF_ERROR(ResolveDurations(0, 0, expr.get()));
  PlanNotes notes = Optimized(queryable, &expr);
  return PreparedQuery{.text = std::string(query),
                       .expr = std::move(expr),
                       .notes = std::move(notes),
                       .grid = {.start = time, .step = 0, .steps = 1},
                       .end = time,
                       .instant = true};
}

StatusOr<PreparedQuery> Engine::PrepareRange(const Queryable& queryable, std::string_view query,
                                             TimestampMs start, TimestampMs end,
                                             std::int64_t step_ms) const {
  if (step_ms <= 0)
    return InvalidArgument(
        "zero or negative query resolution step widths are not accepted. Try a positive integer");
  if (end < start) return InvalidArgument("end timestamp must not be before start time");
  ASSIGN_OR_RETURN(ExprPtr expr, Parse(query, options_.parse));
  const ValueType type = TypeOf(*expr);
  if (type != ValueType::kVector && type != ValueType::kScalar) {
    return InvalidArgument(
        "invalid expression type \"{}\" for range query, must be Scalar or instant Vector",
        DocumentedType(type));
  }
  const std::uint64_t steps =
      (static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(start)) /
          static_cast<std::uint64_t>(step_ms) +
      1;
  if (steps > kMaxSteps)
    return InvalidArgument("the query has {} steps, more than the limit of {}", steps, kMaxSteps);
  RETURN_IF_ERROR(ResolveDurations(step_ms, end - start, expr.get()));
  PlanNotes notes = Optimized(queryable, &expr);
  return PreparedQuery{
      .text = std::string(query),
      .expr = std::move(expr),
      .notes = std::move(notes),
      .grid = {.start = start, .step = step_ms, .steps = static_cast<std::size_t>(steps)},
      .end = end,
      .instant = false};
}

StatusOr<QueryResult> Engine::Instant(const Context& context, Queryable& queryable,
                                      std::string_view query, TimestampMs time,
                                      const QueryOptions& options) const {
  const auto began = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const PreparedQuery prepared, PrepareInstant(queryable, query, time));
  const auto preparation = std::chrono::steady_clock::now() - began;
  ASSIGN_OR_RETURN(QueryResult result,
                   Evaluate(context, queryable, prepared, {options_, helpers_.get(), options}));
  result.stats.preparation = preparation;
  return result;
}

StatusOr<QueryResult> Engine::Range(const Context& context, Queryable& queryable,
                                    std::string_view query, TimestampMs start, TimestampMs end,
                                    std::int64_t step_ms, const QueryOptions& options) const {
  const auto began = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const PreparedQuery prepared,
                   PrepareRange(queryable, query, start, end, step_ms));
  const auto preparation = std::chrono::steady_clock::now() - began;
  ASSIGN_OR_RETURN(QueryResult result,
                   Evaluate(context, queryable, prepared, {options_, helpers_.get(), options}));
  result.stats.preparation = preparation;
  return result;
}

StatusOr<PlanNode> Engine::Explain(const Context& context, Queryable& queryable,
                                   std::string_view query, TimestampMs time,
                                   const QueryOptions& options) const {
  ASSIGN_OR_RETURN(const PreparedQuery prepared, PrepareInstant(queryable, query, time));
  return Query(context, queryable, prepared, {options_, helpers_.get(), options}).Explain();
}

StatusOr<PlanNode> Engine::ExplainRange(const Context& context, Queryable& queryable,
                                        std::string_view query, TimestampMs start, TimestampMs end,
                                        std::int64_t step_ms, const QueryOptions& options) const {
  ASSIGN_OR_RETURN(const PreparedQuery prepared,
                   PrepareRange(queryable, query, start, end, step_ms));
  return Query(context, queryable, prepared, {options_, helpers_.get(), options}).Explain();
}

}  // namespace aevum::promql
