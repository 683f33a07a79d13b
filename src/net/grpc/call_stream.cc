#include "net/grpc/call_stream.h"

#include <charconv>

namespace aevum::net::grpc {
namespace {

// In errors of the budget.
constexpr std::string_view kWhat = "the answer to a call";

}  // namespace

CallStream::CallStream(const Limits& limits, std::size_t max_bytes, Request first,
                       const MethodMetrics& method_metrics, const Context& context)
    : Stream(limits, max_bytes),
      request(std::move(first)),
      deadline(context.deadline()),
      budget(context.budget()),
      max_message_bytes(max_bytes),
      metrics(method_metrics),
      held_(budget) {
  metrics.started->Increment();
  metrics.sent->Increment();
  QueueRequest();
}

void CallStream::QueueRequest() {
  const Prefix prefix =
      MakePrefix(request.compressed, static_cast<std::uint32_t>(request.body.size()));
  MutexLock lock(mutex);
  out.Clear();
  out.Copy({prefix.data(), prefix.size()});
  out.Append(request.body);
  out_finished = true;
  out_deferred = false;
  wake_list.reset();
}

void CallStream::Finish(Status status) {
  {
    MutexLock lock(mutex);
    if (final_) return;
    abandoned_ =
        status.code() == StatusCode::kCancelled || status.code() == StatusCode::kDeadlineExceeded;
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - started;
    metrics.Handled(status.code(), taken.count());
    final_ = std::move(status);
    // `out` stays: the session may have promised its bytes to a frame.
    closed = true;
  }
  changed.notify_all();
}

bool CallStream::IsClosed() {
  MutexLock lock(mutex);
  return closed;
}

StatusOr<std::optional<WireMessage>> CallStream::Take() {
  while (true) {
    bool wake = false;
    bool late = false;
    {
      MutexLock lock(mutex);
      if (abandoned_) return *final_;
      if (batch_next_ < batch_.size()) return std::optional(std::move(batch_[batch_next_++]));
      // The batch is used up: its bytes of the window go back to the peer.
      wake = batch_charge_ > 0;
      consumed += std::exchange(batch_charge_, 0);
      batch_.clear();
      batch_next_ = 0;
      if (!in.empty()) {
        batch_.swap(in);
        batch_charge_ = std::exchange(in_charge, 0);
      } else if (final_) {
        if (!final_->ok()) return *final_;
        return std::optional<WireMessage>();
      } else if (!wake) {
        if (deadline == TimePoint::max()) {
          lock.Wait(changed);
        } else {
          late = !lock.WaitUntil(changed, deadline);
        }
      }
    }
    if (late) Finish(MakeError(StatusCode::kDeadlineExceeded, "context deadline exceeded"));
    if (wake || late) Wake();
  }
}

StatusOr<MemoryCharge> CallStream::ChargePlain(std::size_t bytes) {
  MemoryCharge charge(budget);
  if (Status status = charge.Add(static_cast<std::int64_t>(bytes), kWhat); !status.ok()) {
    MutexLock lock(mutex);
    over_budget_ = true;
    return status;
  }
  return charge;
}

void CallStream::Release(const WireMessage& message) {
  MutexLock lock(mutex);
  held_.Subtract(static_cast<std::int64_t>(kPrefixBytes + message.bytes.size()));
}

void CallStream::Discard() {
  batch_.clear();
  batch_next_ = 0;
  std::vector<WireMessage> left;
  MutexLock lock(mutex);
  left.swap(in);
  held_.Reset();
}

bool CallStream::over_budget() {
  MutexLock lock(mutex);
  return over_budget_;
}

Status CallStream::TakeData(std::string_view bytes) {
  {
    MutexLock lock(mutex);
    if (closed) return OkStatus();  // nobody wants it any more
    if (Status status = held_.Add(static_cast<std::int64_t>(bytes.size()), kWhat); !status.ok()) {
      over_budget_ = true;
      return status;
    }
  }
  return Receive(bytes);
}

void CallStream::TakeHeader(std::string_view name, std::string_view value) {
  if (name == ":status") {
    int number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    http_status_ = number;
  } else if (name == "content-type") {
    content_type_ = value;
  } else if (name == "grpc-encoding") {
    encoding = value == "identity" ? std::string_view() : value;
  } else if (name == "grpc-status") {
    grpc_status_ = ParseStatusCode(value).value_or(StatusCode::kUnknown);
  } else if (name == "grpc-message") {
    grpc_message_ = DecodeStatusMessage(value);
  }
}

Status CallStream::CheckHeaders() const {
  if (grpc_status_) return OkStatus();  // trailers alone
  if (http_status_ != 200) {
    return MakeError(CodeOfHttpStatus(http_status_.value_or(0)),
                     fmt::format("unexpected HTTP status: {}", http_status_.value_or(0)));
  }
  if (!content_type_.starts_with("application/grpc")) {
    return MakeError(StatusCode::kUnknown,
                     fmt::format("unexpected content-type: \"{}\"", content_type_));
  }
  return OkStatus();
}

Status CallStream::FinalStatus(std::uint32_t reset_code) const {
  if (grpc_status_) {
    if (*grpc_status_ != StatusCode::kOk) return MakeError(*grpc_status_, grpc_message_);
    if (reader.partial_bytes() > 0) return Internal("the stream ends inside a message");
    return OkStatus();
  }
  if (reset_code == NGHTTP2_NO_ERROR) return Internal("the stream ends without a status");
  return MakeError(CodeOfReset(reset_code),
                   fmt::format("stream reset by the peer: {}", nghttp2_http2_strerror(reset_code)));
}

}  // namespace aevum::net::grpc
