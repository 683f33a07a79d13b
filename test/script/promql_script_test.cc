// Runs the scripts of test/script/promql, and Prometheus's own where they are present, over the
// engine.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "promql/engine/engine.h"
#include "promql/script/runner.h"

namespace aevum::promql::script {
namespace {

namespace fs = std::filesystem;

class EngineEvaluator final : public Evaluator {
 public:
  explicit EngineEvaluator(const EngineOptions& options) : engine_(options) {}

  StatusOr<Answer> Evaluate(Queryable& source, std::string_view query, TimestampMs start_ms,
                            TimestampMs end_ms, std::int64_t step_ms) override {
    const Context context = Context::Background().WithTimeout(std::chrono::seconds(60));
    ASSIGN_OR_RETURN(const QueryResult result,
                     step_ms == 0
                         ? engine_.Instant(context, source, query, start_ms)
                         : engine_.Range(context, source, query, start_ms, end_ms, step_ms));
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

 private:
  const Engine engine_;
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

// Runs each script of a folder with batches of a size; answers that differ fail the test.
Summary RunFolder(const fs::path& folder, const EngineOptions& options, std::size_t batch_size) {
  EngineEvaluator evaluator(options);
  Summary summary;
  for (const fs::path& path : Scripts(folder)) {
    const std::string file = path.filename().string();
    SCOPED_TRACE(file);
    const StatusOr<Outcome> outcome =
        RunScript(ReadFile(path), evaluator, {.batch_size = batch_size});
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    if (!outcome.ok()) continue;
    std::printf("%-28s passed %4d, different %3zu, refused %4zu\n", file.c_str(), outcome->passed,
                outcome->failures.size(), outcome->refusals.size());
    summary.passed += outcome->passed;
    for (const auto& [reason, count] : outcome->refused_for) summary.refused[reason] += count;
    for (const std::string& failure : outcome->failures) ADD_FAILURE() << file << ": " << failure;
  }
  std::printf("passed    %4d\n", summary.passed);
  for (const auto& [reason, count] : summary.refused) {
    std::printf("refused   %4d: %s\n", count, reason.c_str());
  }
  return summary;
}

class PromqlScriptTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(PromqlScriptTest, OurScripts) {
  const fs::path folder = fs::path(AEVUM_SOURCE_DIR) / "test" / "script" / "promql";
  const Summary summary = RunFolder(folder, {.parse = kEverything}, GetParam());
  EXPECT_GT(summary.passed, 200);
  EXPECT_TRUE(summary.refused.empty());
}

// Where names are dropped at the end of the query.
TEST_P(PromqlScriptTest, OurScriptsOfDelayedNames) {
  const fs::path folder = fs::path(AEVUM_SOURCE_DIR) / "test" / "script" / "promql_delayed_names";
  const Summary summary =
      RunFolder(folder, {.delayed_name_removal = true, .parse = kEverything}, GetParam());
  EXPECT_GT(summary.passed, 20);
  EXPECT_TRUE(summary.refused.empty());
}

// Prometheus runs its own with names dropped at the end.
TEST_P(PromqlScriptTest, PublishedScripts) {
  const fs::path folder = fs::path(AEVUM_SHARED_DIR) / "promqltest";
  if (!fs::exists(folder)) GTEST_SKIP() << "not there: " << folder;
  const Summary summary =
      RunFolder(folder, {.delayed_name_removal = true, .parse = kEverything}, GetParam());
  EXPECT_GE(summary.passed, 2000);
}

// Many series in a batch of the source, and one.
INSTANTIATE_TEST_SUITE_P(BatchSizes, PromqlScriptTest, ::testing::Values(64, 1));

}  // namespace
}  // namespace aevum::promql::script
