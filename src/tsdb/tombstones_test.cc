#include "tsdb/tombstones.h"

#include <string>

#include <gtest/gtest.h>

#include "base/files.h"
#include "encoding/crc32c.h"

namespace aevum::tsdb {
namespace {

std::string File(const std::string& body) {
  std::string file("\x01\x30\xBA\x30\x01", 5);
  file += body;
  const std::uint32_t crc = encoding::Crc32c(body);
  for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(crc >> shift);
  return file;
}

TEST(TombstonesTest, GivesTheIntervalsOfASeries) {
  // Series 3: [5, 7], [1, 5]; series 4: [-1, 0]. Varints are zigzag.
  const auto tombstones = Tombstones::Parse(File(std::string("\3\12\16\3\2\12\4\1\0", 9)));
  ASSERT_TRUE(tombstones.ok()) << tombstones.status();
  ASSERT_EQ(tombstones->Of(3).size(), 1U);
  EXPECT_EQ(tombstones->Of(3)[0].min_time, 1);
  EXPECT_EQ(tombstones->Of(3)[0].max_time, 7);
  ASSERT_EQ(tombstones->Of(4).size(), 1U);
  EXPECT_EQ(tombstones->Of(4)[0].min_time, -1);
  EXPECT_TRUE(tombstones->Of(5).empty());
}

TEST(TombstonesTest, ReadsWhatPrometheusWrites) {
  const auto file = ReadFile(AEVUM_SOURCE_DIR "/src/tsdb/testdata/block/tombstones");
  ASSERT_TRUE(file.ok());
  const auto tombstones = Tombstones::Parse(*file);
  ASSERT_TRUE(tombstones.ok()) << tombstones.status();
  EXPECT_TRUE(tombstones->empty());
}

TEST(TombstonesTest, RefusesDamage) {
  const std::string file = File("\3\12\16");
  for (std::size_t i = 0; i < file.size(); ++i) {
    EXPECT_EQ(Tombstones::Parse(file.substr(0, i)).status().code(), StatusCode::kDataLoss);
    std::string flipped = file;
    flipped[i] = static_cast<char>(flipped[i] ^ 4);
    EXPECT_EQ(Tombstones::Parse(flipped).status().code(), StatusCode::kDataLoss);
  }
  EXPECT_EQ(Tombstones::Parse(File("\3\12")).status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace aevum::tsdb
