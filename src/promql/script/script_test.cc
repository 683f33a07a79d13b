#include "promql/script/script.h"

#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chunk/chunk.h"
#include "promql/memory_storage.h"
#include "promql/script/histogram_notation.h"
#include "promql/script/runner.h"
#include "promql/script/series_notation.h"

namespace aevum::promql::script {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The values of a line as text: numbers, _ and "stale", H(count, sum).
std::string Sequence(const SeriesLine& line) {
  std::string out;
  for (const SequenceValue& value : line.values) {
    if (!out.empty()) out += ' ';
    if (value.missing) {
      out += '_';
    } else if (value.histogram) {
      out += fmt::format("H({}, {})", value.histogram->count, value.histogram->sum);
    } else if (std::bit_cast<std::uint64_t>(value.value) == chunk::kStaleNanBits) {
      out += "stale";
    } else {
      out += fmt::format("{}", value.value);
    }
  }
  return out;
}

TEST(SeriesNotationTest, ReadsLabelsAndSequences) {
  struct Case {
    std::string line;
    std::string labels;
    std::string values;
  };
  const Case cases[] = {
      {"metric 1 2.5 -3", R"({__name__="metric"})", "1 2.5 -3"},
      {"{} 1", "{}", "1"},
      {R"(m{a="b", c = 'd e',} 1)", R"({__name__="m", a="b", c="d e"})", "1"},
      {R"({"a.b", "c d"="x"} 1)", R"({__name__="a.b", "c d"="x"})", "1"},
      {R"(m{a="\u00e9\x41\n\101\""} 1)", "{__name__=\"m\", a=\"éA\\nA\\\"\"}", "1"},
      {"m{a=`\\n`} 1", R"({__name__="m", a="\\n"})", "1"},
      {"m{a=\"\"} 1", R"({__name__="m"})", "1"},
      {"m 1x2", R"({__name__="m"})", "1 1 1"},
      {"m 1+2x3", R"({__name__="m"})", "1 3 5 7"},
      {"m 1-0.5x2", R"({__name__="m"})", "1 0.5 0"},
      {"m -1--2x1", R"({__name__="m"})", ""},
      {"m _ _x2 stale", R"({__name__="m"})", "_ _ _ stale"},
      {"m stalex1", R"({__name__="m"})", "stale stale"},
      {"m 1e3+1e+2x1 0x2", R"({__name__="m"})", "1000 1100 0 0 0"},
      {"m Inf -inf +Infx1 NaN", R"({__name__="m"})", "inf -inf inf inf nan"},
      {"m\t1   2 ", R"({__name__="m"})", "1 2"},
      {"m {{schema:0 sum:2 count:3 buckets:[1 2]}}x1", R"({__name__="m"})", "H(3, 2) H(3, 2)"},
      {"m {{count:3}}+{{count:2 sum:1}}x2", R"({__name__="m"})", "H(3, 0) H(5, 1) H(7, 2)"},
      {"m {{schema:0 count:1}}+{{schema:1 count:1}}x1", R"({__name__="m"})", "H(1, 0) H(2, 0)"},
      {"m {{count:3}}-{{count:1}}x1 1", R"({__name__="m"})", "H(3, 0) H(2, 0) 1"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.line);
    const StatusOr<SeriesLine> line = ParseSeriesLine(c.line);
    if (c.values.empty()) {
      EXPECT_FALSE(line.ok());
      continue;
    }
    ASSERT_TRUE(line.ok()) << line.status();
    EXPECT_EQ(line->labels.ToString(), c.labels);
    EXPECT_EQ(Sequence(*line), c.values);
  }
}

TEST(SeriesNotationTest, ReadsStartTimestamps) {
  EXPECT_TRUE(IsStartLine("m{a=\"b\"}@st 1m"));
  EXPECT_FALSE(IsStartLine("m 1 @st"));
  const StatusOr<SeriesLine> line =
      ParseStartLine("m{a=\"b\"}@st _x2 -1m30sx1 +5ms 0-1mx2 -59999ms");
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->labels.Get("a"), "b");
  std::vector<std::int64_t> offsets;
  for (const SequenceValue& value : line->values) {
    EXPECT_EQ(value.missing, !value.start_offset_ms.has_value());
    offsets.push_back(value.start_offset_ms.value_or(1));
  }
  EXPECT_THAT(offsets, ElementsAre(1, 1, -90'000, -90'000, 5, 0, -60'000, -120'000, -59'999));
  for (const std::string_view bad :
       {"m 1m", "m@st foo", "m@st --1m", "m@st 1m+1m", "m@st 1m+x2", "m@st 1mx", "m@st 5"}) {
    EXPECT_FALSE(ParseStartLine(bad).ok()) << bad;
  }
}

TEST(SeriesNotationTest, RefusesWhatIsNotWellFormed) {
  struct Case {
    std::string line;
    std::string message;
  };
  const Case cases[] = {
      {"", "a line has no series"},
      {"m{", "a label has no name"},
      {"m{a} 1", "a label has no value: a"},
      {"m{a=\"b} 1", "a string has no end"},
      {"m{a=b} 1", "a string has no quotes"},
      {"m{a=\"b\" c=\"d\"} 1", "labels have no end"},
      {"m{a=\"\\q\"} 1", "bad string"},
      {"m{a=\"\\xg0\"} 1", "bad string"},
      {"m 1+2", "a step has no number of repetitions"},
      {"m 1+x2", "not a step"},
      {"m 1x", "bad number of repetitions"},
      {"m 1x99999999999999999999", "bad number of repetitions"},
      {"m 1x1000001", "bad number of repetitions"},
      {"m 1x1000000 1", "too many samples"},
      {"m foo", "not a sample"},
      {"m 1y", "unexpected behind a sample"},
      {"m {{count:1", "a histogram has no end"},
      {"m {{bogus:1}}", "unknown part of a histogram"},
      {"m {{count}}", "has no value"},
      {"m {{buckets:1}}", "not in brackets"},
      {"m {{schema:1e99}}", "not a whole number in range"},
      {"m {{counter_reset_hint:maybe}}", "unknown counter reset hint"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.line);
    const Status status = ParseSeriesLine(c.line).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
  EXPECT_EQ(ParseSeriesLine("m {{schema:2}}+{{schema:1}}x3").status().code(),
            StatusCode::kUnimplemented);
}

TEST(HistogramNotationTest, ComparesBucketsWhateverTheirSpans) {
  std::string_view text =
      "{{schema:1 count:4 sum:3 z_bucket:1 z_bucket_w:0.5 buckets:[0 1 0 2] offset:-1 "
      "n_buckets:[1] "
      "counter_reset_hint:gauge}}";
  const StatusOr<HistogramText> read = ParseHistogram(&text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->reset_hint_given);
  model::FloatHistogram other = read->histogram;
  other.positive_spans = {{0, 1}, {1, 1}};
  other.positive_buckets = {1, 2};
  EXPECT_TRUE(HistogramsEqual(read->histogram, other, true));
  other.reset_hint = model::ResetHint::kUnknown;
  EXPECT_FALSE(HistogramsEqual(read->histogram, other, true));
  EXPECT_TRUE(HistogramsEqual(read->histogram, other, false));
  other.positive_spans[0].offset = 1;
  EXPECT_FALSE(HistogramsEqual(read->histogram, other, false));
}

TEST(HistogramNotationTest, AllowsAMillionthBetweenNumbers) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(AlmostEqual(1, 1.000001));
  EXPECT_FALSE(AlmostEqual(1, 1.00001));
  EXPECT_TRUE(AlmostEqual(nan, nan));
  EXPECT_FALSE(AlmostEqual(nan, 1));
  EXPECT_FALSE(AlmostEqual(0, 1e-9));
  EXPECT_TRUE(AlmostEqual(0, -0.0));
  EXPECT_TRUE(AlmostEqual(infinity, infinity));
  EXPECT_FALSE(AlmostEqual(infinity, -infinity));
  EXPECT_FALSE(AlmostEqual(1e308, infinity));
}

TEST(ScriptTest, ReadsCommands) {
  const StatusOr<std::vector<Command>> commands = ParseScript(R"(# A comment.
load 1m
  a 1
  b{x="y"} 2 3

clear
eval instant at 1m30s sum by (x) (a)
  expect warn msg: something (1:5)
  expect info regex: a|b
  expect ordered
  {x="y"} 1

eval range from 0 to 5m step 1m a + 1
  expect no_warn
  expect no_info
  {} 1 2 _ 4

eval_fail instant at 0 a + b
  expected_fail_message many-to-many

eval instant at 2m a[1m]
  expect range vector from 1m to 2m step 30s
  a 1 2 3

eval instant at 0 "x"
  expect string "x y"

eval instant at 0 1
  1)");
  ASSERT_TRUE(commands.ok()) << commands.status();
  ASSERT_EQ(commands->size(), 8U);
  const auto& load = std::get<Load>((*commands)[0]);
  EXPECT_EQ(load.step_ms, 60'000);
  EXPECT_EQ(load.series.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<Clear>((*commands)[1]));
  const auto& instant = std::get<Eval>((*commands)[2]);
  EXPECT_EQ(instant.line, 7);
  EXPECT_EQ(instant.query, "sum by (x) (a)");
  EXPECT_EQ(instant.start_ms, 90'000);
  EXPECT_EQ(instant.step_ms, 0);
  EXPECT_TRUE(instant.ordered);
  ASSERT_EQ(instant.warnings.size(), 1U);
  EXPECT_TRUE(instant.warnings[0].Matches("something (1:5)"));
  EXPECT_FALSE(instant.warnings[0].Matches("something (1:51)"));
  EXPECT_TRUE(instant.infos.at(0).Matches("xbx"));
  const auto& range = std::get<Eval>((*commands)[3]);
  EXPECT_TRUE(range.range && range.no_warnings && range.no_infos);
  EXPECT_EQ(range.query, "a + 1");
  EXPECT_EQ(range.end_ms, 300'000);
  EXPECT_EQ(range.step_ms, 60'000);
  EXPECT_EQ(std::get<Eval>((*commands)[4]).fail->text, "many-to-many");
  const auto& vector = std::get<Eval>((*commands)[5]);
  EXPECT_TRUE(vector.range_vector);
  EXPECT_EQ(vector.vector_step_ms, 30'000);
  EXPECT_EQ(std::get<Eval>((*commands)[6]).text, "x y");
  EXPECT_EQ(std::get<Eval>((*commands)[7]).scalar, 1);
}

TEST(ScriptTest, RefusesWhatIsNotWellFormed) {
  struct Case {
    std::string script;
    std::string message;
  };
  const Case cases[] = {
      {"bogus", "line 1: unknown command: bogus"},
      {"load_all 1m", "unknown command: load_all"},
      {"load x", "line 1"},
      {"load 1m\n  a 1\n  b x", "line 3: not a sample: x"},
      {"eval twice at 1m a", "neither instant nor range: twice"},
      {"eval_quietly instant at 1m a", "unknown command: eval_quietly"},
      {"eval instant in 1m a", "expected \"at\", got \"in\""},
      {"eval range from 2m to 1m step 1m a", "the end is before the start"},
      {"load 1m\n  m@st 1m\n", "an @st line has no line of samples"},
      {"load 1m\n  m@st 1m\n  n 1\n", "not that of the next line"},
      {"load 1m\n  m@st 1mx1\n  m 1\n", "not that of the next line: 2 and 1 values"},
      {"eval range from 0 to 1m step 0 a", "the step is not above zero"},
      {"eval instant at 1m a\n  a 1 2", "needs one value"},
      {"eval instant at 1m a\n  expect joy", "unknown expectation: joy"},
      {"eval instant at 1m a\n  expect fail text: x", "neither msg nor regex"},
      {"eval instant at 1m a\n  expect fail regex: (", "bad regular expression"},
      {"eval instant at 1m a\n  expect warn\n  expect no_warn", "exclude one another"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.script);
    const Status status = ParseScript(c.script).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

// Answers what the test puts into it, and notes what it was asked.
class FakeEvaluator final : public Evaluator {
 public:
  StatusOr<Answer> Evaluate(Queryable& /*source*/, std::string_view query, TimestampMs start_ms,
                            TimestampMs end_ms, std::int64_t step_ms) override {
    asked.push_back(fmt::format("{} {} {} {}", query, start_ms, end_ms, step_ms));
    return step_ms == 0 ? instant : range;
  }

  StatusOr<Answer> instant = Answer{};
  StatusOr<Answer> range = Answer{};
  std::vector<std::string> asked;
};

Answer Vector(std::vector<AnswerSeries> series) {
  return {.type = ValueType::kVector, .series = std::move(series)};
}

Answer Matrix(std::vector<AnswerSeries> series) {
  return {.type = ValueType::kMatrix, .series = std::move(series)};
}

TEST(RunnerTest, ComparesInstantQueriesAlsoAsRanges) {
  const model::Labels a = model::Labels::Of({{"x", "a"}});
  constexpr std::string_view kScript = "eval instant at 1m q\n  {x=\"a\"} 3\n";
  FakeEvaluator evaluator;
  evaluator.instant = Vector({{a, {60'000}, {3}, {}}});
  evaluator.range = Matrix({{a, {0, 60'000}, {1, 3}, {}}});
  StatusOr<Outcome> outcome = RunScript(kScript, evaluator);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_THAT(outcome->failures, IsEmpty());
  EXPECT_EQ(outcome->passed, 1);
  EXPECT_THAT(evaluator.asked, ElementsAre("q 60000 60000 0", "q 0 120000 60000"));

  evaluator.range = Matrix({{a, {0, 120'000}, {3, 3}, {}}});
  outcome = RunScript(kScript, evaluator);
  EXPECT_EQ(outcome->passed, 0);
  EXPECT_THAT(outcome->failures, ElementsAre(HasSubstr("no series {x=\"a\"}")));

  outcome = RunScript(kScript, evaluator, {.instant_as_range = false});
  EXPECT_EQ(outcome->passed, 1);
}

TEST(RunnerTest, CountsRefusalsApart) {
  FakeEvaluator evaluator;
  evaluator.instant = Unimplemented("no such function");
  const StatusOr<Outcome> outcome =
      RunScript("eval instant at 1m q\n  {} 1\n\neval instant at 1m r\n  expect fail\n", evaluator);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->passed, 0);
  EXPECT_THAT(outcome->failures, IsEmpty());
  EXPECT_EQ(outcome->refusals.size(), 2U);
  EXPECT_EQ(outcome->refused_for.at("no such function"), 2);
}

TEST(RunnerTest, LoadsStartTimestamps) {
  class Reading final : public Evaluator {
   public:
    StatusOr<Answer> Evaluate(Queryable& source, std::string_view /*query*/, TimestampMs /*start*/,
                              TimestampMs /*end*/, std::int64_t /*step*/) override {
      ASSIGN_OR_RETURN(const auto stream, source.Select(Context::Background(), {}, {}));
      ASSIGN_OR_RETURN(const auto batch, stream->Next());
      columns.Clear();
      columns.with_starts = true;
      RETURN_IF_ERROR(batch->Decode(0, &columns));
      RETURN_IF_ERROR(batch->Decode(0, &plain));
      return Vector({});
    }
    chunk::Columns columns;
    chunk::Columns plain;
  };
  Reading evaluator;
  const StatusOr<Outcome> outcome = RunScript(
      "load 1m\n  a@st _ -30s _ -1m +2s\n  a _ 1 2 3 {{count:1}}\n\neval instant at 1m q\n",
      evaluator, {.instant_as_range = false});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_THAT(evaluator.columns.times, ElementsAre(60'000, 120'000, 180'000));
  EXPECT_THAT(evaluator.columns.starts, ElementsAre(30'000, 0, 120'000));
  EXPECT_THAT(evaluator.columns.histogram_starts, ElementsAre(242'000));
  EXPECT_EQ(evaluator.plain.times.size(), 3U);
  EXPECT_TRUE(evaluator.plain.starts.empty() && evaluator.plain.histogram_starts.empty());
}

TEST(RunnerTest, LoadsSeriesAndTheirCustomBuckets) {
  class Counting final : public Evaluator {
   public:
    StatusOr<Answer> Evaluate(Queryable& source, std::string_view /*query*/, TimestampMs /*start*/,
                              TimestampMs /*end*/, std::int64_t /*step*/) override {
      ASSIGN_OR_RETURN(const auto stream, source.Select(Context::Background(), {}, {}));
      Answer answer{.type = ValueType::kVector};
      while (true) {
        ASSIGN_OR_RETURN(const auto batch, stream->Next());
        if (!batch) break;
        batches.push_back(batch->size());
        for (std::size_t i = 0; i < batch->size(); ++i) {
          chunk::Columns columns;
          RETURN_IF_ERROR(batch->Decode(i, &columns));
          AnswerSeries series{
              .labels = batch->labels(i), .times = columns.times, .values = columns.values};
          if (!columns.histograms.empty()) {
            series.histograms.push_back(
                {columns.histogram_times.back(),
                 std::make_shared<model::FloatHistogram>(columns.histograms.back())});
          }
          answer.series.push_back(std::move(series));
        }
      }
      return answer;
    }
    std::vector<std::size_t> batches;
  };
  Counting evaluator;
  const StatusOr<Outcome> outcome =
      RunScript(R"(load_with_nhcb 1m
  h_bucket{le="1"} _ 2
  h_bucket{le="+Inf"} _ 5
  h_sum _ 7
  h_count _ 5

eval instant at 1m q
  h_bucket{le="1"} 2
  h_bucket{le="+Inf"} 5
  h_sum 7
  h_count 5
  h {{schema:-53 custom_values:[1] sum:7 count:5 buckets:[2 3]}}
)",
                evaluator, {.batch_size = 2, .instant_as_range = false});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_THAT(outcome->failures, IsEmpty());
  EXPECT_EQ(outcome->passed, 1);
  EXPECT_THAT(evaluator.batches, ElementsAre(2, 2, 1));
}

TEST(RunnerTest, SeesEveryKindOfDifference) {
  const model::Labels a = model::Labels::Of({{"x", "a"}});
  const model::Labels b = model::Labels::Of({{"x", "b"}});
  const Answer two = Vector({{b, {60'000}, {2}, {}}, {a, {60'000}, {1}, {}}});
  Answer warned = two;
  warned.warnings = {"PromQL warning: w (1:1)"};
  struct Case {
    std::string name;
    std::string expected;
    StatusOr<Answer> answer;
    std::string difference;  // "": none
  };
  const Case cases[] = {
      {"any order", "{x=\"a\"} 1\n{x=\"b\"} 2", two, ""},
      {"order", "expect ordered\n{x=\"a\"} 1\n{x=\"b\"} 2", two, "is at position 1"},
      {"right order", "expect ordered\n{x=\"b\"} 2\n{x=\"a\"} 1", two, ""},
      {"value", "{x=\"a\"} 1\n{x=\"b\"} 3", two, "expected 3"},
      {"one too many", "{x=\"a\"} 1", two, "unexpected series"},
      {"one missing", "{x=\"a\"} 1\n{x=\"b\"} 2\n{x=\"c\"} 2", two, "no series {x=\"c\"}"},
      {"kind", "{x=\"a\"} 1\n{x=\"b\"} {{count:1}}", two, "wrong or no histogram"},
      {"scalar for vector", "1", two, "expected a scalar"},
      {"scalar", "1", Answer{.type = ValueType::kScalar, .scalar = 1}, ""},
      {"wrong scalar", "1", Answer{.type = ValueType::kScalar, .scalar = 2}, "expected 1"},
      {"string", "expect string \"a\"", Answer{.type = ValueType::kString, .text = "a"}, ""},
      {"wrong string", "expect string \"a\"", Answer{.type = ValueType::kString, .text = "b"},
       "expected \"a\""},
      {"matrix", "{x=\"a\"} 1", Matrix({{a, {60'000}, {1}, {}}}), "range vector"},
      {"range vector", "expect range vector from 0 to 1m step 1m\n{x=\"a\"} 0 1",
       Matrix({{a, {0, 60'000}, {0, 1}, {}}}), ""},
      {"time in a range vector", "expect range vector from 0 to 1m step 1m\n{x=\"a\"} 0 1",
       Matrix({{a, {0, 59'999}, {0, 1}, {}}}), "at 60000"},
      {"twice", "{x=\"a\"} 1", Vector({{a, {60'000}, {1}, {}}, {a, {60'000}, {1}, {}}}), "twice"},
      {"error", "{x=\"a\"} 1", InvalidArgument("broken"), "failed: broken"},
      {"expected error", "expect fail msg: broken", InvalidArgument("broken"), ""},
      {"other error", "expect fail msg: broke", InvalidArgument("broken"), "expected the error"},
      {"no error", "expect fail", two, "expected an error"},
      {"no warning", "expect warn\n{x=\"a\"} 1\n{x=\"b\"} 2", two, "no warning"},
      {"unwanted warning", "expect no_warn\n{x=\"a\"} 1\n{x=\"b\"} 2", warned,
       "unexpected warning"},
      {"ignored warning", "{x=\"a\"} 1\n{x=\"b\"} 2", warned, ""},
      {"wanted warning", "expect warn regex: w\n{x=\"a\"} 1\n{x=\"b\"} 2", warned, ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const StatusOr<std::vector<Command>> commands =
        ParseScript("eval instant at 1m q\n" + c.expected);
    ASSERT_TRUE(commands.ok()) << commands.status();
    const std::string difference = Difference(std::get<Eval>(commands->at(0)), c.answer);
    if (c.difference.empty()) {
      EXPECT_EQ(difference, "");
    } else {
      EXPECT_THAT(difference, HasSubstr(c.difference));
    }
  }
}

TEST(ScriptTest, ReadsThePublishedScripts) {
  const std::filesystem::path folder = std::filesystem::path(AEVUM_SHARED_DIR) / "promqltest";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "not there: " << folder;
  int evaluations = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".test") continue;
    SCOPED_TRACE(entry.path().filename());
    std::ifstream file(entry.path());
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const StatusOr<std::vector<Command>> commands = ParseScript(text);
    ASSERT_TRUE(commands.ok()) << commands.status();
    for (const Command& command : *commands) evaluations += std::holds_alternative<Eval>(command);
  }
  EXPECT_EQ(evaluations, 2214);
}

}  // namespace
}  // namespace aevum::promql::script
