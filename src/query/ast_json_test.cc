#include "query/ast_json.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "promql/parser.h"
#include "promql/pretty_printer.h"

namespace aevum::query {
namespace {

using nlohmann::json;

constexpr promql::ParseOptions kEverything = {.experimental_functions = true,
                                              .duration_expressions = true,
                                              .extended_range_selectors = true,
                                              .fill_modifiers = true};

std::string AstOf(std::string_view text) {
  const StatusOr<promql::ExprPtr> expr = promql::Parse(text, kEverything);
  EXPECT_TRUE(expr.ok()) << expr.status();
  if (!expr.ok()) return "";
  std::string out;
  JsonWriter writer([&out](std::string_view piece) {
    out += piece;
    return true;
  });
  WriteAst(**expr, writer);
  writer.Finish();
  return out;
}

// Compares with the lines that have a tree: the number of them. All others that parse must give
// JSON at least.
int CheckCorpus(std::istream& lines) {
  int compared = 0;
  for (std::string line; std::getline(lines, line);) {
    const json expected = json::parse(line);
    if (!expected["ok"].get<bool>()) continue;
    const std::string text = expected["expr"];
    SCOPED_TRACE(text.substr(0, 300));
    const std::string got = AstOf(text);
    const json parsed = json::parse(got, nullptr, /*allow_exceptions=*/false);
    EXPECT_FALSE(parsed.is_discarded()) << got;
    if (!expected.contains("ast")) continue;
    EXPECT_EQ(parsed, expected["ast"]);
    ++compared;
  }
  return compared;
}

TEST(AstJsonTest, AgreesWithPrometheus) {
  std::ifstream file(std::string(AEVUM_SOURCE_DIR) + "/src/query/testdata/parse_query.jsonl");
  EXPECT_GT(CheckCorpus(file), 20);
}

TEST(AstJsonTest, AgreesWithPrometheusOnTheWholeCorpus) {
  const std::string path = std::string(AEVUM_SHARED_DIR) + "/golden/promql/parser.jsonl.gz";
  if (!std::ifstream(path)) GTEST_SKIP() << "not there: " << path;
  std::FILE* pipe = ::popen(("gzip -dc " + path).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string text;
  char buffer[1 << 16];
  for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    text.append(buffer, got);
  ::pclose(pipe);
  std::istringstream lines(text);
  EXPECT_GT(CheckCorpus(lines), 600);
}

TEST(AstJsonTest, NamesAreSortedAsTheReferenceHasThem) {
  EXPECT_EQ(
      AstOf("-(a @ start() > bool 1)"),
      R"({"expr":{"expr":{"bool":true,"lhs":{"anchored":false,"matchers":[{"name":"__name__",)"
      R"("type":"=","value":"a"}],"name":"a","offset":0,"offsetExpr":null,"smoothed":false,)"
      R"("startOrEnd":"start","timestamp":null,"type":"vectorSelector"},"matching":null,)"
      R"("op":"\u003e","rhs":{"type":"numberLiteral","val":"1"},"type":"binaryExpr"},)"
      R"("type":"parenExpr"},"op":"-","type":"unaryExpr"})");
}

TEST(AstJsonTest, WritesWhatTheCorpusLacks) {
  const json fill = json::parse(AstOf("a + fill_left(1e-9) fill_right(NaN) b"))["matching"];
  EXPECT_EQ(fill["fillValues"], json::parse(R"({"lhs":1e-9,"rhs":null})"));
  const json minimum = json::parse(AstOf("a[min_of(5m, step())]"))["rangeExpr"];
  EXPECT_EQ(minimum["op"], "min_of");
  EXPECT_EQ(minimum["rhs"]["op"], "step");
  EXPECT_EQ(minimum["rhs"]["lhs"], nullptr);
  EXPECT_EQ(json::parse(AstOf("a offset (5m - 1m)"))["offsetExpr"]["wrapped"], true);
  EXPECT_EQ(json::parse(AstOf("+Inf"))["val"], "+Inf");
  EXPECT_EQ(json::parse(AstOf("round(a)"))["func"],
            json::parse(R"({"argTypes":["vector","scalar"],"name":"round","returnType":"vector",)"
                        R"("variadic":1})"));
}

TEST(AstJsonTest, WritesATreeAsDeepAsTheParserAllows) {
  std::string chain = "1";
  for (int i = 1; i < promql::kMaxExpressionDepth; ++i) chain += "+1";
  EXPECT_TRUE(json::accept(AstOf(chain)));
}

}  // namespace
}  // namespace aevum::query
