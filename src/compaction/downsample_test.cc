#include "compaction/downsample.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "block/meta.h"
#include "chunk/aggregate_chunk.h"
#include "chunk/chunk.h"
#include "compaction/block_reader.h"
#include "objstore/providers/filesystem.h"

namespace aevum::compaction {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

const std::string kDownsampled = AEVUM_SHARED_DIR "/golden/buckets/downsampled/";

struct GoldenStep {
  std::string source;
  std::string expected;
  std::int64_t resolution_ms = 0;
  std::size_t lossy_series = 0;  // in which the reference loses windows
};

const GoldenStep kSteps[] = {
    {"01M88B6Q85QT1DY35EZWRXHJ5F", "01M88B6VF5A4Q8AM0Y1EAWYWPW", kResolution5m, 0},
    {"01M88B6VE8JYDX8FEVYEDJFK9G", "01M88B6VFHWZC9BF33B3JVS660", kResolution5m, 1},
    {"01M88B6VFHWZC9BF33B3JVS660", "01M88B6VJ191451C45WSJDTFPV", kResolution1h, 1}};

TemporaryDirectory MakeDirectory() {
  auto directory = TemporaryDirectory::Create();
  EXPECT_TRUE(directory.ok()) << directory.status();
  return *std::move(directory);
}

std::vector<std::string> FilesBelow(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file()) names.push_back(fs::relative(entry.path(), directory).string());
  return names;
}

StatusOr<DownsampledBlock> Downsample(const std::string& source, std::int64_t resolution_ms,
                                      const std::string& directory,
                                      const DownsampleOptions& options = {}) {
  ASSIGN_OR_RETURN(const block::Meta meta, block::ReadMetaFile(source));
  BlockPlace place;
  place.block = meta.ulid;
  place.directory = source;
  return DownsampleBlock(Context::Background(), meta, place, resolution_ms, options, directory);
}

// A series, with its labels as text and its chunks copied.
struct ReadSeries {
  std::string labels;
  std::vector<std::string> chunks;  // times and bytes
  // The windows of each part of all chunks.
  std::array<std::vector<TimestampMs>, 5> windows;
};

void AddWindows(std::string_view data, ReadSeries* series) {
  const auto parts = chunk::SplitAggregateChunk(data);
  ASSERT_TRUE(parts.ok()) << parts.status();
  for (std::size_t i = 0; i < parts->size(); ++i) {
    if ((*parts)[i].encoding == chunk::Encoding::kNone) continue;
    chunk::Columns columns;
    ASSERT_TRUE(chunk::Decode((*parts)[i].encoding, (*parts)[i].data, &columns).ok());
    const auto& times = columns.times.empty() ? columns.histogram_times : columns.times;
    series->windows[i].insert(series->windows[i].end(), times.begin(), times.end());
  }
}

bool HasMore(const StatusOr<bool>& more) {
  EXPECT_TRUE(more.ok()) << more.status();
  return more.ok() && *more;
}

std::vector<ReadSeries> ReadBlock(const std::string& directory) {
  std::vector<ReadSeries> all;
  BlockPlace place;
  place.directory = directory;
  const auto reader = BlockReader::Open(Context::Background(), place);
  EXPECT_TRUE(reader.ok()) << reader.status();
  if (!reader.ok()) return all;
  std::vector<std::string> symbols;
  for (std::string_view symbol; HasMore((*reader)->NextSymbol(&symbol));)
    symbols.emplace_back(symbol);
  for (StoredSeries series; HasMore((*reader)->NextSeries(&series));) {
    ReadSeries& read = all.emplace_back();
    for (const auto& label : series.labels)
      read.labels += symbols.at(label.name) + "=" + symbols.at(label.value) + ",";
    for (const tsdb::WrittenChunk& chunk : series.chunks) {
      read.chunks.push_back(
          fmt::format("{} {} {} ", chunk.min_time, chunk.max_time, chunk.stored.encoding));
      read.chunks.back().append(chunk.stored.data);
      AddWindows(chunk.stored.data, &read);
    }
  }
  return all;
}

// All chunks are equal, but for series of which the other block lacks windows of the sum or the
// counter: there ours has all that it counts. The result is how many those are.
std::size_t CompareBlocks(const std::string& ours, const std::string& theirs) {
  const std::vector<ReadSeries> made = ReadBlock(ours);
  const std::vector<ReadSeries> expected = ReadBlock(theirs);
  EXPECT_EQ(made.size(), expected.size());
  std::size_t lossy = 0;
  for (std::size_t i = 0; i < std::min(made.size(), expected.size()); ++i) {
    SCOPED_TRACE(expected[i].labels);
    EXPECT_EQ(made[i].labels, expected[i].labels);
    if (made[i].chunks == expected[i].chunks) continue;
    ++lossy;
    const auto& windows = expected[i].windows;
    EXPECT_TRUE(windows[1].size() < windows[0].size() || windows[4].size() < windows[0].size());
    EXPECT_EQ(made[i].windows[0], windows[0]);
    EXPECT_GT(made[i].chunks.size(), expected[i].chunks.size());
  }
  return lossy;
}

class DownsampleGoldenTest : public ::testing::TestWithParam<GoldenStep> {};

TEST_P(DownsampleGoldenTest, BlockIsThatOfTheReference) {
  const std::string source = kDownsampled + GetParam().source;
  const std::string theirs = kDownsampled + GetParam().expected;
  if (!fs::exists(source)) GTEST_SKIP() << "no golden bucket at " << kDownsampled;
  const TemporaryDirectory directory = MakeDirectory();
  std::uint64_t progress = 0;
  DownsampleOptions options;
  options.progress = [&](std::uint64_t bytes) { progress = bytes; };
  const auto made = Downsample(source, GetParam().resolution_ms, directory.path(), options);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_GT(progress, 0U);
  EXPECT_EQ(made->directory, directory.File(made->meta.ulid.ToString()));
  EXPECT_THAT(FilesBelow(made->directory),
              UnorderedElementsAreArray({"chunks/000001", "index", "meta.json"}));
  const std::size_t lossy = CompareBlocks(made->directory, theirs);
  EXPECT_EQ(lossy, GetParam().lossy_series);
  // Without losses all files are the same: symbols, series, postings and chunks.
  for (const std::string file : {"index", "chunks/000001"}) {
    SCOPED_TRACE(file);
    const auto our_bytes = ReadFile(made->directory + "/" + file);
    const auto their_bytes = ReadFile(theirs + "/" + file);
    ASSERT_TRUE(our_bytes.ok() && their_bytes.ok());
    EXPECT_EQ(*our_bytes == *their_bytes, lossy == 0);
  }
  auto written = block::ReadMetaFile(made->directory);
  auto expected = block::ReadMetaFile(theirs);
  ASSERT_TRUE(written.ok() && expected.ok());
  EXPECT_EQ(written->Write(), made->meta.Write());
  // What an upload fills in, and what names the block; the reference guesses the sizes from the
  // distances in the index; and we have a chunk more where it loses windows.
  expected->ulid = written->ulid;
  expected->files.clear();
  expected->upload_time = kUnsetTimestamp;
  EXPECT_GE(written->stats.chunks, expected->stats.chunks);
  if (lossy > 0) expected->stats.chunks = written->stats.chunks;
  expected->series_max_size = written->series_max_size;
  expected->chunk_max_size = written->chunk_max_size;
  EXPECT_EQ(written->Write(), expected->Write());
}

INSTANTIATE_TEST_SUITE_P(Golden, DownsampleGoldenTest, ::testing::ValuesIn(kSteps),
                         [](const auto& step) { return step.param.expected; });

TEST(DownsampleBlockTest, ReadsABlockOfABucket) {
  if (!fs::exists(kDownsampled)) GTEST_SKIP() << "no golden bucket at " << kDownsampled;
  const auto bucket = objstore::FilesystemBucket::Open(kDownsampled);
  ASSERT_TRUE(bucket.ok()) << bucket.status();
  const auto meta = block::ReadMetaFile(kDownsampled + kSteps[0].source);
  ASSERT_TRUE(meta.ok());
  const TemporaryDirectory directory = MakeDirectory();
  BlockPlace place;
  place.bucket = bucket->get();
  place.block = meta->ulid;
  const auto made =
      DownsampleBlock(Context::Background(), *meta, place, kResolution5m, {}, directory.path());
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->meta.stats.samples, 623U);
}

TEST(DownsampleBlockTest, RefusesOtherSteps) {
  block::Meta meta;
  const TemporaryDirectory directory = MakeDirectory();
  const std::pair<std::int64_t, std::int64_t> steps[] = {{kResolutionRaw, kResolution1h},
                                                         {kResolutionRaw, kResolutionRaw},
                                                         {kResolution5m, kResolution5m},
                                                         {kResolution1h, kResolution5m},
                                                         {60'000, kResolution5m}};
  for (const auto& [from, to] : steps) {
    meta.resolution_ms = from;
    const auto made = DownsampleBlock(Context::Background(), meta, {}, to, {}, directory.path());
    EXPECT_EQ(made.status().code(), StatusCode::kInvalidArgument) << from << " to " << to;
  }
  EXPECT_THAT(FilesBelow(directory.path()), IsEmpty());
}

TEST(DownsampleBlockTest, LeavesNothingBehindWhereABlockIsDamaged) {
  if (!fs::exists(kDownsampled)) GTEST_SKIP() << "no golden bucket at " << kDownsampled;
  const TemporaryDirectory scratch = MakeDirectory();
  std::mt19937_64 random(7);
  int refused = 0;
  // Files cut short or with a byte changed: an error that says where, or the block as it was.
  for (int round = 0; round < 60; ++round) {
    const GoldenStep& step = kSteps[round % 2 == 0 ? 0 : 2];
    SCOPED_TRACE(round);
    const std::string source = scratch.File("source");
    fs::remove_all(source);
    fs::copy(kDownsampled + step.source, source, fs::copy_options::recursive);
    fs::permissions(source, fs::perms::owner_all, fs::perm_options::add);
    const std::string file = source + (round % 3 == 0 ? "/chunks/000001" : "/index");
    fs::permissions(fs::path(file).parent_path(), fs::perms::owner_all, fs::perm_options::add);
    fs::permissions(file, fs::perms::owner_all, fs::perm_options::add);
    auto bytes = ReadFile(file);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    if (round % 5 == 0) {
      bytes->resize(random() % bytes->size());
    } else {
      (*bytes)[random() % bytes->size()] ^= static_cast<char>(1U << random() % 8);
    }
    ASSERT_TRUE(WriteFileAtomically(file, *bytes).ok());
    const std::string target = scratch.File("target");
    fs::create_directory(target);
    const auto made = Downsample(source, step.resolution_ms, target);
    if (made.ok()) {
      fs::remove_all(made->directory);
    } else {
      EXPECT_EQ(made.status().code(), StatusCode::kDataLoss) << made.status();
      ++refused;
    }
    EXPECT_TRUE(fs::is_empty(target)) << made.status();
    fs::permissions(source, fs::perms::owner_all, fs::perm_options::add);
  }
  EXPECT_GT(refused, 20);
}

TEST(DownsampleBlockTest, EndsWhenItsContextDoes) {
  if (!fs::exists(kDownsampled)) GTEST_SKIP() << "no golden bucket at " << kDownsampled;
  const TemporaryDirectory directory = MakeDirectory();
  const std::string source = kDownsampled + kSteps[1].source;
  const auto meta = block::ReadMetaFile(source);
  ASSERT_TRUE(meta.ok());
  CancelScope scope(Context::Background());
  scope.Cancel();
  BlockPlace place;
  place.directory = source;
  const auto made =
      DownsampleBlock(scope.context(), *meta, place, kResolution5m, {}, directory.path());
  EXPECT_EQ(made.status().code(), StatusCode::kCancelled);
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

}  // namespace
}  // namespace aevum::compaction
