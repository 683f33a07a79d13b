#include "encoding/snappy.h"

#include <gtest/gtest.h>

namespace aevum::encoding {
namespace {

TEST(SnappyTest, RoundTrips) {
  for (const std::string& text : {std::string(), std::string("a"), std::string(1'000'000, 'x')}) {
    EXPECT_EQ(*SnappyDecompress(SnappyCompress(text), 1 << 20), text);
  }
}

TEST(SnappyTest, ChecksTheDeclaredSizeFirst) {
  const std::string packed = SnappyCompress(std::string(1'000, 'x'));
  EXPECT_EQ(SnappyDecompress(packed, 999).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(SnappyDecompress("\xff\xff\xff\x7f", 1 << 30).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(SnappyDecompress("", 10).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(SnappyDecompress(packed.substr(0, packed.size() - 1), 2'000).status().code(),
            StatusCode::kDataLoss);
}

}  // namespace
}  // namespace aevum::encoding
