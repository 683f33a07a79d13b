#include "promql/selectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "promql/parser.h"

namespace aevum::promql {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> SelectorsIn(std::string_view text) {
  const auto expr = Parse(text);
  EXPECT_TRUE(expr.ok()) << expr.status();
  std::vector<std::string> found;
  for (const VectorSelector* selector : SelectorsOf(**expr))
    found.push_back(model::ToString(selector->matchers));
  return found;
}

TEST(SelectorsOfTest, FindsAllOfThem) {
  EXPECT_THAT(SelectorsIn("1 + time()"), ElementsAre());
  EXPECT_THAT(SelectorsIn("a + on (x) group_left -(b{c=\"d\"} offset 5m)"),
              ElementsAre("{__name__=\"a\"}", "{c=\"d\",__name__=\"b\"}"));
  EXPECT_THAT(
      SelectorsIn("topk(scalar(a), rate(b[5m])) or max_over_time((c * c)[1h:5m])"),
      ElementsAre("{__name__=\"a\"}", "{__name__=\"b\"}", "{__name__=\"c\"}", "{__name__=\"c\"}"));
}

}  // namespace
}  // namespace aevum::promql
