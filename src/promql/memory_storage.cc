#include "promql/memory_storage.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "model/histogram_arithmetic.h"

namespace aevum::promql {
namespace {

struct Series {
  model::Labels labels;
  std::shared_ptr<const chunk::Columns> columns;
};

class MemoryBatch final : public SelectBatch {
 public:
  explicit MemoryBatch(std::vector<Series> series) : series_(std::move(series)) {}

  std::size_t size() const override { return series_.size(); }
  const model::Labels& labels(std::size_t index) const override { return series_[index].labels; }
  Status Decode(std::size_t index, chunk::Columns* out) const override {
    const chunk::Columns& columns = *series_[index].columns;
    out->times.insert(out->times.end(), columns.times.begin(), columns.times.end());
    out->values.insert(out->values.end(), columns.values.begin(), columns.values.end());
    out->histogram_times.insert(out->histogram_times.end(), columns.histogram_times.begin(),
                                columns.histogram_times.end());
    out->histograms.insert(out->histograms.end(), columns.histograms.begin(),
                           columns.histograms.end());
    if (out->with_starts) {
      out->starts.insert(out->starts.end(), columns.starts.begin(), columns.starts.end());
      out->histogram_starts.insert(out->histogram_starts.end(), columns.histogram_starts.begin(),
                                   columns.histogram_starts.end());
    }
    return OkStatus();
  }

  std::int64_t memory_bytes() const override {
    std::int64_t bytes = 0;
    for (const Series& series : series_) {
      bytes += static_cast<std::int64_t>(series.columns->times.size() * 16);
      for (const model::FloatHistogram& histogram : series.columns->histograms)
        bytes += model::SizeBytes(histogram);
    }
    return bytes;
  }

 private:
  std::vector<Series> series_;
};

class MemoryStream final : public SelectStream {
 public:
  MemoryStream(std::vector<Series> series, std::size_t batch_size)
      : series_(std::move(series)), batch_size_(batch_size) {}

  StatusOr<std::unique_ptr<const SelectBatch>> Next() override {
    const std::size_t end = std::min(series_.size(), next_ + batch_size_);
    if (next_ == end) return std::unique_ptr<const SelectBatch>();
    std::vector<Series> batch;
    batch.reserve(end - next_);
    for (; next_ < end; ++next_) batch.push_back(std::move(series_[next_]));
    return std::unique_ptr<const SelectBatch>(std::make_unique<MemoryBatch>(std::move(batch)));
  }
  std::vector<std::string> warnings() const override { return {}; }

 private:
  std::vector<Series> series_;
  std::size_t batch_size_;
  std::size_t next_ = 0;
};

// Puts a sample at its place in columns that stay sorted by time.
template <typename Values>
void Insert(std::vector<TimestampMs>& times, Values& values, std::vector<TimestampMs>& starts,
            TimestampMs time, typename Values::value_type value, TimestampMs start) {
  const auto it = std::lower_bound(times.begin(), times.end(), time);
  const auto at = it - times.begin();
  if (it != times.end() && *it == time) {
    values[static_cast<std::size_t>(at)] = std::move(value);
    starts[static_cast<std::size_t>(at)] = start;
    return;
  }
  times.insert(it, time);
  values.insert(values.begin() + at, std::move(value));
  starts.insert(starts.begin() + at, start);
}

chunk::Columns& Columns(std::map<model::Labels, std::shared_ptr<chunk::Columns>>& series,
                        const model::Labels& labels) {
  std::shared_ptr<chunk::Columns>& columns = series[labels];
  if (!columns) {
    columns = std::make_shared<chunk::Columns>();
    columns->with_starts = true;
  }
  return *columns;
}

// Whether a histogram would go on in the chunk of the one before it.
bool Continues(model::FloatHistogram histogram, const model::FloatHistogram& previous) {
  if (histogram.reset_hint == model::ResetHint::kNoReset)
    histogram.reset_hint = model::ResetHint::kUnknown;
  return histogram.schema == previous.schema &&
         histogram.zero_threshold == previous.zero_threshold &&
         histogram.custom_values == previous.custom_values &&
         !model::DetectReset(histogram, previous);
}

void DeriveHints(chunk::Columns* columns) {
  using enum model::ResetHint;
  for (std::size_t i = 0; i < columns->histograms.size(); ++i) {
    model::FloatHistogram& histogram = columns->histograms[i];
    if (histogram.reset_hint == kGauge) continue;
    const auto float_between = [&] {
      const auto it = std::lower_bound(columns->times.begin(), columns->times.end(),
                                       columns->histogram_times[i - 1]);
      return it != columns->times.end() && *it < columns->histogram_times[i];
    };
    const bool starts = i == 0 || columns->histograms[i - 1].reset_hint == kGauge ||
                        chunk::IsStale(columns->histograms[i - 1].sum) || float_between();
    histogram.reset_hint =
        !starts && Continues(histogram, columns->histograms[i - 1]) ? kNoReset : kUnknown;
  }
}

}  // namespace

void MemoryStorage::DeriveResetHints() {
  for (auto& [labels, columns] : series_) {
    // Selects may still share what they gave.
    columns = std::make_shared<chunk::Columns>(*columns);
    DeriveHints(columns.get());
  }
}

void MemoryStorage::Append(const model::Labels& labels, TimestampMs time, double value,
                           TimestampMs start) {
  chunk::Columns& columns = Columns(series_, labels);
  Insert(columns.times, columns.values, columns.starts, time, value, start);
}

void MemoryStorage::AppendHistogram(const model::Labels& labels, TimestampMs time,
                                    model::FloatHistogram histogram, TimestampMs start) {
  chunk::Columns& columns = Columns(series_, labels);
  Insert(columns.histogram_times, columns.histograms, columns.histogram_starts, time,
         std::move(histogram), start);
}

StatusOr<std::unique_ptr<SelectStream>> MemoryStorage::Select(const Context& context,
                                                              const model::Matchers& matchers,
                                                              const SelectHints& /*hints*/) {
  RETURN_IF_ERROR(context.status());
  std::vector<Series> found;
  for (const auto& [labels, columns] : series_) {
    if (model::MatchesAll(matchers, labels)) found.push_back({labels, columns});
  }
  return std::unique_ptr<SelectStream>(
      std::make_unique<MemoryStream>(std::move(found), batch_size_));
}

}  // namespace aevum::promql
