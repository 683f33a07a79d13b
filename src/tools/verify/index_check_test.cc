#include "tools/verify/index_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"

namespace aevum::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// A block of promtool's, see tsdb/testdata/README.md.
const std::string kBlock = AEVUM_SOURCE_DIR "/src/tsdb/testdata/block";

StatusOr<IndexReport> Check(const block::Meta& meta, std::size_t segments) {
  return CheckIndex(Context::Background(), *MapFile(kBlock + "/index"), meta, segments);
}

TEST(CheckIndexTest, CountsSeriesAndFindsTheirChunks) {
  const block::Meta meta = *block::ReadMetaFile(kBlock);
  const auto report = Check(meta, 1);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->health.series, meta.stats.series);
  EXPECT_EQ(report->health.chunks, meta.stats.chunks);
  EXPECT_EQ(report->health.Problems(), "");
  ASSERT_THAT(report->chunk_offsets, SizeIs(1));
  EXPECT_THAT(report->chunk_offsets[0], SizeIs(meta.stats.chunks));
  EXPECT_EQ(report->chunk_offsets[0].front(), 8U);
}

TEST(CheckIndexTest, ComparesWithTheTimesOfTheBlock) {
  block::Meta meta = *block::ReadMetaFile(kBlock);
  meta.min_time = meta.max_time + 1;
  meta.max_time = meta.min_time + 1;
  const auto report = Check(meta, 1);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->health.wholly_outside_chunks, meta.stats.chunks);
}

TEST(CheckIndexTest, RefusesChunksOfSegmentsThatAreNotThere) {
  const auto report = Check(*block::ReadMetaFile(kBlock), 0);
  EXPECT_EQ(report.status().code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(report.status().message()),
              HasSubstr("a chunk in segment 1 of a block that has 0"));
}

TEST(CheckIndexTest, EndsWithItsContext) {
  const auto report = CheckIndex(Context::Background().WithTimeout(std::chrono::seconds(0)),
                                 *MapFile(kBlock + "/index"), *block::ReadMetaFile(kBlock), 1);
  EXPECT_EQ(report.status().code(), StatusCode::kDeadlineExceeded);
}

TEST(IndexHealthTest, SaysWhatIsWrongAsThanosDoes) {
  const IndexHealth health{.series = 10,
                           .chunks = 30,
                           .series_with_unsorted_labels = 2,
                           .series_with_unsorted_chunks = 4,
                           .unsorted_chunks = 6,
                           .duplicated_chunks = 3,
                           .outside_chunks = 9,
                           .wholly_outside_chunks = 5,
                           .issue_347_chunks = 1};
  EXPECT_EQ(health.Problems(),
            "found 3 chunks non-completely outside the block time range, "
            "found 5 chunks completely outside the block time range, "
            "found 1 chunks outside the block time range introduced by "
            "https://github.com/prometheus/tsdb/issues/347, "
            "index contains 2 postings with out of order labels, "
            "4/10 series have an average of 1.500 out-of-order chunks: 0.500 of these are exact "
            "duplicates (in terms of data and time range)");
  EXPECT_EQ(IndexHealth{}.Problems(), "");
}

}  // namespace
}  // namespace aevum::tools
