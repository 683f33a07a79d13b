// Runs the scripts of test/script/promql, and Prometheus's own where they are present, over the
// engine.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/memory_budget.h"
#include "promql/engine/engine.h"
#include "promql/script/runner.h"

namespace aevum::promql::script {
namespace {

namespace fs = std::filesystem;

// A way to run every script: the answers must be the same.
struct Mode {
  std::string_view name;
  std::size_t batch_size = 64;  // series in a batch of the source
  std::size_t threads = 1;
  std::size_t series_per_range = 0;
  // Each query is tried with these budgets first. Refused for want of memory, it is asked again
  // without a limit.
  std::vector<std::int64_t> budgets = {};
};

// Whether an error says whose budget it was, who asked, and for how much.
bool NamesWhoAsked(const Status& status) {
  static const std::regex form(
      "query memory budget of [0-9]+ bytes is used up: [a-z_ ]+ asks for [0-9]+ bytes, [0-9]+ are "
      "in use");
  return std::regex_search(std::string(status.message()), form);
}

class EngineEvaluator final : public Evaluator {
 public:
  EngineEvaluator(EngineOptions options, const Mode& mode)
      : budgets_(mode.budgets), engine_(With(std::move(options), mode)) {}

  int within() const { return within_; }
  int refused() const { return refused_; }

  StatusOr<Answer> Evaluate(Queryable& source, std::string_view query, TimestampMs start_ms,
                            TimestampMs end_ms, std::int64_t step_ms) override {
    const auto evaluate = [&](const Context& context) {
      return step_ms == 0 ? engine_.Instant(context, source, query, start_ms)
                          : engine_.Range(context, source, query, start_ms, end_ms, step_ms);
    };
    const Context context = Context::Background().WithTimeout(std::chrono::seconds(60));
    for (const std::int64_t bytes : budgets_) {
      const auto budget = std::make_shared<MemoryBudget>("query", bytes);
      {
        auto result = evaluate(context.WithBudget(budget));
        if (result.status().code() != StatusCode::kResourceExhausted) {
          ++within_;
          RETURN_IF_ERROR(result.status());
          return AnswerOf(*result);
        }
        EXPECT_TRUE(NamesWhoAsked(result.status())) << query << ": " << result.status();
        ++refused_;
      }
      EXPECT_EQ(budget->used_bytes(), 0) << query;
    }
    ASSIGN_OR_RETURN(const QueryResult result, evaluate(context));
    return AnswerOf(result);
  }

 private:
  static Answer AnswerOf(const QueryResult& result) {
    Answer answer{.type = result.type,
                  .scalar = result.scalar,
                  .text = result.text,
                  .warnings = result.warnings,
                  .infos = result.infos};
    for (const QueryResult::Range& range : result.ranges) {
      AnswerSeries& series =
          answer.series.emplace_back(AnswerSeries{range.labels, range.times, range.values, {}});
      for (std::size_t k = 0; k < range.histograms.size(); ++k)
        series.histograms.push_back({range.histogram_times[k], range.histograms[k]});
    }
    for (std::size_t i = 0; i < result.rows.size(); ++i) {
      AnswerSeries& series = answer.series.emplace_back();
      series.labels = result.rows.labels(i);
      for (std::size_t k = 0; k < result.rows.steps(); ++k) {
        const HistogramPtr* histograms = result.rows.histograms(i);
        if (histograms != nullptr && histograms[k] != nullptr)
          series.histograms.push_back({result.TimeOf(k), histograms[k]});
        if (result.rows.present(i)[k] == 0) continue;
        series.times.push_back(result.TimeOf(k));
        series.values.push_back(result.rows.values(i)[k]);
      }
    }
    return answer;
  }

  static EngineOptions With(EngineOptions options, const Mode& mode) {
    options.threads = mode.threads;
    options.series_per_range = mode.series_per_range;
    return options;
  }

  const std::vector<std::int64_t> budgets_;
  const Engine engine_;
  int within_ = 0;   // evaluations that had enough of a budget
  int refused_ = 0;  // and those that had not
};

constexpr ParseOptions kEverything = {.experimental_functions = true,
                                      .duration_expressions = true,
                                      .extended_range_selectors = true,
                                      .fill_modifiers = true,
                                      .x_functions = true};

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> Scripts(const fs::path& folder) {
  std::vector<fs::path> scripts;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".test") scripts.push_back(entry.path());
  }
  std::sort(scripts.begin(), scripts.end());
  return scripts;
}

struct Summary {
  int passed = 0;
  std::map<std::string, int> refused;  // by reason
};

// Runs each script of a folder; answers that differ fail the test.
Summary RunFolder(const fs::path& folder, const EngineOptions& options, const Mode& mode) {
  EngineEvaluator evaluator(options, mode);
  Summary summary;
  for (const fs::path& path : Scripts(folder)) {
    const std::string file = path.filename().string();
    SCOPED_TRACE(file);
    const StatusOr<Outcome> outcome =
        RunScript(ReadFile(path), evaluator, {.batch_size = mode.batch_size});
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    if (!outcome.ok()) continue;
    std::printf("%-28s passed %4d, different %3zu, refused %4zu\n", file.c_str(), outcome->passed,
                outcome->failures.size(), outcome->refusals.size());
    summary.passed += outcome->passed;
    for (const auto& [reason, count] : outcome->refused_for) summary.refused[reason] += count;
    for (const std::string& failure : outcome->failures) ADD_FAILURE() << file << ": " << failure;
  }
  std::printf("passed    %4d\n", summary.passed);
  if (!mode.budgets.empty()) {
    std::printf("within a budget %d, refused for memory %d\n", evaluator.within(),
                evaluator.refused());
    EXPECT_GT(evaluator.within(), 0);
    EXPECT_GT(evaluator.refused(), 0);
  }
  for (const auto& [reason, count] : summary.refused) {
    std::printf("refused   %4d: %s\n", count, reason.c_str());
  }
  return summary;
}

class PromqlScriptTest : public ::testing::TestWithParam<Mode> {};

TEST_P(PromqlScriptTest, OurScripts) {
  const fs::path folder = fs::path(AEVUM_SOURCE_DIR) / "test" / "script" / "promql";
  const Summary summary =
      RunFolder(folder, {.parse = kEverything, .use_start_timestamps = true}, GetParam());
  EXPECT_GT(summary.passed, 200);
  EXPECT_TRUE(summary.refused.empty());
}

// Where names are dropped at the end of the query.
TEST_P(PromqlScriptTest, OurScriptsOfDelayedNames) {
  const fs::path folder = fs::path(AEVUM_SOURCE_DIR) / "test" / "script" / "promql_delayed_names";
  const Summary summary = RunFolder(
      folder, {.delayed_name_removal = true, .parse = kEverything, .use_start_timestamps = true},
      GetParam());
  EXPECT_GT(summary.passed, 20);
  EXPECT_TRUE(summary.refused.empty());
}

// Prometheus runs its own with names dropped at the end.
TEST_P(PromqlScriptTest, PublishedScripts) {
  const fs::path folder = fs::path(AEVUM_SHARED_DIR) / "promqltest";
  if (!fs::exists(folder)) GTEST_SKIP() << "not there: " << folder;
  const Summary summary = RunFolder(
      folder, {.delayed_name_removal = true, .parse = kEverything, .use_start_timestamps = true},
      GetParam());
  EXPECT_GE(summary.passed, 2214);
  EXPECT_TRUE(summary.refused.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Modes, PromqlScriptTest,
    ::testing::Values(Mode{.name = "OneThread"},
                      Mode{.name = "ManyThreads", .threads = 7, .series_per_range = 1},
                      Mode{.name = "BatchesOfOneSeries", .batch_size = 1, .series_per_range = 1},
                      Mode{.name = "TinyMemory", .budgets = {500, 5'000, 50'000}}),
    [](const ::testing::TestParamInfo<Mode>& mode) { return std::string(mode.param.name); });

}  // namespace
}  // namespace aevum::promql::script
