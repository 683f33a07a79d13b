#include "base/environment.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace aevum {
namespace {

TEST(EnvironmentTest, ReplacesNames) {
  ::setenv("AEVUM_TEST_A", "1", 1);
  EXPECT_EQ(*ExpandEnvironment("a $(AEVUM_TEST_A)$(AEVUM_TEST_A) b"), "a 11 b");
  EXPECT_EQ(*ExpandEnvironment("$ $( $() $(a-b) $(AEVUM_TEST_A"), "$ $( $() $(a-b) $(AEVUM_TEST_A");
}

TEST(EnvironmentTest, NamesWhatIsNotSet) {
  const Status status = ExpandEnvironment("x $(AEVUM_TEST_NOT_SET)").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("AEVUM_TEST_NOT_SET"), std::string_view::npos);
}

}  // namespace
}  // namespace aevum
