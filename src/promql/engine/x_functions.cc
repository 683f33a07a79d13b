#include "promql/engine/x_functions.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "promql/engine/deadline_check.h"
#include "promql/engine/extension.h"
#include "promql/engine/series_rows.h"

namespace aevum::promql {
namespace {

struct Entry {
  std::string_view name;
  XFunction function;
};

constexpr std::array<Entry, 3> kFunctions = {{
    {"xrate", XFunction::kRate},
    {"xincrease", XFunction::kIncrease},
    {"xdelta", XFunction::kDelta},
}};

using Samples = std::span<const XWindow::Sample>;

bool AllEqual(Samples samples) {
  for (std::size_t i = 1; i < samples.size(); ++i) {
    if (samples[i].value != samples[i - 1].value) return false;
  }
  return true;
}

// The difference between last and first, with what a counter lost in resets.
double Gained(Samples samples, bool counter) {
  double lost = 0;
  double last = 0;
  for (std::size_t i = 0; counter && i < samples.size(); ++i) {
    if (samples[i].value < last) lost += last;
    last = samples[i].value;
  }
  return samples.back().value - samples.front().value + lost;
}

// Milliseconds from one time to another; times of samples may be any.
double From(TimestampMs start, TimestampMs end) {
  return static_cast<double>(end) - static_cast<double>(start);
}

double Interval(Samples samples) { return From(samples.front().time, samples.back().time); }

// Whole seconds: the reference leaves out what is less.
double WholeSeconds(std::int64_t milliseconds) { return static_cast<double>(milliseconds / 1000); }

// xrate and xdelta give what was gained between samples in proportion to the range.
double ValueInRange(XFunction function, Samples samples, TimestampMs end, std::int64_t range_ms) {
  const TimestampMs start = Moved(end, -range_ms);
  // Of a single sample this is NaN, to which no comparison holds.
  double gap = Interval(samples) / static_cast<double>(samples.size() - 1);
  if (From(samples.front().time, start) > gap) {
    // The sample before the window is too far from it.
    if (samples.size() < 3) return 0;
    samples = samples.subspan(1);
    gap = Interval(samples) / static_cast<double>(samples.size() - 1);
  }
  double value = Gained(samples, function != XFunction::kDelta);
  if (samples.front().time <= start && From(samples.back().time, end) < gap)
    value *= WholeSeconds(range_ms) / (Interval(samples) / 1000);
  return function == XFunction::kRate ? value / WholeSeconds(range_ms) : value;
}

SelectHints HintsOfX(const SelectTimes& times, std::int64_t range_ms, std::string_view name) {
  SelectHints hints;
  hints.range_ms = range_ms + kXLookbackMs;
  hints.start_ms = Moved(times.At(0), 1 - hints.range_ms);
  hints.end_ms = times.At(times.grid.steps - 1);
  hints.step_ms = times.grid.steps > 1 ? times.grid.step : 0;
  hints.function = std::string(name);
  return hints;
}

class XRows final : public RowMaker {
 public:
  struct Options {
    SelectTimes times;
    std::int64_t range_ms;
    XFunction function;
    std::string_view name;
    SelectHints hints;
  };
  XRows(const QueryState& state, Options options)
      : state_(state), options_(std::move(options)), charge_(state.context.budget()) {}

  Status Add(const model::Labels& labels, chunk::Columns* columns, Annotations& /*annotations*/,
             RowBatch* out) override {
    RETURN_IF_ERROR(RefuseHistograms(*columns));
    RETURN_IF_ERROR(out->Add(labels, options_.name));
    const std::size_t row = out->size() - 1;
    DropName(state_, out, row);
    RETURN_IF_ERROR(Fill(*columns, out->values(row), out->present(row)));
    if (!out->AnyPresent(row)) out->RemoveLast();
    if (window_.memory_bytes() <= charge_.bytes()) return OkStatus();
    return charge_.Add(window_.memory_bytes() - charge_.bytes(), options_.name);
  }

 private:
  Status RefuseHistograms(const chunk::Columns& columns) const {
    for (const TimestampMs time : columns.histogram_times) {
      if (time < options_.hints.start_ms || time > options_.hints.end_ms) continue;
      return MakeError(StatusCode::kFailedPrecondition,
                       "native histograms are not supported in extended range functions");
    }
    return OkStatus();
  }

  Status Fill(const chunk::Columns& columns, double* values, std::uint8_t* present) {
    const std::vector<TimestampMs>& times = columns.times;
    const auto first = static_cast<std::size_t>(
        std::lower_bound(times.begin(), times.end(), options_.hints.start_ms) - times.begin());
    window_.Begin(std::span(times).subspan(first), std::span(columns.values).subspan(first));
    DeadlineCheck deadline(state_.context);
    for (std::size_t k = 0; k < options_.times.grid.steps; ++k) {
      if (k > 0 && options_.times.fixed) {
        values[k] = values[0];
        present[k] = present[0];
        continue;
      }
      const TimestampMs end = options_.times.At(k);
      window_.MoveTo(Moved(end, -options_.range_ms), end);
      if (window_.samples().empty()) continue;
      RETURN_IF_ERROR(deadline.After(window_.samples().size()));
      values[k] = XValue(options_.function, window_, end, options_.range_ms);
      present[k] = 1;
    }
    return OkStatus();
  }

  const QueryState& state_;
  const Options options_;
  XWindow window_;
  MemoryCharge charge_;
};

}  // namespace

std::optional<XFunction> FindXFunction(std::string_view name) {
  for (const Entry& entry : kFunctions) {
    if (entry.name == name) return entry.function;
  }
  return std::nullopt;
}

void XWindow::Begin(std::span<const TimestampMs> times, std::span<const double> values) {
  times_ = times;
  values_ = values;
  next_ = 0;
  ahead_.reset();
  samples_.clear();
  begin_ = 0;
  const auto first = std::find_if_not(values.begin(), values.end(), chunk::IsStale);
  if (first != values.end()) appeared_ = times[static_cast<std::size_t>(first - values.begin())];
}

// Leaves the samples after `start` and the last before it, unless that is too old.
void XWindow::Drop(TimestampMs start) {
  std::size_t first = begin_;
  while (first < samples_.size() && samples_[first].time <= start) ++first;
  if (first > begin_ && samples_[first - 1].time > Moved(start, -kXLookbackMs)) --first;
  begin_ = first;
}

void XWindow::Push(Sample sample) {
  // The vector keeps to the size of two windows.
  if (begin_ > samples_.size() / 2) {
    samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  samples_.push_back(sample);
}

void XWindow::MoveTo(TimestampMs start, TimestampMs end) {
  Drop(start);
  if (ahead_ && ahead_->time > end) return;
  // A sample up to here replaces the last one.
  TimestampMs floor = start;
  const auto raise = [&] {
    if (begin_ < samples_.size()) floor = std::max(floor, Moved(samples_.back().time, 1));
  };
  raise();
  if (ahead_ && ahead_->time > floor) {
    Push(*ahead_);
    raise();
  }
  ahead_.reset();
  while (next_ < times_.size()) {
    const Sample sample{times_[next_], values_[next_]};
    ++next_;
    if (chunk::IsStale(sample.value)) continue;
    if (sample.time > end) {
      ahead_ = sample;
      return;
    }
    if (sample.time > floor || begin_ == samples_.size()) {
      Push(sample);
    } else {
      samples_.back() = sample;
    }
  }
}

double XValue(XFunction function, const XWindow& window, TimestampMs end, std::int64_t range_ms) {
  const Samples samples = window.samples();
  if (function != XFunction::kIncrease) return ValueInRange(function, samples, end, range_ms);
  // A counter that has just appeared began at zero.
  if (Moved(end, -range_ms) <= window.appeared() && AllEqual(samples)) return samples.front().value;
  return Gained(samples, true);
}

OperatorPtr MakeXSelector(QueryState& state, const MatrixSelector& matrix, const SelectTimes& times,
                          XFunction function, std::string_view name) {
  const XRows::Options options{.times = times,
                               .range_ms = matrix.range_ms,
                               .function = function,
                               .name = name,
                               .hints = HintsOfX(times, matrix.range_ms, name)};
  return MakeSeriesRows(state, matrix.selector->matchers, options.hints, times.grid.steps,
                        [&state, options]() -> StatusOr<std::unique_ptr<RowMaker>> {
                          return std::unique_ptr<RowMaker>(std::make_unique<XRows>(state, options));
                        });
}

}  // namespace aevum::promql
