#include "model/ulid.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace aevum::model {
namespace {

const std::string kVectors = AEVUM_SHARED_DIR "/golden/vectors/meta/ulids.jsonl";

std::string Hex(const Ulid& ulid) {
  std::string hex;
  for (const std::uint8_t byte : ulid.bytes) hex += fmt::format("{:02x}", byte);
  return hex;
}

TEST(UlidTest, ReadsAndWritesAsTheReferenceDoes) {
  if (!std::filesystem::exists(kVectors)) GTEST_SKIP() << "no golden ULIDs at " << kVectors;
  std::ifstream stream(kVectors);
  int lines = 0;
  for (std::string line; std::getline(stream, line); ++lines) {
    SCOPED_TRACE(line);
    const auto vector = nlohmann::json::parse(line);
    if (vector.contains("path")) {
      const auto found = BlockDirectory(vector["path"].get<std::string>());
      ASSERT_EQ(found.has_value(), vector["is_block_dir"].get<bool>());
      if (found) {
        EXPECT_EQ(found->ToString(), vector["ulid"]);
        EXPECT_EQ(Hex(*found), vector["hex"]);
      }
      continue;
    }
    const auto ulid = Ulid::Parse(vector["ulid"].get<std::string>());
    ASSERT_TRUE(ulid.ok()) << ulid.status();
    EXPECT_EQ(Hex(*ulid), vector["hex"]);
    EXPECT_EQ(ulid->time_ms(), vector["ms"]);
    EXPECT_EQ(ulid->ToString(), vector["ulid"]);
  }
  EXPECT_GT(lines, 70);
}

TEST(UlidTest, OrderOfTextIsOrderOfBytes) {
  const Ulid early = *Ulid::Parse("01HF5Z6Q0000000000000000AA");
  const Ulid late = *Ulid::Parse("01HF5Z6Q0000000000000000AB");
  EXPECT_LT(early, late);
  EXPECT_EQ(early, *Ulid::Parse("01hf5z6q0000000000000000aa"));
}

TEST(UlidTest, RefusesWrongSizesAndTimes) {
  EXPECT_EQ(Ulid::Parse("").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Ulid::Parse("01HF5Z6Q0000000000000000A").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Ulid::Parse("80000000000000000000000000").status().code(),
            StatusCode::kInvalidArgument);
}

TEST(UlidGeneratorTest, RisesWithinAMillisecondAndWhenTheClockGoesBack) {
  FakeClock clock(1'700'000'000'000);
  std::uint64_t next = ~0ULL - 1;
  UlidGenerator generator(clock, [&] { return next; });
  Ulid before = generator.Next();
  EXPECT_EQ(before.time_ms(), 1'700'000'000'000);
  for (int i = 0; i < 1000; ++i) {
    if (i == 500) clock.Advance(-10);
    const Ulid ulid = generator.Next();
    ASSERT_LT(before, ulid);
    before = ulid;
  }
  clock.Set(1'700'000'000'999);
  EXPECT_EQ(generator.Next().time_ms(), 1'700'000'000'999);
}

TEST(UlidGeneratorTest, TwoGeneratorsDiffer) {
  const FakeClock clock(1'700'000'000'000);
  UlidGenerator a(clock);
  UlidGenerator b(clock);
  EXPECT_NE(a.Next(), b.Next());
}

}  // namespace
}  // namespace aevum::model
