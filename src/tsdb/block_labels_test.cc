// Label names and values of a block that is larger than what is looked at in one go.
#include "tsdb/block_labels.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "chunk/xor.h"
#include "tsdb/block_writer.h"
#include "tsdb/local_block.h"

namespace aevum::tsdb {
namespace {

using model::Label;
using model::Matcher;
using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr int kPods = 12'000;

// {job="a", pod="00000" ... "11999"}, of which only the last has a zone and every third a rack, and
// {job="b", node="n"}.
class BlockLabelsTest : public ::testing::Test {
 protected:
  BlockLabelsTest() : directory_(*TemporaryDirectory::Create()) {
    std::vector<std::vector<Label>> series;
    for (int i = 0; i < kPods; ++i) {
      pods_.push_back(fmt::format("{:05}", i));
      racks_.push_back(fmt::format("rack-{}", i / 3 % 7));
    }
    for (int i = 0; i < kPods; ++i) {
      std::vector<Label>& labels = series.emplace_back();
      labels = {{"job", "a"}, {"pod", pods_[static_cast<std::size_t>(i)]}};
      if (i % 3 == 0) labels.push_back({"rack", racks_[static_cast<std::size_t>(i)]});
      if (i == kPods - 1) labels.push_back({"zone", "z"});
    }
    series.push_back({{"job", "b"}, {"node", "n"}});
    Write(series);
    block_ = *LocalBlock::Open(directory_.path());
  }

  void Write(const std::vector<std::vector<Label>>& series) {
    std::vector<std::string> symbols;
    for (const auto& labels : series) {
      for (const Label& label : labels) {
        symbols.emplace_back(label.name);
        symbols.emplace_back(label.value);
      }
    }
    const SymbolNumbers numbers(std::move(symbols));
    BlockWriterOptions options;
    options.index.durability = OutputFile::Durability::kUnsynced;
    BlockWriter writer = *BlockWriter::Create(directory_.path(), options);
    for (const std::string& symbol : numbers.symbols()) ASSERT_TRUE(writer.AddSymbol(symbol).ok());
    chunk::XorEncoder encoder;
    encoder.Append(1, 2);
    const std::string data = encoder.Bytes();
    const WrittenChunk chunk{1, 1, StoredChunk{1, data}};
    for (const auto& labels : series) {
      std::vector<SeriesEntry::Label> numbered;
      for (const Label& label : labels)
        numbered.push_back({*numbers.Find(label.name), *numbers.Find(label.value)});
      ASSERT_TRUE(writer.AddSeries(numbered, std::span(&chunk, 1)).ok());
    }
    ASSERT_TRUE(writer.Finish(context_).ok());
  }

  std::vector<std::string> Names(const model::Matchers& matchers) {
    auto names = LabelNames(context_, block_->tables(), *block_, matchers);
    EXPECT_TRUE(names.ok()) << names.status();
    return *names;
  }
  std::vector<std::string> Values(std::string_view name, const model::Matchers& matchers) {
    auto values = LabelValues(context_, block_->tables(), *block_, name, matchers);
    EXPECT_TRUE(values.ok()) << values.status();
    return *values;
  }
  static Matcher Regex(const std::string& name, const std::string& pattern) {
    return *Matcher::Create(model::MatchType::kRegex, name, pattern);
  }

  const TemporaryDirectory directory_;
  const Context context_ = Context::Background();
  std::vector<std::string> pods_;
  std::vector<std::string> racks_;
  std::unique_ptr<LocalBlock> block_;
};

TEST_F(BlockLabelsTest, FindsNamesThatOnlyLaterSeriesHave) {
  EXPECT_THAT(Names({Matcher::Equal("job", "a")}), ElementsAre("job", "pod", "rack", "zone"));
  EXPECT_THAT(Names({Matcher::Equal("job", "b")}), ElementsAre("job", "node"));
  EXPECT_THAT(Names({Matcher::Equal("zone", "z")}), ElementsAre("job", "pod", "zone"));
}

TEST_F(BlockLabelsTest, FindsValuesBySeriesAndByPostings) {
  EXPECT_THAT(Values("rack", {Matcher::Equal("job", "a")}), SizeIs(7));
  EXPECT_EQ(Values("pod", {Matcher::Equal("job", "a")}), pods_);
  EXPECT_THAT(Values("pod", {Matcher::Equal("zone", "z")}), ElementsAre("11999"));
  EXPECT_THAT(Values("pod", {Matcher::Equal("job", "a"), Regex("pod", "0000[12]")}),
              ElementsAre("00001", "00002"));
  EXPECT_THAT(Values("pod", {Matcher::Equal("job", "b")}), SizeIs(0));
  EXPECT_THAT(Values("node", {Matcher::Equal("job", "b")}), ElementsAre("n"));
  // Few series, many values: the entries are read.
  EXPECT_THAT(Values("pod", {Regex("pod", "1199.*"), Matcher::Equal("rack", "rack-0")}),
              testing::Each(testing::StartsWith("1199")));
}

}  // namespace
}  // namespace aevum::tsdb
