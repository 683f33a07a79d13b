#include "promql/engine/row_batch.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "model/histogram_arithmetic.h"

namespace aevum::promql {
namespace {

constexpr std::size_t kValuesPerBatch = 64 << 10;
constexpr std::size_t kMaxRows = 256;
constexpr std::size_t kFirstValues = 2 << 10;
constexpr std::size_t kRowBytes = 64;  // what a row takes beside its values and labels, roughly
constexpr std::int64_t kLabelBlock = 512;

}  // namespace

void RowBatch::Reset(std::size_t steps, const std::shared_ptr<MemoryBudget>& budget,
                     std::size_t most_rows) {
  most_rows_ = most_rows;
  rows_.clear();
  slab_ = 0;
  used_ = 0;
  label_bytes_ = 0;
  if (steps == steps_ && budget == budget_) return;
  slabs_.clear();
  steps_ = steps;
  budget_ = budget;
  label_charge_ = MemoryCharge(budget);
}

Status RowBatch::NextSlab(std::string_view who) {
  if (slab_ < slabs_.size()) ++slab_;
  used_ = 0;
  if (slab_ < slabs_.size()) return OkStatus();
  // Each twice the last, so that a few rows take little.
  const std::size_t most = std::clamp<std::size_t>(most_rows_, 1, RowsPerBatch(steps_));
  const std::size_t rows =
      std::min(most, slabs_.empty() ? kFirstValues / std::max<std::size_t>(steps_, 1) + 1
                                    : 2 * slabs_.back().rows);
  Slab slab{.memory = nullptr, .rows = rows, .charge = MemoryCharge(budget_)};
  const std::size_t words = rows * steps_ + (rows * steps_ + sizeof(double) - 1) / sizeof(double);
  RETURN_IF_ERROR(
      slab.charge.Add(static_cast<std::int64_t>(words * sizeof(double) + rows * kRowBytes), who));
  slab.memory = std::make_unique_for_overwrite<double[]>(words);
  slabs_.push_back(std::move(slab));
  return OkStatus();
}

// In blocks, so that a row rarely touches the budget, which threads share.
Status RowBatch::ChargeLabels(const model::Labels& labels, std::string_view who) {
  label_bytes_ += static_cast<std::int64_t>(labels.memory_bytes());
  const std::int64_t missing = label_bytes_ - label_charge_.bytes();
  return missing > 0 ? label_charge_.Add(std::max(missing, kLabelBlock), who) : OkStatus();
}

Status RowBatch::ReplaceLabels(std::size_t row, model::Labels labels, std::string_view who) {
  RETURN_IF_ERROR(ChargeLabels(labels, who));
  label_bytes_ -= static_cast<std::int64_t>(rows_[row].labels.memory_bytes());
  rows_[row].labels = std::move(labels);
  return OkStatus();
}

Status RowBatch::Add(model::Labels labels, std::string_view who) {
  RETURN_IF_ERROR(ChargeLabels(labels, who));
  if (slab_ == slabs_.size() || used_ == slabs_[slab_].rows) RETURN_IF_ERROR(NextSlab(who));
  const Slab& slab = slabs_[slab_];
  double* values = slab.memory.get() + used_ * steps_;
  auto* present =
      reinterpret_cast<std::uint8_t*>(slab.memory.get() + slab.rows * steps_) + used_ * steps_;
  ++used_;
  std::memset(values, 0, steps_ * sizeof(double));
  std::memset(present, 0, steps_);
  rows_.push_back({std::move(labels), values, present, nullptr, false});
  return OkStatus();
}

Status RowBatch::AddCopy(const RowBatch& source, std::size_t row, std::string_view who) {
  RETURN_IF_ERROR(Add(source.labels(row), who));
  rows_.back().drops_name = source.drops_name(row);
  std::memcpy(rows_.back().values, source.values(row), steps_ * sizeof(double));
  std::memcpy(rows_.back().present, source.present(row), steps_);
  const HistogramPtr* histograms = source.histograms(row);
  for (std::size_t k = 0; histograms != nullptr && k < steps_; ++k) {
    if (histograms[k] != nullptr)
      RETURN_IF_ERROR(SetHistogram(rows_.size() - 1, k, histograms[k], who));
  }
  return OkStatus();
}

Status RowBatch::SetHistogram(std::size_t row, std::size_t step, HistogramPtr histogram,
                              std::string_view who) {
  std::unique_ptr<Lane>& lane = rows_[row].lane;
  if (lane == nullptr) {
    lane = std::make_unique<Lane>(Lane{{}, MemoryCharge(budget_)});
    RETURN_IF_ERROR(
        lane->charge.Add(static_cast<std::int64_t>(steps_ * sizeof(HistogramPtr)), who));
    lane->values.resize(steps_);
  }
  // A sample that several steps see is one histogram.
  if (step == 0 || lane->values[step - 1] != histogram)
    RETURN_IF_ERROR(lane->charge.Add(model::SizeBytes(*histogram), who));
  lane->values[step] = std::move(histogram);
  return OkStatus();
}

void RowBatch::Append(RowBatch&& source) {
  if (rows_.empty() && slabs_.empty()) {
    rows_ = std::move(source.rows_);
    slabs_ = std::move(source.slabs_);
  } else {
    std::move(source.rows_.begin(), source.rows_.end(), std::back_inserter(rows_));
    std::move(source.slabs_.begin(), source.slabs_.end(), std::back_inserter(slabs_));
  }
  source.rows_.clear();
  source.slabs_.clear();
  label_bytes_ += std::exchange(source.label_bytes_, 0);
  label_charge_.Absorb(source.label_charge_);
  source.slab_ = source.used_ = 0;
  // What is left of the slabs that came stays unused.
  slab_ = slabs_.size();
  used_ = 0;
}

void RowBatch::Select(const std::vector<std::size_t>& order) {
  std::vector<Row> rows;
  rows.reserve(order.size());
  for (const std::size_t row : order) rows.push_back(std::move(rows_[row]));
  rows_ = std::move(rows);
  slab_ = slabs_.size();
  used_ = 0;
}

bool RowBatch::AnyPresent(std::size_t row) const {
  if (std::memchr(present(row), 1, steps_) != nullptr) return true;
  const HistogramPtr* all = histograms(row);
  return all != nullptr &&
         std::any_of(all, all + steps_, [](const HistogramPtr& h) { return h != nullptr; });
}

std::size_t RowBatch::RowsPerBatch(std::size_t steps) {
  return std::clamp<std::size_t>(kValuesPerBatch / std::max<std::size_t>(steps, 1), 1, kMaxRows);
}

}  // namespace aevum::promql
