#include "chunk_storage.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/check.h"
#include "chunk/histogram_encoder.h"
#include "chunk/xor.h"

namespace aevum::bench {
namespace {

constexpr std::size_t kSamplesPerChunk = 120;

void AddChunk(std::span<const TimestampMs> times, std::string_view data, chunk::Encoding encoding,
              EncodedSamples* out) {
  out->chunks.push_back({.min_time = times.front(),
                         .max_time = times.back(),
                         .offset = out->bytes.size(),
                         .size = data.size(),
                         .encoding = encoding});
  out->bytes += data;
}

using Selected = std::shared_ptr<const std::vector<const ChunkStorage::Series*>>;

class ChunkBatch final : public promql::SelectBatch {
 public:
  ChunkBatch(Selected selected, std::size_t begin, std::size_t end, promql::SelectHints hints)
      : selected_(std::move(selected)), begin_(begin), end_(end), hints_(std::move(hints)) {}

  std::size_t size() const override { return end_ - begin_; }
  const model::Labels& labels(std::size_t index) const override {
    return (*selected_)[begin_ + index]->labels;
  }
  Status Decode(std::size_t index, chunk::Columns* out) const override {
    const EncodedSamples& samples = (*selected_)[begin_ + index]->samples;
    for (const EncodedSamples::Chunk& chunk : Needed(samples)) {
      const auto data = std::string_view(samples.bytes).substr(chunk.offset, chunk.size);
      RETURN_IF_ERROR(chunk::Decode(chunk.encoding, data, out));
    }
    return OkStatus();
  }
  // The chunks that Decode reads, which a batch from elsewhere would hold.
  std::int64_t memory_bytes() const override {
    std::size_t bytes = 0;
    for (std::size_t i = begin_; i < end_; ++i) {
      for (const EncodedSamples::Chunk& chunk : Needed((*selected_)[i]->samples))
        bytes += chunk.size;
    }
    return static_cast<std::int64_t>(bytes);
  }

 private:
  std::span<const EncodedSamples::Chunk> Needed(const EncodedSamples& samples) const {
    const auto begin =
        std::lower_bound(samples.chunks.begin(), samples.chunks.end(), hints_.start_ms,
                         [](const auto& chunk, TimestampMs t) { return chunk.max_time < t; });
    const auto end =
        std::upper_bound(begin, samples.chunks.end(), hints_.end_ms,
                         [](TimestampMs t, const auto& chunk) { return t < chunk.min_time; });
    return {begin, end};
  }

  const Selected selected_;
  const std::size_t begin_;
  const std::size_t end_;
  const promql::SelectHints hints_;
};

class ChunkStream final : public promql::SelectStream {
 public:
  ChunkStream(Selected selected, promql::SelectHints hints)
      : selected_(std::move(selected)), hints_(std::move(hints)) {}

  StatusOr<std::unique_ptr<const promql::SelectBatch>> Next() override {
    constexpr std::size_t kBatch = 64;
    if (next_ == selected_->size()) return std::unique_ptr<const promql::SelectBatch>();
    const std::size_t begin = next_;
    next_ = std::min(selected_->size(), begin + kBatch);
    return std::unique_ptr<const promql::SelectBatch>(
        std::make_unique<ChunkBatch>(selected_, begin, next_, hints_));
  }
  std::vector<std::string> warnings() const override { return {}; }

 private:
  const Selected selected_;
  const promql::SelectHints hints_;
  std::size_t next_ = 0;
};

}  // namespace

EncodedSamples EncodeFloats(std::span<const TimestampMs> times, std::span<const double> values) {
  AEVUM_CHECK(times.size() == values.size());
  EncodedSamples out;
  chunk::XorEncoder encoder;
  for (std::size_t i = 0; i < times.size(); i += kSamplesPerChunk) {
    const std::size_t count = std::min(kSamplesPerChunk, times.size() - i);
    encoder.Reset();
    encoder.Append(times.subspan(i, count), values.subspan(i, count));
    AddChunk(times.subspan(i, count), encoder.Bytes(), chunk::Encoding::kXor, &out);
  }
  out.bytes.shrink_to_fit();
  return out;
}

EncodedSamples EncodeHistograms(std::span<const TimestampMs> times,
                                std::span<const model::FloatHistogram> histograms) {
  AEVUM_CHECK(times.size() == histograms.size());
  EncodedSamples out;
  std::size_t end = 0;
  for (std::size_t i = 0; i < times.size(); i = end) {
    chunk::HistogramEncoder encoder(chunk::Encoding::kHistogram);
    for (end = i; end < times.size() && end < i + kSamplesPerChunk; ++end) {
      if (!encoder.Fits(histograms[end])) break;
      AEVUM_CHECK(encoder.Append(times[end], histograms[end]).ok());
    }
    AddChunk(times.subspan(i, end - i), encoder.Bytes(), chunk::Encoding::kHistogram, &out);
  }
  chunk::Columns decoded;
  for (const EncodedSamples::Chunk& chunk : out.chunks) {
    const auto data = std::string_view(out.bytes).substr(chunk.offset, chunk.size);
    AEVUM_CHECK(chunk::Decode(chunk.encoding, data, &decoded).ok());
  }
  AEVUM_CHECK(std::equal(times.begin(), times.end(), decoded.histogram_times.begin(),
                         decoded.histogram_times.end()));
  for (std::size_t i = 0; i < histograms.size(); ++i) {
    AEVUM_CHECK(histograms[i].count == decoded.histograms[i].count);
    AEVUM_CHECK(histograms[i].sum == decoded.histograms[i].sum);
    AEVUM_CHECK(histograms[i].positive_buckets == decoded.histograms[i].positive_buckets);
    AEVUM_CHECK(histograms[i].negative_buckets == decoded.histograms[i].negative_buckets);
  }
  return out;
}

ChunkStorage::ChunkStorage(std::vector<Series> series) : series_(std::move(series)) {
  std::sort(series_.begin(), series_.end(),
            [](const Series& a, const Series& b) { return a.labels < b.labels; });
  for (std::size_t begin = 0, end = 0; begin < series_.size(); begin = end) {
    const std::string_view name = series_[begin].labels.Get(model::kMetricName);
    while (end < series_.size() && series_[end].labels.Get(model::kMetricName) == name) ++end;
    const auto [it, inserted] =
        by_name_.emplace(std::string(name), std::span(series_).subspan(begin, end - begin));
    AEVUM_CHECK(inserted);
  }
}

std::span<const ChunkStorage::Series> ChunkStorage::Candidates(
    const model::Matchers& matchers) const {
  for (const model::Matcher& matcher : matchers) {
    if (matcher.name() != model::kMetricName || matcher.type() != model::MatchType::kEqual)
      continue;
    const auto it = by_name_.find(matcher.value());
    return it == by_name_.end() ? std::span<const Series>() : it->second;
  }
  return series_;
}

StatusOr<std::unique_ptr<promql::SelectStream>> ChunkStorage::Select(
    const Context& context, const model::Matchers& matchers, const promql::SelectHints& hints) {
  RETURN_IF_ERROR(context.status());
  auto selected = std::make_shared<std::vector<const Series*>>();
  for (const Series& series : Candidates(matchers)) {
    if (model::MatchesAll(matchers, series.labels)) selected->push_back(&series);
  }
  return std::unique_ptr<promql::SelectStream>(
      std::make_unique<ChunkStream>(std::move(selected), hints));
}

}  // namespace aevum::bench
