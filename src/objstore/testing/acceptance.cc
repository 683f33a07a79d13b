#include "objstore/testing/acceptance.h"

#include <random>
#include <thread>

#include <gmock/gmock.h>

namespace aevum::objstore {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using Depth = IterateOptions::Depth;

std::string RandomBytes(std::size_t size) {
  std::mt19937_64 random(size);  // the same bytes each time
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

}  // namespace

void AcceptanceTest::SetUp() {
  StatusOr<std::shared_ptr<Bucket>> bucket = GetParam().open();
  if (bucket.status().code() == StatusCode::kUnimplemented) {
    GTEST_SKIP() << bucket.status().message();
  }
  ASSERT_TRUE(bucket.ok()) << bucket.status();
  bucket_ = *bucket;
}

void AcceptanceTest::Put(const std::string& name, std::string_view bytes) {
  const Status status = bucket().Upload(context_, name, BytesSource(bytes), {}).status();
  ASSERT_TRUE(status.ok()) << name << ": " << status;
}

std::vector<std::string> AcceptanceTest::List(const std::string& directory,
                                              IterateOptions::Depth depth) {
  std::vector<std::string> names;
  IterateOptions options;
  options.depth = depth;
  const Status status =
      bucket().Iterate(context_, directory, options, [&](const ListedObject& object) {
        names.push_back(object.name);
        return OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  return names;
}

// The library is also linked for its fakes alone.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AcceptanceTest);

TEST_P(AcceptanceTest, AnAbsentObjectIsNotFound) {
  EXPECT_TRUE(IsNotFound(bucket().Get(context_, "id1/obj_1.some").status()));
  EXPECT_TRUE(IsNotFound(bucket().GetRange(context_, "id1/obj_1.some", {0, 3}).status()));
  EXPECT_TRUE(IsNotFound(bucket().Attributes(context_, "id1/obj_1.some").status()));
  const StatusOr<bool> exists = bucket().Exists(context_, "id1/obj_1.some");
  ASSERT_TRUE(exists.ok()) << exists.status();
  EXPECT_FALSE(*exists);
}

TEST_P(AcceptanceTest, ADirectoryIsNoObject) {
  Put("id1/sub/a", "1");
  const StatusOr<bool> exists = bucket().Exists(context_, "id1/sub");
  ASSERT_TRUE(exists.ok()) << exists.status();
  EXPECT_FALSE(*exists);
  EXPECT_TRUE(IsNotFound(bucket().Get(context_, "id1/sub").status()));
}

TEST_P(AcceptanceTest, AnObjectWithoutANameIsAnErrorOfTheCaller) {
  EXPECT_EQ(bucket().Get(context_, "").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(bucket().Attributes(context_, "").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(bucket().Upload(context_, "", BytesSource("x"), {}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(bucket().Delete(context_, "").code(), StatusCode::kInvalidArgument);
}

TEST_P(AcceptanceTest, ReadsWhatWasUploaded) {
  Put("id1/obj_1.some", "@test-data@");
  EXPECT_EQ(*bucket().Get(context_, "id1/obj_1.some"), "@test-data@");
  EXPECT_TRUE(*bucket().Exists(context_, "id1/obj_1.some"));
  const StatusOr<ObjectAttributes> attributes = bucket().Attributes(context_, "id1/obj_1.some");
  ASSERT_TRUE(attributes.ok()) << attributes.status();
  EXPECT_EQ(attributes->size_bytes, 11);
  // Stores keep whole seconds, and have clocks of their own.
  EXPECT_NEAR(static_cast<double>(attributes->last_modified_ms),
              static_cast<double>(Clock::System().NowMs()), 120'000);
}

TEST_P(AcceptanceTest, KeepsAnEmptyObject) {
  Put("empty", "");
  const StatusOr<std::string> bytes = bucket().Get(context_, "empty");
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(*bytes, "");
  EXPECT_EQ(bucket().Attributes(context_, "empty")->size_bytes, 0);
}

TEST_P(AcceptanceTest, ReadsRanges) {
  Put("id1/obj_1.some", "@test-data@");
  EXPECT_EQ(*bucket().GetRange(context_, "id1/obj_1.some", {1, 3}), "tes");
  EXPECT_EQ(*bucket().GetRange(context_, "id1/obj_1.some", {0, 1}), "@");
  EXPECT_EQ(*bucket().GetRange(context_, "id1/obj_1.some", {10, 1}), "@");
  // Beyond the end there is nothing more.
  EXPECT_EQ(*bucket().GetRange(context_, "id1/obj_1.some", {3, 9999}), "st-data@");
  StringSink rest(100);
  const Status status = bucket().Read(context_, "id1/obj_1.some", {1, -1}, rest);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(std::move(rest).Take(), "test-data@");
  EXPECT_EQ(bucket().GetRange(context_, "id1/obj_1.some", {11, 3}).status().code(),
            StatusCode::kOutOfRange);
  EXPECT_EQ(bucket().GetRange(context_, "id1/obj_1.some", {124141, 3}).status().code(),
            StatusCode::kOutOfRange);
}

TEST_P(AcceptanceTest, ReadsManyRangesAtOnce) {
  const std::string bytes = RandomBytes(100'000);
  Put("chunks/000001", bytes);
  std::vector<ByteRange> ranges;
  for (std::int64_t i = 0; i < 40; ++i) ranges.push_back({(i * 37 % 40) * 2500, 100 + i});
  const StatusOr<std::vector<SharedBytes>> parts =
      bucket().GetRanges(context_, "chunks/000001", ranges);
  ASSERT_TRUE(parts.ok()) << parts.status();
  ASSERT_EQ(parts->size(), ranges.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    EXPECT_EQ((*parts)[i].view,
              std::string_view(bytes).substr(static_cast<std::size_t>(ranges[i].offset),
                                             static_cast<std::size_t>(ranges[i].length)));
  }
  EXPECT_TRUE(IsNotFound(bucket().GetRanges(context_, "chunks/2", ranges).status()));
}

TEST_P(AcceptanceTest, RefusesMoreThanTheLimit) {
  Put("a", std::string(1000, 'x'));
  EXPECT_EQ(bucket().Get(context_, "a", 999).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(bucket().Get(context_, "a", 1000)->size(), 1000);
}

TEST_P(AcceptanceTest, AnUploadReplacesTheWholeObject) {
  Put("a/b", "long long content");
  Put("a/b", "short");
  Put("a/b", "short");
  EXPECT_EQ(*bucket().Get(context_, "a/b"), "short");
}

TEST_P(AcceptanceTest, ListsDirectories) {
  for (const char* name :
       {"id1/obj_1.some", "id1/obj_2.some", "id1/obj_3.some", "id1/sub/subobj_1.some",
        "id1/sub/subobj_2.some", "id1.txt", "id2/obj_4.some", "obj_5.some"}) {
    Put(name, "@test-data@");
  }
  EXPECT_THAT(List("", Depth::kFlat), ElementsAre("id1.txt", "id1/", "id2/", "obj_5.some"));
  EXPECT_THAT(List("", Depth::kRecursive),
              ElementsAre("id1.txt", "id1/obj_1.some", "id1/obj_2.some", "id1/obj_3.some",
                          "id1/sub/subobj_1.some", "id1/sub/subobj_2.some", "id2/obj_4.some",
                          "obj_5.some"));
  for (const char* directory : {"id1", "id1/"}) {
    SCOPED_TRACE(directory);
    EXPECT_THAT(List(directory, Depth::kFlat),
                ElementsAre("id1/obj_1.some", "id1/obj_2.some", "id1/obj_3.some", "id1/sub/"));
    EXPECT_THAT(List(directory, Depth::kRecursive),
                ElementsAre("id1/obj_1.some", "id1/obj_2.some", "id1/obj_3.some",
                            "id1/sub/subobj_1.some", "id1/sub/subobj_2.some"));
  }
  // A part of a name is no directory.
  EXPECT_THAT(List("id", Depth::kFlat), IsEmpty());
  EXPECT_THAT(List("id0", Depth::kRecursive), IsEmpty());
}

TEST_P(AcceptanceTest, ListsManyPages) {
  std::vector<std::string> all;
  std::vector<std::string> directories;
  for (int i = 10; i < 33; ++i) {
    const std::string name = "many/" + std::to_string(i) + "/x";
    Put(name, "1");
    all.push_back(name);
    directories.push_back("many/" + std::to_string(i) + "/");
  }
  Put("many/zz", "1");
  all.push_back("many/zz");
  directories.push_back("many/zz");
  EXPECT_THAT(List("many", Depth::kRecursive), ElementsAreArray(all));
  EXPECT_THAT(List("many", Depth::kFlat), ElementsAreArray(directories));
}

TEST_P(AcceptanceTest, ListsAttributesWhenAsked) {
  Put("d/a", "12345");
  Put("d/sub/b", "1");
  IterateOptions options;
  options.attributes = IterateOptions::Attributes::kWanted;
  int objects = 0;
  const Status status = bucket().Iterate(context_, "d", options, [&](const ListedObject& object) {
    if (object.IsDirectory()) return OkStatus();
    ++objects;
    EXPECT_EQ(object.size_bytes, 5);
    EXPECT_NEAR(static_cast<double>(object.last_modified_ms.value_or(0)),
                static_cast<double>(Clock::System().NowMs()), 120'000);
    return OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(objects, 1);
}

TEST_P(AcceptanceTest, AVisitorsErrorEndsTheListing) {
  Put("a", "1");
  Put("b", "1");
  int seen = 0;
  const Status status = bucket().Iterate(context_, "", {}, [&](const ListedObject&) {
    ++seen;
    return Internal("enough");
  });
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_EQ(seen, 1);
}

TEST_P(AcceptanceTest, ASinksErrorEndsTheRead) {
  class Refusing final : public ByteSink {
    Status Start(std::int64_t) override { return OkStatus(); }
    Status Write(std::string_view) override { return Internal("the disk is full"); }
  };
  Put("a", "1");
  Refusing sink;
  EXPECT_EQ(bucket().Read(context_, "a", {}, sink).code(), StatusCode::kInternal);
}

TEST_P(AcceptanceTest, DeletesObjects) {
  Put("id1/obj_1.some", "1");
  Put("id1/obj_2.some", "2");
  Put("id2/obj_4.some", "3");
  ASSERT_TRUE(bucket().Delete(context_, "id1/obj_2.some").ok());
  EXPECT_THAT(List("id1/", Depth::kFlat), ElementsAre("id1/obj_1.some"));
  // Can be repeated.
  const Status again = bucket().Delete(context_, "id1/obj_2.some");
  EXPECT_TRUE(again.ok()) << again;
  // A directory is there as long as an object is.
  ASSERT_TRUE(bucket().Delete(context_, "id2/obj_4.some").ok());
  EXPECT_THAT(List("", Depth::kFlat), ElementsAre("id1/"));
  EXPECT_FALSE(*bucket().Exists(context_, "id2/obj_4.some"));
}

TEST_P(AcceptanceTest, CarriesLargeObjects) {
  const std::string bytes = RandomBytes((13 << 20) + 17);
  Put("chunks/000001", bytes);
  EXPECT_EQ(bucket().Attributes(context_, "chunks/000001")->size_bytes,
            static_cast<std::int64_t>(bytes.size()));
  const StatusOr<std::string> read = bucket().Get(context_, "chunks/000001");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(*read == bytes);
  const StatusOr<std::string> part =
      bucket().GetRange(context_, "chunks/000001", {(6 << 20) - 5, 10});
  ASSERT_TRUE(part.ok()) << part.status();
  EXPECT_TRUE(*part == bytes.substr((6 << 20) - 5, 10));
  EXPECT_THAT(List("chunks", Depth::kRecursive), ElementsAre("chunks/000001"));
  ASSERT_TRUE(bucket().Delete(context_, "chunks/000001").ok());
  // Nothing of it stays, not even in parts.
  EXPECT_THAT(List("", Depth::kRecursive), IsEmpty());
}

TEST_P(AcceptanceTest, KeepsOddNames) {
  std::vector<std::string> names = {
      "odd/ space",         "odd/!$&'()*,;=:@",  "odd/\"quoted\"",
      "odd/#hash?question", "odd/%41%2Fpercent", "odd/+plus",
      "odd/.hidden",        "odd/<xml>&amp;",    "odd/[x]{y}|z^`",
      "odd/back\\slash",    "odd/~tilde",        "odd/\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
  };
  if (!GetParam().backslashes) {
    std::erase(names, "odd/back\\slash");
    EXPECT_EQ(bucket().Upload(context_, "odd/back\\slash", BytesSource("x"), {}).status().code(),
              StatusCode::kInvalidArgument);
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) Put(name, name);
  EXPECT_THAT(List("odd", Depth::kFlat), ElementsAreArray(names));
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    const StatusOr<std::string> bytes = bucket().Get(context_, name);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_EQ(*bytes, name);
    EXPECT_EQ(bucket().Attributes(context_, name)->size_bytes,
              static_cast<std::int64_t>(name.size()));
    const Status deleted = bucket().Delete(context_, name);
    EXPECT_TRUE(deleted.ok()) << deleted;
  }
  EXPECT_THAT(List("", Depth::kFlat), IsEmpty());
}

TEST_P(AcceptanceTest, UploadsIfAbsent) {
  if (GetParam().conditions == ProviderUnderTest::Conditions::kNone) GTEST_SKIP() << "unsupported";
  UploadOptions if_absent;
  if_absent.condition = UploadCondition::kIfAbsent;
  const StatusOr<std::string> first =
      bucket().Upload(context_, "lease", BytesSource("one"), if_absent);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(bucket().Upload(context_, "lease", BytesSource("two"), if_absent).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(*bucket().Get(context_, "lease"), "one");
}

TEST_P(AcceptanceTest, UploadsIfVersion) {
  if (GetParam().conditions != ProviderUnderTest::Conditions::kAll) GTEST_SKIP() << "unsupported";
  const StatusOr<std::string> first = bucket().Upload(context_, "lease", BytesSource("one"), {});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(bucket().Attributes(context_, "lease")->version, *first);
  UploadOptions options;
  options.condition = UploadCondition::kIfVersion;
  options.version = *first;
  const StatusOr<std::string> second =
      bucket().Upload(context_, "lease", BytesSource("two"), options);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_NE(*second, *first);
  EXPECT_EQ(bucket().Upload(context_, "lease", BytesSource("three"), options).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(*bucket().Get(context_, "lease"), "two");
  EXPECT_EQ(bucket().Upload(context_, "absent", BytesSource("x"), options).status().code(),
            StatusCode::kFailedPrecondition);
}

TEST_P(AcceptanceTest, ACancelledContextEndsEveryCall) {
  Put("a", "1");
  CancelScope scope(context_);
  scope.Cancel();
  const Context& cancelled = scope.context();
  EXPECT_EQ(bucket().Get(cancelled, "a").status().code(), StatusCode::kCancelled);
  EXPECT_EQ(bucket().Attributes(cancelled, "a").status().code(), StatusCode::kCancelled);
  EXPECT_EQ(bucket().Upload(cancelled, "b", BytesSource("1"), {}).status().code(),
            StatusCode::kCancelled);
  EXPECT_EQ(bucket().Delete(cancelled, "a").code(), StatusCode::kCancelled);
  const auto visit = [](const ListedObject&) { return OkStatus(); };
  EXPECT_EQ(bucket().Iterate(cancelled, "", {}, visit).code(), StatusCode::kCancelled);
  EXPECT_THAT(List("", Depth::kFlat), ElementsAre("a"));
}

TEST_P(AcceptanceTest, WrongCredentialsAreAccessDenied) {
  if (!GetParam().open_denied) GTEST_SKIP() << "the provider has no credentials";
  const StatusOr<std::shared_ptr<Bucket>> denied = GetParam().open_denied();
  if (!denied.ok()) {  // a provider that logs in finds it at once
    EXPECT_TRUE(IsAccessDenied(denied.status())) << denied.status();
    return;
  }
  Bucket& other = **denied;
  for (const Status& status :
       {other.Get(context_, "a").status(),
        other.Upload(context_, "a", BytesSource("1"), {}).status(), other.Delete(context_, "a"),
        other.Attributes(context_, "a").status(),
        other.Iterate(context_, "", {}, [](const ListedObject&) { return OkStatus(); })}) {
    EXPECT_TRUE(IsAccessDenied(status)) << status;
    EXPECT_FALSE(IsNotFound(status));
  }
}

TEST_P(AcceptanceTest, ServesManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 5; ++i) {
        const std::string name = fmt::format("{}/{}/x", t, i);
        Put(name, name);
        EXPECT_EQ(*bucket().Get(context_, name), name);
        EXPECT_TRUE(bucket().Delete(context_, name).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(List("", Depth::kFlat), IsEmpty());
}

}  // namespace aevum::objstore
