#include "web/pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"

namespace aevum::web {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::string Read(const std::string& path) {
  StatusOr<std::string> bytes = ReadFile(path);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.ok() ? *std::move(bytes) : "";
}

std::string InBundle(std::string_view path) {
  return Read(std::string(AEVUM_SOURCE_DIR "/src/web/testdata/bundle/") + std::string(path));
}

std::string Integer(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string Sized(std::string_view text) {
  return Integer(static_cast<std::uint32_t>(text.size())) + std::string(text);
}
std::string Packed(std::uint32_t count, std::string_view assets) {
  return "AEVUMWEB\1" + Integer(count) + std::string(assets);
}
std::string File(std::string_view path, std::string_view bytes, char flags = 0,
                 std::uint32_t size = 1) {
  return Sized(path) + Sized("text/plain") + Sized("t") + flags + Integer(size) + Sized(bytes);
}

TEST(PackTest, HoldsTheFilesOfABundle) {
  const std::string bytes = Read(AEVUM_TEST_PACK);
  const StatusOr<Pack> pack = Pack::Parse(bytes);
  ASSERT_TRUE(pack.ok()) << pack.status();
  struct Case {
    std::string path;
    std::string type;
    bool compressed;
    bool immutable;
  };
  const Case cases[] = {
      {"index.html", "text/html; charset=utf-8", true, false},
      {"assets/index-Aa1_-zZ9.js", "text/javascript; charset=utf-8", true, true},
      {"assets/index-00000000.css", "text/css; charset=utf-8", true, true},
      {"icon.png", "image/png", false, false},
      {"licenses.txt", "text/plain; charset=utf-8", false, false},
  };
  EXPECT_EQ(pack->assets().size(), std::size(cases));
  for (const Case& c : cases) {
    SCOPED_TRACE(c.path);
    const Asset* asset = pack->Find(c.path);
    ASSERT_NE(asset, nullptr);
    EXPECT_EQ(asset->content_type, c.type);
    EXPECT_EQ(asset->compressed, c.compressed);
    EXPECT_EQ(asset->immutable, c.immutable);
    EXPECT_THAT(std::string(asset->tag), MatchesRegex("[0-9a-f]{32}"));
    const StatusOr<std::string> content = asset->Content();
    ASSERT_TRUE(content.ok()) << content.status();
    EXPECT_EQ(*content, InBundle(c.path));
    EXPECT_EQ(asset->size_bytes, content->size());
    EXPECT_LE(asset->bytes.size(), content->size());
  }
  for (const char* path : {"", "/", "/index.html", "index.htm", "index.html ", "assets", "assets/",
                           "assets/../index.html", "INDEX.HTML", "zzz"}) {
    EXPECT_EQ(pack->Find(path), nullptr) << path;
  }
}

TEST(PackTest, OfNothingHasNoFiles) {
  const StatusOr<Pack> pack = Pack::Parse("");
  ASSERT_TRUE(pack.ok());
  EXPECT_TRUE(pack->empty());
  EXPECT_EQ(pack->Find("index.html"), nullptr);
}

TEST(PackTest, RefusesDamage) {
  struct Case {
    std::string name;
    std::string bytes;
    std::string message;
  };
  const std::string two = File("a", "x") + File("b", "y");
  const Case cases[] = {
      {"another magic", "AEVUMWEC" + std::string("\1\0\0\0\0", 5), "not a pack"},
      {"shorter than the magic", "AEVUM", "not a pack"},
      {"another version", "AEVUMWEB" + std::string("\2\0\0\0\0", 5), "another version: 2"},
      {"no count", "AEVUMWEB\1", "end inside a value"},
      {"more files than there are", Packed(3, two), "end inside a value"},
      {"as many as can be said", Packed(0xffffffff, two), "end inside a value"},
      {"fewer files than there are", Packed(1, two), "bytes after the last asset"},
      {"cut", Packed(2, two.substr(0, two.size() - 1)), "end inside a value"},
      {"a size beyond the end", Packed(1, Integer(0x7fffffff) + "x"), "end inside a value"},
      {"out of order", Packed(2, File("b", "y") + File("a", "x")), "out of order: a"},
      {"twice the same", Packed(2, File("a", "x") + File("a", "x")), "out of order: a"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Status status = Pack::Parse(c.bytes).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

TEST(PackTest, NoContentIsLargerThanItSays) {
  const std::string bytes = Read(AEVUM_TEST_PACK);
  const StatusOr<Pack> pack = Pack::Parse(bytes);
  ASSERT_TRUE(pack.ok());
  Asset asset = *pack->Find("index.html");
  for (const std::size_t size : {std::size_t{0}, asset.size_bytes - 1, asset.size_bytes + 1}) {
    Asset wrong = asset;
    wrong.size_bytes = size;
    EXPECT_FALSE(wrong.Content().ok()) << size;
  }
  asset.bytes = asset.bytes.substr(0, asset.bytes.size() / 2);
  EXPECT_EQ(asset.Content().status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace aevum::web
