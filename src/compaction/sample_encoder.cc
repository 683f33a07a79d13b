#include "compaction/sample_encoder.h"

#include <algorithm>
#include <utility>

#include "chunk/xor.h"
#include "chunk/xor2.h"
#include "compaction/histogram_run.h"

namespace aevum::compaction {
namespace {

using chunk::Encoding;

// Walks both lanes in the order of time.
class Encoder {
 public:
  Encoder(const chunk::Columns& samples, std::span<const std::uint8_t> is_float_histogram,
          const EncodingChoice& choice, std::vector<EncodedChunk>* out)
      : samples_(samples), is_float_histogram_(is_float_histogram), choice_(choice), out_(*out) {}

  Status Run() {
    const std::vector<TimestampMs>& floats = samples_.times;
    const std::vector<TimestampMs>& histograms = samples_.histogram_times;
    std::size_t f = 0;
    std::size_t h = 0;
    while (f < floats.size() || h < histograms.size()) {
      // Floats up to the next histogram, then histograms up to the next float.
      const std::size_t next_float =
          h == histograms.size()
              ? floats.size()
              : static_cast<std::size_t>(
                    std::upper_bound(floats.begin() + static_cast<std::ptrdiff_t>(f), floats.end(),
                                     histograms[h]) -
                    floats.begin());
      RETURN_IF_ERROR(AddFloats(f, next_float));
      f = next_float;
      std::size_t next_histogram = h;
      while (next_histogram < histograms.size() &&
             (f == floats.size() || histograms[next_histogram] < floats[f]))
        ++next_histogram;
      RETURN_IF_ERROR(AddHistograms(h, next_histogram));
      h = next_histogram;
    }
    return OkStatus();
  }

 private:
  Status CheckTime(TimestampMs time) {
    if (any_ && time <= last_time_)
      return Corruption("samples are not in the order of time: {} behind {}", time, last_time_);
    any_ = true;
    last_time_ = time;
    return OkStatus();
  }

  void Add(TimestampMs min_time, TimestampMs max_time, Encoding encoding, std::string data) {
    out_.push_back({min_time, max_time, static_cast<std::uint8_t>(encoding), std::move(data)});
  }

  Status AddFloats(std::size_t first, std::size_t end) {
    for (std::size_t i = first; i < end; ++i) RETURN_IF_ERROR(CheckTime(samples_.times[i]));
    while (first < end) {
      const std::size_t count = std::min(end - first, kMostChunkSamples);
      const TimestampMs min_time = samples_.times[first];
      const TimestampMs max_time = samples_.times[first + count - 1];
      if (choice_.floats == Encoding::kXor2) {
        for (std::size_t i = first; i < first + count; ++i) {
          xor2_.Append(samples_.times[i], samples_.values[i],
                       samples_.starts.empty() ? 0 : samples_.starts[i]);
        }
        Add(min_time, max_time, Encoding::kXor2, xor2_.Bytes());
        xor2_.Reset();
      } else {
        xor_.Append(std::span(samples_.times).subspan(first, count),
                    std::span(samples_.values).subspan(first, count));
        Add(min_time, max_time, Encoding::kXor, xor_.Bytes());
        xor_.Reset();
      }
      first += count;
    }
    return OkStatus();
  }

  Status AddHistograms(std::size_t first, std::size_t end) {
    while (first < end) {
      std::size_t same = first + 1;
      while (same < end && is_float_histogram_[same] == is_float_histogram_[first]) ++same;
      HistogramRun run(is_float_histogram_[first] != 0 ? choice_.float_histograms
                                                       : choice_.histograms);
      for (; first < same; ++first) {
        RETURN_IF_ERROR(CheckTime(samples_.histogram_times[first]));
        if (run.samples() == kMostChunkSamples) RETURN_IF_ERROR(Flush(run));
        if (AddTo(run, first)) continue;
        RETURN_IF_ERROR(Flush(run));
        AddTo(run, first);
      }
      RETURN_IF_ERROR(Flush(run));
    }
    return OkStatus();
  }

  bool AddTo(HistogramRun& run, std::size_t i) {
    return run.Add(samples_.histogram_times[i], samples_.histograms[i],
                   samples_.histogram_starts.empty() ? 0 : samples_.histogram_starts[i]);
  }

  Status Flush(HistogramRun& run) {
    const TimestampMs min_time = run.min_time();
    const TimestampMs max_time = run.max_time();
    ASSIGN_OR_RETURN(std::string data, run.TakeChunk());
    Add(min_time, max_time, run.encoding(), std::move(data));
    return OkStatus();
  }

  const chunk::Columns& samples_;
  const std::span<const std::uint8_t> is_float_histogram_;
  const EncodingChoice& choice_;
  std::vector<EncodedChunk>& out_;
  chunk::XorEncoder xor_;
  chunk::Xor2Encoder xor2_;
  bool any_ = false;
  TimestampMs last_time_ = 0;
};

}  // namespace

void EncodingChoice::Include(Encoding encoding) {
  if (encoding == Encoding::kXor2) floats = Encoding::kXor2;
  if (encoding == Encoding::kHistogramStart || encoding == Encoding::kFloatHistogramStart) {
    histograms = Encoding::kHistogramStart;
    float_histograms = Encoding::kFloatHistogramStart;
  }
}

Status EncodeSamples(const chunk::Columns& samples,
                     std::span<const std::uint8_t> is_float_histogram, const EncodingChoice& choice,
                     std::vector<EncodedChunk>* out) {
  return Encoder(samples, is_float_histogram, choice, out).Run();
}

}  // namespace aevum::compaction
