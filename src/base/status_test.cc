#include "base/status.h"

#include <optional>

#include <gtest/gtest.h>

namespace aevum {
namespace {

StatusOr<int> Half(int value) {
  if (value % 2 != 0) return InvalidArgument("odd: {}", value);
  return value / 2;
}

StatusOr<int> Quarter(int value) {
  ASSIGN_OR_RETURN(const int half, Half(value));
  return Half(half);
}

TEST(StatusTest, CarriesCodeAndMessage) {
  EXPECT_TRUE(OkStatus().ok());
  const Status status = NotFound("no such block: {}", 7);
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(status.ToString(), "NotFound: no such block: 7");
  EXPECT_EQ(Annotate(status, "bucket x").message(), "bucket x: no such block: 7");
  EXPECT_TRUE(Annotate(OkStatus(), "bucket x").ok());
}

TEST(StatusTest, MacrosPassErrorsOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).status().message(), "odd: 3");
}

TEST(StatusTest, ValueMayBeAnEmptyOptional) {
  const StatusOr<std::optional<int>> none = std::nullopt;
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->has_value());
}

TEST(StatusDeathTest, ReadingTheValueOfAnErrorEndsTheProcess) {
  EXPECT_DEATH(Half(3).value(), "check failed");
}

}  // namespace
}  // namespace aevum
