#include "promql/script/runner.h"

#include <utility>

#include <fmt/format.h>

#include "promql/script/classic_histograms.h"

namespace aevum::promql::script {
namespace {

// A minute on both sides, as the reference does.
constexpr std::int64_t kAroundMs = 60'000;

// The middle step of a range query as the answer of an instant query.
Answer MiddleStep(Answer answer, TimestampMs time) {
  answer.type = ValueType::kVector;
  std::erase_if(answer.series, [&](AnswerSeries& series) {
    AnswerSeries kept{.labels = series.labels};
    for (std::size_t i = 0; i < series.times.size(); ++i) {
      if (series.times[i] != time) continue;
      kept.times.push_back(time);
      kept.values.push_back(series.values[i]);
    }
    for (AnswerHistogram& histogram : series.histograms) {
      if (histogram.time == time) kept.histograms.push_back(std::move(histogram));
    }
    series = std::move(kept);
    return series.times.empty() && series.histograms.empty();
  });
  return answer;
}

// Executes commands one after the other.
class Runner {
 public:
  Runner(Evaluator& evaluator, const RunOptions& options)
      : evaluator_(evaluator), options_(options), storage_(options.batch_size) {}

  void Execute(const Clear& /*clear*/) { storage_.Clear(); }

  void Execute(const Load& load) {
    for (const SeriesLine& line : load.series) {
      TimestampMs time = 0;
      for (const SequenceValue& value : line.values) {
        const TimestampMs start = value.start_offset_ms ? time + *value.start_offset_ms : 0;
        if (value.histogram) {
          storage_.AppendHistogram(line.labels, time, *value.histogram, start);
        } else if (!value.missing) {
          storage_.Append(line.labels, time, value.value, start);
        }
        time += load.step_ms;
      }
    }
    if (load.with_custom_buckets) AppendCustomBuckets(load, &storage_);
    storage_.DeriveResetHints();
  }

  void Execute(const Eval& eval) {
    const StatusOr<Answer> answer =
        evaluator_.Evaluate(storage_, eval.query, eval.start_ms, eval.end_ms, eval.step_ms);
    if (!Accept(eval, answer)) return;
    if (eval.range || !options_.instant_as_range || !answer.ok() || AsksForQuery(eval.query) ||
        answer->type == ValueType::kString || answer->type == ValueType::kMatrix) {
      ++outcome_.passed;
      return;
    }
    if (Accept(AroundIts(eval), EvaluateAround(eval, answer->type))) ++outcome_.passed;
  }

  Outcome TakeOutcome() && { return std::move(outcome_); }

 private:
  // What holds for the middle of a range query: no order, and the other steps may warn too.
  static Eval AroundIts(Eval eval) {
    eval.ordered = false;
    eval.warnings.clear();
    eval.infos.clear();
    eval.no_warnings = false;
    eval.no_infos = false;
    // A range query has no scalars, only a series without labels.
    if (eval.scalar) {
      eval.series = {{model::Labels(), {{.value = *eval.scalar}}}};
      eval.scalar.reset();
    }
    return eval;
  }

  // What start(), end(), range() and step() give depends on the query around.
  static bool AsksForQuery(std::string_view query) {
    for (const std::string_view call : {"start()", "end()", "range()", "step()"}) {
      if (query.find(call) != std::string_view::npos) return true;
    }
    return false;
  }

  StatusOr<Answer> EvaluateAround(const Eval& eval, ValueType type) {
    StatusOr<Answer> answer = evaluator_.Evaluate(storage_, eval.query, eval.start_ms - kAroundMs,
                                                  eval.start_ms + kAroundMs, kAroundMs);
    if (!answer.ok()) {
      return Annotate(answer.status(), "as a range query");
    }
    if (answer->type != ValueType::kMatrix) {
      return Internal("a range query gave a {} for a {}", ValueTypeName(answer->type),
                      ValueTypeName(type));
    }
    return MiddleStep(std::move(*answer), eval.start_ms);
  }

  // True when the answer is as expected; else notes the failure or refusal.
  bool Accept(const Eval& eval, const StatusOr<Answer>& answer) {
    if (answer.status().code() == StatusCode::kUnimplemented) {
      Refuse(eval, answer.status().message());
      return false;
    }
    const std::string difference = Difference(eval, answer);
    if (difference.empty()) return true;
    outcome_.failures.push_back(fmt::format("line {}: {}: {}", eval.line, eval.query, difference));
    return false;
  }

  void Refuse(const Eval& eval, std::string_view reason) {
    outcome_.refusals.push_back(fmt::format("line {}: {}: {}", eval.line, eval.query, reason));
    ++outcome_.refused_for[std::string(reason)];
  }

  Evaluator& evaluator_;
  const RunOptions& options_;
  MemoryStorage storage_;
  Outcome outcome_;
};

}  // namespace

StatusOr<Outcome> RunScript(std::string_view text, Evaluator& evaluator,
                            const RunOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<Command> commands, ParseScript(text));
  Runner runner(evaluator, options);
  for (const Command& command : commands) {
    std::visit([&](const auto& c) { runner.Execute(c); }, command);
  }
  return std::move(runner).TakeOutcome();
}

}  // namespace aevum::promql::script
