#include "base/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace aevum {
namespace {

using ::testing::HasSubstr;

Environment Fixed(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto it = values.find(name);
    if (it == values.end()) return std::nullopt;
    return it->second;
  };
}

TEST(EnvironmentTest, ReplacesReferencesOnly) {
  const Environment environment = Fixed({{"HOST", "web-1"}, {"EMPTY", ""}, {"A_1", "$(HOST)"}});
  struct Case {
    std::string name;
    std::string text;
    std::string expanded;
  };
  const Case cases[] = {
      {"nothing", "", ""},
      {"plain", "replica: a", "replica: a"},
      {"one", "replica: '$(HOST)'", "replica: 'web-1'"},
      {"neighbours", "$(HOST)$(EMPTY)$(HOST)", "web-1web-1"},
      {"a value is not expanded again", "$(A_1)", "$(HOST)"},
      {"other dollars stay", "$HOST ${HOST} $$(HOST) $ $( $() $(HO ST) $(HOST",
       "$HOST ${HOST} $web-1 $ $( $() $(HO ST) $(HOST"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::size_t unset = 9;
    const auto expanded = ExpandEnvironment(c.text, environment, &unset);
    ASSERT_TRUE(expanded.ok()) << expanded.status();
    EXPECT_EQ(*expanded, c.expanded);
    EXPECT_EQ(unset, 0u);
  }
}

TEST(EnvironmentTest, CountsUnsetVariablesAndNamesTheFirst) {
  std::size_t unset = 0;
  const auto expanded = ExpandEnvironment("$(B) $(A) $(B)", Fixed({{"A", "1"}}), &unset);
  EXPECT_EQ(expanded.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(expanded.status().message()),
              HasSubstr("the environment variable B, which is not set"));
  EXPECT_EQ(unset, 2u);
}

TEST(EnvironmentTest, ReadsTheProcess) {
  const auto expanded = ExpandEnvironment("$(PATH)");
  ASSERT_TRUE(expanded.ok()) << expanded.status();
  EXPECT_EQ(*expanded, std::getenv("PATH"));
  EXPECT_FALSE(ExpandEnvironment("$(AEVUM_NO_SUCH_VARIABLE)").ok());
}

}  // namespace
}  // namespace aevum
