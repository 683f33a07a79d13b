// Runs a test script: loads its series, evaluates its queries, compares the answers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "model/histogram.h"
#include "model/labels.h"
#include "promql/ast.h"
#include "promql/memory_storage.h"
#include "promql/script/script.h"

namespace aevum::promql::script {

struct AnswerHistogram {
  TimestampMs time = 0;
  std::shared_ptr<const model::FloatHistogram> value;
};

struct AnswerSeries {
  model::Labels labels;
  std::vector<TimestampMs> times;  // of the floats
  std::vector<double> values;
  std::vector<AnswerHistogram> histograms;
};

// What a query gave. A vector has one sample in each series, at the time of the query.
struct Answer {
  ValueType type = ValueType::kNone;
  double scalar = 0;
  std::string text;
  std::vector<AnswerSeries> series;
  std::vector<std::string> warnings;  // as the API gives them, with their places
  std::vector<std::string> infos;
};

// The engine under test. A step of zero asks for an instant query at `start_ms`.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  // Unimplemented for what the engine does not have yet.
  virtual StatusOr<Answer> Evaluate(Queryable& source, std::string_view query, TimestampMs start_ms,
                                    TimestampMs end_ms, std::int64_t step_ms) = 0;
};

struct RunOptions {
  std::size_t batch_size = 64;  // series in a batch of the storage
  // Evaluates every instant query also as a range query around its time, whose middle step must be
  // the same.
  bool instant_as_range = true;
};

// The result of a script. `failures` and `refusals` hold a line each: place, query, reason.
struct Outcome {
  int passed = 0;
  std::vector<std::string> failures;
  std::vector<std::string> refusals;       // the engine answered Unimplemented
  std::map<std::string, int> refused_for;  // its reasons, counted
};

// InvalidArgument when the script is not well formed; nothing is evaluated then.
StatusOr<Outcome> RunScript(std::string_view text, Evaluator& evaluator,
                            const RunOptions& options = {});

// "" when the answer is what the evaluation expects, else what differs.
std::string Difference(const Eval& eval, const StatusOr<Answer>& answer);

}  // namespace aevum::promql::script
