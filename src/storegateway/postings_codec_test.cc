#include "storegateway/postings_codec.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "storegateway/index_cache_keys.h"

namespace aevum::storegateway {
namespace {

using model::Matcher;
using model::MatchType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Corpus(const std::string& name) {
  const auto bytes =
      ReadFile(AEVUM_SOURCE_DIR "/src/storegateway/testdata/postings_corpus/" + name);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.ok() ? *bytes : std::string();
}

tsdb::Postings Random(std::size_t count, std::uint32_t most_step) {
  std::mt19937 random(7);
  tsdb::Postings postings;
  std::uint32_t ref = 0;
  for (std::size_t i = 0; i < count; ++i) {
    ref += 1 + static_cast<std::uint32_t>(random()) % most_step;
    postings.push_back(ref);
  }
  return postings;
}

TEST(PostingsCodecTest, ReadsWhatItWrote) {
  for (const std::uint32_t step : {1U, 3U, 1'000U, 40'000U}) {
    for (const std::size_t count : {0U, 1U, 2U, 1'000U, 70'000U, 100'000U}) {
      const tsdb::Postings postings = Random(count, step);
      const std::string encoded = EncodePostings(postings);
      const auto decoded = DecodeCachedPostings(encoded, count);
      ASSERT_TRUE(decoded.ok()) << decoded.status();
      EXPECT_EQ(*decoded, postings);
      if (count > 0) {
        EXPECT_FALSE(DecodeCachedPostings(encoded, count - 1).ok());
      }
    }
  }
  EXPECT_EQ(*DecodeCachedPostings(EncodePostings(tsdb::Postings{0, UINT32_MAX}), 2),
            (tsdb::Postings{0, UINT32_MAX}));
}

// Streams made after the descriptions of both formats, not by this code.
TEST(PostingsCodecTest, ReadsBothForms) {
  EXPECT_THAT(*DecodeCachedPostings(Corpus("streamed"), 100), ElementsAre(1, 3, 131, 136));
  EXPECT_THAT(*DecodeCachedPostings(Corpus("block"), 100), ElementsAre(1, 3, 131, 136));
  EXPECT_THAT(*DecodeCachedPostings(Corpus("empty"), 100), ElementsAre());
}

TEST(PostingsCodecTest, NoByteOfAStreamCanBeWrong) {
  const tsdb::Postings postings = Random(1'000, 100);
  const std::string good = EncodePostings(postings);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int bit : {0, 3, 7}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      const auto decoded = DecodeCachedPostings(bad, 10'000);
      if (decoded.ok()) {
        EXPECT_EQ(*decoded, postings) << "at " << at;
      }
    }
    const auto cut = DecodeCachedPostings(std::string_view(good).substr(0, at), 10'000);
    // What has nothing behind its header holds no postings.
    EXPECT_EQ(cut.ok(), at == 3) << "cut at " << at;
  }
  EXPECT_FALSE(DecodeCachedPostings("", 10).ok());
  EXPECT_FALSE(DecodeCachedPostings("raw postings", 10).ok());
}

// The hashes are those of another implementation of BLAKE2b.
TEST(IndexCacheKeysTest, AreThoseOfThanos) {
  EXPECT_EQ(PostingsCacheKey("01ULID", "foo", "bar"),
            "P:01ULID:jCXwSJJrZbhjpARCdPaLRL-cVX7MJ7mudtvSKh46I9E:dss");
  EXPECT_EQ(SeriesCacheKey("01ULID", 12345), "S:01ULID:12345");
  // Sorted by type first: = before =~.
  const model::Matchers matchers = {*Matcher::Create(MatchType::kRegex, "job", "a|b"),
                                    Matcher::Equal("__name__", "up")};
  EXPECT_EQ(ExpandedPostingsCacheKey("01ULID", matchers),
            "EP:01ULID:3G9dRuIYctj-yfmOtiY4mgV4JwN2n3PFnUMOppr6mHc:dss");
  EXPECT_EQ(ExpandedPostingsCacheKey("01ULID", {matchers[1], matchers[0]}),
            ExpandedPostingsCacheKey("01ULID", matchers));
}

}  // namespace
}  // namespace aevum::storegateway
