#include "net/http/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::net {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

Router Sample() {
  Router router;
  const auto add = [&](std::string_view method, std::string_view pattern, std::string_view name) {
    router.Add(pattern, {std::string(method), std::string(name), nullptr});
  };
  add("", "/{rest...}", "all");
  add("GET", "/", "root");
  add("GET", "/api/v1/query", "query");
  add("POST", "/api/v1/query", "query_post");
  add("GET", "/api/v1/label/{name}/values", "values");
  add("OPTIONS", "/api/v1/{rest...}", "options");
  add("GET", "/api/v1/label/special/values", "special");
  add("GET", "/-/ready", "ready");
  return router;
}

TEST(RouterTest, TheMoreLiteralPatternWins) {
  const Router router = Sample();
  struct Case {
    std::string method;
    std::string path;
    std::string name;
  };
  const Case cases[] = {
      {"GET", "/", "root"},
      {"HEAD", "/", "root"},
      {"GET", "/api/v1/query", "query"},
      {"HEAD", "/api/v1/query", "query"},
      {"POST", "/api/v1/query", "query_post"},
      {"OPTIONS", "/api/v1/query", "options"},
      {"GET", "/api/v1/label/job/values", "values"},
      {"GET", "/api/v1/label/special/values", "special"},
      {"GET", "/api/v1/query/", "all"},
      {"GET", "/%61pi/v1/query", "query"},
      {"DELETE", "/x/y", "all"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.method + " " + c.path);
    const Router::Match match = router.Find(c.method, c.path);
    ASSERT_NE(match.route, nullptr);
    EXPECT_EQ(match.route->name, c.name);
  }
}

TEST(RouterTest, GivesThePartsOfThePath) {
  const Router router = Sample();
  EXPECT_THAT(router.Find("GET", "/api/v1/label/a%2Fb%20c/values").path_params,
              ElementsAre(Pair("name", "a/b c")));
  EXPECT_THAT(router.Find("GET", "/static/js/x.js").path_params,
              ElementsAre(Pair("rest", "static/js/x.js")));
  EXPECT_THAT(router.Find("GET", "/api/v1/query").path_params, IsEmpty());
}

TEST(RouterTest, TellsUnknownPathsFromUnknownMethods) {
  Router router;
  router.Add("/a", {"GET", "a", nullptr});
  router.Add("/a", {"POST", "a", nullptr});
  router.Add("/l/{name}", {"GET", "l", nullptr});
  router.Add("/b/{rest...}", {"OPTIONS", "b", nullptr});
  const Router::Match method = router.Find("PUT", "/a");
  EXPECT_EQ(method.route, nullptr);
  EXPECT_TRUE(method.path_known);
  EXPECT_EQ(method.allow, "GET, POST");
  for (const char* path : {"/b", "/b/c", "/a/b", "/l/", "/l", "/l/%zz", "a/a", "*"}) {
    SCOPED_TRACE(path);
    const Router::Match match = router.Find("GET", path);
    EXPECT_EQ(match.route, nullptr);
    EXPECT_FALSE(match.path_known);
  }
}

}  // namespace
}  // namespace aevum::net
