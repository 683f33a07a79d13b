// Keys that sign requests, and where they come from.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/context.h"
#include "base/status.h"
#include "objstore/rest/session.h"

namespace aevum::objstore {

struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;
  TimestampMs expires_ms = kMaxTime;
};

// Thread-safe.
class CredentialsSource {
 public:
  virtual ~CredentialsSource() = default;
  // Keys that are good now. Unauthenticated when there are none.
  virtual StatusOr<Credentials> Get(const Context& context) = 0;
  // See RequestSigner::Forget.
  virtual bool Forget() { return false; }
};

class FixedCredentials final : public CredentialsSource {
 public:
  explicit FixedCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}
  StatusOr<Credentials> Get(const Context&) override { return credentials_; }

 private:
  const Credentials credentials_;
};

// Keeps what another source gave until five minutes before it expires.
class CachedCredentials final : public CredentialsSource {
 public:
  CachedCredentials(std::unique_ptr<CredentialsSource> source, const Clock& clock)
      : source_(std::move(source)),
        kept_([this](const Context& context) { return source_->Get(context); }, clock,
              std::chrono::minutes(5)) {}
  StatusOr<Credentials> Get(const Context& context) override { return kept_.Get(context); }
  bool Forget() override {
    kept_.Forget();
    return true;
  }

 private:
  const std::unique_ptr<CredentialsSource> source_;
  Kept<Credentials> kept_;
};

}  // namespace aevum::objstore
