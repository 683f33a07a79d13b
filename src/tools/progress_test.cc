#include "tools/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::tools {
namespace {

using ::testing::HasSubstr;

TEST(ProgressLineTest, ShowsShareRateAndRest) {
  EXPECT_EQ(ProgressLine("verify", 1 << 30, 2LL << 30, std::chrono::seconds(2)),
            "verify [============            ]  50% 1.0 GiB of 2.0 GiB, 512.0 MiB/s, 2 s left");
  EXPECT_EQ(ProgressLine("v", 0, 100, std::chrono::seconds(0)),
            "v [                        ]   0% 0 B of 100 B");
  // More than was expected is all there is.
  EXPECT_THAT(ProgressLine("v", 300, 100, std::chrono::seconds(1)),
              HasSubstr("100% 300 B of 300 B"));
  EXPECT_THAT(ProgressLine("v", 0, 0, std::chrono::seconds(0)), HasSubstr("0% 0 B of 1 B"));
}

TEST(ProgressBarTest, MakesRoomForLogLines) {
  std::string terminal;
  {
    ProgressBar bar("verify", [&](std::string_view text) { terminal += text; });
    bar.Expect(100);
    bar.Advance(50);  // too soon after the line before to be shown
    bar.Around([&] { terminal += "a line\n"; });
    bar.Advance(10);
  }
  const std::string erase = "\r\x1b[K";
  EXPECT_EQ(terminal.find("verify"), erase.size());
  EXPECT_THAT(terminal, HasSubstr(erase + "a line\n" + erase + "verify ["));
  EXPECT_THAT(terminal, HasSubstr(" 60%"));
  EXPECT_TRUE(terminal.ends_with(erase));
}

TEST(ProgressBarTest, ShowsNothingWhereNobodyLooks) {
  ProgressBar bar("verify", nullptr);
  bar.Expect(100);
  bar.Advance(100);
  int printed = 0;
  bar.Around([&] { ++printed; });
  EXPECT_EQ(printed, 1);
}

}  // namespace
}  // namespace aevum::tools
