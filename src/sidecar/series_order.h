// Puts external labels on series as they come, and keeps them sorted.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/memory_budget.h"
#include "base/status.h"
#include "chunk/chunk.h"
#include "sidecar/label_rewriting.h"

namespace aevum::sidecar {

// A series on its way from Prometheus to the answer.
struct OrderedSeries {
  model::Labels arrived;
  model::Labels labels;
  std::vector<chunk::ChunkView> chunks;
  std::vector<BufferOwner> owners;
};

// Prometheus sends series in the order of their own labels. With external labels added the order
// stays, but for a series whose labels are the beginning of another's: {a} comes before {a, b}, yet
// {a, z} comes after {a, b, z}. In kStreaming mode such a series waits until those that it must
// follow have passed: at most one for each label, since each that waits is the beginning of the
// next.
//
// The order is anybody's guess when series have labels of their own by the name of an external
// label (which wins) or of a removed one. Then kSorting keeps all series, charged to the budget,
// until the last has come. kStreaming finds that out too, but only by an error.
//
// Frames of one series, which follow one another, become one series. Thread-compatible.
class SeriesOrder {
 public:
  enum class Mode { kStreaming, kSorting };

  SeriesOrder(std::shared_ptr<const LabelRewriting> rewriting, Mode mode,
              std::shared_ptr<MemoryBudget> budget);

  // The next series or frame. ResourceExhausted when the budget is used up; Aborted when kStreaming
  // can't keep the order. Series without chunks are dropped.
  Status Add(const model::Labels& arrived, std::span<const chunk::ChunkView> chunks,
             const BufferOwner& owner);
  // There is no more; all that is left gets its place.
  Status Finish();

  // The next series whose place is known, or nullopt.
  std::optional<OrderedSeries> Take();

 private:
  // Whether a series must wait for one that came later, and may have to wait for more.
  bool Follows(const OrderedSeries& held, const model::Labels& later) const;
  Status Release(OrderedSeries series);
  Status FinishSorting();

  const std::shared_ptr<const LabelRewriting> rewriting_;
  const Mode mode_;
  MemoryCharge charge_;
  std::vector<OrderedSeries> held_;  // kStreaming: each the beginning of the next; kSorting: all
  std::deque<OrderedSeries> ready_;
  std::optional<model::Labels> last_;  // that was released
};

}  // namespace aevum::sidecar
