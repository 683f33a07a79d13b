#include "wire/series_footprint.h"

#include <string>

#include <gtest/gtest.h>

#include "encoding/proto_wire.h"
#include "wire/store_api.h"

namespace aevum::wire {
namespace {

using encoding::PutBytesField;

// A field of a message, so many times.
std::string Repeated(std::uint32_t field, std::string_view value, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) PutBytesField(out, field, value);
  return out;
}

std::string Inside(std::uint32_t field, const std::string& message) {
  return Repeated(field, message, 1);
}

TEST(SeriesFootprintTest, CoversWhatIsDecoded) {
  constexpr int kCount = 10'000;
  struct Case {
    std::string name;
    std::string message;
  };
  const std::string label = Inside(1, "name") + Inside(2, "value");
  const std::string chunk = Inside(3, Inside(2, "data"));
  const Case cases[] = {
      {"empty series", Inside(4, Repeated(1, "", kCount))},
      {"empty labels", Inside(1, Repeated(1, "", kCount))},
      {"labels", Inside(1, Repeated(1, label, kCount))},
      {"empty parts", Inside(1, Inside(2, Repeated(3, "", kCount)))},
      {"chunks", Inside(4, Inside(1, Inside(1, label) + Repeated(2, chunk, kCount)))},
      {"warnings", Repeated(2, "w", kCount)},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    SeriesBatch batch;
    ASSERT_TRUE(DecodeSeriesResponse(SharedBytes::Own(std::string(c.message)), &batch).ok());
    std::size_t taken = batch.series.size() * sizeof(SeriesBatch::Series) +
                        batch.chunks.size() * sizeof(chunk::ChunkView);
    for (const SeriesBatch::Series& series : batch.series) taken += series.labels.memory_bytes();
    for (const std::string& warning : batch.warnings) taken += sizeof warning + warning.size();
    const std::int64_t footprint = SeriesFootprint(c.message);
    EXPECT_GE(footprint, static_cast<std::int64_t>(taken));
    EXPECT_LE(footprint, static_cast<std::int64_t>(kCount * 120));
  }
}

TEST(SeriesFootprintTest, EndsAtDamage) {
  EXPECT_EQ(SeriesFootprint(""), 0);
  EXPECT_EQ(SeriesFootprint("\xff"), 0);
  const std::string good = Inside(1, "");
  EXPECT_EQ(SeriesFootprint(good + "\x0a\x7f"), SeriesFootprint(good));
}

}  // namespace
}  // namespace aevum::wire
