#include "base/byte_size.h"

#include <gtest/gtest.h>

namespace aevum {
namespace {

TEST(ParseByteSizeTest, KnowsUnits) {
  EXPECT_EQ(*ParseByteSize("0"), 0U);
  EXPECT_EQ(*ParseByteSize("2GiB"), std::uint64_t{2} << 30);
  EXPECT_EQ(*ParseByteSize("2GB"), std::uint64_t{2} << 30);
  for (const char* bad : {"", "1", "-1B", "1.5GB", "20EB", "GB", "1XB"})
    EXPECT_FALSE(ParseByteSize(bad).ok()) << bad;
}

}  // namespace
}  // namespace aevum
