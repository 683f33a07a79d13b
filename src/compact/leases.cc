#include "compact/leases.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "model/ulid.h"

namespace aevum::compact {
namespace {

using objstore::UploadCondition;
using SteadyClock = std::chrono::steady_clock;

// A lease is a line of JSON; what is larger is none.
constexpr std::size_t kMaxLeaseBytes = 4 << 10;
constexpr std::chrono::milliseconds kLongestDuration{3'600'000};
// A lease is renewed so often in its duration that one call may fail.
constexpr int kRenewalsPerDuration = 3;
constexpr std::chrono::seconds kReleaseTimeout{5};

std::string WriteContent(const LeaseOptions& options, std::int64_t renewal) {
  return nlohmann::json{
      {"owner", options.owner}, {"renewal", renewal}, {"duration_ms", options.duration.count()}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Status LostLease(const std::string& name, std::string_view why) {
  return MakeError(StatusCode::kAborted, fmt::format("the lease {} was lost: {}", name, why));
}

}  // namespace

struct Lease::State {
  State(std::string lease_name, std::string lease_object, const Context& context)
      : name(std::move(lease_name)), object(std::move(lease_object)), scope(context) {}

  const std::string name;
  const std::string object;
  CancelScope scope;
  Mutex mutex;
  bool lost AEVUM_GUARDED_BY(mutex) = false;
  std::string version AEVUM_GUARDED_BY(mutex);
  std::int64_t renewal AEVUM_GUARDED_BY(mutex) = 0;
  SteadyClock::time_point renewed AEVUM_GUARDED_BY(mutex) = SteadyClock::now();
};

Lease::Lease(Leases& leases, std::shared_ptr<State> state)
    : leases_(leases), state_(std::move(state)) {}

Lease::~Lease() { leases_.Release(state_); }

const Context& Lease::context() const { return state_->scope.context(); }

Status Lease::Confirm(const Context& context) { return leases_.Renew(context, *state_); }

Leases::Leases(LeaseOptions options, std::shared_ptr<objstore::Bucket> bucket, Logger logger,
               const Clock& clock)
    : options_(std::move(options)),
      bucket_(std::move(bucket)),
      logger_(std::move(logger)),
      clock_(clock),
      thread_([this] { RenewAll(); }) {}

Leases::~Leases() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  scope_.Cancel();
  thread_.join();
}

Leases::Method Leases::method() const {
  MutexLock lock(mutex_);
  return method_;
}

void Leases::SetMethod(Method method) {
  MutexLock lock(mutex_);
  if (method_ == Method::kUnknown && method == Method::kElection)
    logger_.Info("the bucket has no conditional uploads, workers share it by election");
  method_ = method;
}

StatusOr<Leases::Answer> Leases::TryAcquire(const Context& context, const std::string& name) {
  {
    MutexLock lock(mutex_);
    if (held_.contains(name)) return Answer{.lease = nullptr, .other_lives = true};
  }
  if (method() != Method::kElection) {
    StatusOr<Answer> answer = AcquireByConditions(context, name);
    if (answer.status().code() != StatusCode::kUnimplemented) return answer;
    SetMethod(Method::kElection);
  }
  return AcquireByElection(context, name);
}

StatusOr<Leases::Answer> Leases::AcquireByConditions(const Context& context,
                                                     const std::string& name) {
  auto state = std::make_shared<Lease::State>(name, options_.directory + "/" + name, context);
  Status created;
  {
    MutexLock lock(state->mutex);
    created = WriteByConditions(context, *state, UploadCondition::kIfAbsent);
  }
  if (created.code() == StatusCode::kFailedPrecondition) return TakeOver(context, state);
  RETURN_IF_ERROR(created);
  if (method() == Method::kUnknown) {
    // Some stores know the one condition and not the other.
    const Status renewed = Renew(context, *state);
    if (renewed.code() == StatusCode::kUnimplemented) {
      RETURN_IF_ERROR(bucket_->Delete(context, state->object));
      return renewed;
    }
    RETURN_IF_ERROR(renewed);
    SetMethod(Method::kConditions);
  }
  return Hold(std::move(state));
}

StatusOr<Leases::Answer> Leases::TakeOver(const Context& context,
                                          std::shared_ptr<Lease::State> state) {
  const StatusOr<Content> content = ReadContent(context, state->object);
  if (objstore::IsNotFound(content.status())) return Answer{};  // given back a moment ago
  RETURN_IF_ERROR(content.status());
  // Ours is what an upload put there whose answer was lost.
  if (content->owner != options_.owner) {
    const Sign sign = Watch(state->object, *content);
    if (sign != Sign::kDead) return Answer{.lease = nullptr, .other_lives = sign == Sign::kAlive};
    logger_.Info("taking over a lease that its owner let expire",
                 {{"lease", state->name}, {"owner", content->owner}});
  }
  {
    MutexLock lock(state->mutex);
    state->version = content->version;
    const Status written = WriteByConditions(context, *state, UploadCondition::kIfVersion);
    if (written.code() == StatusCode::kFailedPrecondition)
      return Answer{.lease = nullptr, .other_lives = true};
    RETURN_IF_ERROR(written);
  }
  return Hold(std::move(state));
}

StatusOr<Leases::Answer> Leases::AcquireByElection(const Context& context,
                                                   const std::string& name) {
  const std::string directory = options_.directory + "/" + name + "/";
  model::UlidGenerator ulids(clock_);
  auto state = std::make_shared<Lease::State>(
      name, directory + ulids.Next().ToString() + "-" + options_.owner, context);
  ASSIGN_OR_RETURN(Answer others, AskOtherClaims(context, *state, /*all=*/true));
  if (others.other_lives) return others;
  {
    MutexLock lock(state->mutex);
    RETURN_IF_ERROR(WriteClaim(context, *state));
  }
  // Who claimed at the same time sees our claim, or we see that one.
  ASSIGN_OR_RETURN(others, AskOtherClaims(context, *state, /*all=*/false));
  if (!others.other_lives) return Hold(std::move(state));
  RETURN_IF_ERROR(bucket_->Delete(context, state->object));
  return others;
}

StatusOr<Leases::Answer> Leases::AskOtherClaims(const Context& context, const Lease::State& ours,
                                                bool all) {
  std::vector<std::string> claims;
  const std::string directory = ours.object.substr(0, ours.object.rfind('/') + 1);
  RETURN_IF_ERROR(
      bucket_->Iterate(context, directory, {}, [&](const objstore::ListedObject& object) {
        if (object.name != ours.object && (all || object.name < ours.object))
          claims.push_back(object.name);
        return OkStatus();
      }));
  Answer answer;
  for (const std::string& claim : claims) {
    const StatusOr<Content> content = ReadContent(context, claim);
    if (objstore::IsNotFound(content.status())) continue;
    RETURN_IF_ERROR(content.status());
    if (content->owner == options_.owner || Watch(claim, *content) == Sign::kDead) {
      RETURN_IF_ERROR(bucket_->Delete(context, claim));
      continue;
    }
    answer.other_lives = true;
  }
  return answer;
}

Leases::Answer Leases::Hold(std::shared_ptr<Lease::State> state) {
  {
    MutexLock lock(mutex_);
    held_[state->name] = state;
    seen_.erase(state->object);
  }
  return Answer{.lease = std::unique_ptr<Lease>(new Lease(*this, std::move(state))),
                .other_lives = false};
}

Status Leases::Renew(const Context& context, Lease::State& state) {
  Status status;
  {
    MutexLock lock(state.mutex);
    if (state.lost) return LostLease(state.name, "another worker has it");
    if (method() == Method::kElection) {
      status = WriteClaim(context, state);
    } else {
      status = WriteByConditions(context, state, UploadCondition::kIfVersion);
    }
    const bool taken = status.code() == StatusCode::kFailedPrecondition;
    if (status.ok() || (!taken && SteadyClock::now() - state.renewed < options_.duration))
      return status;
    state.lost = true;
  }
  logger_.Warn("a lease was lost, its work ends", {{"lease", state.name}, {"err", status}});
  state.scope.Cancel();
  return LostLease(state.name, status.message());
}

Status Leases::WriteByConditions(const Context& context, Lease::State& state,
                                 UploadCondition condition) AEVUM_REQUIRES(state.mutex) {
  const std::string text = WriteContent(options_, state.renewal + 1);
  const objstore::UploadOptions upload{
      .condition = condition, .version = state.version, .content_type = "application/json"};
  StatusOr<std::string> version =
      bucket_->Upload(context, state.object, objstore::BytesSource(text), upload);
  if (version.status().code() == StatusCode::kFailedPrecondition) {
    // An upload that was tried again meets what its first try has put there.
    const StatusOr<Content> content = ReadContent(context, state.object);
    if (content.ok() && content->text == text) version = content->version;
  }
  RETURN_IF_ERROR(version.status());
  if (version->empty()) return Unimplemented("{} tells no versions", bucket_->Provider());
  state.version = *version;
  ++state.renewal;
  state.renewed = SteadyClock::now();
  return OkStatus();
}

Status Leases::WriteClaim(const Context& context, Lease::State& state) AEVUM_REQUIRES(state.mutex) {
  if (state.renewal > 0) {
    // Who takes over removes the claim of the dead.
    ASSIGN_OR_RETURN(const bool exists, bucket_->Exists(context, state.object));
    if (!exists) {
      return MakeError(StatusCode::kFailedPrecondition,
                       fmt::format("the claim {} was removed", state.object));
    }
    ASSIGN_OR_RETURN(const Answer others, AskOtherClaims(context, state, /*all=*/false));
    if (others.other_lives)
      return MakeError(StatusCode::kFailedPrecondition,
                       fmt::format("an older claim than {} is there", state.object));
  }
  const std::string text = WriteContent(options_, state.renewal + 1);
  RETURN_IF_ERROR(bucket_->Upload(context, state.object, objstore::BytesSource(text), {}).status());
  ++state.renewal;
  state.renewed = SteadyClock::now();
  return OkStatus();
}

StatusOr<Leases::Content> Leases::ReadContent(const Context& context, const std::string& object) {
  // The version first: bytes that are newer than it fail the condition of who writes.
  ASSIGN_OR_RETURN(const objstore::ObjectAttributes attributes,
                   bucket_->Attributes(context, object));
  Content content;
  content.version = attributes.version;
  content.duration = options_.duration;
  StatusOr<std::string> text = bucket_->Get(context, object, kMaxLeaseBytes);
  if (text.status().code() == StatusCode::kResourceExhausted) return content;
  RETURN_IF_ERROR(text.status());
  content.text = *std::move(text);
  const nlohmann::json json = nlohmann::json::parse(content.text, nullptr, false);
  if (!json.is_object()) return content;
  if (const auto owner = json.find("owner"); owner != json.end() && owner->is_string())
    content.owner = owner->get<std::string>();
  if (const auto wanted = json.find("duration_ms");
      wanted != json.end() && wanted->is_number_integer())
    content.duration = std::clamp(std::chrono::milliseconds(wanted->get<std::int64_t>()),
                                  std::chrono::milliseconds(1), kLongestDuration);
  return content;
}

Leases::Sign Leases::Watch(const std::string& object, const Content& content) {
  const TimestampMs now = clock_.NowMs();
  MutexLock lock(mutex_);
  const auto [it, added] = seen_.try_emplace(object, Seen{content.text, now, false});
  Seen& seen = it->second;
  if (added) return Sign::kUnknown;
  if (seen.text != content.text) {
    seen = {content.text, now, true};
  } else if (now - seen.since_ms >= content.duration.count()) {
    return Sign::kDead;
  }
  return seen.changed ? Sign::kAlive : Sign::kUnknown;
}

void Leases::Release(const std::shared_ptr<Lease::State>& state) {
  const Context context = Context::Background().WithTimeout(kReleaseTimeout);
  // What another has taken over is not removed.
  Status status = Renew(context, *state);
  if (status.ok()) {
    MutexLock lock(state->mutex);
    state->lost = true;  // the thread that renews would put it there again
    status = bucket_->Delete(context, state->object);
  }
  if (!status.ok())
    logger_.Debug("a lease is left to expire", {{"lease", state->name}, {"err", status}});
  MutexLock lock(mutex_);
  held_.erase(state->name);
}

void Leases::RenewAll() {
  const auto interval = options_.duration / kRenewalsPerDuration;
  while (true) {
    std::vector<std::shared_ptr<Lease::State>> held;
    {
      MutexLock lock(mutex_);
      const auto until = SteadyClock::now() + interval;
      while (!stopping_ && SteadyClock::now() < until) lock.WaitUntil(wake_, until);
      if (stopping_) return;
      for (const auto& [name, state] : held_) held.push_back(state);
    }
    for (const auto& state : held) {
      const Status status = Renew(scope_.context().WithTimeout(options_.duration), *state);
      if (!status.ok())
        logger_.Debug("a lease was not renewed", {{"lease", state->name}, {"err", status}});
    }
  }
}

}  // namespace aevum::compact
