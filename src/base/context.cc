#include "base/context.h"

#include <algorithm>

namespace aevum {

Context Context::WithDeadline(TimePoint deadline) const {
  Context child = *this;
  child.deadline_ = std::min(deadline_, deadline);
  return child;
}

Context Context::WithTimeout(std::chrono::nanoseconds timeout) const {
  const TimePoint now = TimePoint::clock::now();
  // Timeouts come from users; a huge one must not wrap around.
  if (timeout > TimePoint::max() - now) return *this;
  return WithDeadline(now + timeout);
}

Context Context::WithBudget(std::shared_ptr<MemoryBudget> budget) const {
  Context child = *this;
  child.budget_ = std::move(budget);
  return child;
}

Context Context::WithRequest(RequestInfo request) const {
  Context child = *this;
  child.request_ = std::make_shared<const RequestInfo>(std::move(request));
  return child;
}

Context Context::WithTrace(std::shared_ptr<const TraceContext> trace) const {
  Context child = *this;
  child.trace_ = std::move(trace);
  return child;
}

std::chrono::nanoseconds Context::remaining() const {
  if (deadline_ == TimePoint::max()) return std::chrono::nanoseconds::max();
  return std::max(std::chrono::nanoseconds(0),
                  std::chrono::nanoseconds(deadline_ - TimePoint::clock::now()));
}

Status Context::status() const {
  if (cancelled()) return MakeError(StatusCode::kCancelled, "the request was cancelled");
  if (deadline_ != TimePoint::max() && TimePoint::clock::now() >= deadline_) {
    return MakeError(StatusCode::kDeadlineExceeded, "the request ran out of time");
  }
  return OkStatus();
}

const RequestInfo& Context::request() const {
  static const RequestInfo nobody;
  return request_ ? *request_ : nobody;
}

CancelScope::CancelScope(const Context& parent)
    : context_(parent), from_parent_(parent.stop_token(), Forward{source_}) {
  context_.stop_ = source_.get_token();
}

}  // namespace aevum
