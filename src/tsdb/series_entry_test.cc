#include "tsdb/series_entry.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "encoding/crc32c.h"

namespace aevum::tsdb {
namespace {

using ::testing::ElementsAre;

std::string Uvarint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::string Varint(std::int64_t value) {
  return Uvarint((static_cast<std::uint64_t>(value) << 1) ^
                 static_cast<std::uint64_t>(value >> 63));
}

std::string Entry(const std::string& body) {
  std::string bytes = Uvarint(body.size()) + body;
  const std::uint32_t crc = encoding::Crc32c(body);
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(crc >> shift);
  return bytes;
}

// One label and two chunks; the second begins `distance` behind the end of the first.
std::string TwoChunks(std::int64_t distance) {
  return Entry(Uvarint(1) + Uvarint(0) + Uvarint(1) + Uvarint(2) + Varint(100) + Uvarint(50) +
               Uvarint(8) + Uvarint(static_cast<std::uint64_t>(distance)) + Uvarint(50) +
               Varint(10));
}

TEST(SeriesEntryTest, ReadsChunksInTheirOrder) {
  SeriesEntry entry;
  const std::string bytes = TwoChunks(1);
  ASSERT_TRUE(ParseSeriesEntry(bytes, {INT64_MIN, INT64_MAX}, &entry).ok());
  EXPECT_THAT(entry.chunks, ElementsAre(ChunkMeta{100, 150, 8}, ChunkMeta{151, 201, 18}));
  ASSERT_TRUE(ParseSeriesEntry(bytes, {0, 120}, &entry).ok());
  EXPECT_THAT(entry.chunks, ElementsAre(ChunkMeta{100, 150, 8}));
}

TEST(SeriesEntryTest, ReadsChunksOutOfOrderForWhoLooksForThem) {
  SeriesEntry entry;
  const std::string bytes = TwoChunks(-30);
  EXPECT_EQ(ParseSeriesEntry(bytes, {INT64_MIN, INT64_MAX}, &entry).code(), StatusCode::kDataLoss);
  ASSERT_TRUE(ParseSeriesEntryInAnyOrder(bytes, &entry).ok());
  EXPECT_THAT(entry.chunks, ElementsAre(ChunkMeta{100, 150, 8}, ChunkMeta{120, 170, 18}));
  ASSERT_TRUE(ParseSeriesEntryInAnyOrder(TwoChunks(1), &entry).ok());
  EXPECT_THAT(entry.chunks, ElementsAre(ChunkMeta{100, 150, 8}, ChunkMeta{151, 201, 18}));
  // A time that does not fit is none, in any order.
  EXPECT_FALSE(ParseSeriesEntryInAnyOrder(TwoChunks(INT64_MAX), &entry).ok());
}

}  // namespace
}  // namespace aevum::tsdb
