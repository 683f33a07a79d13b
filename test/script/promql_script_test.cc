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
        if (!result.rows.Holds(i, k)) continue;
        if (result.rows.present(i)[k] == 0) {
          series.histograms.push_back({result.TimeOf(k), result.rows.histograms(i)[k]});
          continue;
        }
        series.times.push_back(result.TimeOf(k));
        series.values.push_back(result.rows.values(i)[k]);
      }
    }
    return answer;
  }

 private:
  const Engine engine_{EngineOptions{.parse = {.experimental_functions = true,
                                               .duration_expressions = true,
                                               .extended_range_selectors = true,
                                               .fill_modifiers = true}}};
};

// Evaluations of the published scripts whose answers differ, and why. Each must differ: what is put
// right has to leave the list.
struct KnownDifference {
  std::string_view file;
  int line;
  std::string_view reason;
};
constexpr std::string_view kDelayed =
    "names are dropped at once, which is Prometheus's default, not at the end of the query";
constexpr std::string_view kMetadata = "the labels __type__ and __unit__ stay where the name goes";
constexpr KnownDifference kKnownDifferences[] = {
    {"histograms.test", 1158, kDelayed},         {"histograms.test", 1163, kDelayed},
    {"histograms.test", 1168, kDelayed},         {"histograms.test", 1179, kDelayed},
    {"histograms.test", 1184, kDelayed},         {"histograms.test", 1189, kDelayed},
    {"histograms.test", 1200, kDelayed},         {"histograms.test", 1205, kDelayed},
    {"histograms.test", 1210, kDelayed},         {"histograms.test", 1223, kDelayed},
    {"histograms.test", 1228, kDelayed},         {"histograms.test", 1233, kDelayed},
    {"name_label_dropping.test", 59, kDelayed},  {"name_label_dropping.test", 64, kDelayed},
    {"name_label_dropping.test", 69, kDelayed},  {"name_label_dropping.test", 74, kDelayed},
    {"name_label_dropping.test", 89, kDelayed},  {"name_label_dropping.test", 115, kDelayed},
    {"name_label_dropping.test", 119, kDelayed}, {"name_label_dropping.test", 123, kDelayed},
    {"native_histograms.test", 1616, kDelayed},  {"native_histograms.test", 1621, kDelayed},
    {"native_histograms.test", 1626, kDelayed},  {"native_histograms.test", 1631, kDelayed},
    {"native_histograms.test", 1635, kDelayed},  {"native_histograms.test", 1639, kDelayed},
    {"native_histograms.test", 1644, kDelayed},  {"native_histograms.test", 1648, kDelayed},
    {"native_histograms.test", 1653, kDelayed},  {"native_histograms.test", 1908, kDelayed},
    {"native_histograms.test", 1911, kDelayed},  {"native_histograms.test", 1914, kDelayed},
    {"native_histograms.test", 1917, kDelayed},  {"type_and_unit.test", 39, kMetadata},
    {"type_and_unit.test", 53, kMetadata},       {"type_and_unit.test", 56, kMetadata},
    {"type_and_unit.test", 63, kMetadata},       {"type_and_unit.test", 77, kMetadata},
    {"type_and_unit.test", 92, kMetadata},       {"type_and_unit.test", 122, kMetadata},
    {"type_and_unit.test", 140, kMetadata},      {"type_and_unit.test", 181, kMetadata},
    {"type_and_unit.test", 195, kMetadata},      {"type_and_unit.test", 198, kMetadata},
    {"type_and_unit.test", 208, kMetadata},      {"type_and_unit.test", 222, kMetadata},
    {"type_and_unit.test", 237, kMetadata},      {"type_and_unit.test", 279, kMetadata},
};

// The reason why a failure is expected, or "".
std::string_view ReasonOf(const std::string& file, const std::string& failure) {
  for (const KnownDifference& known : kKnownDifferences) {
    if (known.file == file && failure.starts_with(fmt::format("line {}: ", known.line))) {
      return known.reason;
    }
  }
  return "";
}

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
  std::map<std::string, int> refused;    // by reason
  std::map<std::string, int> different;  // by reason; failures that are not known fail the test
};

void Count(const std::string& file, const Outcome& outcome, Summary* summary) {
  summary->passed += outcome.passed;
  for (const auto& [reason, count] : outcome.refused_for) {
    summary->refused[reason] += count;
  }
  for (const std::string& failure : outcome.failures) {
    const std::string_view reason = ReasonOf(file, failure);
    if (reason.empty()) {
      ADD_FAILURE() << file << ": " << failure;
    } else {
      ++summary->different[std::string(reason)];
    }
  }
}

// Runs each script of a folder with batches of a size.
Summary RunFolder(const fs::path& folder, std::size_t batch_size) {
  EngineEvaluator evaluator;
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
    Count(file, *outcome, &summary);
  }
  std::printf("passed    %4d\n", summary.passed);
  for (const auto& [reason, count] : summary.different) {
    std::printf("different %4d: %s\n", count, reason.c_str());
  }
  for (const auto& [reason, count] : summary.refused) {
    std::printf("refused   %4d: %s\n", count, reason.c_str());
  }
  return summary;
}

class PromqlScriptTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(PromqlScriptTest, OurScripts) {
  const Summary summary =
      RunFolder(fs::path(AEVUM_SOURCE_DIR) / "test" / "script" / "promql", GetParam());
  EXPECT_GT(summary.passed, 200);
  EXPECT_TRUE(summary.refused.empty());
}

TEST_P(PromqlScriptTest, PublishedScripts) {
  const fs::path folder = fs::path(AEVUM_SHARED_DIR) / "promqltest";
  if (!fs::exists(folder)) GTEST_SKIP() << "not there: " << folder;
  const Summary summary = RunFolder(folder, GetParam());
  EXPECT_GE(summary.passed, 1788);
  std::size_t different = 0;
  for (const auto& [reason, count] : summary.different) {
    different += static_cast<std::size_t>(count);
  }
  EXPECT_EQ(different, std::size(kKnownDifferences)) << "take what is right now off the list";
}

// Many series in a batch of the source, and one.
INSTANTIATE_TEST_SUITE_P(BatchSizes, PromqlScriptTest, ::testing::Values(64, 1));

}  // namespace
}  // namespace aevum::promql::script
