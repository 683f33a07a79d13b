#include "objstore/signing/credentials.h"

namespace aevum::objstore {
namespace {

constexpr std::int64_t kRenewBeforeMs = 5 * 60 * 1000;

}  // namespace

StatusOr<Credentials> CachedCredentials::Get(const Context& context) {
  MutexLock lock(mutex_);
  if (!kept_ || clock_.NowMs() >= kept_->expires_ms - kRenewBeforeMs) {
    ASSIGN_OR_RETURN(kept_, source_->Get(context));
  }
  return *kept_;
}

bool CachedCredentials::Forget() {
  MutexLock lock(mutex_);
  kept_.reset();
  return true;
}

}  // namespace aevum::objstore
