#include "net/tracing/jaeger.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "model/quote.h"
#include "net/discovery/dns_lookup.h"
#include "net/grpc/socket.h"
#include "net/tracing/otlp.h"

namespace aevum::net {
namespace {

// What Jaeger's agents read at most.
constexpr std::size_t kDatagramBytes = 65'000;
constexpr std::size_t kAnswerBytes = 64 << 10;

// TagType of jaeger.thrift.
constexpr std::int32_t kString = 0;
constexpr std::int32_t kDouble = 1;
constexpr std::int32_t kBool = 2;
constexpr std::int32_t kLong = 3;

std::string Text(std::string_view text) {
  return model::IsValidUtf8(text) ? std::string(text) : model::ReplaceInvalidUtf8(text);
}

void WriteTag(std::string_view key, const AttributeValue& value, ThriftWriter* writer) {
  writer->BeginStruct();
  writer->String(1, Text(key));
  if (const auto* text = std::get_if<std::string>(&value)) {
    writer->I32(2, kString);
    writer->String(3, Text(*text));
  } else if (const auto* number = std::get_if<double>(&value)) {
    writer->I32(2, kDouble);
    writer->Double(4, *number);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    writer->I32(2, kBool);
    writer->Bool(5, *flag);
  } else {
    writer->I32(2, kLong);
    writer->I64(6, std::get<std::int64_t>(value));
  }
  writer->EndStruct();
}

// With what Jaeger has no fields for.
SpanAttributes TagsOf(const FinishedSpan& span) {
  SpanAttributes tags = span.attributes;
  if (span.kind == SpanKind::kServer) tags.emplace_back("span.kind", "server");
  if (span.kind == SpanKind::kClient) tags.emplace_back("span.kind", "client");
  if (!span.trace_state.empty()) tags.emplace_back("w3c.tracestate", span.trace_state);
  if (span.failed) {
    tags.emplace_back("error", true);
    tags.emplace_back("otel.status_code", "ERROR");
    tags.emplace_back("otel.status_description", span.error);
  }
  return tags;
}

void WriteSpan(const FinishedSpan& span, ThriftWriter* writer) {
  writer->BeginStruct();
  writer->I64(1, static_cast<std::int64_t>(span.trace_id.low));
  writer->I64(2, static_cast<std::int64_t>(span.trace_id.high));
  writer->I64(3, static_cast<std::int64_t>(span.span_id));
  writer->I64(4, static_cast<std::int64_t>(span.parent_id));
  writer->String(5, Text(span.name));
  writer->I32(7, 1);  // sampled
  writer->I64(8, span.start_ns / 1000);
  writer->I64(9, (span.end_ns - span.start_ns) / 1000);
  const SpanAttributes tags = TagsOf(span);
  writer->BeginStructs(10, tags.size());
  for (const auto& [key, value] : tags) WriteTag(key, value, writer);
  writer->EndStruct();
}

class JaegerHttpExporter final : public SpanExporter {
 public:
  JaegerHttpExporter(TraceResource resource, JaegerHttpOptions options)
      : resource_(std::move(resource)),
        url_(std::move(options.url)),
        client_(std::move(options.client)) {}

  StatusOr<std::size_t> Export(const Context& context,
                               const std::vector<FinishedSpan>& spans) override {
    ThriftWriter writer(ThriftProtocol::kBinary);
    writer.BeginStruct();
    WriteJaegerBatch(resource_, spans, &writer);
    writer.EndStruct();
    const HttpClientRequest request{.method = "POST",
                                    .url = url_,
                                    .headers = {{"Content-Type", "application/x-thrift"}},
                                    .body = writer.bytes()};
    ASSIGN_OR_RETURN(const HttpClientResponse response, client_.Do(context, request, kAnswerBytes));
    RETURN_IF_ERROR(CollectorAnswer(url_, response));
    return std::size_t{0};
  }

 private:
  const TraceResource resource_;
  const std::string url_;
  HttpClient client_;
};

class JaegerAgentExporter final : public SpanExporter {
 public:
  JaegerAgentExporter(TraceResource resource, std::string host, std::uint16_t port)
      : resource_(std::move(resource)), host_(std::move(host)), port_(std::to_string(port)) {}
  ~JaegerAgentExporter() override { Close(); }
  JaegerAgentExporter(const JaegerAgentExporter&) = delete;
  JaegerAgentExporter& operator=(const JaegerAgentExporter&) = delete;

  StatusOr<std::size_t> Export(const Context& context,
                               const std::vector<FinishedSpan>& spans) override {
    if (fd_ < 0) RETURN_IF_ERROR(Connect(context));
    return Send(context, spans);
  }

 private:
  // Each time that sending failed: the agent may have moved.
  Status Connect(const Context& context) {
    ASSIGN_OR_RETURN(const std::vector<std::string> found,
                     DnsLookup(DnsOptions()).Addresses(context, host_));
    for (const std::string& text : found) {
      const bool v6 = text.find(':') != std::string::npos;
      ASSIGN_OR_RETURN(const std::vector<grpc::SocketAddress> numeric,
                       grpc::Resolve((v6 ? "[" + text + "]:" : text + ":") + port_, false));
      for (const grpc::SocketAddress& address : numeric) {
        fd_ = ::socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        const auto* where = reinterpret_cast<const sockaddr*>(&address.storage);
        if (fd_ >= 0 && ::connect(fd_, where, address.size) == 0) return OkStatus();
        Close();
      }
    }
    return Failure();
  }

  // Halves what is too large for a datagram.
  StatusOr<std::size_t> Send(const Context& context, std::span<const FinishedSpan> spans) {
    RETURN_IF_ERROR(context.status());
    ThriftWriter writer(ThriftProtocol::kCompact);
    writer.OneWayCall("emitBatch");
    writer.BeginStruct();
    writer.BeginStruct(1);
    WriteJaegerBatch(resource_, spans, &writer);
    writer.EndStruct();
    writer.EndStruct();
    const std::string& bytes = writer.bytes();
    if (bytes.size() > kDatagramBytes) {
      if (spans.size() == 1) return std::size_t{1};
      const std::size_t half = spans.size() / 2;
      ASSIGN_OR_RETURN(const std::size_t first, Send(context, spans.first(half)));
      ASSIGN_OR_RETURN(const std::size_t second, Send(context, spans.subspan(half)));
      return first + second;
    }
    if (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) return std::size_t{0};
    const Status status = Failure();
    Close();
    return status;
  }

  Status Failure() const {
    return Unavailable("can't send to the Jaeger agent {}:{}: {}", host_, port_,
                       std::strerror(errno));
  }

  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  const TraceResource resource_;
  const std::string host_;
  const std::string port_;
  int fd_ = -1;
};

}  // namespace

void WriteJaegerBatch(const TraceResource& resource, std::span<const FinishedSpan> spans,
                      ThriftWriter* writer) {
  writer->BeginStruct(1);
  writer->String(1, Text(resource.service_name));
  writer->BeginStructs(2, resource.attributes.size());
  for (const auto& [key, value] : resource.attributes) WriteTag(key, value, writer);
  writer->EndStruct();
  writer->BeginStructs(2, spans.size());
  for (const FinishedSpan& span : spans) WriteSpan(span, writer);
}

std::unique_ptr<SpanExporter> MakeJaegerHttpExporter(TraceResource resource,
                                                     JaegerHttpOptions options) {
  return std::make_unique<JaegerHttpExporter>(std::move(resource), std::move(options));
}

std::unique_ptr<SpanExporter> MakeJaegerAgentExporter(TraceResource resource, std::string host,
                                                      std::uint16_t port) {
  return std::make_unique<JaegerAgentExporter>(std::move(resource), std::move(host), port);
}

}  // namespace aevum::net
