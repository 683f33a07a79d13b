// The samples of one replica behind positions; a chunk is decoded when a sample of it is looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/status.h"
#include "chunk/chunk.h"

namespace aevum::store::dedup {

// Appends at least the first `samples` samples of a chunk (fewer only where it has fewer).
using ReadChunk =
    std::function<Status(const chunk::ChunkView& view, std::uint32_t samples, chunk::Columns* out)>;

// Samples at positions begin() .. end, ascending in time, each a number: a float, or the count of a
// native histogram. A staleness marker is one in either form. What lies outside the bounds is not
// there. Errors stick: after one there are no more samples, and status() tells. Thread-compatible;
// borrows the columns or the bytes of the chunks.
class RowReader {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  // All samples of columns; of a float and a histogram at one time the histogram.
  explicit RowReader(const chunk::Columns& columns);
  // Samples in [start, end] of raw chunks that follow one another. Corruption, later, where the
  // samples of a chunk do not ascend or are not within the bounds that it came with.
  RowReader(std::span<const chunk::ChunkView> chunks, TimestampMs start, TimestampMs end,
            ReadChunk read);
  RowReader(RowReader&&) = default;
  RowReader& operator=(RowReader&&) = delete;
  ~RowReader();

  std::size_t begin() const { return begin_; }
  // Whether there is a sample at a position, which is begin() or more.
  bool Has(std::size_t i) { return Inside(i) || Load(i, 1); }

  // Of a position that Has.
  TimestampMs Time(std::size_t i) {
    return Inside(i) ? times_[i - low_] : Loaded(i).times[Offset(i)];
  }
  double Value(std::size_t i) {
    return Inside(i) ? values_[i - low_] : Loaded(i).values[Offset(i)];
  }
  bool IsHistogram(std::size_t i) { return Loaded(i).histograms; }
  bool IsGaugeHistogram(std::size_t i) { return Loaded(i).gauge; }
  const model::FloatHistogram& Histogram(std::size_t i);
  // Its start timestamp; 0: not known.
  TimestampMs Start(std::size_t i) {
    const Part& part = Loaded(i);
    return part.starts == nullptr ? 0 : part.starts[Offset(i)];
  }

  // The first position with a time at or after one; kNone when there is none.
  std::size_t Next(TimestampMs time);
  // The time of the last sample, kMinTime when there is none. Mostly without decoding.
  TimestampMs Newest();

  // The samples from a position to the end of its chunk; none when there is no such position.
  struct Stretch {
    std::span<const TimestampMs> times;
    std::span<const double> values;
  };
  Stretch StretchFrom(std::size_t i);

  // How many samples from a position on are those of the other row from its position on, as told
  // by the bytes of their chunks alone.
  std::size_t SharedWith(std::size_t i, const RowReader& other, std::size_t j) const;

  // Appends samples, with start timestamps where `out` wants them; this row need not hold them any
  // longer. With `forget` the reset hint of the
  // first becomes unknown when it is a histogram.
  void MoveTo(std::size_t first, std::size_t count, bool forget, chunk::Columns* out);

  const Status& status() const { return status_; }

 private:
  struct Part {
    TimestampMs min_time = 0;
    TimestampMs max_time = 0;
    std::size_t first = 0;    // position of its first sample
    std::uint32_t count = 0;  // samples, as the chunk claims
    std::uint32_t ready = 0;  // of them decoded
    bool histograms = false;
    bool gauge = false;
    chunk::ChunkView view;
    bool encoded = false;  // there is a view to decode
    const TimestampMs* times = nullptr;
    const double* values = nullptr;
    const model::FloatHistogram* histogram = nullptr;
    const TimestampMs* starts = nullptr;  // null: none are known
    chunk::Columns columns;
    std::vector<double> counts;
  };

  bool Inside(std::size_t i) const { return i - low_ < ready_; }
  std::size_t Offset(std::size_t i) const { return i - low_; }
  // The part of a position that Has, made the current one.
  const Part& Loaded(std::size_t i);
  // Makes the part of a position the current one, with the position and `more - 1` samples after
  // it decoded where there are some. False when there is no such sample.
  bool Load(std::size_t i, std::uint32_t more);
  bool Decode(Part* part, std::uint32_t samples);
  Status ReadPart(Part* part, std::uint32_t samples);
  std::size_t NextIn(std::size_t part, TimestampMs time);
  std::size_t PartOf(std::size_t i) const;
  void Enter(std::size_t part);
  // Points a part at its samples in columns, from a position on.
  static void PointAt(const chunk::Columns& columns, std::size_t first, std::size_t count,
                      Part* part);
  void AddColumns(const chunk::Columns& columns, bool histograms, std::size_t first,
                  std::size_t count);

  std::vector<Part> parts_;
  ReadChunk read_;
  TimestampMs end_ = kMaxTime;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;  // the position after the last sample, as far as is known
  std::size_t current_ = 0;
  // Of the current part.
  std::size_t low_ = 0;
  std::size_t ready_ = 0;
  const TimestampMs* times_ = nullptr;
  const double* values_ = nullptr;
  Status status_;
};

// A histogram as a number: its count, or a staleness marker.
double CountOf(const model::FloatHistogram& histogram);

}  // namespace aevum::store::dedup
