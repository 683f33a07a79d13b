#include "model/matcher.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "model/regex.h"

namespace aevum::model {
namespace {

using nlohmann::json;

// A string, or {"hex": "..."} where it is not UTF-8.
std::string Text(const json& value) {
  if (value.is_string()) return value;
  const std::string hex = value["hex"];
  std::string text;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    text += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return text;
}

int CheckVectors(std::istream& file) {
  int checked = 0;
  for (std::string line; std::getline(file, line); ++checked) {
    const json vector = json::parse(line);
    const std::string pattern = Text(vector["p"]);
    SCOPED_TRACE("pattern " + pattern);
    const StatusOr<Matcher> matcher = Matcher::Create(MatchType::kRegex, "x", pattern);
    const bool refused = vector.contains("error") && vector["error"] == true;
    EXPECT_EQ(matcher.ok(), !refused) << matcher.status();
    if (!matcher.ok() || refused) continue;
    const std::string expected = vector["m"];
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::string value = Text(vector["v"][i]);
      EXPECT_EQ(matcher->Matches(value), expected[i] == '1') << "value \"" << value << '"';
    }
  }
  return checked;
}

TEST(MatcherTest, MatchesRegularExpressionsAsPrometheus) {
  std::ifstream file(std::string(AEVUM_SOURCE_DIR) + "/src/model/testdata/regex.jsonl");
  EXPECT_GT(CheckVectors(file), 100);
}

TEST(MatcherTest, MatchesAllRegularExpressionsAsPrometheus) {
  std::ifstream file(std::string(AEVUM_SHARED_DIR) + "/golden/vectors/regex/regex.jsonl");
  if (!file) GTEST_SKIP() << "the large set of vectors is not here";
  EXPECT_GT(CheckVectors(file), 300);
}

TEST(MatcherTest, ComparesText) {
  const Matcher equal = Matcher::Equal("job", "a");
  EXPECT_TRUE(equal.Matches("a"));
  EXPECT_FALSE(equal.Matches("ab"));
  const Matcher different = *Matcher::Create(MatchType::kNotEqual, "job", "a");
  EXPECT_TRUE(different.MatchesEmpty());
  EXPECT_FALSE(different.Matches(Labels::Of({{"job", "a"}})));
  const Matcher not_regex = *Matcher::Create(MatchType::kNotRegex, "job", "a|b");
  EXPECT_FALSE(not_regex.Matches("b"));
  EXPECT_EQ(not_regex.set_matches(), (std::vector<std::string>{"a", "b"}));
}

TEST(MatcherTest, KnowsSetsOfLiteralText) {
  struct Case {
    std::string pattern;
    std::vector<std::string> set;
  };
  const Case cases[] = {{"b|a|b", {"a", "b"}},
                        {"(10\\.0\\.0\\.7:80|x\\|y)", {"10.0.0.7:80", "x|y"}},
                        {"(?:a\\)|)", {"", "a)"}},
                        {"a\\\\", {"a\\"}},
                        {"a.b", {}},
                        {"\\d|a", {}},
                        {"a\\n", {}},
                        {"(a)|(b)", {}}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.pattern);
    const Matcher matcher = *Matcher::Create(MatchType::kRegex, "job", c.pattern);
    EXPECT_EQ(matcher.set_matches(), c.set);
    for (const std::string& value : c.set) EXPECT_TRUE(matcher.Matches(value)) << value;
    EXPECT_FALSE(matcher.Matches("c"));
  }
  EXPECT_FALSE(Matcher::Create(MatchType::kRegex, "job", "(a\\)").ok());
}

TEST(MatcherTest, PrintsAsPromql) {
  const Matchers matchers = {Matcher::Equal("job", "a\"b"),
                             *Matcher::Create(MatchType::kNotRegex, "a.b", "x.*")};
  EXPECT_EQ(ToString(matchers), R"({job="a\"b","a.b"!~"x.*"})");
}

TEST(MatcherTest, NamesThePatternThatDoesNotCompile) {
  const Status status = Matcher::Create(MatchType::kRegex, "job", "a(").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("`a(`"), std::string_view::npos);
  for (const char* pattern : {"a)(b", "\\C", "[", "(?<n"}) {
    EXPECT_FALSE(Matcher::Create(MatchType::kRegex, "job", pattern).ok()) << pattern;
  }
}

TEST(MatcherTest, ReadsTheSpellingsOfGo) {
  struct Case {
    std::string pattern;
    std::string matches;
  };
  const Case cases[] = {{"(?<name>x+)y", "xxy"},
                        {"[(?<a>]+", "(?<a>"},
                        {"[]a]+", "]a"},
                        {"\\Q(?<\\C\\E.", "(?<\\Cz"},
                        {"\\\\C", "\\C"}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.pattern);
    const StatusOr<Matcher> matcher = Matcher::Create(MatchType::kRegex, "job", c.pattern);
    ASSERT_TRUE(matcher.ok()) << matcher.status();
    EXPECT_TRUE(matcher->Matches(c.matches));
  }
}

}  // namespace
}  // namespace aevum::model
