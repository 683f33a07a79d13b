#include "cli/flags.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <CLI/CLI.hpp>

#include "base/files.h"

namespace aevum::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

struct Values {
  std::string text = "default";
  std::vector<std::string> list = {"x", "y"};
  bool on = true;
  bool off = false;
  std::int64_t count = 20;
  std::string level = "info";
  Nanoseconds go_duration = std::chrono::minutes(90);
  Nanoseconds prometheus_duration = std::chrono::minutes(2);
  std::uint64_t bytes = 0;
  std::vector<std::pair<std::string, std::string>> pairs;
  std::string form;
  std::vector<std::string> levels = {"info"};
  std::vector<std::int64_t> numbers = {1, 2};
  std::vector<Nanoseconds> durations = {std::chrono::minutes(5)};
};

class FlagSetTest : public ::testing::Test {
 protected:
  FlagSetTest() : flags_(app_) {
    flags_.String({"text", "A text."}, &values_.text);
    flags_.Strings({"list", "Texts."}, &values_.list);
    flags_.Bool({"on", "On."}, &values_.on);
    flags_.Bool({"off", "Off."}, &values_.off);
    flags_.Int({"count", "A number."}, &values_.count);
    flags_.Enum({"level", "One of."}, {"info", "warn"}, &values_.level);
    flags_.GoDuration({"go", "A time."}, &values_.go_duration);
    flags_.PrometheusDuration({"prom", "A time."}, &values_.prometheus_duration);
    flags_.Bytes({"bytes", "A size."}, &values_.bytes);
    flags_.QuotedPairs({"pair", "A label."}, &values_.pairs);
    flags_.String({"form", "A form.", "FORM", Visibility::kShown, 'o'}, &values_.form);
    flags_.Enums({"levels", "Some of."}, {"info", "warn"}, &values_.levels);
    flags_.Ints({"numbers", "Numbers."}, &values_.numbers);
    flags_.GoDurations({"durations", "Times."}, &values_.durations);
    flags_.Refused({"bucket", "A bucket."}, "there is none");
    flags_.RefusedBool({"upload", "Uploads."}, "there is none");
  }

  // The error of a command line, or "".
  std::string Parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());
    try {
      app_.parse(arguments);
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
    return "";
  }

  CLI::App app_;
  Values values_;
  FlagSet flags_;
};

TEST_F(FlagSetTest, KeepsDefaultsAndShowsThem) {
  EXPECT_EQ(Parse({}), "");
  EXPECT_EQ(values_.count, 20);
  const std::string help = app_.help();
  for (const char* shown :
       {"default", "x,y", "20", "1h30m0s", "2m", "info|warn", "Not available: there is none"}) {
    EXPECT_THAT(help, HasSubstr(shown));
  }
}

TEST_F(FlagSetTest, TakesValuesInBothForms) {
  EXPECT_EQ(
      Parse({"--text=a", "--list", "b", "--list=c,d", "--no-on", "--off", "--count", "-3",
             "--level=warn", "--go=1m30s", "--prom=1d", "--bytes=3KB", "--pair=a=\"b \\\"c\""}),
      "");
  EXPECT_EQ(values_.text, "a");
  EXPECT_THAT(values_.list, ElementsAre("b", "c,d"));
  EXPECT_FALSE(values_.on);
  EXPECT_TRUE(values_.off);
  EXPECT_EQ(values_.count, -3);
  EXPECT_EQ(values_.go_duration, std::chrono::seconds(90));
  EXPECT_EQ(values_.prometheus_duration, std::chrono::hours(24));
  EXPECT_EQ(values_.bytes, 3072U);
  EXPECT_THAT(values_.pairs, ElementsAre(Pair("a", "b \"c")));
  EXPECT_THAT(flags_.Values(), Contains(Pair("list", "b,c,d")));
  EXPECT_THAT(flags_.Values(), Contains(Pair("on", "false")));
}

TEST_F(FlagSetTest, TakesListsAndLetters) {
  EXPECT_EQ(
      Parse({"-o", "wide", "--levels=warn", "--levels=info", "--numbers=-7", "--durations=1h"}),
      "");
  EXPECT_EQ(values_.form, "wide");
  EXPECT_THAT(values_.levels, ElementsAre("warn", "info"));
  EXPECT_THAT(values_.numbers, ElementsAre(-7));
  EXPECT_THAT(values_.durations, ElementsAre(std::chrono::hours(1)));
  EXPECT_THAT(flags_.Values(), Contains(Pair("durations", "1h0m0s")));
}

TEST_F(FlagSetTest, WantsWhatItNeeds) {
  flags_.Require("text");
  EXPECT_THAT(Parse({}), HasSubstr("--text is required"));
  EXPECT_EQ(Parse({"--text=a"}), "");
}

TEST_F(FlagSetTest, RefusesByName) {
  struct Case {
    std::vector<std::string> arguments;
    std::string message;
  };
  const Case cases[] = {{{"--unknown"}, "--unknown"},
                        {{"--count=x"}, "--count: not a number: \"x\""},
                        {{"--level=loud"}, "--level: must be one of info, warn"},
                        {{"--go=1d"}, "--go: time: unknown unit"},
                        {{"--levels=info", "--levels=loud"}, "--levels: must be one of info, warn"},
                        {{"--numbers=1", "--numbers=x"}, "--numbers: not a number: \"x\""},
                        {{"--durations=1d"}, "--durations: time: unknown unit"},
                        {{"--prom=1.5h"}, "--prom: unknown unit"},
                        {{"--bytes=7"}, "--bytes: not a size"},
                        {{"--pair=a=b"}, "--pair: expected name=\"value\""},
                        {{"--on=false"}, "on was given a disallowed flag override"},
                        {{"--text=a", "--text=b"}, "--text: can't be given more than once"},
                        {{"--bucket=x"}, "--bucket: is not available: there is none"},
                        {{"--upload"}, "--upload: is not available: there is none"},
                        {{"stray"}, "stray"}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.arguments.front());
    EXPECT_THAT(Parse(c.arguments), HasSubstr(c.message));
  }
  EXPECT_EQ(Parse({"--no-upload"}), "");
}

TEST(ReadContentTest, TakesOneOfTheTwo) {
  const StatusOr<TemporaryDirectory> directory = TemporaryDirectory::Create();
  ASSERT_TRUE(directory.ok());
  ASSERT_TRUE(WriteFileAtomically(directory->File("c"), "from $(AEVUM_TEST_CONTENT)").ok());
  ::setenv("AEVUM_TEST_CONTENT", "file", 1);
  EXPECT_EQ(*ReadContent({"x", "inline", ""}, true), "inline");
  EXPECT_EQ(*ReadContent({"x", "", directory->File("c")}, true), "from file");
  EXPECT_EQ(*ReadContent({"x", "", directory->File("c")}, false), "from $(AEVUM_TEST_CONTENT)");
  EXPECT_EQ(*ReadContent({"x", "", ""}, true), "");
  EXPECT_THAT(std::string(ReadContent({"x", "a", "b"}, true).status().message()),
              HasSubstr("both --x and --x-file"));
  EXPECT_THAT(std::string(ReadContent({"x", "", "/nowhere/c"}, true).status().message()),
              HasSubstr("--x-file: open /nowhere/c"));
}

}  // namespace
}  // namespace aevum::cli
