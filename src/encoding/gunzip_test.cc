#include "encoding/gunzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

namespace aevum::encoding {
namespace {

std::string Gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(compressBound(text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(GunzipTest, UnpacksGzip) {
  std::string text(300'000, 'x');
  std::mt19937 random(1);
  for (char& c : text) c = static_cast<char>('a' + random() % 26);
  const std::string packed = Gzip(text);
  EXPECT_TRUE(IsGzip(packed));
  EXPECT_FALSE(IsGzip("global:"));
  EXPECT_EQ(*Gunzip(packed), text);
  EXPECT_EQ(*Gunzip(Gzip("two ") + Gzip("members")), "two members");
}

TEST(GunzipTest, RefusesDamagedAndHugeGzip) {
  const std::string packed = Gzip("some configuration that is long enough to be packed");
  for (std::size_t size = 3; size < packed.size(); ++size) {
    EXPECT_EQ(Gunzip(packed.substr(0, size)).status().code(), StatusCode::kDataLoss) << size;
  }
  std::string flipped = packed;
  flipped[flipped.size() - 6] =
      static_cast<char>(flipped[flipped.size() - 6] ^ 1);  // in the checksum
  EXPECT_EQ(Gunzip(flipped).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Gunzip(Gzip(std::string(1 << 20, 'x')), 1000).status().code(),
            StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace aevum::encoding
