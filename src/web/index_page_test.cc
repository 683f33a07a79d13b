#include "web/index_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace aevum::web {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

TEST(IndexPageTest, FillsItsPlaceholdersEachTimeTheyStand) {
  struct Case {
    std::string name;
    std::string html;
    PageValues values;
    std::string want;
  };
  const Case cases[] = {
      {"nothing", "", {"n", "/p", "{}"}, ""},
      {"no placeholder", "<p>__AEVUM</p>", {"n", "/p", "{}"}, "<p>__AEVUM</p>"},
      {"all", "a__AEVUM_NONCE__b__AEVUM_BASE__c__AEVUM_CONFIG__d", {"n", "/p", "{}"}, "anb/p/c{}d"},
      {"another order", "__AEVUM_CONFIG____AEVUM_NONCE__", {"n", "", "{}"}, "{}n"},
      {"twice", "__AEVUM_BASE__x__AEVUM_BASE__", {"n", "/p", "{}"}, "/p/x/p/"},
      {"the root", "__AEVUM_BASE__", {"n", "", "{}"}, "/"},
      {"values are no template",
       "__AEVUM_BASE__ __AEVUM_CONFIG__",
       {"n", "/__AEVUM_CONFIG__", "\"__AEVUM_NONCE__\""},
       "/__AEVUM_CONFIG__/ \"__AEVUM_NONCE__\""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(IndexPage(c.html).Fill(c.values), c.want);
  }
}

TEST(IndexPageTest, NoValueEndsWhereItStands) {
  const IndexPage page(
      "<base href=\"__AEVUM_BASE__\"><meta content='__AEVUM_NONCE__'>"
      "<script>__AEVUM_CONFIG__</script>");
  const std::string hostile = "\"'><script>alert(1)</script>&amp;<!--";
  const std::string filled =
      page.Fill({.nonce = hostile, .prefix = hostile, .config = "{\"a\":\"</script><!--&\"}"});
  EXPECT_EQ(filled,
            "<base href=\"&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;&lt;!--/\">"
            "<meta content='&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;&lt;!--'>"
            "<script>{\"a\":\"\\u003c/script\\u003e\\u003c!--\\u0026\"}</script>");
}

TEST(IndexPageTest, NoncesAreNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string nonce = MakeNonce();
    EXPECT_THAT(nonce, MatchesRegex("[0-9a-f]{32}"));
    EXPECT_TRUE(seen.insert(nonce).second);
  }
}

TEST(IndexPageTest, ThePolicyAllowsThisServerAlone) {
  const std::string policy = ContentSecurityPolicy("abc");
  for (const char* part :
       {"default-src 'none'", "script-src 'self';", "style-src 'self' 'nonce-abc';",
        "connect-src 'self';", "img-src 'self' data:;", "font-src 'self';", "base-uri 'self';",
        "frame-ancestors 'none'", "form-action 'none'"}) {
    EXPECT_THAT(policy, HasSubstr(part));
  }
  for (const char* part : {"unsafe", "http", "*"}) EXPECT_THAT(policy, Not(HasSubstr(part)));
}

}  // namespace
}  // namespace aevum::web
