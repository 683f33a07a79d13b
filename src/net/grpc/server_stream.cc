#include "net/grpc/server_stream.h"

#include <exception>

#include "model/tenant_name.h"
#include "net/grpc/snappy_frame.h"
#include "net/request_log.h"
#include "net/tracing/tracer.h"

namespace aevum::net::grpc {
namespace {

bool Lists(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (item == wanted) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

bool ServerStream::TakeHeader(std::string_view name, std::string_view value) {
  if (state != State::kHeaders) return true;  // the trailers of a request say nothing
  if (name == ":method") {
    method_name = value;
  } else if (name == ":path") {
    path = value;
  } else if (name == "content-type") {
    content_type = value;
  } else if (name == "grpc-encoding") {
    encoding = value == "identity" ? std::string_view() : value;
  } else if (name == "grpc-accept-encoding") {
    accepts_snappy = Lists(value, "snappy");
  } else if (name == "grpc-timeout") {
    timeout = std::string(value);
  } else if (!name.starts_with(':')) {
    metadata_.emplace_back(name, value);
  }
  return true;
}

std::string_view ServerStream::Metadata(std::string_view key) const {
  for (const auto& [name, value] : metadata_) {
    if (name == key) return value;
  }
  return "";
}

void ServerStream::Prepare() {
  scope_.emplace(Context::Background().WithDeadline(deadline).WithRequest(
      {std::string(Metadata("thanos-tenant")), std::string(Metadata("request-id"))}));
}

void ServerStream::Cancel() {
  if (scope_) scope_->Cancel();
}

void ServerStream::CountEnd(StatusCode code) {
  if (method == nullptr || counted_.exchange(true)) return;
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - started;
  method->metrics->Handled(code, taken.count());
}

bool ServerStream::TakeReturned() {
  MutexLock lock(mutex);
  return std::exchange(returned_, false);
}

bool ServerStream::HasResult() {
  MutexLock lock(mutex);
  return result_.has_value();
}

Status ServerStream::Result() {
  MutexLock lock(mutex);
  return result_.value_or(OkStatus());
}

void ServerStream::SetResult(Status status) {
  MutexLock lock(mutex);
  if (!result_) result_ = std::move(status);
}

Status ServerStream::Decompress(const WireMessage& message) {
  request_ = message.bytes;
  if (!message.compressed) return OkStatus();
  if (encoding != "snappy") return Internal("compressed flag set without a grpc-encoding");
  const std::size_t limit = core_.options.max_message_bytes;
  ASSIGN_OR_RETURN(const std::size_t size, SnappyPlainSize(message.bytes.view, limit));
  RETURN_IF_ERROR(charge.Add(size));
  ASSIGN_OR_RETURN(request_, SnappyDecompress(message.bytes.view, limit));
  return OkStatus();
}

Status ServerStream::CallHandler() {
  if (const std::string& tenant = context().request().tenant; !tenant.empty())
    RETURN_IF_ERROR(model::TenantName::Parse(tenant).status());
  std::vector<WireMessage> messages;
  {
    MutexLock lock(mutex);
    messages.swap(in);
  }
  RETURN_IF_ERROR(Decompress(messages.front()));
  messages.clear();
  return method->handler(*this);
}

void ServerStream::StartSpan() {
  if (!core_.options.tracer) return;
  const auto parent = ExtractTrace([this](std::string_view name) { return Metadata(name); });
  span_ = core_.options.tracer->StartRequest(scope_->context(), path, parent);
  span_.Set("component", "gRPC");
  span_.Set("request_id", context().request().request_id);
}

void ServerStream::EndSpan(const Status& status) {
  if (!span_.recording()) return;
  span_.Set("rpc.grpc.status_code", static_cast<int>(status.code()));
  span_.Fail(status);
  span_.End();
}

void ServerStream::Run() {
  StartSpan();
  const std::string trace_id = TraceIdOf(context());
  const std::shared_ptr<const RequestLog>& log = core_.options.request_log;
  const RequestLog::GrpcCall call{
      .path = path,
      .type = method->kind == Server::Kind::kUnary ? "unary" : "server_stream",
      .peer = peer,
      .request_id = context().request().request_id,
      .trace_id = trace_id};
  if (log) log->GrpcStarted(call);
  const Status status = CallToItsEnd();
  if (log) log->GrpcFinished(call, status, std::chrono::steady_clock::now() - started);
  EndSpan(status);
  // Before the client can see the end: its next request finds the room.
  request_ = {};
  charge.Release();
  bool lost = false;
  {
    MutexLock lock(mutex);
    lost = closed;
    if (!result_) result_ = status;
    returned_ = true;
  }
  CountEnd(lost ? StatusCode::kCancelled : status.code());
  FinishOut();
}

Status ServerStream::CallToItsEnd() {
  Status status = context().status();  // it may have waited too long
  if (status.ok()) {
    try {
      status = CallHandler();
    } catch (const std::exception& error) {
      core_.panics->Increment();
      core_.logger.Error("recovered from panic",
                         {{"panic", std::string_view(error.what())}, {"method", path}});
      status = Internal("{}", error.what());
    } catch (...) {
      core_.panics->Increment();
      status = Internal("unknown exception");
    }
  }
  // Whatever the handler says: one that stopped since its time was over may not know that it left
  // something out, and an answer that looks whole must be whole.
  if (context().status().code() == StatusCode::kDeadlineExceeded) {
    return MakeError(StatusCode::kDeadlineExceeded, "context deadline exceeded");
  }
  return status;
}

bool ServerStream::Write(SharedBytes message) {
  if (message.size() > UINT32_MAX) {
    SetResult(ResourceExhausted("message too large to send: {}", message.size()));
    return false;
  }
  // A compressed empty message would be larger than none.
  const bool compressed = compresses() && !message.empty();
  if (compressed) message = SharedBytes::Own(SnappyCompress(message.view));
  switch (PushMessage(message, compressed, deadline)) {
    case Push::kQueued:
      method->metrics->sent->Increment();
      return true;
    case Push::kDeadline:
    case Push::kClosed:
      return false;
  }
  return false;
}

}  // namespace aevum::net::grpc
