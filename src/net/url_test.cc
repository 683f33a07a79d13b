#include "net/url.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::net {
namespace {

using ::testing::HasSubstr;

TEST(UrlTest, ReadsTheParts) {
  struct Case {
    std::string text;
    Url want;
    std::string printed;
  };
  const Case cases[] = {
      {"http://host", {"http", "", "host", "", "", ""}, "http://host"},
      {"HTTPS://Host:8443/a/b?c=d&e",
       {"https", "", "Host", "8443", "/a/b", "c=d&e"},
       "https://Host:8443/a/b?c=d&e"},
      {"http://user:pa@ss@host/x", {"http", "user:pa@ss", "host", "", "/x", ""}, "http://host/x"},
      {"http://[::1]:9090?q=1#part",
       {"http", "", "::1", "9090", "", "q=1"},
       "http://[::1]:9090?q=1"},
      {"http://h/a%20b?x=%2F/", {"http", "", "h", "", "/a%20b", "x=%2F/"}, "http://h/a%20b?x=%2F/"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    const StatusOr<Url> url = Url::Parse(c.text);
    ASSERT_TRUE(url.ok()) << url.status();
    EXPECT_EQ(url->scheme, c.want.scheme);
    EXPECT_EQ(url->userinfo, c.want.userinfo);
    EXPECT_EQ(url->host, c.want.host);
    EXPECT_EQ(url->port, c.want.port);
    EXPECT_EQ(url->path, c.want.path);
    EXPECT_EQ(url->query, c.want.query);
    EXPECT_EQ(url->ToString(), c.printed);
  }
}

TEST(UrlTest, RefusesWhatIsNoUrl) {
  struct Case {
    std::string text;
    std::string message;
  };
  const Case cases[] = {
      {"", "does not start with http://"},
      {"localhost:9090", "does not start with http://"},
      {"ftp://host", "neither http nor https"},
      {"http://", "no host"},
      {"http://user@", "no host"},
      {"http://:80", "no host"},
      {"http://host:8o", "not a number"},
      {"http://host:70000", "above 65535"},
      {"http://host:99999999999999999999", "above 65535"},
      {"http://a:b:c", "not a number"},
      {"http://[::1", "lacks its ']'"},
      {"http://[::1]x", "no port"},
      {"http://host/a b", "a space or a control"},
      {"http://host/\r\nX: y", "a space or a control"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    const Status status = Url::Parse(c.text).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

TEST(UrlTest, EncodesAndDecodes) {
  EXPECT_EQ(PercentEncode("a-Z_0.~ /+\xc3\xa9"), "a-Z_0.~%20%2F%2B%C3%A9");
  EXPECT_EQ(*PercentDecode("a%20b+c%2f%2F", false), "a b+c//");
  EXPECT_EQ(*PercentDecode("a%20b+c", true), "a b c");
  for (const char* bad : {"%", "%1", "a%4", "%zz", "%4g", "%%20"}) {
    SCOPED_TRACE(bad);
    EXPECT_EQ(PercentDecode(bad, false).status().code(), StatusCode::kInvalidArgument);
  }
  std::mt19937 random(7);
  for (int round = 0; round < 1000; ++round) {
    std::string text(random() % 20, '\0');
    for (char& c : text) c = static_cast<char>(random());
    EXPECT_EQ(*PercentDecode(PercentEncode(text), round % 2 == 0), text);
  }
}

}  // namespace
}  // namespace aevum::net
