#include "net/api/json_writer.h"

#include <gtest/gtest.h>

namespace aevum::net {
namespace {

std::string Escaped(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

TEST(JsonStringTest, EscapesAsGo) {
  EXPECT_EQ(Escaped("plain"), R"("plain")");
  EXPECT_EQ(Escaped("a\"\\\n\r\t\b\f\x01"), R"("a\"\\\n\r\t\b\f\u0001")");
  EXPECT_EQ(Escaped("<a>&"), R"("\u003ca\u003e\u0026")");
  EXPECT_EQ(Escaped("\xe2\x80\xa8\xc3\xa9"), "\"\\u2028\xc3\xa9\"");
  EXPECT_EQ(Escaped("\xff"), R"("\ufffd")");
}

}  // namespace
}  // namespace aevum::net
