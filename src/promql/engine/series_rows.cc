#include "promql/engine/series_rows.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/thread_pool.h"
#include "promql/engine/select_sharing.h"
#include "promql/engine/series_decoder.h"

namespace aevum::promql {
namespace {

constexpr std::size_t kMaxSeries = 256;
constexpr std::size_t kStepsOrSamples = 64 << 10;
constexpr std::int64_t kUsualIntervalMs = 30'000;  // between samples
constexpr std::size_t kHistogramsPerRange = 1024;  // so that they stay in the caches of a core
constexpr std::size_t kRangesPerThread = 2;        // being made, and ready or waiting

// Series that follow one another, and what was made of them.
struct Range {
  struct Part {
    std::shared_ptr<const SelectBatch> batch;
    std::size_t begin;
    std::size_t end;
  };
  std::vector<Part> parts;
  RowBatch rows;
  Annotations annotations;
  std::int64_t samples = 0;
  bool saw_types = false;  // a series with __type__ or __unit__
  Status status;
};

// The ranges that were pulled and not yet taken, in order. Helpers share it: it may outlive the
// operator, but nothing of the query is touched once it is closed. Thread-safe.
class RangeQueue {
 public:
  RangeQueue(const QueryState& state, std::size_t steps, std::size_t series_per_range,
             MakeRowMaker make)
      : state_(state),
        steps_(steps),
        series_per_range_(series_per_range),
        statistics_only_(state.only_statistics()),
        make_(std::move(make)) {}

  void Add(std::unique_ptr<Range> range) AEVUM_EXCLUDES(mutex_);
  // Makes the rows of the first range that nobody works on. False when there is none.
  bool EvaluateOne() AEVUM_EXCLUDES(mutex_);
  // The first range if it is ready, else null.
  std::unique_ptr<Range> TakeReady() AEVUM_EXCLUDES(mutex_);
  // Waits until the first range, which somebody works on, is ready.
  void WaitForFirst() AEVUM_EXCLUDES(mutex_);
  std::size_t size() const AEVUM_EXCLUDES(mutex_);
  // Waits for those at work. Then nobody uses the query, and the memory is given back.
  void Close() AEVUM_EXCLUDES(mutex_);

 private:
  struct Entry {
    std::unique_ptr<Range> range;
    bool ready = false;
  };
  // What a thread needs to make rows.
  struct Worker {
    SeriesDecoder decoder;
    std::unique_ptr<RowMaker> maker;
  };

  Range* ClaimLocked(std::uint64_t* number) AEVUM_REQUIRES(mutex_);
  std::unique_ptr<Worker> IdleWorkerLocked() AEVUM_REQUIRES(mutex_);
  Status Evaluate(Range& range, std::unique_ptr<Worker>& worker) const;

  const QueryState& state_;
  const std::size_t steps_;
  const std::size_t series_per_range_;
  const bool statistics_only_;
  MakeRowMaker make_;  // until the queue is closed

  mutable Mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> entries_ AEVUM_GUARDED_BY(mutex_);
  std::uint64_t first_ AEVUM_GUARDED_BY(mutex_) = 0;    // number of the first entry
  std::uint64_t claimed_ AEVUM_GUARDED_BY(mutex_) = 0;  // number of the first that nobody took
  std::size_t working_ AEVUM_GUARDED_BY(mutex_) = 0;
  bool stopped_ AEVUM_GUARDED_BY(mutex_) = false;  // an error makes later ranges useless
  std::vector<std::unique_ptr<Worker>> idle_ AEVUM_GUARDED_BY(mutex_);
};

void RangeQueue::Add(std::unique_ptr<Range> range) {
  MutexLock lock(mutex_);
  entries_.push_back({.range = std::move(range)});
}

Range* RangeQueue::ClaimLocked(std::uint64_t* number) {
  if (stopped_ || claimed_ == first_ + entries_.size()) return nullptr;
  *number = claimed_++;
  return entries_[*number - first_].range.get();
}

std::unique_ptr<RangeQueue::Worker> RangeQueue::IdleWorkerLocked() {
  if (idle_.empty()) return nullptr;
  std::unique_ptr<Worker> worker = std::move(idle_.back());
  idle_.pop_back();
  return worker;
}

bool RangeQueue::EvaluateOne() {
  Range* range = nullptr;
  std::uint64_t number = 0;
  std::unique_ptr<Worker> worker;
  {
    MutexLock lock(mutex_);
    range = ClaimLocked(&number);
    if (range == nullptr) return false;
    ++working_;
    worker = IdleWorkerLocked();
  }
  range->status = Evaluate(*range, worker);
  {
    MutexLock lock(mutex_);
    if (!range->status.ok()) stopped_ = true;
    entries_[number - first_].ready = true;
    if (worker != nullptr) idle_.push_back(std::move(worker));
    --working_;
  }
  changed_.notify_all();
  return true;
}

Status RangeQueue::Evaluate(Range& range, std::unique_ptr<Worker>& worker) const {
  range.rows.Reset(steps_, state_.context.budget(), series_per_range_);
  if (worker == nullptr) {
    ASSIGN_OR_RETURN(std::unique_ptr<RowMaker> maker, make_());
    worker = std::make_unique<Worker>(
        Worker{.decoder = SeriesDecoder(state_, statistics_only_), .maker = std::move(maker)});
    worker->decoder.columns()->with_starts = worker->maker->wants_starts();
  }
  for (const Range::Part& part : range.parts) {
    for (std::size_t i = part.begin; i < part.end; ++i) {
      RETURN_IF_ERROR(state_.context.status());
      RETURN_IF_ERROR(worker->decoder.Decode(*part.batch, i));
      range.samples += worker->decoder.samples();
      range.saw_types = range.saw_types || HasTypeOrUnit(part.batch->labels(i));
      RETURN_IF_ERROR(worker->maker->Add(part.batch->labels(i), worker->decoder.columns(),
                                         range.annotations, &range.rows));
    }
  }
  return range.annotations.status();
}

std::unique_ptr<Range> RangeQueue::TakeReady() {
  MutexLock lock(mutex_);
  if (entries_.empty() || !entries_.front().ready) return nullptr;
  std::unique_ptr<Range> range = std::move(entries_.front().range);
  entries_.pop_front();
  ++first_;
  return range;
}

void RangeQueue::WaitForFirst() {
  MutexLock lock(mutex_);
  while (!entries_.front().ready) lock.Wait(changed_);
}

std::size_t RangeQueue::size() const {
  MutexLock lock(mutex_);
  return entries_.size();
}

void RangeQueue::Close() {
  MutexLock lock(mutex_);
  stopped_ = true;
  while (working_ > 0) lock.Wait(changed_);
  entries_.clear();
  idle_.clear();
  make_ = nullptr;  // it may hold memory of the query
}

class SeriesRowsOperator final : public Operator {
 public:
  SeriesRowsOperator(QueryState& state, model::Matchers matchers, SelectHints hints,
                     std::size_t steps, MakeRowMaker make)
      : state_(state),
        ticket_(state.selects.Expect(std::move(matchers), std::move(hints))),
        steps_(steps),
        series_per_range_(state.series_per_range > 0 ? state.series_per_range
                                                     : SeriesPerRange(steps, ticket_->hints())),
        most_ranges_(state.helpers == nullptr ? 1
                                              : kRangesPerThread * (state.helpers->threads() + 1)),
        queue_(std::make_shared<RangeQueue>(state, steps, series_per_range_, std::move(make))) {}
  ~SeriesRowsOperator() override { queue_->Close(); }

  StatusOr<bool> Next(RowBatch* out) override {
    out->Reset(steps_, state_.context.budget());
    RETURN_IF_ERROR(failed_);
    while (true) {
      RETURN_IF_ERROR(state_.context.status());
      const bool full = ended_ || queue_->size() == most_ranges_;
      if (!full) Pull();
      if (std::unique_ptr<Range> range = queue_->TakeReady()) {
        RETURN_IF_ERROR(HandOut(std::move(range), out));
        if (!out->empty()) return true;
      } else if (queue_->size() > 0) {
        if (full && !queue_->EvaluateOne()) queue_->WaitForFirst();
      } else if (ended_) {
        return AtEnd();
      }
    }
  }

 private:
  // Adds a range of the series that come next. An error of the source comes after their rows.
  void Pull() {
    std::unique_ptr<Range> range = spare_ ? std::move(spare_) : std::make_unique<Range>();
    range->annotations.Init(state_.annotations.query(), state_.context.budget());
    std::size_t wanted = wanted_;
    while (wanted > 0 && !ended_) {
      if (batch_ == nullptr || next_ == batch_->size()) {
        end_status_ = PullBatch();
        ended_ = !end_status_.ok() || batch_ == nullptr;
        continue;
      }
      const std::size_t taken = std::min(wanted, batch_->size() - next_);
      range->parts.push_back({.batch = batch_, .begin = next_, .end = next_ + taken});
      next_ += taken;
      wanted -= taken;
    }
    if (ended_) batch_ = nullptr;
    if (range->parts.empty()) return;
    // One range alone is made by the caller: small queries don't pay for handing over.
    const bool help = state_.helpers != nullptr && queue_->size() > 0;
    queue_->Add(std::move(range));
    // When too many wait already, the caller makes it.
    if (help) (void)state_.helpers->Submit([queue = queue_] { queue->EvaluateOne(); });
  }

  // The next batch of the source; null at the end.
  Status PullBatch() {
    RETURN_IF_ERROR(state_.context.status());
    if (stream_ == nullptr) {
      ASSIGN_OR_RETURN(stream_, ticket_->Open(state_.context));
    }
    ASSIGN_OR_RETURN(batch_, stream_->Next());
    next_ = 0;
    return OkStatus();
  }

  Status HandOut(std::unique_ptr<Range> range, RowBatch* out) {
    state_.samples.fetch_add(range->samples, std::memory_order_relaxed);
    if (range->saw_types) state_.saw_types = true;
    state_.annotations.Take(range->annotations);
    failed_ = range->status.ok() ? state_.annotations.status() : range->status;
    RETURN_IF_ERROR(failed_);
    std::swap(*out, range->rows);
    // Rows of histograms are much larger than rows of numbers.
    if (out->histograms_put() > kHistogramsPerRange) {
      wanted_ = std::clamp<std::size_t>(out->size() * kHistogramsPerRange / out->histograms_put(),
                                        1, series_per_range_);
    }
    // The rows that the caller had are memory for the next range.
    range->parts.clear();
    range->samples = 0;
    range->saw_types = false;
    spare_ = std::move(range);
    return OkStatus();
  }

  StatusOr<bool> AtEnd() {
    RETURN_IF_ERROR(end_status_);
    for (const std::string& warning : stream_->warnings())
      state_.annotations.AddStoreWarning(warning);
    return false;
  }

  QueryState& state_;
  const std::unique_ptr<SelectSharing::Ticket> ticket_;
  const std::size_t steps_;
  const std::size_t series_per_range_;
  std::size_t wanted_ = series_per_range_;  // series of the next range
  const std::size_t most_ranges_;
  const std::shared_ptr<RangeQueue> queue_;
  std::unique_ptr<SelectStream> stream_;
  std::shared_ptr<const SelectBatch> batch_;
  std::size_t next_ = 0;  // series of the batch
  bool ended_ = false;
  Status end_status_;  // of the source
  Status failed_;      // of a range that was handed out
  std::unique_ptr<Range> spare_;
};

}  // namespace

OperatorPtr MakeSeriesRows(QueryState& state, model::Matchers matchers, SelectHints hints,
                           std::size_t steps, MakeRowMaker make) {
  return std::make_unique<SeriesRowsOperator>(state, std::move(matchers), std::move(hints), steps,
                                              std::move(make));
}

std::size_t SeriesPerRange(std::size_t steps, const SelectHints& hints) {
  const std::int64_t span_ms = std::max<std::int64_t>(hints.end_ms - hints.start_ms, 0);
  const auto samples = static_cast<std::size_t>(span_ms / kUsualIntervalMs);
  return std::clamp<std::size_t>(kStepsOrSamples / std::max<std::size_t>({steps, samples, 1}), 1,
                                 kMaxSeries);
}

}  // namespace aevum::promql
