// The answer of a remote read as a stream of series.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/context.h"
#include "base/memory_budget.h"
#include "base/mutex.h"
#include "sidecar/label_rewriting.h"
#include "sidecar/series_order.h"
#include "store/sharding.h"
#include "store/store.h"
#include "wire/remote_read.h"
#include "wire/store_api.h"

namespace prometheus {
class Histogram;
}

namespace aevum::sidecar {

// Fetches the body of an answer: gives its content type, then its pieces, and returns an error when
// the transfer fails or one of the two functions does.
using RemoteReadSource = std::function<Status(
    const Context& context, const std::function<Status(std::string_view)>& on_content_type,
    const std::function<Status(std::string_view)>& on_piece)>;

struct RemoteReadOptions {
  std::shared_ptr<const LabelRewriting> rewriting;
  SeriesOrder::Mode mode = SeriesOrder::Mode::kSorting;
  std::optional<wire::ShardInfo> shard_info;
  std::int64_t limit = 0;  // 0: unlimited
};

// A thread of the stream fetches the body and reads its frames; the caller of Next puts the series
// in order. Between the two is a queue of 1 MiB, so that Prometheus waits for a slow caller. All
// that came and is not given back yet is charged to the budget of the context. Chunks pass as they
// are.
//
// An answer of samples, from a Prometheus before 2.13, is read as a whole, encoded and sorted;
// native histograms in it are Unimplemented.
//
// The end of its life cancels the transfer and waits for the thread.
class RemoteReadStream final : public store::SeriesStream {
 public:
  RemoteReadStream(const Context& context, RemoteReadSource source, RemoteReadOptions options,
                   prometheus::Histogram& received_frames);
  ~RemoteReadStream() override;

  StatusOr<bool> Next(wire::SeriesBatch* batch) override;

 private:
  enum class Form { kUnknown, kFrames, kSamples };
  // What crosses the threads: the series of some frames, or the body of an answer of samples.
  struct Block {
    std::vector<BufferOwner> owners;
    MemoryCharge charge;
    wire::SeriesBatch series;
    std::string samples;
    std::size_t size_bytes = 0;
  };
  using BlockPtr = std::shared_ptr<Block>;

  // In the thread.
  void Fetch();
  Status OnContentType(std::string_view type);
  Status OnPiece(std::string_view piece);
  Status OnFrame(wire::SeriesBatch frame);
  Status FinishBody();
  // Hands over what has come, and waits while the queue is full. Waits with a stop token, which the
  // annotated lock does not know.
  Status Push() AEVUM_NO_THREAD_SAFETY_ANALYSIS;
  // A block may be larger than the queue: it then waits for an empty one.
  bool HasRoomLocked() const AEVUM_NO_THREAD_SAFETY_ANALYSIS;

  // In the caller of Next.
  // Puts the series of one block more in order, or ends the order with the body.
  Status Read();
  Status AddSamples(const Block& block);
  // Moves series whose place is known to the batch until it is full; adds the bytes of its chunks.
  void Fill(wire::SeriesBatch* batch, std::size_t* bytes);
  // Whether Read would not wait.
  bool HasBlock();
  bool HasBlockLocked() const AEVUM_NO_THREAD_SAFETY_ANALYSIS {
    return !queue_.empty() || fetched_.has_value();
  }
  bool AtLimit() const { return options_.limit > 0 && given_ >= options_.limit; }
  // Waits for a block; null at the end of the body.
  StatusOr<BlockPtr> Pop() AEVUM_NO_THREAD_SAFETY_ANALYSIS;

  const RemoteReadSource source_;
  const RemoteReadOptions options_;
  const store::ShardMatcher shard_;
  prometheus::Histogram& received_frames_;
  const std::shared_ptr<MemoryBudget> budget_;
  CancelScope scope_;

  // Of the thread.
  Form form_ = Form::kUnknown;
  wire::ChunkedReadReader reader_;
  std::size_t frames_ = 0;
  BlockPtr coming_;

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<BlockPtr> queue_ AEVUM_GUARDED_BY(mutex_);
  std::size_t queued_bytes_ AEVUM_GUARDED_BY(mutex_) = 0;
  std::optional<Status> fetched_
      AEVUM_GUARDED_BY(mutex_);  // the end of the body, or why there is none

  // Of the caller of Next.
  std::optional<SeriesOrder> order_;
  Status status_;
  bool at_end_ = false;  // all series have their place
  std::int64_t given_ = 0;
  std::thread thread_;
};

}  // namespace aevum::sidecar
