#include "encoding/proto_wire.h"

#include <gtest/gtest.h>

namespace aevum::encoding {
namespace {

TEST(ProtoReaderTest, ReadsAndSkips) {
  std::string message;
  PutInt64Field(message, 1, -5);
  PutBytesField(message, 2, "name");
  PutTag(message, 3, WireType::kFixed64);
  message += std::string("\0\0\0\0\0\0\xf0\x3f", 8);
  PutTag(message, 100, WireType::kFixed32);
  message += "abcd";
  PutInt64Field(message, 4, 0);

  ProtoReader reader(message);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.Int64(), -5);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.Bytes(), "name");
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.Double(), 1.0);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.field(), 100U);
  reader.Skip();
  EXPECT_FALSE(reader.Next());
  EXPECT_TRUE(reader.status().ok());
}

TEST(ProtoReaderTest, RefusesDamage) {
  for (const std::string& bytes :
       {std::string("\x00\x01", 2), std::string("\x0a\x05xx", 4), std::string("\x0b", 1),
        std::string("\xff\xff\xff\xff\xff\xff\x01", 7)}) {
    ProtoReader reader(bytes);
    while (reader.Next()) reader.Skip();
    EXPECT_EQ(reader.status().code(), StatusCode::kDataLoss);
  }
  ProtoReader wrong_type("\x08\x01");
  ASSERT_TRUE(wrong_type.Next());
  EXPECT_EQ(wrong_type.Bytes(), "");
  EXPECT_FALSE(wrong_type.status().ok());
}

}  // namespace
}  // namespace aevum::encoding
