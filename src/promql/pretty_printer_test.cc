#include "promql/pretty_printer.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "promql/parser.h"

namespace aevum::promql {
namespace {

constexpr ParseOptions kEverything = {.experimental_functions = true,
                                      .duration_expressions = true,
                                      .extended_range_selectors = true,
                                      .fill_modifiers = true};

// Compares with the lines of a corpus that have a formatted text: the number of lines checked.
int CheckCorpus(std::istream& lines) {
  int checked = 0;
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json expected = nlohmann::json::parse(line);
    if (!expected.contains("formatted")) continue;
    const std::string text = expected["expr"];
    SCOPED_TRACE(text.substr(0, 300));
    const StatusOr<ExprPtr> expr = Parse(text, kEverything);
    EXPECT_TRUE(expr.ok()) << expr.status();
    if (!expr.ok()) continue;
    EXPECT_EQ(Prettify(**expr), expected["formatted"].get<std::string>());
    ++checked;
  }
  return checked;
}

TEST(PrettyPrinterTest, AgreesWithPrometheus) {
  std::ifstream file(std::string(AEVUM_SOURCE_DIR) + "/src/promql/testdata/parser.jsonl");
  EXPECT_GT(CheckCorpus(file), 50);
}

TEST(PrettyPrinterTest, AgreesWithPrometheusOnTheWholeCorpus) {
  const std::string path = std::string(AEVUM_SHARED_DIR) + "/golden/promql/parser.jsonl.gz";
  if (!std::ifstream(path)) GTEST_SKIP() << "not there: " << path;
  std::FILE* pipe = ::popen(("gzip -dc " + path).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string text;
  char buffer[1 << 16];
  for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    text.append(buffer, got);
  }
  ::pclose(pipe);
  std::istringstream lines(text);
  EXPECT_GT(CheckCorpus(lines), 1'000);
}

TEST(PrettyPrinterTest, SplitsWhatIsLongerThanALine) {
  const std::string name(60, 'm');
  struct Case {
    std::string expr;
    std::string pretty;
  };
  const Case cases[] = {
      {name, name},
      {name + "+" + name, "  " + name + "\n+\n  " + name},
      {name + " > bool on(a) group_left(b) " + name,
       "  " + name + "\n> bool on (a) group_left (b)\n  " + name},
      {"topk by (a) (2, " + name + "{x=\"" + name + "\"})",
       "topk by (a) (\n  2,\n  " + name + "{x=\"" + name + "\"}\n)"},
      {"label_join(" + name + ", \"" + name + "\", \"a\")",
       "label_join(\n  " + name + ",\n  \"" + name + "\",\n  \"a\"\n)"},
      {"-(" + name + "+" + name + ")", "-(\n    " + name + "\n  +\n    " + name + "\n)"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.expr);
    const StatusOr<ExprPtr> expr = Parse(c.expr);
    ASSERT_TRUE(expr.ok()) << expr.status();
    EXPECT_EQ(Prettify(**expr), c.pretty);
  }
}

TEST(PrettyPrinterTest, GivesLongTextInPieces) {
  std::string chain = "{a=\"\xc3\xa9\"}";
  for (int i = 0; i < 1'400; ++i) chain += " + {a=\"\xc3\xa9\"}";
  const StatusOr<ExprPtr> expr = Parse(chain);
  ASSERT_TRUE(expr.ok()) << expr.status();
  std::string whole;
  std::size_t pieces = 0;
  Prettify(**expr, [&](std::string_view piece) {
    ++pieces;
    EXPECT_LT(piece.size(), std::size_t{64} << 10);
    EXPECT_NE(piece.front(), '\xa9');  // no character is cut
    whole += piece;
  });
  EXPECT_GT(whole.size(), std::size_t{1} << 20);
  EXPECT_GT(pieces, 100U);
  EXPECT_EQ(whole, Prettify(**expr));
}

TEST(PrettyPrinterTest, TheResultMeansTheSame) {
  std::string nested = "m";
  for (int i = 0; i < 300; ++i) nested = "sum(-(" + nested + "))";
  const StatusOr<ExprPtr> expr = Parse(nested);
  ASSERT_TRUE(expr.ok()) << expr.status();
  const std::string pretty = Prettify(**expr);
  const StatusOr<ExprPtr> again = Parse(pretty);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(Prettify(**again), pretty);
}

}  // namespace
}  // namespace aevum::promql
