#include "net/grpc/snappy_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "net/grpc/test_wire.h"

namespace aevum::net::grpc {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kMax = 100 << 20;
const std::string kIdentifier("\xff\x06\x00\x00sNaPpY", 10);

std::string Random(std::size_t size, unsigned letters) {
  std::mt19937 random(static_cast<unsigned>(size));
  std::string text(size, 0);
  for (char& c : text) c = static_cast<char>(random() % letters);
  return text;
}

TEST(SnappyFrameTest, GivesBackWhatWentIn) {
  for (const std::size_t size : {0u, 1u, 100u, 65535u, 65536u, 65537u, 1'000'000u}) {
    for (const unsigned letters : {1u, 4u, 256u}) {
      SCOPED_TRACE(testing::Message() << size << " of " << letters);
      const std::string plain = Random(size, letters);
      const std::string framed = SnappyCompress(plain);
      const auto back = SnappyDecompress(framed, kMax);
      ASSERT_TRUE(back.ok()) << back.status();
      EXPECT_EQ(back->view == plain, true);
      EXPECT_EQ(*SnappyPlainSize(framed, kMax), size);
      EXPECT_LE(framed.size(), size + 10 + 8 * (size / 65536 + 1));
    }
  }
}

TEST(SnappyFrameTest, ReadsWhatThePeersWrite) {
  std::size_t seen = 0;
  for (const Capture& capture : LoadCaptures()) {
    if (capture.has_foreign_compressor) continue;
    SCOPED_TRACE(capture.name);
    for (const CapturedMessage& message : capture.messages) {
      if (!message.compressed) continue;
      const auto plain = SnappyDecompress(message.body, kMax);
      ASSERT_TRUE(plain.ok()) << plain.status();
      EXPECT_EQ(plain->view, message.plain);
      ++seen;
    }
  }
  EXPECT_GE(seen, 9u);
  if (!HasSharedCaptures()) GTEST_SKIP() << "only the capture of testdata: no shared vectors";
}

TEST(SnappyFrameTest, FindsEveryFlippedBit) {
  const std::string plain = Random(3000, 8);
  const std::string good = SnappyCompress(plain);
  std::size_t differs = 0;
  for (std::size_t i = 0; i < good.size() * 8; ++i) {
    std::string bad = good;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << (i % 8)));
    const auto result = SnappyDecompress(bad, kMax);
    // A chunk can become one that is to be skipped; a copy can take equal bytes from elsewhere.
    EXPECT_TRUE(!result.ok() || result->empty() || result->view == plain) << i;
    differs += result.ok() ? 0 : 1;
  }
  EXPECT_GT(differs, good.size() * 7);
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto result = SnappyDecompress(std::string_view(good).substr(0, size), kMax);
    EXPECT_TRUE(!result.ok() || size == kIdentifier.size()) << size;
  }
}

TEST(SnappyFrameTest, KnowsTheChunkTypes) {
  const std::string data = SnappyCompress("hello").substr(kIdentifier.size());
  struct Case {
    std::string name;
    std::string framed;
    std::string result;  // "" for an error
    std::string message;
  };
  const auto chunk = [](unsigned char type) {
    return std::string{static_cast<char>(type), 1, 0, 0, 'x'};
  };
  const Case cases[] = {
      {"identifier again", kIdentifier + data + kIdentifier + data, "hellohello", ""},
      {"padding", kIdentifier + chunk(0xfe) + data, "hello", ""},
      {"skippable", kIdentifier + chunk(0x80) + data, "hello", ""},
      {"no identifier", data, "", "without identifier"},
      {"reserved 2", kIdentifier + chunk(0x02) + data, "", "unknown snappy chunk type: 2"},
      {"reserved 7f", kIdentifier + chunk(0x7f) + data, "", "unknown snappy chunk type: 127"},
      {"bad identifier", kIdentifier + std::string("\xff\x06\0\0sNaPpX", 10), "",
       "bad snappy stream identifier"},
      {"no checksum", kIdentifier + std::string("\1\2\0\0ab", 6), "", "without checksum"},
      {"block too large", kIdentifier + std::string("\0\7\0\0\0\0\0\0\x81\x80\x04", 11), "",
       "above 64 KiB"},
      {"empty", "", "", "without identifier"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto result = SnappyDecompress(c.framed, kMax);
    EXPECT_EQ(result.ok(), !c.result.empty());
    if (result.ok()) {
      EXPECT_EQ(result->view, c.result);
    } else {
      EXPECT_THAT(std::string(result.status().message()), HasSubstr(c.message));
    }
  }
}

TEST(SnappyFrameTest, RefusesABombBeforeItAllocates) {
  const std::string bomb = SnappyCompress(std::string(50 << 20, 'a'));
  EXPECT_LT(bomb.size(), 3u << 20);
  EXPECT_EQ(SnappyDecompress(bomb, 10 << 20).status().code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace aevum::net::grpc
