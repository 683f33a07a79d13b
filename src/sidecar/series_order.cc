#include "sidecar/series_order.h"

#include <algorithm>
#include <utility>

namespace aevum::sidecar {
namespace {

void Append(std::span<const chunk::ChunkView> chunks, const BufferOwner& owner,
            OrderedSeries* series) {
  series->chunks.insert(series->chunks.end(), chunks.begin(), chunks.end());
  if (series->owners.empty() || series->owners.back() != owner) series->owners.push_back(owner);
}

std::int64_t SizeOf(const OrderedSeries& series) {
  return static_cast<std::int64_t>(sizeof(OrderedSeries) + series.arrived.memory_bytes() +
                                   series.labels.memory_bytes() + sizeof(BufferOwner));
}

// Walks over the labels that Prometheus's series has of its own.
class OwnLabels {
 public:
  OwnLabels(const model::Labels& labels, const model::Labels& external)
      : labels_(labels), external_(external) {
    SkipExternal();
  }
  bool AtEnd() const { return index_ == labels_.size(); }
  model::Label Get() const { return labels_[index_]; }
  void Next() {
    ++index_;
    SkipExternal();
  }

 private:
  void SkipExternal() {
    while (index_ < labels_.size() && external_.Has(labels_[index_].name)) ++index_;
  }

  const model::Labels& labels_;
  const model::Labels& external_;
  std::size_t index_ = 0;
};

}  // namespace

SeriesOrder::SeriesOrder(std::shared_ptr<const LabelRewriting> rewriting, Mode mode,
                         std::shared_ptr<MemoryBudget> budget)
    : rewriting_(std::move(rewriting)), mode_(mode), charge_(std::move(budget)) {}

Status SeriesOrder::Add(const model::Labels& arrived, std::span<const chunk::ChunkView> chunks,
                        const BufferOwner& owner) {
  if (chunks.empty()) return OkStatus();
  if (mode_ == Mode::kSorting) {
    RETURN_IF_ERROR(charge_.Add(static_cast<std::int64_t>(chunks.size_bytes()), "series to sort"));
  }
  if (!held_.empty() && held_.back().arrived == arrived) {
    Append(chunks, owner, &held_.back());
    return OkStatus();
  }
  OrderedSeries series{
      .arrived = arrived, .labels = rewriting_->Apply(arrived), .chunks = {}, .owners = {}};
  Append(chunks, owner, &series);
  if (mode_ == Mode::kSorting) {
    RETURN_IF_ERROR(charge_.Add(SizeOf(series), "series to sort"));
  } else {
    while (!held_.empty() && !Follows(held_.back(), arrived)) {
      OrderedSeries next = std::move(held_.back());
      held_.pop_back();
      RETURN_IF_ERROR(Release(std::move(next)));
    }
  }
  held_.push_back(std::move(series));
  return OkStatus();
}

bool SeriesOrder::Follows(const OrderedSeries& held, const model::Labels& later) const {
  const model::Labels& added = rewriting_->added();
  if (added.empty()) return false;
  OwnLabels beginning(held.arrived, rewriting_->external());
  OwnLabels whole(later, rewriting_->external());
  while (!beginning.AtEnd()) {
    if (whole.AtEnd() || beginning.Get() != whole.Get()) return false;
    beginning.Next();
    whole.Next();
  }
  // The later one goes on with a label of its own where the held one goes on with external ones.
  return !whole.AtEnd() && whole.Get().name < added[added.size() - 1].name;
}

Status SeriesOrder::Release(OrderedSeries series) {
  if (last_ && mode_ == Mode::kStreaming) {
    const bool equal_allowed = !rewriting_->removed().empty();
    if (series.labels < *last_ || (series.labels == *last_ && !equal_allowed)) {
      return MakeError(
          StatusCode::kAborted,
          fmt::format("Prometheus sent series out of order, or has labels of its own by the "
                      "name of an external or replica label: ask again: {} after {}",
                      series.labels.ToString(), last_->ToString()));
    }
  }
  last_ = series.labels;
  ready_.push_back(std::move(series));
  return OkStatus();
}

Status SeriesOrder::Finish() {
  if (mode_ == Mode::kSorting) return FinishSorting();
  while (!held_.empty()) {
    OrderedSeries next = std::move(held_.back());
    held_.pop_back();
    RETURN_IF_ERROR(Release(std::move(next)));
  }
  return OkStatus();
}

Status SeriesOrder::FinishSorting() {
  std::stable_sort(held_.begin(), held_.end(), [](const OrderedSeries& a, const OrderedSeries& b) {
    return a.labels < b.labels;
  });
  const bool keep_equal = !rewriting_->removed().empty();
  for (OrderedSeries& series : held_) {
    if (keep_equal || ready_.empty() || ready_.back().labels != series.labels) {
      ready_.push_back(std::move(series));
      continue;
    }
    // An external label made them equal: one series with the chunks of both, by time.
    OrderedSeries& merged = ready_.back();
    merged.chunks.insert(merged.chunks.end(), series.chunks.begin(), series.chunks.end());
    merged.owners.insert(merged.owners.end(), series.owners.begin(), series.owners.end());
    std::stable_sort(merged.chunks.begin(), merged.chunks.end(),
                     [](const chunk::ChunkView& a, const chunk::ChunkView& b) {
                       return std::pair(a.min_time, a.max_time) < std::pair(b.min_time, b.max_time);
                     });
  }
  held_.clear();
  return OkStatus();
}

std::optional<OrderedSeries> SeriesOrder::Take() {
  if (ready_.empty()) return std::nullopt;
  OrderedSeries series = std::move(ready_.front());
  ready_.pop_front();
  return series;
}

}  // namespace aevum::sidecar
