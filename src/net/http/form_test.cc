#include "net/http/form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(FormTest, ReadsPairsInOrder) {
  Pairs pairs;
  ASSERT_TRUE(ParseForm("a=1&&b&match%5B%5D=up%7Bx%3D%22y%22%7D&a=2+3&=v&c==d", 100, &pairs).ok());
  EXPECT_THAT(pairs, ElementsAre(Pair("a", "1"), Pair("b", ""), Pair("match[]", "up{x=\"y\"}"),
                                 Pair("a", "2 3"), Pair("", "v"), Pair("c", "=d")));
}

TEST(FormTest, RefusesBadEscapesAndTooMany) {
  Pairs pairs;
  EXPECT_EQ(ParseForm("a=%zz", 100, &pairs).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ParseForm("%=1", 100, &pairs).code(), StatusCode::kInvalidArgument);
  pairs.clear();
  EXPECT_TRUE(ParseForm("a&b&c&", 3, &pairs).ok());
  pairs.clear();
  const Status status = ParseForm("a&b&c&d", 3, &pairs);
  EXPECT_THAT(std::string(status.message()), HasSubstr("more than 3 parameters"));
  EXPECT_EQ(pairs.size(), 3u);
}

TEST(AcceptTest, WeighsEncodings) {
  struct Case {
    std::string header;
    bool gzip;
  };
  const Case cases[] = {
      {"", false},
      {"gzip", true},
      {"GZIP", true},
      {"deflate, gzip;q=0.5", true},
      {"gzip;q=0", false},
      {"gzip ; q=0.000", false},
      {"*", true},
      {"*;q=0", false},
      {"gzip;q=0, *", false},
      {"*;q=0, gzip;q=0.001", true},
      {"identity", false},
      {"gzip;q=2", false},
      {"gzip;q=abc", false},
      {"gzip;q=0.1234", false},
      {"gzipped", false},
      {",,;q=,gzip", true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.header);
    EXPECT_EQ(AcceptsGzip(c.header), c.gzip);
  }
}

TEST(AcceptTest, WeighsMediaTypes) {
  const std::string_view header =
      "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,text/"
      "*;q=0.3,"
      "*/*;q=0.1";
  EXPECT_EQ(AcceptWeight(header, "application/openmetrics-text"), 800);
  EXPECT_EQ(AcceptWeight(header, "text/plain"), 500);
  EXPECT_EQ(AcceptWeight(header, "text/html"), 300);
  EXPECT_EQ(AcceptWeight(header, "image/png"), 100);
  EXPECT_EQ(AcceptWeight("text/plain", "image/png"), -1);
}

}  // namespace
}  // namespace aevum::net
