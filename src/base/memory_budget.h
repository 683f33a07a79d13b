// How much memory a request may use, charged before it is allocated.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace aevum {

// Counts bytes against a limit, and against the limit of its parent (a query's budget within that
// of the process). Thread-safe; a charge costs one atomic addition a level.
class MemoryBudget {
 public:
  static constexpr std::int64_t kUnlimited = INT64_MAX;

  // `parent` may be null. `name` appears in errors, for example "query".
  MemoryBudget(std::string_view name, std::int64_t limit_bytes,
               std::shared_ptr<MemoryBudget> parent = nullptr)
      : name_(name), limit_bytes_(limit_bytes), parent_(std::move(parent)) {}
  // Gives back to the parent what was not released.
  ~MemoryBudget();
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // ResourceExhausted when `bytes` more would pass a limit; then nothing is charged. `what` names
  // who asks, for example "decoded samples".
  Status Charge(std::int64_t bytes, std::string_view what);
  void Release(std::int64_t bytes);

  std::int64_t used_bytes() const { return used_bytes_.load(std::memory_order_relaxed); }
  std::int64_t peak_bytes() const { return peak_bytes_.load(std::memory_order_relaxed); }
  std::int64_t limit_bytes() const { return limit_bytes_; }

 private:
  const std::string name_;
  const std::int64_t limit_bytes_;
  const std::shared_ptr<MemoryBudget> parent_;
  std::atomic<std::int64_t> used_bytes_ = 0;
  std::atomic<std::int64_t> peak_bytes_ = 0;
};

// A charge that grows and is released as a whole at the end of its life. Thread-compatible.
// A null budget charges nothing. Holds the budget, so it may outlive the request's context.
class MemoryCharge {
 public:
  MemoryCharge() = default;
  explicit MemoryCharge(std::shared_ptr<MemoryBudget> budget) : budget_(std::move(budget)) {}
  ~MemoryCharge() { Reset(); }
  MemoryCharge(MemoryCharge&& other) noexcept
      : budget_(std::move(other.budget_)), bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryCharge& operator=(MemoryCharge&& other) noexcept {
    if (this != &other) {
      Reset();
      budget_ = std::move(other.budget_);
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }

  Status Add(std::int64_t bytes, std::string_view what) {
    if (!budget_) return OkStatus();
    RETURN_IF_ERROR(budget_->Charge(bytes, what));
    bytes_ += bytes;
    return OkStatus();
  }
  // Releases a part of it.
  void Subtract(std::int64_t bytes) {
    if (!budget_) return;
    budget_->Release(bytes);
    bytes_ -= bytes;
  }
  // Takes over the charge of another on the same budget.
  void Absorb(MemoryCharge& other) {
    if (!budget_) budget_ = other.budget_;
    bytes_ += std::exchange(other.bytes_, 0);
  }
  // Releases everything.
  void Reset() {
    if (budget_ && bytes_ != 0) budget_->Release(bytes_);
    bytes_ = 0;
  }
  std::int64_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<MemoryBudget> budget_;
  std::int64_t bytes_ = 0;
};

}  // namespace aevum
