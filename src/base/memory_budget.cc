#include "base/memory_budget.h"

namespace aevum {

MemoryBudget::~MemoryBudget() {
  if (parent_) parent_->Release(used_bytes_.load());
}

Status MemoryBudget::Charge(std::int64_t bytes, std::string_view what) {
  const std::int64_t before = used_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes > limit_bytes_) {
    used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    return ResourceExhausted(
        "{} memory budget of {} bytes is used up: {} asks for {} bytes, {} are in use", name_,
        limit_bytes_, what, bytes, before);
  }
  if (parent_) {
    if (Status status = parent_->Charge(bytes, what); !status.ok()) {
      used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
      return status;
    }
  }
  std::int64_t peak = peak_bytes_.load(std::memory_order_relaxed);
  while (before + bytes > peak &&
         !peak_bytes_.compare_exchange_weak(peak, before + bytes, std::memory_order_relaxed)) {
  }
  return OkStatus();
}

void MemoryBudget::Release(std::int64_t bytes) {
  used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  if (parent_) parent_->Release(bytes);
}

}  // namespace aevum
