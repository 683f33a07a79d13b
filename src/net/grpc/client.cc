#include "net/grpc/client.h"

#include <algorithm>
#include <stop_token>

#include "base/trace.h"
#include "net/grpc/call_stream.h"
#include "net/grpc/channel.h"
#include "net/grpc/client_runtime.h"
#include "net/grpc/snappy_frame.h"
#include "net/tracing/propagation.h"

namespace aevum::net::grpc {
namespace {

// What the caller holds of a call.
class Call final : public ClientCall {
 public:
  Call(std::shared_ptr<CallStream> stream, const Context& context, Span span)
      : stream_(std::move(stream)),
        span_(std::move(span)),
        on_cancel_(context.stop_token(), Canceller{*this}) {}
  ~Call() override {
    Cancel();
    stream_->Discard();
    EndSpan(MakeError(StatusCode::kCancelled, "the call was cancelled"));
  }

  StatusOr<std::optional<SharedBytes>> Next() override {
    StatusOr<std::optional<SharedBytes>> message = NextMessage();
    if (!message.ok() || !*message) EndSpan(message.status());
    return message;
  }

  void Cancel() override {
    if (stream_->IsClosed()) return;
    stream_->Finish(MakeError(StatusCode::kCancelled, "the call was cancelled"));
    stream_->Wake();
  }

  bool over_budget() const override { return stream_->over_budget(); }

  std::uint64_t bytes_received() const override { return bytes_received_; }

 private:
  struct Canceller {
    Call& call;
    void operator()() const { call.Cancel(); }
  };

  StatusOr<std::optional<SharedBytes>> NextMessage() {
    ASSIGN_OR_RETURN(std::optional<WireMessage> message, stream_->Take());
    if (!message) return std::optional<SharedBytes>();
    StatusOr<SharedBytes> plain = Plain(*message);
    stream_->Release(*message);
    if (!plain.ok()) {
      stream_->Finish(plain.status());
      stream_->Wake();
      return plain.status();
    }
    bytes_received_ += plain->size();
    stream_->metrics.received->Increment();
    return std::optional<SharedBytes>(*std::move(plain));
  }

  // In the caller's thread, at the end that it has seen.
  void EndSpan(const Status& status) {
    if (!span_.recording()) return;
    span_.Set("rpc.grpc.status_code", static_cast<int>(status.code()));
    span_.Set("received.bytes", bytes_received_);
    span_.Fail(status);
    span_.End();
  }

  StatusOr<SharedBytes> Plain(const WireMessage& message) const {
    if (!message.compressed) return message.bytes;
    if (stream_->encoding != "snappy") {
      return Internal("message compressed in a way that was not asked for: \"{}\"",
                      stream_->encoding);
    }
    const std::size_t limit = stream_->max_message_bytes;
    ASSIGN_OR_RETURN(const std::size_t size, SnappyPlainSize(message.bytes.view, limit));
    ASSIGN_OR_RETURN(const MemoryCharge charge, stream_->ChargePlain(size));
    return SnappyDecompress(message.bytes.view, limit);
  }

  const std::shared_ptr<CallStream> stream_;
  Span span_;
  std::uint64_t bytes_received_ = 0;
  std::stop_callback<Canceller> on_cancel_;
};

// A call that failed before it began.
class FailedCall final : public ClientCall {
 public:
  explicit FailedCall(Status status) : status_(std::move(status)) {}
  StatusOr<std::optional<SharedBytes>> Next() override { return status_; }
  void Cancel() override {}
  bool over_budget() const override { return false; }
  std::uint64_t bytes_received() const override { return 0; }

 private:
  const Status status_;
};

// A message that alone is more than the request may hold need not come whole.
std::size_t MaxMessageBytes(const ChannelOptions& options, const Context& context) {
  if (!context.budget()) return options.max_message_bytes;
  const std::int64_t limit = std::max<std::int64_t>(0, context.budget()->limit_bytes());
  return std::min(options.max_message_bytes, static_cast<std::size_t>(limit));
}

bool IsHeaderValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

StatusOr<CallStream::Request> MakeRequest(
    const ChannelOptions& options, const Context& context, std::string_view path, SharedBytes body,
    std::vector<std::pair<std::string, std::string>> metadata) {
  const bool snappy = options.compression == Compression::kSnappy;
  CallStream::Request request;
  request.headers = {{":method", "POST"},
                     {":scheme", options.tls.enabled ? "https" : "http"},
                     {":path", std::string(path)},
                     {":authority", options.address},
                     {"content-type", "application/grpc"},
                     {"user-agent", "aevum"},
                     {"te", "trailers"},
                     {"grpc-accept-encoding", "snappy,identity"}};
  if (snappy) request.headers.emplace_back("grpc-encoding", "snappy");
  const RequestInfo& info = context.request();
  if (!info.tenant.empty()) metadata.emplace_back("thanos-tenant", info.tenant);
  if (!info.request_id.empty()) metadata.emplace_back("request-id", info.request_id);
  for (auto& header : TraceHeaders(context)) metadata.push_back(std::move(header));
  for (auto& [name, value] : metadata) {
    if (!IsHeaderValue(value)) {
      return InvalidArgument("metadata with bytes that can't be sent: {}", name);
    }
    request.headers.emplace_back(std::move(name), std::move(value));
  }
  request.compressed = snappy && !body.empty();
  request.body = request.compressed ? SharedBytes::Own(SnappyCompress(body.view)) : std::move(body);
  if (request.body.size() > UINT32_MAX) {
    return ResourceExhausted("request too large to send: {}", request.body.size());
  }
  return request;
}

}  // namespace

ClientRuntime::Impl::Impl(std::size_t loops, std::shared_ptr<prometheus::Registry> registry,
                          Logger log, Limits client_limits)
    : limits(client_limits),
      logger(std::move(log)),
      metrics(CallMetrics::Side::kClient, std::move(registry)),
      resolver("grpc-resolver", 2, 1024) {
  for (std::size_t i = 0; i < std::max<std::size_t>(1, loops); ++i) {
    loops_.push_back(std::make_unique<Loop>(fmt::format("grpc-client-{}", i), limits.tick));
    const Status status = loops_.back()->Start();
    if (!status.ok()) logger.Error("can't start an event loop", {{"err", status}});
    AEVUM_CHECK(status.ok());
  }
}

ClientRuntime::Impl::~Impl() {
  resolver.Stop();
  for (const auto& loop : loops_) loop->Stop();
}

ClientRuntime::ClientRuntime(std::size_t loops, std::shared_ptr<prometheus::Registry> metrics,
                             Logger logger, Limits limits)
    : impl_(std::make_unique<Impl>(loops, std::move(metrics), std::move(logger), limits)) {}

ClientRuntime::~ClientRuntime() = default;

Channel::Channel(ClientRuntime& runtime, ChannelOptions options)
    : impl_(std::make_shared<Impl>(runtime.impl(), std::move(options))) {}

Channel::~Channel() {
  Loop& loop = impl_->loop;
  loop.Post([impl = std::move(impl_)] { impl->Shutdown(); });
}

std::unique_ptr<ClientCall> Channel::Start(
    const Context& context, std::string_view path, SharedBytes request,
    std::vector<std::pair<std::string, std::string>> metadata) {
  return impl_->Start({.type = CallType::kServerStream, .path = path}, context, std::move(request),
                      std::move(metadata));
}

StatusOr<SharedBytes> Channel::Unary(const Context& context, std::string_view path,
                                     SharedBytes request, UnaryOptions options) {
  const auto call =
      impl_->Start({.type = CallType::kUnary, .path = path, .max_bytes = options.max_bytes},
                   context, std::move(request), std::move(options.metadata));
  ASSIGN_OR_RETURN(std::optional<SharedBytes> message, call->Next());
  if (!message) return Internal("a unary call ended without a message");
  ASSIGN_OR_RETURN(const std::optional<SharedBytes> second, call->Next());
  if (second) return Internal("a unary call gave more than one message");
  return *std::move(message);
}

const std::string& Channel::address() const { return impl_->options.address; }

std::unique_ptr<ClientCall> Channel::Impl::Start(
    const Method& method, const Context& context, SharedBytes body,
    std::vector<std::pair<std::string, std::string>> metadata) {
  Span span(context, method.path, SpanKind::kClient);
  span.Set("component", "gRPC");
  span.Set("target", options.address);
  StatusOr<CallStream::Request> request =
      MakeRequest(options, span.Inner(context), method.path, std::move(body), std::move(metadata));
  if (Status status = request.ok() ? context.status() : request.status(); !status.ok()) {
    span.Fail(status);
    return std::make_unique<FailedCall>(std::move(status));
  }
  auto stream = std::make_shared<CallStream>(
      runtime.limits, std::min(method.max_bytes, MaxMessageBytes(options, context)),
      *std::move(request), runtime.metrics.Of(method.path, method.type), context);
  loop.Post([self = shared_from_this(), stream] { self->Enqueue(stream); });
  return std::make_unique<Call>(std::move(stream), context, std::move(span));
}

}  // namespace aevum::net::grpc
