#include "storegateway/deleted_samples.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chunk/histogram_encoder.h"
#include "chunk/xor.h"
#include "storegateway/testing/bucket_store_fixture.h"

namespace aevum::storegateway {
namespace {

using block::Tombstone;
using chunk::Aggregate;
using chunk::Encoding;
using model::Matcher;
using model::MatchType;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Tombstone Hide(model::Matchers matchers, TimestampMs min_time, TimestampMs max_time) {
  return {.id = *model::Ulid::Parse(kFirst),
          .matchers = std::move(matchers),
          .min_time = min_time,
          .max_time = max_time,
          .created = 0,
          .author = "",
          .reason = ""};
}

class DeletedSamplesTest : public BucketStoreFixture {
 protected:
  void SetTombstone(const Tombstone& tombstone) {
    auto tombstones = std::make_shared<block::Tombstones>();
    tombstones->emplace(tombstone.id, std::make_shared<const Tombstone>(tombstone));
    store_->SetTombstones(std::move(tombstones));
  }
};

TEST_F(DeletedSamplesTest, ChunksAreCutAndSeriesGo) {
  wire::SeriesRequest request =
      Request({Matcher::Equal("__name__", "up"), Matcher::Equal("instance", "a:1"),
               Matcher::Equal("replica", "0")});
  const std::string series =
      R"({__name__="up", cluster="eu", instance="a:1", job="api", replica="0"})";
  ASSERT_THAT(ReadOk(request), ElementsAre(series + " 0:1 15:0"));
  const Matcher instance = Matcher::Equal("instance", "a:1");
  struct Case {
    std::string name;
    TimestampMs min_time;
    TimestampMs max_time;
    std::string left;
  };
  for (const Case& test : std::vector<Case>{
           {"first", INT64_MIN, kStart, " 15:0"},
           {"last", kStart + 15'000, INT64_MAX, " 0:1"},
           {"between", kStart + 1, kStart + 14'999, " 0:1 15:0"},
           {"before", INT64_MIN, kStart - 1, " 0:1 15:0"},
           {"both", kStart, kStart + 15'000, ""},
           {"everything", INT64_MIN, INT64_MAX, ""},
       }) {
    SCOPED_TRACE(test.name);
    SetTombstone(Hide({instance}, test.min_time, test.max_time));
    if (test.left.empty()) {
      EXPECT_THAT(ReadOk(request), IsEmpty());
    } else {
      EXPECT_THAT(ReadOk(request), ElementsAre(series + test.left));
    }
  }
}

TEST_F(DeletedSamplesTest, ExternalLabelsCount) {
  const std::vector<std::string> all = ReadOk(Request({}));
  const std::string replica = "replica=\"1\"";
  SetTombstone(Hide({Matcher::Equal("replica", "1"), Matcher::Equal("cluster", "eu")}, INT64_MIN,
                    INT64_MAX));
  EXPECT_THAT(ReadOk(Request({})), Not(Contains(HasSubstr(replica))));
  EXPECT_EQ(ReadOk(Request({})).size(), all.size() / 2);
  SetTombstone(Hide({Matcher::Equal("replica", "2")}, INT64_MIN, INT64_MAX));
  EXPECT_EQ(ReadOk(Request({})), all);
  store_->SetTombstones(nullptr);
  EXPECT_EQ(ReadOk(Request({})), all);
}

// Matchers see labels that the answer does not have.
TEST_F(DeletedSamplesTest, LabelsThatARequestLeavesOutCount) {
  wire::SeriesRequest request =
      Request({Matcher::Equal("__name__", "up"), Matcher::Equal("job", "api")});
  request.without_replica_labels = {"replica", "instance"};
  ASSERT_THAT(ReadOk(request), Not(IsEmpty()));
  SetTombstone(Hide({Matcher::Equal("instance", "a:1")}, INT64_MIN, INT64_MAX));
  EXPECT_THAT(ReadOk(request), IsEmpty());
}

// Gives one series with these chunks.
class OneSeries final : public store::SeriesStream {
 public:
  explicit OneSeries(std::vector<chunk::ChunkView> chunks) : chunks_(std::move(chunks)) {}
  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    batch->Clear();
    if (std::exchange(given_, true)) return false;
    batch->chunks = chunks_;
    batch->series.push_back(
        {model::Labels::Of({{"a", "b"}}), 0, static_cast<std::uint32_t>(chunks_.size())});
    return true;
  }

 private:
  const std::vector<chunk::ChunkView> chunks_;
  bool given_ = false;
};

std::string EncodeXor(const std::vector<std::pair<TimestampMs, double>>& samples) {
  chunk::XorEncoder encoder;
  for (const auto& [time, value] : samples) encoder.Append(time, value);
  return encoder.Bytes();
}

// The samples of all chunks that are left.
StatusOr<std::vector<std::pair<TimestampMs, double>>> Shown(std::vector<chunk::ChunkView> chunks,
                                                            TimestampMs min_time,
                                                            TimestampMs max_time,
                                                            std::int64_t resolution_ms) {
  const auto stream =
      HideDeleted(std::make_unique<OneSeries>(std::move(chunks)),
                  {Hide({Matcher::Equal("a", "b")}, min_time, max_time)}, resolution_ms);
  std::vector<std::pair<TimestampMs, double>> samples;
  for (wire::SeriesBatch batch;;) {
    ASSIGN_OR_RETURN(const bool more, stream->Next(&batch));
    if (!more) return samples;
    for (const chunk::ChunkView& view : batch.chunks) {
      chunk::Columns columns;
      RETURN_IF_ERROR(chunk::Decode(view.encoding, view.data, &columns));
      for (std::size_t i = 0; i < columns.times.size(); ++i)
        samples.emplace_back(columns.times[i], columns.values[i]);
      for (std::size_t i = 0; i < columns.histogram_times.size(); ++i)
        samples.emplace_back(columns.histogram_times[i], columns.histograms[i].count);
    }
  }
}

TEST(HideDeletedTest, WindowsThatTouchTheTimesGo) {
  const std::string counts = EncodeXor({{299'999, 1}, {599'999, 2}, {899'999, 3}});
  const std::string counter =
      EncodeXor({{10, 5}, {299'999, 6}, {599'999, 7}, {899'999, 8}, {899'999, 2}});
  const std::vector<chunk::ChunkView> chunks = {
      {299'999, 899'999, counts, Encoding::kXor, Aggregate::kCount},
      {299'999, 899'999, counter, Encoding::kXor, Aggregate::kCounter}};
  using Samples = std::vector<std::pair<TimestampMs, double>>;
  const auto second = Shown(chunks, 300'000, 300'000, 300'000);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(
      *second,
      (Samples{{299'999, 1}, {899'999, 3}, {10, 5}, {299'999, 6}, {899'999, 8}, {899'999, 2}}));
  // The last value of the counter stays, so that no reset is seen behind it.
  const auto last = Shown(chunks, 899'999, INT64_MAX, 300'000);
  ASSERT_TRUE(last.ok()) << last.status();
  EXPECT_EQ(
      *last,
      (Samples{{299'999, 1}, {599'999, 2}, {10, 5}, {299'999, 6}, {599'999, 7}, {599'999, 2}}));
  // Before the time of the first window, and inside it.
  const auto first = Shown(chunks, 0, 0, 300'000);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(*first,
            (Samples{{599'999, 2}, {899'999, 3}, {599'999, 7}, {899'999, 8}, {899'999, 2}}));
  EXPECT_TRUE(Shown(chunks, INT64_MIN, INT64_MAX, 300'000)->empty());
}

TEST(HideDeletedTest, HistogramsAreCutWithTheirBuckets) {
  model::FloatHistogram histogram;
  histogram.schema = 1;
  histogram.zero_threshold = 0.001;
  histogram.positive_spans = {{0, 2}, {3, 1}};
  for (const Encoding encoding : {Encoding::kHistogram, Encoding::kFloatHistogram,
                                  Encoding::kHistogramStart, Encoding::kFloatHistogramStart}) {
    SCOPED_TRACE(static_cast<int>(encoding));
    chunk::HistogramEncoder encoder(encoding);
    for (int i = 1; i <= 4; ++i) {
      histogram.positive_buckets = {1.0 * i, 2.0 * i, 3.0 * i};
      histogram.count = 6.0 * i;
      histogram.sum = 10.5 * i;
      ASSERT_TRUE(encoder.Append(i * 1000, histogram, 500).ok());
    }
    const std::string data = encoder.Bytes();
    const auto shown = Shown({{1000, 4000, data, encoding, Aggregate::kRaw}}, 1500, 3000, 0);
    ASSERT_TRUE(shown.ok()) << shown.status();
    EXPECT_EQ(*shown, (std::vector<std::pair<TimestampMs, double>>{{1000, 6}, {4000, 24}}));
  }
}

TEST(HideDeletedTest, DamageIsAnError) {
  const std::string data = EncodeXor({{1000, 1}, {2000, 2}, {3000, 3}}).substr(0, 12);
  const auto shown = Shown({{1000, 3000, data, Encoding::kXor, Aggregate::kRaw}}, 2000, 2000, 0);
  EXPECT_EQ(shown.status().code(), StatusCode::kDataLoss) << shown.status();
}

}  // namespace
}  // namespace aevum::storegateway
