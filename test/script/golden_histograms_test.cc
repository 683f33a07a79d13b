// Queries over native histograms with the answers of Prometheus 3.14, compared as text: every digit
// counts. The series are read from dumps of its blocks.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "chunk/chunk.h"
#include "promql/engine/engine.h"
#include "promql/memory_storage.h"
#include "query/json_writer.h"

namespace aevum::promql {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kGolden = fs::path(AEVUM_SHARED_DIR) / "golden";

// The lines of a compressed file.
std::vector<std::string> ReadLines(const fs::path& path) {
  std::FILE* pipe = ::popen(("gzip -dc " + path.string()).c_str(), "r");
  std::string text;
  char buffer[1 << 16];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    text.append(buffer, n);
  }
  ::pclose(pipe);
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  return lines;
}

// ---- dumps: see the README beside them ----

double ParseValue(const std::string& text) {
  if (text == "stale") return std::bit_cast<double>(chunk::kStaleNanBits);
  if (text == "NaN") return std::bit_cast<double>(chunk::kNormalNanBits);
  if (text.starts_with("NaN:"))
    return std::bit_cast<double>(
        static_cast<std::uint64_t>(std::stoull(text.substr(4), nullptr, 16)));
  return std::strtod(text.c_str(), nullptr);
}

std::vector<double> ParseValues(const std::string& text) {
  std::vector<double> values;
  std::istringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) values.push_back(ParseValue(item));
  return values;
}

std::vector<model::Span> ParseSpans(const std::string& text) {
  std::vector<model::Span> spans;
  std::istringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) {
    const std::size_t colon = item.find(':');
    spans.push_back({std::stoi(item.substr(0, colon)),
                     static_cast<std::uint32_t>(std::stoul(item.substr(colon + 1)))});
  }
  return spans;
}

model::ResetHint ParseHint(const std::string& text) {
  if (text == "reset") return model::ResetHint::kReset;
  if (text == "noreset") return model::ResetHint::kNoReset;
  return text == "gauge" ? model::ResetHint::kGauge : model::ResetHint::kUnknown;
}

model::FloatHistogram ParseHistogram(std::istream& words) {
  model::FloatHistogram h;
  std::string hint, schema, threshold, zero_count, count, sum;
  words >> hint >> schema >> threshold >> zero_count >> count >> sum;
  h.reset_hint = ParseHint(hint);
  h.schema = std::stoi(schema);
  h.zero_threshold = ParseValue(threshold);
  h.zero_count = ParseValue(zero_count);
  h.count = ParseValue(count);
  h.sum = ParseValue(sum);
  for (std::string part; words >> part;) {
    const std::string value = part.substr(2);
    const std::size_t bar = value.find('|');
    if (part[0] == 'c') {
      h.custom_values = ParseValues(value);
    } else if (part[0] == 'p') {
      h.positive_spans = ParseSpans(value.substr(0, bar));
      h.positive_buckets = ParseValues(value.substr(bar + 1));
    } else {
      h.negative_spans = ParseSpans(value.substr(0, bar));
      h.negative_buckets = ParseValues(value.substr(bar + 1));
    }
  }
  return h;
}

void LoadDump(const fs::path& path, MemoryStorage* storage) {
  model::Labels labels;
  TimestampMs time = 0;
  for (const std::string& line : ReadLines(path)) {
    if (line.starts_with("C ")) continue;
    if (line.starts_with("S ")) {
      model::LabelsBuilder builder{model::Labels()};
      const json names = json::parse(line.substr(2));
      for (const auto& [name, value] : names.items())
        builder.Set(name, value.get_ref<const std::string&>());
      labels = builder.Build();
      time = 0;
      continue;
    }
    std::istringstream words(line);
    std::string value;
    TimestampMs step = 0;
    words >> step >> value;
    time += step;
    if (value == "h" || value == "fh") {
      storage->AppendHistogram(labels, time, ParseHistogram(words));
    } else {
      storage->Append(labels, time, ParseValue(value));
    }
  }
}

// The blocks of cluster us1, without the one of late samples.
void LoadBlocks(MemoryStorage* storage) {
  for (const auto& block : fs::directory_iterator(kGolden / "buckets" / "raw")) {
    std::ifstream file(block.path() / "meta.json");
    const json meta = json::parse(file);
    if (meta["thanos"]["labels"]["cluster"] != "us1") continue;
    if (meta["compaction"].contains("hints")) continue;
    LoadDump(kGolden / "buckets" / "dumps" / "raw" / (block.path().filename().string() + ".txt.gz"),
             storage);
  }
}

// ---- answers ----

StatusOr<QueryResult> Evaluate(const Engine& engine, const json& request, MemoryStorage& storage) {
  const auto milliseconds = [&](const char* key) {
    return static_cast<std::int64_t>(std::llround(request[key].get<double>() * 1000));
  };
  const std::string query = request["query"];
  if (!request.contains("start"))
    return engine.Instant(Context::Background(), storage, query, milliseconds("time"));
  return engine.Range(Context::Background(), storage, query, milliseconds("start"),
                      milliseconds("end"), milliseconds("step"));
}

std::set<std::string> Texts(const json& request, const char* key) {
  if (!request.contains(key)) return {};
  return request[key].get<std::set<std::string>>();
}

// Series in the order of their labels, since the order of an instant vector is open.
json Sorted(json data) {
  data.erase("analysis");
  if (data["resultType"] == "vector") {
    std::sort(data["result"].begin(), data["result"].end(),
              [](const json& a, const json& b) { return a["metric"] < b["metric"]; });
  }
  return data;
}

// "" when the answer is the expected one.
std::string Difference(const json& request, const StatusOr<QueryResult>& result) {
  if (!result.ok()) {
    return request["expect"] == "error" ? "" : fmt::format("failed: {}", result.status().message());
  }
  if (request["expect"] == "error") return "expected an error";
  std::string text;
  query::JsonWriter writer([&](std::string_view piece) {
    text += piece;
    return true;
  });
  writer.QueryData(*result, query::StatsDetail::kNone);
  writer.Finish();
  const json actual = Sorted(json::parse(text));
  const json expected = Sorted(request["result"]);
  const std::set<std::string> warnings(result->warnings.begin(), result->warnings.end());
  const std::set<std::string> infos(result->infos.begin(), result->infos.end());
  if (warnings != Texts(request, "warnings") || infos != Texts(request, "infos"))
    return fmt::format("other annotations: {}",
                       json(result->warnings).dump() + json(result->infos).dump());
  if (actual == expected) return "";
  return json::diff(expected, actual).dump().substr(0, 400);
}

// Replays a file of cases; what is refused goes by its reason, everything else must be right. With
// several threads each takes one series at a time.
int Replay(const fs::path& cases, const ParseOptions& features, std::size_t threads,
           std::map<std::string, int>* refused) {
  const Engine engine{EngineOptions{.parse = features,
                                    .threads = threads,
                                    .series_per_range = static_cast<std::size_t>(threads > 1)}};
  MemoryStorage storage;
  LoadBlocks(&storage);
  int right = 0;
  for (const std::string& line : ReadLines(cases)) {
    const json request = json::parse(line);
    const StatusOr<QueryResult> result = Evaluate(engine, request, storage);
    if (result.status().code() == StatusCode::kUnimplemented) {
      ++(*refused)[std::string(result.status().message())];
      continue;
    }
    const std::string difference = Difference(request, result);
    if (difference.empty()) {
      ++right;
    } else {
      ADD_FAILURE() << request["name"] << ": " << request["query"] << ": " << difference;
    }
  }
  std::printf("right %d\n", right);
  for (const auto& [reason, count] : *refused)
    std::printf("refused %4d: %s\n", count, reason.c_str());
  return right;
}

class GoldenHistogramsTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(GoldenHistogramsTest, AnswersAsPrometheus) {
  const fs::path cases = kGolden / "promql" / "histograms.jsonl.gz";
  if (!fs::exists(cases)) GTEST_SKIP() << "not there: " << cases;
  std::map<std::string, int> refused;
  EXPECT_GE(Replay(cases, {}, GetParam(), &refused), 1322);
  EXPECT_TRUE(refused.empty());
}

// What Prometheus has behind feature flags.
TEST_P(GoldenHistogramsTest, AnswersExperimentalQueriesAsPrometheus) {
  const fs::path cases = kGolden / "promql" / "experimental.jsonl.gz";
  if (!fs::exists(cases)) GTEST_SKIP() << "not there: " << cases;
  std::map<std::string, int> refused;
  EXPECT_GE(Replay(cases,
                   {.experimental_functions = true,
                    .duration_expressions = true,
                    .extended_range_selectors = true,
                    .fill_modifiers = true},
                   GetParam(), &refused),
            222);
  EXPECT_TRUE(refused.empty());
}

INSTANTIATE_TEST_SUITE_P(Threads, GoldenHistogramsTest, ::testing::Values(1, 7));

}  // namespace
}  // namespace aevum::promql
