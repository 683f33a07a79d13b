// Reads the series of a selector and turns them into rows.
#pragma once

#include <memory>

#include "promql/ast.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/range_function.h"
#include "promql/engine/select_sharing.h"
#include "promql/engine/series_decoder.h"

namespace aevum::promql {

// Pulls series out of a select one by one, for those who need the samples themselves.
class SeriesReader {
 public:
  SeriesReader(QueryState& state, model::Matchers matchers, SelectHints hints)
      : state_(state),
        ticket_(state.selects.Expect(std::move(matchers), std::move(hints))),
        decoder_(state, state.only_statistics()) {}

  // The labels of the next series; null at the end. The pointer is valid until the next call.
  StatusOr<const model::Labels*> Next();
  // Its samples, with their staleness markers. May be changed.
  chunk::Columns& columns() { return *decoder_.columns(); }

 private:
  QueryState& state_;
  const std::unique_ptr<SelectSharing::Ticket> ticket_;
  std::unique_ptr<SelectStream> stream_;
  std::unique_ptr<const SelectBatch> batch_;
  std::size_t next_ = 0;
  SeriesDecoder decoder_;
};

// When a selector looks at each step: offset and @ applied.
struct SelectTimes {
  Grid grid;
  std::int64_t offset_ms = 0;
  bool fixed = false;
  TimestampMs fixed_at = 0;

  TimestampMs At(std::size_t k) const { return (fixed ? fixed_at : grid.At(k)) - offset_ms; }
};
SelectTimes TimesOf(const TimeModifiers& time, const Grid& grid, const QueryState& state);

// What a selector needs that looks at (t - back, t + ahead] at each step, for the function or
// aggregation around it.
SelectHints HintsOf(const SelectTimes& times, std::int64_t back_ms, std::int64_t ahead_ms,
                    std::string function);

// Takes staleness markers out: to a range they are no samples.
void DropStaleMarkers(chunk::Columns* columns);

enum class SelectedValue : std::uint8_t { kValue, kTimestamp, kStartTimestamp };

// An instant selector: at each step the newest sample in (t - lookback, t] that is no staleness
// marker; its value, or its time or start timestamp in seconds for timestamp() and
// start_timestamp().
OperatorPtr MakeVectorSelector(QueryState& state, const VectorSelector& selector, SelectTimes times,
                               SelectedValue value, std::string function);

// A function over a range selector: at each step of the samples in (t - range, t]. Drops the name
// unless the function keeps it.
OperatorPtr MakeRangeSelector(QueryState& state, const MatrixSelector& matrix, SelectTimes times,
                              RangeFunction function);

}  // namespace aevum::promql
