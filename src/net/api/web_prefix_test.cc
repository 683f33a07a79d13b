#include "net/api/web_prefix.h"

#include <gtest/gtest.h>

namespace aevum::net {
namespace {

TEST(WebPrefixTest, CleansWhatPeopleAndProxiesWrite) {
  struct Case {
    std::string_view text;
    std::string_view clean;
  };
  const Case cases[] = {
      {"", ""},
      {"/", ""},
      {"thanos", "/thanos"},
      {"/thanos/", "/thanos"},
      {"//evil.example/x", "/evil.example/x"},
      {"/a//b/./c/../d", "/a/b/d"},
      {"../../a", "/a"},
      {"/..", ""},
      {"https://host:1/thanos/", "/thanos"},
      {"https://host", ""},
      {"javascript:alert(1)", "/javascript:alert(1)"},
      {"/a%2fb", "/a%2fb"},
  };
  for (const Case& c : cases) {
    const auto clean = CleanPrefix(c.text);
    ASSERT_TRUE(clean.ok()) << c.text << ": " << clean.status();
    EXPECT_EQ(*clean, c.clean) << c.text;
  }
  for (const std::string_view bad :
       {"/{x}", "/a b", "\\\\host", "/a?b", "/a#b", "/\xc3\xa4", "/\""})
    EXPECT_EQ(CleanPrefix(bad).status().code(), StatusCode::kInvalidArgument) << bad;
}

TEST(WebPrefixTest, TheFlagIsBeforeTheHeaderBeforeTheRoute) {
  struct Case {
    std::string name;
    WebPrefixOptions options;
    std::string header;
    std::string prefix;
  };
  const Case cases[] = {
      {"nothing", {}, "", ""},
      {"the route alone", {.route = "/r"}, "", "/r"},
      {"a header that nobody asked for", {.route = "/r"}, "/h", "/r"},
      {"a header", {.route = "/r", .header = "X-Prefix"}, "/h/", "/h"},
      {"an empty header", {.route = "/r", .header = "X-Prefix"}, "", "/r"},
      {"another server", {.route = "/r", .header = "X-Prefix"}, "https://evil/h", "/h"},
      {"the root of another server", {.route = "/r", .header = "X-Prefix"}, "https://evil", "/r"},
      {"no path", {.route = "/r", .header = "X-Prefix"}, "/\\evil", "/r"},
      {"a flag", {.route = "/r", .external = "/e", .header = "X-Prefix"}, "/h", "/e"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    HttpRequest request;
    if (!c.header.empty()) request.headers.emplace_back("x-prefix", c.header);
    EXPECT_EQ(WebPrefixFor(c.options, request), c.prefix);
  }
}

}  // namespace
}  // namespace aevum::net
