#include "objstore/rest/session.h"

namespace aevum::objstore {
namespace {

constexpr std::int64_t kRenewBeforeMs = 60'000;

}  // namespace

StatusOr<Session> KeptSession::Get(const Context& context) {
  MutexLock lock(mutex_);
  if (!kept_ || clock_.NowMs() >= kept_->expires_ms - kRenewBeforeMs) {
    ASSIGN_OR_RETURN(kept_, ask_(context));
  }
  return *kept_;
}

void KeptSession::Forget() {
  MutexLock lock(mutex_);
  kept_.reset();
}

}  // namespace aevum::objstore
