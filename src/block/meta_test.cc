#include "block/meta.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "block/marks.h"
#include "objstore/testing/memory_bucket.h"

namespace aevum::block {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kVectors = AEVUM_SHARED_DIR "/golden/vectors/";
const std::string kBuckets = AEVUM_SHARED_DIR "/golden/buckets/";

TEST(MetaTest, WritesBackWhatTheReferenceWrote) {
  if (!fs::exists(kVectors)) GTEST_SKIP() << "no golden vectors at " << kVectors;
  int files = 0;
  for (const auto& entry : fs::directory_iterator(kVectors + "meta/written")) {
    SCOPED_TRACE(entry.path().string());
    std::string text = *ReadFile(entry.path().string());
    const auto meta = Meta::Parse(text);
    ASSERT_TRUE(meta.ok()) << meta.status();
    // Labels that were never set are written as none at all.
    const std::size_t unset = text.find("\"labels\": null");
    if (unset != std::string::npos) text.replace(unset + 10, 4, "{}");
    EXPECT_EQ(meta->Write(), text);
    ++files;
  }
  EXPECT_GE(files, 10);
}

TEST(MetaTest, WritesBackEveryGoldenBlock) {
  if (!fs::exists(kBuckets)) GTEST_SKIP() << "no golden blocks at " << kBuckets;
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kBuckets)) {
    if (entry.path().filename() != "meta.json") continue;
    SCOPED_TRACE(entry.path().string());
    const auto meta = ReadMetaFile(entry.path().parent_path().string());
    ASSERT_TRUE(meta.ok()) << meta.status();
    EXPECT_EQ(meta->Write(), *ReadFile(entry.path().string()));
    ++files;
  }
  EXPECT_GT(files, 30);
}

TEST(MetaTest, AcceptsAndRefusesAsTheReferenceDoes) {
  const std::string path = kVectors + "meta/read.jsonl";
  if (!fs::exists(path)) GTEST_SKIP() << "no golden vectors at " << path;
  std::ifstream stream(path);
  int lines = 0;
  for (std::string line; std::getline(stream, line); ++lines) {
    SCOPED_TRACE(line);
    const auto vector = nlohmann::json::parse(line);
    const auto meta = Meta::Parse(vector["input"].get<std::string>());
    ASSERT_EQ(meta.ok(), vector["ok"].get<bool>()) << meta.status();
    if (meta.ok()) {
      EXPECT_EQ(meta->Write(), vector["rewritten"].get<std::string>());
    } else {
      EXPECT_EQ(meta.status().code(), StatusCode::kDataLoss);
    }
  }
  EXPECT_GE(lines, 40);
}

TEST(MetaTest, ErrorsNameTheField) {
  struct Case {
    std::string text;
    std::string message;
  };
  const Case cases[] = {
      {"", "JSON ends too early, 0 bytes"},
      {"[]", "the whole: an object is wanted, a list is there"},
      {R"({"version":2})", "version: unknown, 2 is not 1"},
      {R"({"version":1,"minTime":1.5})", "minTime: no whole number of 64 bits: 1.5"},
      {R"({"version":1,"thanos":{"labels":{"a":1}}})",
       "thanos.labels.a: a string is wanted, a number is there"},
      {R"({"version":1,"compaction":{"sources":[null,"x"]}})", "compaction.sources[1]: a ULID has"},
      {R"({"version":1,"thanos":{"files":[{"hash":[]}]}})",
       "thanos.files[0].hash: an object is wanted, a list is there"},
      {R"({"version":1,"thanos":{"extensions":[1e999]}})", "thanos.extensions: a number beyond"},
      {std::string(200, '['), "more than 100 levels"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    const Status status = Meta::Parse(c.text).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

TEST(MetaTest, ValuesAreBounded) {
  std::string text = R"({"version":1,"thanos":{"extensions":[0)";
  for (int i = 0; i < 1'000'001; ++i) text += ",0";
  const Status status = Meta::Parse(text + "]}}").status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("more than 1000000 values"));
}

TEST(MetaTest, ExtensionsAreKeptAsAGoProgramKeepsThem) {
  const auto meta = Meta::Parse(
      R"({"version":1,"thanos":{"extensions":{"b":1e3,"a":{"y":1,"x":[1.50,-0.0,1e21]},"b":2}}})");
  ASSERT_TRUE(meta.ok()) << meta.status();
  JsonWriter json(JsonWriter::Form::kCompact);
  json.Value(*meta->extensions);
  EXPECT_EQ(std::move(json).Take(), R"({"a":{"x":[1.5,-0,1e+21],"y":1},"b":2})");
  EXPECT_FALSE(meta->IsParquetMigrated());
}

TEST(MetaTest, GroupKeysAreThoseOfTheReference) {
  const std::string path = kVectors + "sharding/group_keys.jsonl";
  if (!fs::exists(path)) GTEST_SKIP() << "no golden vectors at " << path;
  std::ifstream stream(path);
  int lines = 0;
  for (std::string line; std::getline(stream, line); ++lines) {
    const auto vector = nlohmann::json::parse(line);
    Meta meta;
    meta.labels = vector["labels"].get<std::map<std::string, std::string>>();
    meta.resolution_ms = vector["resolution"].get<std::int64_t>();
    ASSERT_EQ(meta.GroupKey(), vector["group_key"]) << line;
  }
  EXPECT_GT(lines, 10);
}

TEST(MarksTest, WriteBackWhatTheReferenceWrote) {
  if (!fs::exists(kBuckets)) GTEST_SKIP() << "no golden marks at " << kBuckets;
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kBuckets + "marks")) {
    if (!entry.is_regular_file()) continue;
    SCOPED_TRACE(entry.path().string());
    const std::string text = *ReadFile(entry.path().string());
    for (const MarkKind kind : kAllMarks) {
      if (entry.path().filename() != MarkFile(kind)) continue;
      const auto mark = Mark::Parse(kind, text);
      ASSERT_TRUE(mark.ok()) << mark.status();
      EXPECT_EQ(mark->block.ToString(), entry.path().parent_path().filename());
      EXPECT_EQ(mark->details, "made by hand, \"quoted\" & <so>");
      EXPECT_EQ(mark->Write(), text);
      ++files;
    }
  }
  EXPECT_EQ(files, 5);
}

TEST(MarksTest, AMarkThatIsThereStays) {
  const Context context = Context::Background();
  objstore::MemoryBucket bucket;
  Mark mark;
  mark.kind = MarkKind::kNoCompact;
  mark.block = *model::Ulid::Parse("01HF5Z6Q0000000000000000AA");
  mark.time_seconds = 17;
  mark.reason = kReasonManual;
  EXPECT_TRUE(*PutMark(context, bucket, mark));
  Mark later = mark;
  later.time_seconds = 18;
  EXPECT_FALSE(*PutMark(context, bucket, later));
  EXPECT_EQ(*ReadMark(context, bucket, MarkKind::kNoCompact, mark.block), mark);
  EXPECT_TRUE(
      objstore::IsNotFound(ReadMark(context, bucket, MarkKind::kDeletion, mark.block).status()));
}

TEST(MarksTest, DamageIsNamed) {
  const Context context = Context::Background();
  objstore::MemoryBucket bucket;
  const model::Ulid block = *model::Ulid::Parse("01HF5Z6Q0000000000000000AA");
  const auto put = [&](std::string_view text) {
    ASSERT_TRUE(bucket
                    .Upload(context, ObjectName(block, "deletion-mark.json"),
                            objstore::BytesSource(text), {})
                    .ok());
  };
  put(R"({"version":3})");
  const Status status = ReadMark(context, bucket, MarkKind::kDeletion, block).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(status.message(),
            "01HF5Z6Q0000000000000000AA/deletion-mark.json: version: unknown, 3 is not 1");
  put(R"({"version":1} x)");
  EXPECT_EQ(ReadMark(context, bucket, MarkKind::kDeletion, block).status().code(),
            StatusCode::kDataLoss);
  put(std::string((1 << 20) + 1, ' '));
  EXPECT_EQ(ReadMark(context, bucket, MarkKind::kDeletion, block).status().code(),
            StatusCode::kDataLoss);
  const Mark huge{.block = block, .details = std::string(1 << 20, 'x')};
  ASSERT_TRUE(bucket.Delete(context, ObjectName(block, "deletion-mark.json")).ok());
  EXPECT_EQ(PutMark(context, bucket, huge).status().code(), StatusCode::kInvalidArgument);
}

TEST(MarksTest, DelayPassesOnce) {
  const auto is_due = [](std::int64_t time_seconds, TimestampMs now) {
    return IsDue(Mark{.time_seconds = time_seconds}, now, std::chrono::seconds(10));
  };
  EXPECT_FALSE(is_due(5, 15'000));
  EXPECT_TRUE(is_due(5, 15'001));
  // Nanoseconds by mistake, or malice: not what any clock has passed.
  EXPECT_FALSE(is_due(INT64_MAX, 15'001));
  EXPECT_FALSE(is_due(INT64_MIN, 15'001));
}

}  // namespace
}  // namespace aevum::block
