#include "tools/verify/segment_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "encoding/crc32c.h"

namespace aevum::tools {
namespace {

using ::testing::HasSubstr;

std::string BigEndian(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}

std::string Chunk(const std::string& data, char encoding = 1) {
  std::string length;
  std::size_t left = data.size();
  for (; left >= 0x80; left >>= 7) length += static_cast<char>(left | 0x80);
  length += static_cast<char>(left);
  const std::string body = encoding + data;
  return length + body + BigEndian(encoding::Crc32c(body));
}

const std::string kHeader("\x85\xBD\x40\xDD\x01\0\0\0", 8);

// What a scan says of a file that comes in pieces of this size.
std::string Scan(std::string_view file, std::vector<std::uint32_t> offsets, std::size_t piece) {
  SegmentScan scan(offsets);
  Status status = scan.Start(-1);
  for (std::size_t at = 0; status.ok() && at < file.size(); at += piece)
    status = scan.Write(file.substr(at, piece));
  if (status.ok()) status = scan.Finish();
  EXPECT_TRUE(status.ok() || status.code() == StatusCode::kDataLoss) << status;
  return std::string(status.message());
}

class SegmentScanTest : public ::testing::Test {
 protected:
  // Two chunks at 8 and 218.
  const std::string first_ = Chunk(std::string(202, 'x'));
  const std::string file_ = kHeader + first_ + Chunk("abc", 4);
  const std::vector<std::uint32_t> offsets_ = {8, 217};
};

TEST_F(SegmentScanTest, PassesWhatIsWholeInPiecesOfAnySize) {
  ASSERT_EQ(kHeader.size() + first_.size(), 217U);
  for (const std::size_t piece : {1, 2, 3, 7, 64, 1000})
    EXPECT_EQ(Scan(file_, offsets_, piece), "") << piece;
  EXPECT_EQ(Scan(kHeader, {}, 3), "");
}

TEST_F(SegmentScanTest, FindsEveryFlippedByte) {
  for (std::size_t at = 0; at < file_.size(); ++at) {
    if (at > 4 && at < 8) continue;  // padding that says nothing
    std::string damaged = file_;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x11);
    EXPECT_NE(Scan(damaged, offsets_, 50), "") << at;
  }
}

TEST_F(SegmentScanTest, FindsEveryCut) {
  for (std::size_t size = 0; size < file_.size(); ++size)
    EXPECT_NE(Scan(std::string_view(file_).substr(0, size), offsets_, 50), "") << size;
}

TEST_F(SegmentScanTest, SaysWhereAndHowMuch) {
  std::string damaged = file_;
  damaged[100] = 'y';
  damaged[220] = 'y';
  EXPECT_THAT(Scan(damaged, offsets_, 50), HasSubstr("checksum of the chunk at offset 8: "));
  EXPECT_THAT(Scan(damaged, offsets_, 50), HasSubstr("(damages: 2)"));
  EXPECT_THAT(Scan(file_, {8, 9, 217}, 50),
              HasSubstr("the index has a chunk at offset 9, where none begins"));
  EXPECT_THAT(Scan(file_, {8, 217, 400}, 50),
              HasSubstr("the index has a chunk at offset 400, the end is at"));
  EXPECT_THAT(Scan(kHeader + Chunk("a", 77), {8}, 50), HasSubstr("unknown encoding 77"));
  EXPECT_THAT(Scan(kHeader + "\xff\xff\xff\xff\xff\xff", {8}, 50),
              HasSubstr("a chunk without a valid length at offset 8"));
}

TEST_F(SegmentScanTest, BeginsAgainWithTheTransfer) {
  SegmentScan scan(offsets_);
  ASSERT_TRUE(scan.Start(-1).ok());
  ASSERT_TRUE(scan.Write(std::string_view(file_).substr(0, 30)).ok());
  ASSERT_TRUE(scan.Start(-1).ok());
  ASSERT_TRUE(scan.Write(file_).ok());
  EXPECT_TRUE(scan.Finish().ok());
  EXPECT_EQ(scan.chunks(), 2U);
  EXPECT_EQ(scan.unnamed(), 0U);
  EXPECT_EQ(scan.size_bytes(), file_.size());
}

}  // namespace
}  // namespace aevum::tools
