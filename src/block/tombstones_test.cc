#include "block/tombstones.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/testing/blocks.h"

namespace aevum::block {
namespace {

using model::Matcher;
using model::MatchType;
using testing::CountingBucket;
using ::testing::HasSubstr;
using testing::IdOf;

const Context kContext = Context::Background();

Tombstone MakeTombstone(int number) {
  return {.id = IdOf(number),
          .matchers = {Matcher::Equal("job", "a\"b"),
                       *Matcher::Create(MatchType::kNotRegex, "pod", "x.*"),
                       *Matcher::Create(MatchType::kRegex, "pod", ".*y"),
                       *Matcher::Create(MatchType::kNotEqual, "pod", "z")},
          .min_time = 1'700'000'000'000,
          .max_time = INT64_MAX,
          .created = 1'795'577'016'932,
          .author = "ops",
          .reason = "personal data"};
}

TEST(TombstoneTest, IsReadAsItWasWritten) {
  const Tombstone tombstone = MakeTombstone(1);
  const auto read = Tombstone::Parse(tombstone.Write());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, tombstone);
}

TEST(TombstoneTest, RefusesDamage) {
  const std::string id = IdOf(1).ToString();
  const std::string one = R"("matchers":[{"op":"=","name":"a","value":"b"}])";
  struct Case {
    std::string text;
    std::string error;
  };
  const std::vector<Case> cases = {
      {"", ""},
      {"null", ""},
      {"[]", ""},
      {R"({"version":2,)" + one + "}", "version: unknown"},
      {R"({"version":1})", "one of them must not match the empty value"},
      {R"({"version":1,"matchers":[]})", "one of them must not match the empty value"},
      {R"({"version":1,"matchers":[{"op":"=","name":"a","value":""}]})", "the empty value"},
      {R"({"version":1,"matchers":[{"op":"==","name":"a","value":"b"}]})", "unknown operator"},
      {R"({"version":1,"matchers":[{"op":"=~","name":"a","value":"("}]})", "matchers:"},
      {R"({"version":1,"matchers":[{"op":"=","value":"b"}]})", "no name"},
      {R"({"version":1,"matchers":[null]})", "unknown operator"},
      {R"({"version":1,"min_time":2,"max_time":1,)" + one + "}", "is behind max_time"},
      {R"({"version":1,"min_time":9e99,)" + one + "}", "min_time"},
      {R"({"version":1,"id":"x",)" + one + "}", "id"},
      {std::string(kMaxTombstoneBytes + 1, ' '), "too large"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.text.substr(0, 100));
    const Status status = Tombstone::Parse(test.text).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status;
    EXPECT_THAT(status.ToString(), HasSubstr(test.error));
  }
}

TEST(TombstoneTest, WhatWouldDeleteEverythingIsNotPut) {
  CountingBucket bucket;
  Tombstone tombstone = MakeTombstone(1);
  tombstone.matchers = {*Matcher::Create(MatchType::kRegex, "job", ".*")};
  EXPECT_EQ(PutTombstone(kContext, bucket, tombstone).code(), StatusCode::kInvalidArgument);
  tombstone = MakeTombstone(1);
  tombstone.reason = std::string(kMaxTombstoneBytes, 'x');
  EXPECT_EQ(PutTombstone(kContext, bucket, tombstone).code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(testing::List(bucket), ::testing::IsEmpty());
}

TEST(TombstoneReaderTest, FollowsTheBucket) {
  CountingBucket bucket;
  TombstoneReader reader(bucket, Logger());
  auto found = reader.Sync(kContext);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE((*found)->empty());

  ASSERT_TRUE(PutTombstone(kContext, bucket, MakeTombstone(1)).ok());
  ASSERT_TRUE(PutTombstone(kContext, bucket, MakeTombstone(2)).ok());
  testing::Put(bucket, "tombstones/notes.txt", "of somebody else");
  found = reader.Sync(kContext);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ((*found)->size(), 2U);
  EXPECT_EQ(*(*found)->at(IdOf(2)), MakeTombstone(2));

  // What is known is not read again.
  const int before = bucket.calls;
  ASSERT_TRUE(reader.Sync(kContext).ok());
  EXPECT_EQ(bucket.calls - before, 1);

  ASSERT_TRUE(RemoveTombstone(kContext, bucket, IdOf(1)).ok());
  EXPECT_EQ(RemoveTombstone(kContext, bucket, IdOf(1)).code(), StatusCode::kNotFound);
  found = reader.Sync(kContext);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ((*found)->size(), 1U);
}

TEST(TombstoneReaderTest, WhatIsDamagedIsLeftOutUntilItIsNot) {
  CountingBucket bucket;
  TombstoneReader reader(bucket, Logger());
  ASSERT_TRUE(PutTombstone(kContext, bucket, MakeTombstone(1)).ok());
  testing::Put(bucket, TombstoneName(IdOf(2)), "{");
  testing::Put(bucket, TombstoneName(IdOf(3)), MakeTombstone(4).Write());  // of another id
  testing::Put(bucket, TombstoneName(IdOf(5)), std::string(kMaxTombstoneBytes + 1, ' '));
  auto found = reader.Sync(kContext);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ((*found)->size(), 1U);
  EXPECT_EQ(reader.failed(), 3U);

  testing::Put(bucket, TombstoneName(IdOf(2)), MakeTombstone(2).Write());
  found = reader.Sync(kContext);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ((*found)->size(), 2U);
  EXPECT_EQ(reader.failed(), 2U);

  bucket.fail_listing = true;
  EXPECT_FALSE(reader.Sync(kContext).ok());
}

}  // namespace
}  // namespace aevum::block
