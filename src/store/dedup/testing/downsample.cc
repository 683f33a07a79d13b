#include "store/dedup/testing/downsample.h"

#include <algorithm>
#include <cmath>

namespace aevum::store::dedup::testing {
namespace {

using chunk::Columns;

class Downsampler {
 public:
  Downsampler(TimestampMs window, int windows_per_chunk)
      : window_(window), windows_per_chunk_(windows_per_chunk) {}

  void Add(TimestampMs time, double value) {
    if (std::isnan(value)) return;
    const TimestampMs end = time - time % window_ + window_ - 1;
    if (count_ > 0 && end != end_) {
      Finish(end_);
      if (windows_in_chunk_ == windows_per_chunk_) FinishChunk();
    }
    if (windows_in_chunk_ == 0 && count_ == 0) {
      out_.counters.emplace_back();
      total_ = value;
    } else {
      total_ += value >= last_ ? value - last_ : value;
    }
    end_ = end;
    last_time_ = time;
    last_ = value;
    min_ = count_ == 0 ? value : std::min(min_, value);
    max_ = count_ == 0 ? value : std::max(max_, value);
    sum_ = count_ == 0 ? value : sum_ + value;
    ++count_;
  }

  Downsampled Take() {
    if (count_ > 0) {
      Finish(last_time_);
      FinishChunk();
    }
    return std::move(out_);
  }

 private:
  static void Append(TimestampMs time, double value, Columns* columns) {
    columns->times.push_back(time);
    columns->values.push_back(value);
  }
  void Finish(TimestampMs time) {
    Append(time, count_, &out_.count);
    Append(time, sum_, &out_.sum);
    Append(time, min_, &out_.min);
    Append(time, max_, &out_.max);
    Append(time, total_, &out_.counters.back());
    count_ = 0;
    ++windows_in_chunk_;
  }
  void FinishChunk() {
    Append(out_.counters.back().times.back(), last_, &out_.counters.back());
    windows_in_chunk_ = 0;
  }

  const TimestampMs window_;
  const int windows_per_chunk_;
  Downsampled out_;
  int windows_in_chunk_ = 0;
  TimestampMs end_ = 0;
  TimestampMs last_time_ = 0;
  double last_ = 0;
  double count_ = 0;
  double sum_ = 0;
  double min_ = 0;
  double max_ = 0;
  double total_ = 0;
};

}  // namespace

Downsampled Downsample(const Columns& raw, TimestampMs window, int windows_per_chunk) {
  Downsampler downsampler(window, windows_per_chunk);
  for (std::size_t i = 0; i < raw.times.size(); ++i) downsampler.Add(raw.times[i], raw.values[i]);
  return downsampler.Take();
}

}  // namespace aevum::store::dedup::testing
