#include "encoding/byte_reader.h"

#include <string>

#include <gtest/gtest.h>

#include "encoding/crc32c.h"
#include "encoding/proto_wire.h"

namespace aevum::encoding {
namespace {

TEST(ByteReaderTest, ReadsWhatIsThere) {
  ByteReader reader(std::string_view("\x01\x02\x03\x04\x05\x06\x07\xac\x02\x03xyz", 13));
  EXPECT_EQ(reader.ReadU8(), 1);
  EXPECT_EQ(reader.ReadU16(), 0x0203);
  EXPECT_EQ(reader.ReadU32(), 0x04050607U);
  EXPECT_EQ(reader.ReadUvarint(), 300U);
  EXPECT_EQ(reader.ReadVarint(), -2);
  EXPECT_EQ(reader.ReadBytes(3), "xyz");
  EXPECT_TRUE(reader.done());
  EXPECT_TRUE(reader.status().ok());
}

TEST(ByteReaderTest, AnErrorSticks) {
  ByteReader reader("ab");
  EXPECT_EQ(reader.ReadU32(), 0U);
  EXPECT_EQ(reader.ReadU8(), 0);
  EXPECT_EQ(reader.ReadBytes(1), "");
  EXPECT_EQ(reader.status().code(), StatusCode::kDataLoss);
}

TEST(ByteReaderTest, VarintsRoundTripAndEnd) {
  for (const std::uint64_t value :
       {0ULL, 127ULL, 128ULL, 16'383ULL, 16'384ULL, 1ULL << 63, ~0ULL}) {
    std::string bytes;
    PutUvarint(bytes, value);
    EXPECT_EQ(bytes.size(), UvarintSize(value));
    ByteReader reader(bytes);
    EXPECT_EQ(reader.ReadUvarint(), value);
    ByteReader cut(std::string_view(bytes).substr(0, bytes.size() - 1));
    cut.ReadUvarint();
    EXPECT_FALSE(cut.status().ok());
  }
  ByteReader too_long("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
  too_long.ReadUvarint();
  EXPECT_FALSE(too_long.status().ok());
}

// The check value of the CRC catalogue.
TEST(Crc32cTest, AgreesWithTheCatalogue) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(ExtendCrc32c(ExtendCrc32c(Crc32c("1234"), ""), "56789"), 0xe3069283U);
}

}  // namespace
}  // namespace aevum::encoding
