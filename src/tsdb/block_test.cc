#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "tsdb/block_labels.h"
#include "tsdb/block_series.h"
#include "tsdb/local_block.h"
#include "tsdb/posting_groups.h"

namespace aevum::tsdb {
namespace {

using model::Labels;
using model::Matcher;
using model::Matchers;
using model::MatchType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

const std::string kBlock = AEVUM_SOURCE_DIR "/src/tsdb/testdata/block";
constexpr TimestampMs kStart = 1'700'000'000'000;

Matcher Make(MatchType type, const std::string& name, const std::string& value) {
  auto matcher = Matcher::Create(type, name, value);
  EXPECT_TRUE(matcher.ok()) << matcher.status();
  return *matcher;
}

// A series a line: labels, then the samples of its chunks.
StatusOr<std::vector<std::string>> Read(LocalBlock& block, const Matchers& matchers,
                                        BlockSeriesOptions options = {}) {
  const Context context = Context::Background();
  ASSIGN_OR_RETURN(const PostingGroups groups,
                   ResolveMatchers(context, block.tables().postings(), matchers));
  ASSIGN_OR_RETURN(Postings series, SelectSeries(context, groups, block));
  BlockSeries reader(context, block.tables(), block, std::move(series), std::move(options));
  std::vector<std::string> lines;
  wire::SeriesBatch batch;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, reader.Next(&batch));
    if (!more) return lines;
    for (const wire::SeriesBatch::Series& series_found : batch.series) {
      chunk::Columns samples;
      for (const chunk::ChunkView& view : batch.ChunksOf(series_found))
        RETURN_IF_ERROR(chunk::Decode(view.encoding, view.data, &samples));
      std::string line = series_found.labels.ToString();
      for (std::size_t i = 0; i < samples.times.size(); ++i)
        line += fmt::format(" {}:{}", (samples.times[i] - kStart) / 1000, samples.values[i]);
      lines.push_back(std::move(line));
    }
  }
}

class BlockTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto block = LocalBlock::Open(kBlock);
    ASSERT_TRUE(block.ok()) << block.status();
    block_ = *std::move(block);
  }
  std::vector<std::string> ReadOk(const Matchers& matchers, BlockSeriesOptions options = {}) {
    auto lines = Read(*block_, matchers, std::move(options));
    EXPECT_TRUE(lines.ok()) << lines.status();
    return lines.ok() ? *lines : std::vector<std::string>();
  }

  std::unique_ptr<LocalBlock> block_;
};

TEST_F(BlockTest, GivesSeriesWithTheirSamples) {
  EXPECT_THAT(
      ReadOk({}),
      ElementsAre(
          R"({__name__="requests_total", code="200", instance="a:1", job="api"} 0:1 15:4 30:9)",
          R"({__name__="requests_total", code="200", instance="b:1", job="api"} 1:2 16:3)",
          R"({__name__="requests_total", code="500", instance="b:1", job="api"} 16:7)",
          R"({__name__="up"} 30:1)", R"({__name__="up", instance="a:1", job="api"} 0:1 15:0)",
          R"({__name__="up", instance="c:1", job="db"} 0:1)",
          R"({__name__="up", instance="c:1", job="db", zone="z1"} 30:1)"));
}

TEST_F(BlockTest, LeavesOutWhatIsOutsideTheRange) {
  EXPECT_THAT(ReadOk({Matcher::Equal("__name__", "up")}, {.range = {kStart + 20'000, INT64_MAX}}),
              ElementsAre(R"({__name__="up"} 30:1)",
                          R"({__name__="up", instance="c:1", job="db", zone="z1"} 30:1)"));
}

TEST_F(BlockTest, SortsByLabelsWithTheExternalOnes) {
  for (const std::size_t batch : {1, 2, 100}) {
    BlockSeriesOptions options{.skip_chunks = true,
                               .external_labels = Labels::Of({{"region", "eu"}}),
                               .batch_series = batch};
    EXPECT_THAT(ReadOk({Matcher::Equal("__name__", "up")}, options),
                ElementsAre(R"({__name__="up", instance="a:1", job="api", region="eu"})",
                            R"({__name__="up", instance="c:1", job="db", region="eu"})",
                            R"({__name__="up", instance="c:1", job="db", region="eu", zone="z1"})",
                            R"({__name__="up", region="eu"})"));
  }
}

TEST_F(BlockTest, ExternalLabelsHideOwnOnes) {
  const Labels external = Labels::Of({{"job", "x"}});
  EXPECT_TRUE(BlockSeries::MayBreakOrder(block_->tables(), external));
  EXPECT_FALSE(BlockSeries::MayBreakOrder(block_->tables(), Labels::Of({{"region", "eu"}})));
  EXPECT_THAT(ReadOk({Make(MatchType::kEqual, "zone", "z1")},
                     {.skip_chunks = true, .external_labels = external}),
              ElementsAre(R"({__name__="up", instance="c:1", job="x", zone="z1"})"));
}

TEST_F(BlockTest, AsksForWhatIsWanted) {
  EXPECT_THAT(ReadOk({Matcher::Equal("__name__", "up")},
                     {.skip_chunks = true,
                      .wanted = [](const Labels& labels) { return labels.size() == 1; }}),
              ElementsAre(R"({__name__="up"})"));
}

TEST_F(BlockTest, MatchersSelectAsAFilterWould) {
  const std::vector<std::string> all = ReadOk({}, {.skip_chunks = true});
  std::vector<Matcher> matchers;
  for (const char* name : {"__name__", "job", "zone", "absent", "instance"}) {
    for (const char* value : {"", "up", "api", "z1", "c:1", "nothing"}) {
      matchers.push_back(Make(MatchType::kEqual, name, value));
      matchers.push_back(Make(MatchType::kNotEqual, name, value));
    }
    for (const char* value : {"", ".*", ".+", "api|db", "|z1", "u.*", "a.*|b.*", "(x|y)?"}) {
      matchers.push_back(Make(MatchType::kRegex, name, value));
      matchers.push_back(Make(MatchType::kNotRegex, name, value));
    }
  }
  Context context = Context::Background();
  const auto everything = ReadOk({});
  for (const Matcher& a : matchers) {
    for (const Matcher& b : matchers) {
      SCOPED_TRACE(a.ToString() + " " + b.ToString());
      // All series pass through the filter, the matched ones through the postings.
      const auto filtered = ReadOk({}, {.skip_chunks = true, .wanted = [&](const Labels& labels) {
                                          return a.Matches(labels) && b.Matches(labels);
                                        }});
      ASSERT_EQ(ReadOk({a, b}, {.skip_chunks = true}), filtered);
    }
  }
}

TEST_F(BlockTest, AnswersLabelRequests) {
  const Context context = Context::Background();
  const IndexTables& tables = block_->tables();
  EXPECT_THAT(*LabelNames(context, tables, *block_, {}),
              ElementsAre("__name__", "code", "instance", "job", "zone"));
  EXPECT_THAT(*LabelNames(context, tables, *block_, {Matcher::Equal("job", "db")}),
              ElementsAre("__name__", "instance", "job", "zone"));
  EXPECT_THAT(*LabelValues(context, tables, *block_, "instance", {}),
              ElementsAre("a:1", "b:1", "c:1"));
  EXPECT_THAT(*LabelValues(context, tables, *block_, "instance", {Matcher::Equal("job", "api")}),
              ElementsAre("a:1", "b:1"));
  EXPECT_THAT(*LabelValues(context, tables, *block_, "instance",
                           {Make(MatchType::kRegex, "instance", "[ac].*"),
                            Make(MatchType::kNotEqual, "zone", "")}),
              ElementsAre("c:1"));
  EXPECT_THAT(*LabelValues(context, tables, *block_, "absent", {}), IsEmpty());
  EXPECT_THAT(*LabelValues(context, tables, *block_, "job", {Matcher::Equal("job", "none")}),
              IsEmpty());
}

// Whatever byte of a block is wrong: the answer is right or there is an error.
TEST_F(BlockTest, NoFlippedByteGivesAWrongAnswer) {
  const std::vector<std::string> right = ReadOk({});
  auto scratch = TemporaryDirectory::Create();
  ASSERT_TRUE(scratch.ok());
  fs::copy(kBlock, scratch->File("block"), fs::copy_options::recursive);
  for (const char* name : {"index", "chunks/000001"}) {
    const std::string path = scratch->File("block/" + std::string(name));
    auto whole = ReadFile(path);
    ASSERT_TRUE(whole.ok());
    for (std::size_t i = 0; i < whole->size(); ++i) {
      std::string damaged = *whole;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
      ASSERT_TRUE(WriteFileAtomically(path, damaged).ok());
      auto block = LocalBlock::Open(scratch->File("block"));
      if (!block.ok()) continue;
      const auto lines = Read(**block, {});
      if (!lines.ok()) continue;
      ASSERT_EQ(*lines, right) << name << " byte " << i;
    }
    ASSERT_TRUE(WriteFileAtomically(path, *whole).ok());
  }
}

TEST_F(BlockTest, ErrorsNameFileAndOffset) {
  auto scratch = TemporaryDirectory::Create();
  ASSERT_TRUE(scratch.ok());
  fs::copy(kBlock, scratch->File("block"), fs::copy_options::recursive);
  const std::string path = scratch->File("block/chunks/000001");
  auto bytes = ReadFile(path);
  ASSERT_TRUE(bytes.ok());
  bytes->back() = static_cast<char>(bytes->back() ^ 1);
  ASSERT_TRUE(WriteFileAtomically(path, *bytes).ok());
  auto block = LocalBlock::Open(scratch->File("block"));
  ASSERT_TRUE(block.ok()) << block.status();
  const auto lines = Read(**block, {});
  ASSERT_EQ(lines.status().code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(lines.status().message()), HasSubstr("chunks/000001 at offset"));
  EXPECT_EQ(LocalBlock::Open(scratch->File("none")).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace aevum::tsdb
