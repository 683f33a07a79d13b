#include "compaction/rewrite.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "chunk/chunk.h"
#include "compaction/deletion_config.h"
#include "compaction/rewrite_record.h"
#include "compaction/testing/read_block.h"

namespace aevum::compaction {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kRaw = AEVUM_SHARED_DIR "/golden/buckets/raw/";
const std::string kBlock = "01M88B69SDCRCZ0QV2H063H466";

// Times of the samples by labels.
using Content = std::map<model::Labels, std::vector<TimestampMs>>;

StatusOr<Content> ReadTimes(const std::string& directory) {
  Content content;
  const Status read = testing::ReadBlock(
      directory,
      [&](const model::Labels& labels, const std::vector<tsdb::WrittenChunk>& chunks) -> Status {
        chunk::Columns columns;
        for (const tsdb::WrittenChunk& chunk : chunks) {
          RETURN_IF_ERROR(chunk::Decode(static_cast<chunk::Encoding>(chunk.stored.encoding),
                                        chunk.stored.data, &columns));
        }
        std::vector<TimestampMs>& times = content[labels];
        times = columns.times;
        times.insert(times.end(), columns.histogram_times.begin(), columns.histogram_times.end());
        return OkStatus();
      });
  RETURN_IF_ERROR(read);
  return content;
}

class RewriteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kRaw)) GTEST_SKIP() << "no golden blocks at " << kRaw;
    auto made = TemporaryDirectory::Create();
    ASSERT_TRUE(made.ok()) << made.status();
    directory_.emplace(*std::move(made));
    auto meta = block::ReadMetaFile(kRaw + kBlock);
    ASSERT_TRUE(meta.ok()) << meta.status();
    input_.meta = *std::move(meta);
    input_.place = {.bucket = nullptr, .block = input_.meta.ulid, .directory = kRaw + kBlock};
    auto before = ReadTimes(kRaw + kBlock);
    ASSERT_TRUE(before.ok()) << before.status();
    before_ = *std::move(before);
    ASSERT_GT(before_.size(), 2U);
  }

  // Rewrites and compares with `expected`; the dry run must say the same.
  void ExpectContent(RewriteOptions options, const Content& expected) {
    std::vector<std::string> lines;
    options.change_log = [&](std::string_view line) {
      lines.emplace_back(line);
      return OkStatus();
    };
    const auto measured = MeasureRewrite(Context::Background(), input_, options);
    ASSERT_TRUE(measured.ok()) << measured.status();
    const std::vector<std::string> dry = std::exchange(lines, {});
    auto result = RewriteBlock(Context::Background(), input_, options, directory_->path());
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(lines, dry);
    EXPECT_TRUE(result->changed);
    EXPECT_EQ(result->stats.samples_dropped, measured->samples_dropped);
    EXPECT_EQ(result->stats.series_changed, measured->series_changed);
    EXPECT_EQ(result->stats.series_dropped, measured->series_dropped);
    ASSERT_EQ(result->blocks.size(), 1U);
    const auto content = ReadTimes(result->blocks[0].directory);
    ASSERT_TRUE(content.ok()) << content.status();
    EXPECT_TRUE(*content == expected);
    const auto entries = ListDirectory(directory_->path());
    ASSERT_TRUE(entries.ok());
    EXPECT_EQ(entries->size(), 1U) << "scratch was left";
    result_ = *std::move(result);
  }

  model::Relabeler Rules(std::string_view yaml) {
    auto rules = model::Relabeler::Parse(yaml);
    EXPECT_TRUE(rules.ok()) << rules.status();
    return *std::move(rules);
  }

  std::optional<TemporaryDirectory> directory_;
  MergeInput input_;
  Content before_;
  RewriteResult result_;
};

TEST_F(RewriteTest, DeletesSeriesAndIntervals) {
  const std::string name(before_.begin()->first.Get("__name__"));
  const TimestampMs middle = (input_.meta.min_time + input_.meta.max_time) / 2;
  RewriteOptions options;
  options.deletions.push_back({.matchers = {model::Matcher::Equal("__name__", name)}});
  auto rest = model::Matcher::Create(model::MatchType::kNotEqual, "__name__", name);
  ASSERT_TRUE(rest.ok());
  options.deletions.push_back({.matchers = {*rest}, .max_time = middle});
  Content expected;
  std::uint64_t dropped = 0;
  for (const auto& [labels, times] : before_) {
    std::vector<TimestampMs> kept;
    for (const TimestampMs time : times)
      if (labels.Get("__name__") != name && time > middle) kept.push_back(time);
    dropped += times.size() - kept.size();
    if (!kept.empty()) expected[labels] = std::move(kept);
  }
  ASSERT_FALSE(expected.empty());
  ExpectContent(options, expected);
  EXPECT_EQ(result_.stats.samples_dropped, dropped);
  const block::Meta& meta = result_.blocks[0].meta;
  EXPECT_EQ(meta.source, "bucket.rewrite");
  EXPECT_EQ(meta.compaction.level, input_.meta.compaction.level);
  EXPECT_EQ(meta.compaction.sources, std::vector<model::Ulid>{meta.ulid});
  EXPECT_EQ(meta.labels, input_.meta.labels);
  ASSERT_EQ(meta.rewrites.size(), 1U);
  EXPECT_TRUE(meta.rewrites[0] == RewriteRecord(input_.meta.ulid, options.deletions, nullptr));
}

TEST_F(RewriteTest, RelabelsAndDrops) {
  const std::string name(before_.begin()->first.Get("__name__"));
  const model::Relabeler rules =
      Rules("- {action: drop, source_labels: [__name__], regex: " + name +
            "}\n- {action: replace, source_labels: [__name__], regex: (.+), target_label: a0}\n");
  Content expected;
  for (const auto& [labels, times] : before_)
    if (const auto changed = rules.Process(labels)) expected[*changed] = times;
  ASSERT_LT(expected.size(), before_.size());
  RewriteOptions options;
  options.relabeler = &rules;
  ExpectContent(options, expected);
}

// All series of a name become one, within runs and across them.
TEST_F(RewriteTest, MergesSeriesThatBecomeEqual) {
  const model::Relabeler rules = Rules(
      "- {action: keep, source_labels: [__name__], regex: http_requests_total}\n"
      "- {action: labelkeep, regex: __name__}\n");
  std::set<TimestampMs> times;
  std::size_t series = 0;
  for (const auto& [labels, of] : before_) {
    if (labels.Get("__name__") != "http_requests_total") continue;
    ++series;
    times.insert(of.begin(), of.end());
  }
  ASSERT_GT(series, 1U);
  const Content expected = {{model::Labels::Of({{"__name__", "http_requests_total"}}),
                             std::vector<TimestampMs>(times.begin(), times.end())}};
  for (const std::uint64_t run_bytes : {std::uint64_t{1}, std::uint64_t{1} << 28}) {
    RewriteOptions options;
    options.relabeler = &rules;
    options.run_bytes = run_bytes;
    ExpectContent(options, expected);
    for (const MergedBlock& block : result_.blocks) fs::remove_all(block.directory);
  }
}

TEST_F(RewriteTest, WritesNothingWhereNothingChanges) {
  RewriteOptions options;
  options.deletions.push_back({.matchers = {model::Matcher::Equal("__name__", "none_such")}});
  const model::Relabeler rules = Rules("- {action: labeldrop, regex: none_such}");
  options.relabeler = &rules;
  const auto result = RewriteBlock(Context::Background(), input_, options, directory_->path());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(result->changed);
  EXPECT_TRUE(result->blocks.empty());
  EXPECT_TRUE(fs::is_empty(directory_->path()));
}

TEST_F(RewriteTest, MakesNoBlockOfNothing) {
  RewriteOptions options;
  const model::Relabeler rules = Rules("- {action: keep, source_labels: [__name__], regex: no}");
  options.relabeler = &rules;
  const auto result = RewriteBlock(Context::Background(), input_, options, directory_->path());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->changed);
  EXPECT_TRUE(result->blocks.empty());
  EXPECT_EQ(result->stats.series_dropped, before_.size());
  EXPECT_TRUE(fs::is_empty(directory_->path()));
}

TEST_F(RewriteTest, NamesADamagedBlock) {
  const TemporaryDirectory copy = *TemporaryDirectory::Create();
  fs::copy(kRaw + kBlock, copy.path(),
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  auto bytes = ReadFile(copy.path() + "/chunks/000001");
  ASSERT_TRUE(bytes.ok());
  (*bytes)[bytes->size() / 2] ^= 0x10;
  ASSERT_TRUE(WriteFileAtomically(copy.path() + "/chunks/000001", *bytes).ok());
  input_.place.directory = copy.path();
  RewriteOptions options;
  options.deletions.push_back({.matchers = {model::Matcher::Equal("__name__", "up")}});
  const auto result = RewriteBlock(Context::Background(), input_, options, directory_->path());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(DamagedBlock(result.status()), input_.meta.ulid) << result.status();
  EXPECT_TRUE(fs::is_empty(directory_->path()));
}

TEST(DeletionConfigTest, BecomesTheRecordOfThanos) {
  const auto deletions = ParseDeletionConfig(
      "- matchers: '{__name__=\"temperature\", room=\"ax\"}'\n"
      "- matchers: '{code=\"500\"}'\n"
      "  intervals: [{mint: 0, maxt: 1767231000000}, {mint: 5}]\n"
      "  request_id: r1\n");
  ASSERT_TRUE(deletions.ok()) << deletions.status();
  ASSERT_EQ(deletions->size(), 3U);
  EXPECT_EQ((*deletions)[2].max_time, INT64_MAX);
  const model::Ulid source = *model::Ulid::Parse("01M88BP5MPZCF4YRD5JAWDNF47");
  block::JsonWriter writer(block::JsonWriter::Form::kCompact);
  writer.Value(RewriteRecord(source, std::span(*deletions).first(2), nullptr));
  EXPECT_EQ(std::move(writer).Take(),
            R"({"sources":["01M88BP5MPZCF4YRD5JAWDNF47"],"deletions_applied":[{"matchers":[)"
            R"({"Type":0,"Name":"__name__","Value":"temperature"},)"
            R"({"Type":0,"Name":"room","Value":"ax"}]},)"
            R"({"matchers":[{"Type":0,"Name":"code","Value":"500"}],)"
            R"("intervals":[{"Mint":0,"Maxt":1767231000000}],"request_id":"r1"}]})");
}

TEST(DeletionConfigTest, NamesTheItemThatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"a: b", "not a list"},
      {"- matchers: '{a=\"b\"}'\n- intervals: []", "deletion 1: no matchers"},
      {"- matchers: '{a=\"b'", "deletion 0: matchers"},
      {"- {matcher: x}", "deletion 0: unknown field \"matcher\""},
      {"- {matchers: '{a=\"b\"}', intervals: [{mint: 2, maxt: 1}]}", "deletion 0: interval 0"},
      {"- {matchers: '{a=\"b\"}', intervals: [{mint: 99999999999999999999}]}",
       "not a number of milliseconds"},
      {"- [", "deletions: "}};
  for (const auto& [yaml, message] : cases) {
    const auto deletions = ParseDeletionConfig(yaml);
    ASSERT_FALSE(deletions.ok()) << yaml;
    EXPECT_THAT(deletions.status().message(), HasSubstr(message));
  }
}

}  // namespace
}  // namespace aevum::compaction
