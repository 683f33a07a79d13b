#include "store/dedup/counter.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"

namespace aevum::store::dedup {
namespace {

class Unroller {
 public:
  explicit Unroller(chunk::Columns* out) : out_(out) {}

  void Add(const chunk::Columns& chunk, bool first_chunk) {
    // Chunks may overlap: what comes before the end of the last one is passed over.
    const TimestampMs from = first_chunk || last_time_ == kMaxTime ? last_time_ : last_time_ + 1;
    from_ = std::max(from_, from);
    std::size_t f = 0;
    std::size_t h = 0;
    while (f < chunk.times.size() || h < chunk.histogram_times.size()) {
      const bool is_float = f < chunk.times.size() && (h == chunk.histogram_times.size() ||
                                                       chunk.times[f] <= chunk.histogram_times[h]);
      if (is_float) {
        AddFloat(chunk.times[f], chunk.values[f]);
        ++f;
      } else {
        AddHistogram(chunk.histogram_times[h], chunk.histograms[h]);
        ++h;
      }
    }
  }

 private:
  void AddFloat(TimestampMs time, double value) {
    if (std::isnan(value)) return;
    if (!any_float_) {
      any_float_ = true;
      total_ = value;
    } else if (time > last_time_) {
      total_ += value >= last_value_ ? value - last_value_ : value;
    } else {
      if (time == last_time_) last_value_ = value;
      return;
    }
    last_time_ = time;
    last_value_ = value;
    if (time < from_) return;
    out_->times.push_back(time);
    out_->values.push_back(total_);
  }

  void AddHistogram(TimestampMs time, const model::FloatHistogram& histogram) {
    last_time_ = time;
    if (time < from_) return;
    out_->histogram_times.push_back(time);
    out_->histograms.push_back(histogram);
  }

  chunk::Columns* const out_;
  TimestampMs last_time_ = kMinTime;
  TimestampMs from_ = kMinTime;
  double last_value_ = 0;
  double total_ = 0;
  bool any_float_ = false;
};

}  // namespace

void ApplyCounterResets(std::span<const chunk::Columns> chunks, chunk::Columns* out) {
  Unroller unroller(out);
  for (std::size_t i = 0; i < chunks.size(); ++i) unroller.Add(chunks[i], i == 0);
  out->FitStarts();
}

}  // namespace aevum::store::dedup
