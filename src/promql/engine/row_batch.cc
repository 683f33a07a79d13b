#include "promql/engine/row_batch.h"

#include <algorithm>
#include <cstring>

namespace aevum::promql {
namespace {

constexpr std::size_t kValuesPerBatch = 64 << 10;
constexpr std::size_t kMaxRows = 256;
constexpr std::int64_t kLabelsBytes = 64;  // what a row holds of labels, roughly; they are shared

}  // namespace

void RowBatch::Reset(std::size_t steps, const std::shared_ptr<MemoryBudget>& budget) {
  if (steps != steps_ || budget != budget_) {
    charge_ = MemoryCharge(budget);
    budget_ = budget;
    charged_rows_ = 0;
    values_ = {};
    present_ = {};
  }
  steps_ = steps;
  labels_.clear();
  values_.clear();
  present_.clear();
}

Status RowBatch::Add(model::Labels labels, std::string_view who) {
  if (labels_.size() == charged_rows_) {
    // Grows by half, as the vectors do, so that the charge follows what is held.
    const std::size_t more = std::max<std::size_t>(1, charged_rows_ / 2);
    const auto row_bytes = static_cast<std::int64_t>(steps_ * (sizeof(double) + 1)) + kLabelsBytes;
    RETURN_IF_ERROR(charge_.Add(static_cast<std::int64_t>(more) * row_bytes, who));
    charged_rows_ += more;
    labels_.reserve(charged_rows_);
    values_.reserve(charged_rows_ * steps_);
    present_.reserve(charged_rows_ * steps_);
  }
  labels_.push_back(std::move(labels));
  values_.resize(values_.size() + steps_);
  present_.resize(present_.size() + steps_);
  return OkStatus();
}

void RowBatch::RemoveLast() {
  labels_.pop_back();
  values_.resize(values_.size() - steps_);
  present_.resize(present_.size() - steps_);
}

bool RowBatch::AnyPresent(std::size_t row) const {
  return std::memchr(present(row), 1, steps_) != nullptr;
}

std::size_t RowBatch::RowsPerBatch(std::size_t steps) {
  return std::clamp<std::size_t>(kValuesPerBatch / std::max<std::size_t>(steps, 1), 1, kMaxRows);
}

}  // namespace aevum::promql
