#include "promql/engine/remote_rows.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "promql/engine/remote_text.h"

namespace aevum::promql {
namespace {

constexpr std::int64_t kSecond = 1000;
// What queriers take: 64 bits of nanoseconds.
constexpr TimestampMs kMaxTime = INT64_MAX / 1'000'000;

// How far the steps are behind a whole second.
std::int64_t ShiftOf(const Grid& grid) {
  const std::int64_t rest = grid.start % kSecond;
  return rest < 0 ? rest + kSecond : rest;
}

// The leaf has understood the question and can't answer it.
bool IsRefusal(StatusCode code) {
  return code == StatusCode::kAborted || code == StatusCode::kUnknown ||
         code == StatusCode::kInvalidArgument || code == StatusCode::kUnimplemented ||
         code == StatusCode::kFailedPrecondition;
}

// Whether no label sorts after the name of the metric, which was dropped. Only then can the series
// have changed places by that: {A, __name__} comes after {A, B, __name__}, but {A} before {A, B}.
bool NameWasLast(const model::Labels& labels) {
  return labels.empty() || labels[labels.size() - 1].name < model::kMetricName;
}

// The place at the end of an annotation, "(1:7)", as an offset into a text of one line; -1 when
// there is none.
int PlaceOf(std::string_view annotation, std::size_t* begin) {
  constexpr std::string_view kFirstLine = " (1:";
  *begin = annotation.rfind(kFirstLine);
  if (*begin == std::string_view::npos || !annotation.ends_with(')')) return -1;
  const std::string_view column = annotation.substr(*begin + kFirstLine.size());
  int value = 0;
  const auto [last, error] = std::from_chars(column.data(), column.data() + column.size(), value);
  return error == std::errc() && *last == ')' ? value - 1 : -1;
}

class RemoteRowsOperator final : public Operator {
 public:
  RemoteRowsOperator(const RemotePart& part, QueryState& state, std::size_t steps, RemoteText text,
                     RemoteQuestion question)
      : part_(part),
        state_(state),
        steps_(steps),
        text_(std::move(text)),
        question_(std::move(question)) {}

  StatusOr<bool> Next(RowBatch* out) override {
    if (sources_.empty()) Start();
    RETURN_IF_ERROR(state_.context.status());
    out->Reset(steps_, state_.context.budget());
    return part_.ordered ? NextMerged(out) : NextOfAny(out);
  }

 private:
  struct Source {
    RemoteEngine* engine = nullptr;
    std::unique_ptr<RemoteStream> stream;  // null at the end
    RowBatch rows;
    std::size_t next = 0;
    model::Labels last;  // labels of the row before
    bool any = false;

    const model::Labels& head() const { return rows.labels(next); }
  };

  void Start() {
    for (const std::size_t leaf : part_.leaves) {
      Source source;
      source.engine = state_.plan->distribution().leaves[leaf].engine.get();
      source.stream = source.engine->Execute(state_.context, question_);
      sources_.push_back(std::move(source));
    }
  }

  StatusOr<bool> NextOfAny(RowBatch* out) {
    for (Source& source : sources_) {
      if (source.stream == nullptr) continue;
      ASSIGN_OR_RETURN(const bool more, Pull(source, out));
      if (more) return true;
    }
    return false;
  }

  StatusOr<bool> NextMerged(RowBatch* out) {
    const std::size_t wanted = RowBatch::RowsPerBatch(steps_);
    while (out->size() < wanted) {
      Source* least = nullptr;
      for (Source& source : sources_) {
        RETURN_IF_ERROR(Fill(source));
        if (source.stream == nullptr) continue;
        if (least == nullptr || source.head() < least->head()) least = &source;
      }
      if (least == nullptr) break;
      RETURN_IF_ERROR(out->AddCopy(least->rows, least->next, "rows of other queriers"));
      ++least->next;
    }
    return !out->empty();
  }

  // Makes sure that the source has a row, or is at its end.
  Status Fill(Source& source) {
    while (source.stream != nullptr && source.next == source.rows.size()) {
      ASSIGN_OR_RETURN(const bool more, Pull(source, &source.rows));
      source.next = 0;
      if (more) RETURN_IF_ERROR(CheckOrder(source));
    }
    return OkStatus();
  }

  Status CheckOrder(Source& source) {
    for (std::size_t i = 0; i < source.rows.size(); ++i) {
      const model::Labels& labels = source.rows.labels(i);
      if (std::exchange(source.any, true) && !(source.last < labels))
        return Doubt(source, "its rows are not in the order of their labels");
      if (part_.drops_names && NameWasLast(labels))
        return Doubt(source, "without the name of the metric another order may hold");
      source.last = labels;
    }
    return OkStatus();
  }

  // The next rows of a source; false at its end, also when that is an error that is only told.
  StatusOr<bool> Pull(Source& source, RowBatch* rows) {
    StatusOr<bool> more = source.stream->Next(rows);
    if (!more.ok()) {
      RETURN_IF_ERROR(Fail(source, more.status()));
      more = false;
    }
    if (*more) {
      RETURN_IF_ERROR(CheckZeros(source, *rows));
      return true;
    }
    for (const std::string& warning : source.stream->warnings()) Tell(warning);
    state_.samples.fetch_add(source.stream->samples(), std::memory_order_relaxed);
    source.stream = nullptr;
    rows->Reset(steps_, state_.context.budget());
    return false;
  }

  // OK when the failure is only told.
  Status Fail(const Source& source, const Status& status) {
    RETURN_IF_ERROR(state_.context.status());
    if (IsRefusal(status.code())) return Doubt(source, status.message());
    // What fails here, and not there.
    if (status.code() == StatusCode::kResourceExhausted) return status;
    std::string text =
        fmt::format("receive rows from querier {}: rpc error: code = {} desc = {}",
                    source.engine->name(), StatusCodeName(status.code()), status.message());
    if (!state_.plan->distribution().partial_response) {
      return MakeError(status.code() == StatusCode::kUnavailable ? StatusCode::kUnavailable
                                                                 : StatusCode::kAborted,
                       std::move(text));
    }
    state_.annotations.AddStoreWarning(std::move(text));
    return OkStatus();
  }

  // Which of two equal zeros a leaf has chosen may depend on series of others.
  Status CheckZeros(const Source& source, const RowBatch& rows) {
    if (part_.merge == nullptr) return OkStatus();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double* values = rows.values(i);
      if (std::any_of(values, values + steps_, [](double v) { return v == 0 && std::signbit(v); }))
        return Doubt(source, "a value is -0");
    }
    return OkStatus();
  }

  Status Doubt(const Source& source, std::string_view why) {
    return state_.plan->Doubt(fmt::format("querier {}: {}", source.engine->name(), why));
  }

  // Annotations of the leaf's text become those of this query.
  void Tell(std::string_view warning) {
    constexpr std::string_view kWarning = "PromQL warning: ";
    constexpr std::string_view kInfo = "PromQL info: ";
    const bool is_warning = warning.starts_with(kWarning);
    if (!is_warning && !warning.starts_with(kInfo)) {
      state_.annotations.AddStoreWarning(std::string(warning));
      return;
    }
    warning.remove_prefix(is_warning ? kWarning.size() : kInfo.size());
    std::size_t begin = 0;
    const auto place = text_.places.find(PlaceOf(warning, &begin));
    const Expr& expr = place == text_.places.end() ? *part_.expr : *place->second;
    std::string text(warning.substr(0, begin));
    if (is_warning) {
      state_.annotations.AddWarning(std::move(text), expr);
    } else {
      state_.annotations.AddInfo(std::move(text), expr);
    }
  }

  const RemotePart& part_;
  QueryState& state_;
  const std::size_t steps_;
  const RemoteText text_;
  const RemoteQuestion question_;
  std::vector<Source> sources_;
};

}  // namespace

bool CanAskLeaves(const RemotePart& part, const Grid& grid, const QueryState& state) {
  if (grid.start < -kMaxTime || grid.start > kMaxTime) return false;
  if (grid.steps > 1 && (grid.step <= 0 || grid.step % kSecond != 0)) return false;
  if (grid.steps == 0 || state.lookback_ms <= 0 || state.lookback_ms % kSecond != 0) return false;
  return part.shiftable || ShiftOf(grid) == 0;
}

StatusOr<OperatorPtr> MakeRemoteRows(const RemotePart& part, QueryState& state, const Grid& grid) {
  DistributedPlan& plan = *state.plan;
  const std::int64_t shift = ShiftOf(grid);
  StatusOr<RemoteText> text =
      MakeRemoteText(*part.expr, shift, plan.distribution().enforced, state, plan.parse());
  if (!text.ok()) return plan.Doubt(std::string(text.status().message()));
  RemoteQuestion question{.query = text->text,
                          .start = grid.start - shift,
                          .step_ms = grid.steps > 1 ? grid.step : kSecond,
                          .steps = grid.steps,
                          .lookback_ms = state.lookback_ms};
  return OperatorPtr(std::make_unique<RemoteRowsOperator>(part, state, grid.steps, *std::move(text),
                                                          std::move(question)));
}

}  // namespace aevum::promql
