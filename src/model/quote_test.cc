#include "model/quote.h"

#include <gtest/gtest.h>

namespace aevum::model {
namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  AppendGoQuoted(out, text);
  return out;
}

TEST(QuoteTest, WritesAsGo) {
  EXPECT_EQ(Quoted("plain"), R"("plain")");
  EXPECT_EQ(Quoted("a\"b\\c\n\t\x01\x7f"), R"("a\"b\\c\n\t\x01\x7f")");
  EXPECT_EQ(Quoted("\xc3\xa9\xe6\x97\xa5"), "\"\xc3\xa9\xe6\x97\xa5\"");
  EXPECT_EQ(Quoted("\xff\xc3"), R"("\xff\xc3")");
  EXPECT_EQ(Quoted("\xc2\xa0\xe2\x80\xa8\xf3\xa0\x80\x81"), R"("\u00a0\u2028\U000e0001")");
}

TEST(QuoteTest, KnowsNamesThatNeedNoQuotes) {
  EXPECT_TRUE(IsLegacyLabelName("_a1"));
  EXPECT_FALSE(IsLegacyLabelName("1a"));
  EXPECT_FALSE(IsLegacyLabelName("a:b"));
  EXPECT_FALSE(IsLegacyLabelName(""));
  EXPECT_TRUE(IsLegacyMetricName(":a:b1"));
  EXPECT_FALSE(IsLegacyMetricName("a.b"));
}

TEST(QuoteTest, KnowsUtf8) {
  EXPECT_TRUE(IsValidUtf8("a\xc3\xa9\xf0\x9f\x98\x80"));
  for (const char* bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe6\x97", "\x80",
                          "\xf8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
  }
}

}  // namespace
}  // namespace aevum::model
