#include "promql/parser.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "promql/printer.h"

namespace aevum::promql {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr ParseOptions kEverything = {.experimental_functions = true,
                                      .duration_expressions = true,
                                      .extended_range_selectors = true,
                                      .fill_modifiers = true};

// Compares with lines of the golden corpus: the number of lines checked.
int CheckCorpus(std::istream& lines) {
  int checked = 0;
  for (std::string line; std::getline(lines, line); ++checked) {
    const json expected = json::parse(line);
    const std::string text = expected["expr"];
    SCOPED_TRACE(text.substr(0, 300));
    const StatusOr<ExprPtr> got = Parse(text, kEverything);
    EXPECT_EQ(got.ok(), expected["ok"].get<bool>()) << got.status();
    if (!got.ok() && expected.contains("error")) {
      // The API names the parameter first.
      const std::string error = expected["error"];
      const std::size_t start = error.find("\"query\": ");
      EXPECT_EQ(std::string(got.status().message()),
                start == std::string::npos ? error : error.substr(start + 9));
    }
    // Longer expressions are spread over lines by the formatter; the printer writes one.
    if (got.ok() && expected.contains("formatted") &&
        expected["formatted"].get<std::string>().find('\n') == std::string::npos) {
      EXPECT_EQ(ToString(**got), expected["formatted"].get<std::string>());
    }
  }
  return checked;
}

TEST(ParserTest, AgreesWithPrometheus) {
  std::ifstream file(std::string(AEVUM_SOURCE_DIR) + "/src/promql/testdata/parser.jsonl");
  EXPECT_GT(CheckCorpus(file), 100);
}

TEST(ParserTest, AgreesWithPrometheusOnTheWholeCorpus) {
  const std::string path = std::string(AEVUM_SHARED_DIR) + "/golden/promql/parser.jsonl.gz";
  if (!std::ifstream(path)) GTEST_SKIP() << "the whole corpus is not here";
  std::FILE* pipe = ::popen(("gzip -dc " + path).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string text;
  char buffer[1 << 16];
  for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    text.append(buffer, got);
  ::pclose(pipe);
  std::istringstream lines(text);
  EXPECT_GT(CheckCorpus(lines), 2'000);
}

std::string Error(std::string_view text, const ParseOptions& options = {}) {
  return std::string(Parse(text, options).status().message());
}

TEST(ParserTest, PointsAtThePlace) {
  EXPECT_EQ(Error(""), "unknown position: parse error: no expression found in input");
  EXPECT_EQ(Error("up +"), "1:5: parse error: unexpected end of input");
  EXPECT_EQ(Error("up\n  + sum(1"), "2:10: parse error: unclosed left parenthesis");
  EXPECT_EQ(Error("nothing(up)"), "1:1: parse error: unknown function with name \"nothing\"");
}

TEST(ParserTest, ExperimentalPartsAreSwitchedOff) {
  EXPECT_THAT(Error("info(up)"), HasSubstr("function \"info\" is not enabled"));
  EXPECT_THAT(Error("limitk(1, up)"), HasSubstr("limitk() is experimental"));
  EXPECT_THAT(Error("up[5m+1m]"), HasSubstr("experimental duration expression is not enabled"));
  EXPECT_THAT(Error("up[5m] anchored"), HasSubstr("anchored modifier is experimental"));
  EXPECT_THAT(Error("a + fill(1) b"), HasSubstr("fill modifiers are experimental"));
}

TEST(ParserTest, XFunctionsAreUnknownWithoutTheirFlag) {
  const ParseOptions with_them{.x_functions = true};
  for (const std::string name : {"xrate", "xincrease", "xdelta"}) {
    EXPECT_EQ(Error(name + "(up[5m])"),
              "1:1: parse error: unknown function with name \"" + name + "\"");
    EXPECT_EQ(Error(name + "(up[5m])", kEverything), Error(name + "(up[5m])"));
    EXPECT_TRUE(Parse(name + "(up[5m])", with_them).ok());
    EXPECT_TRUE(Parse(name + " + 1").ok()) << "a metric of that name";
    EXPECT_EQ(Error(name + "(up)", with_them),
              "1:" + std::to_string(name.size() + 2) +
                  ": parse error: expected type range vector in call to function \"" + name +
                  "\", got instant vector");
  }
}

TEST(ParserTest, DepthIsBounded) {
  for (const std::string& text :
       {std::string(100'000, '(') + "1" + std::string(100'000, ')'),
        std::string(100'000, '-') + "a", "a[" + std::string(100'000, '(') + "1"}) {
    EXPECT_THAT(Error(text, kEverything), HasSubstr("nests deeper than"));
  }
  std::string sum = "1";
  for (int i = 0; i < 100'000; ++i) sum += "+1";
  EXPECT_THAT(Error(sum), HasSubstr("nests deeper than"));
  std::string or_chain = "a";
  for (int i = 0; i < 1'000; ++i) or_chain += " or a";
  EXPECT_EQ(Error(or_chain), "");
}

TEST(ParserTest, LargeInputTakesLinearTime) {
  std::string text = "{a=~\"";
  text += std::string(8 << 20, 'x') + "\"}";
  EXPECT_TRUE(Parse(text).ok());
}

TEST(ParseSelectorTest, TakesASelectorAlone) {
  const StatusOr<model::Matchers> matchers = ParseSelector("up{job!=\"x\"}");
  ASSERT_TRUE(matchers.ok());
  EXPECT_EQ(ToString(*matchers), R"({job!="x",__name__="up"})");
  EXPECT_FALSE(ParseSelector("up + 1").ok());
  EXPECT_FALSE(ParseSelector("").ok());
  EXPECT_TRUE(ParseSelector("{}").ok());
}

TEST(UnquoteTest, KnowsEscapes) {
  EXPECT_EQ(*Unquote(R"("a\n\x41\101\u00e9\"'")"), "a\nAA\xc3\xa9\"'");
  EXPECT_EQ(*Unquote(R"('\'"')"), "'\"");
  EXPECT_EQ(*Unquote("`a\\n`"), "a\\n");
  for (const char* bad : {"\"\\'\"", "\"\\x4\"", "\"a", "\"", "", "\"\\q\"", "\"a\"b\""})
    EXPECT_FALSE(Unquote(bad).ok()) << bad;
}

TEST(ParseNumberTest, KnowsBases) {
  EXPECT_EQ(*ParseNumber("0x1F"), 31);
  EXPECT_EQ(*ParseNumber("017"), 15);
  EXPECT_EQ(*ParseNumber("089"), 89);
  EXPECT_EQ(*ParseNumber("1_000.5e-1"), 100.05);
  EXPECT_EQ(*ParseNumber("1e-400"), 0);
  EXPECT_FALSE(ParseNumber("1e400").ok());
  EXPECT_FALSE(ParseNumber("1e").ok());
}

}  // namespace
}  // namespace aevum::promql
