#include "base/timestamp.h"

#include <gtest/gtest.h>

namespace aevum {
namespace {

TEST(TimestampTest, KeepsNanoseconds) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"2026-01-02T03:04:05.000000678Z", "2026-01-02T03:04:05.000000678Z"},
      {"2026-01-02T03:04:05.120000000Z", "2026-01-02T03:04:05.12Z"},
      {"2026-01-02T03:04:05.1234567891Z", "2026-01-02T03:04:05.123456789Z"},
      {"2026-01-02T03:04:05.9+01:00", "2026-01-02T02:04:05.9Z"},
      {"2026-01-02T03:04:05-00:30", "2026-01-02T03:34:05Z"},
      {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
      {"1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.25Z"},
      {"9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"},
  };
  for (const auto& [in, out] : cases) {
    const auto time = ParseTimestamp(in);
    ASSERT_TRUE(time.ok()) << in << ": " << time.status();
    EXPECT_TRUE(IsValid(*time)) << in;
    EXPECT_EQ(FormatTimestamp(*time), out);
  }
  EXPECT_EQ(*ParseTimestamp("0001-01-01T00:00:00Z"), kUnsetTimestamp);
  EXPECT_LT(*ParseTimestamp("1969-12-31T23:59:59.25Z"), (Timestamp{-1, 500'000'000}));
}

TEST(TimestampTest, RefusesWhatIsNoTime) {
  for (const std::string_view text :
       {"", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02T03:04:05.Z", "0000-12-31T00:00:00Z",
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "yesterday"}) {
    EXPECT_EQ(ParseTimestamp(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace aevum
