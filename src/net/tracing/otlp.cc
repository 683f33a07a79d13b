#include "net/tracing/otlp.h"

#include <algorithm>
#include <bit>
#include <utility>

#include <prometheus/registry.h>

#include "encoding/proto_wire.h"
#include "model/quote.h"
#include "net/http/gzip.h"
#include "net/url.h"

namespace aevum::net {
namespace {

using encoding::ProtoReader;
using encoding::PutBytesField;
using encoding::PutFixed64Field;
using encoding::PutTag;
using encoding::PutUvarint;
using encoding::PutVarintField;
using encoding::WireType;

constexpr std::string_view kExportPath =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
// Answers are a few bytes; who sends more is no collector.
constexpr std::size_t kAnswerBytes = 64 << 10;

void PutText(std::string& out, std::uint32_t field, std::string_view text) {
  if (model::IsValidUtf8(text)) return PutBytesField(out, field, text);
  PutBytesField(out, field, model::ReplaceInvalidUtf8(text));
}

// Most significant byte first, as ids are written.
void AppendId(std::string& out, std::uint64_t id) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(id >> shift);
}

// AnyValue. It is a choice, so that also zero and "" are written.
std::string EncodeValue(const AttributeValue& value) {
  std::string out;
  if (const auto* text = std::get_if<std::string>(&value)) {
    PutText(out, 1, *text);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    PutTag(out, 2, WireType::kVarint);
    PutUvarint(out, *flag ? 1 : 0);
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    PutTag(out, 3, WireType::kVarint);
    PutUvarint(out, static_cast<std::uint64_t>(*number));
  } else {
    PutFixed64Field(out, 4, std::bit_cast<std::uint64_t>(std::get<double>(value)));
  }
  return out;
}

void PutAttribute(std::string& out, std::uint32_t field, std::string_view key,
                  const AttributeValue& value) {
  std::string pair;
  PutText(pair, 1, key);
  PutBytesField(pair, 2, EncodeValue(value));
  PutBytesField(out, field, pair);
}

std::uint64_t KindOf(SpanKind kind) {
  switch (kind) {
    case SpanKind::kInternal:
      return 1;
    case SpanKind::kServer:
      return 2;
    case SpanKind::kClient:
      return 3;
  }
  return 0;
}

std::string EncodeSpan(const FinishedSpan& span) {
  std::string out;
  std::string id;
  AppendId(id, span.trace_id.high);
  AppendId(id, span.trace_id.low);
  PutBytesField(out, 1, id);
  id.clear();
  AppendId(id, span.span_id);
  PutBytesField(out, 2, id);
  if (!span.trace_state.empty()) PutText(out, 3, span.trace_state);
  if (span.parent_id != 0) {
    id.clear();
    AppendId(id, span.parent_id);
    PutBytesField(out, 4, id);
  }
  PutText(out, 5, span.name);
  PutVarintField(out, 6, KindOf(span.kind));
  PutFixed64Field(out, 7, static_cast<std::uint64_t>(span.start_ns));
  PutFixed64Field(out, 8, static_cast<std::uint64_t>(span.end_ns));
  for (const auto& [key, value] : span.attributes) PutAttribute(out, 9, key, value);
  if (span.failed) {
    std::string status;
    PutText(status, 2, span.error);
    PutVarintField(status, 3, 2);  // STATUS_CODE_ERROR
    PutBytesField(out, 15, status);
  }
  return out;
}

class OtlpHttpExporter final : public SpanExporter {
 public:
  OtlpHttpExporter(TraceResource resource, OtlpHttpOptions options)
      : resource_(std::move(resource)), options_(std::move(options)), client_(options_.client) {}

  StatusOr<std::size_t> Export(const Context& context,
                               const std::vector<FinishedSpan>& spans) override {
    HttpClientRequest request{.method = "POST",
                              .url = options_.url,
                              .headers = options_.headers,
                              .body = EncodeOtlp(resource_, spans),
                              .span_name = {}};
    request.headers.emplace_back("Content-Type", "application/x-protobuf");
    if (options_.compression == OtlpCompression::kGzip) {
      std::string packed;
      GzipStream().Compress(request.body, GzipStream::End::kYes, &packed);
      request.body = std::move(packed);
      request.headers.emplace_back("Content-Encoding", "gzip");
    }
    ASSIGN_OR_RETURN(const HttpClientResponse response, client_.Do(context, request, kAnswerBytes));
    RETURN_IF_ERROR(CollectorAnswer(options_.url, response));
    return DecodeOtlpRefused(response.body);
  }

 private:
  const TraceResource resource_;
  const OtlpHttpOptions options_;
  HttpClient client_;
};

class OtlpGrpcExporter final : public SpanExporter {
 public:
  OtlpGrpcExporter(TraceResource resource, OtlpGrpcOptions options)
      : resource_(std::move(resource)),
        headers_(std::move(options.headers)),
        // The calls of a component are counted; these are not its own.
        runtime_(1, std::make_shared<prometheus::Registry>()),
        channel_(runtime_, std::move(options.channel)) {}

  StatusOr<std::size_t> Export(const Context& context,
                               const std::vector<FinishedSpan>& spans) override {
    const StatusOr<SharedBytes> answer =
        channel_.Unary(context, kExportPath, SharedBytes::Own(EncodeOtlp(resource_, spans)),
                       {.metadata = headers_});
    if (!answer.ok()) {
      return Annotate(answer.status(), fmt::format("the collector at {}", channel_.address()));
    }
    return DecodeOtlpRefused(answer->view);
  }

 private:
  const TraceResource resource_;
  const std::vector<std::pair<std::string, std::string>> headers_;
  grpc::ClientRuntime runtime_;
  grpc::Channel channel_;
};

}  // namespace

std::string EncodeOtlp(const TraceResource& resource, const std::vector<FinishedSpan>& spans) {
  std::string attributes;
  PutAttribute(attributes, 1, "service.name", resource.service_name);
  for (const auto& [key, value] : resource.attributes) PutAttribute(attributes, 1, key, value);
  std::string scope;
  PutBytesField(scope, 1, "aevum");
  std::string of_scope;
  PutBytesField(of_scope, 1, scope);
  for (const FinishedSpan& span : spans) PutBytesField(of_scope, 2, EncodeSpan(span));
  std::string of_resource;
  PutBytesField(of_resource, 1, attributes);
  PutBytesField(of_resource, 2, of_scope);
  std::string request;
  PutBytesField(request, 1, of_resource);
  return request;
}

StatusOr<std::size_t> DecodeOtlpRefused(std::string_view response) {
  std::int64_t refused = 0;
  ProtoReader reader(response);
  while (reader.Next()) {
    if (reader.field() != 1) {
      reader.Skip();
      continue;
    }
    ProtoReader partial(reader.Bytes());
    while (partial.Next()) {
      if (partial.field() == 1) {
        refused = partial.Int64();
      } else {
        partial.Skip();
      }
    }
    RETURN_IF_ERROR(partial.status());
  }
  RETURN_IF_ERROR(reader.status());
  return static_cast<std::size_t>(std::max<std::int64_t>(refused, 0));
}

Status CollectorAnswer(const std::string& url, const HttpClientResponse& response) {
  const int status = response.status;
  if (status >= 200 && status < 300) return OkStatus();
  const StatusOr<Url> shown = Url::Parse(url);
  const std::string text = fmt::format(
      "{} answered with status {}: {}", shown.ok() ? shown->ToString() : "the collector", status,
      model::ReplaceInvalidUtf8(std::string_view(response.body).substr(0, 200)));
  if (status == 429 || (status >= 502 && status <= 504))
    return MakeError(StatusCode::kUnavailable, text);
  return MakeError(StatusCode::kInvalidArgument, text);
}

std::unique_ptr<SpanExporter> MakeOtlpHttpExporter(TraceResource resource,
                                                   OtlpHttpOptions options) {
  return std::make_unique<OtlpHttpExporter>(std::move(resource), std::move(options));
}

std::unique_ptr<SpanExporter> MakeOtlpGrpcExporter(TraceResource resource,
                                                   OtlpGrpcOptions options) {
  return std::make_unique<OtlpGrpcExporter>(std::move(resource), std::move(options));
}

}  // namespace aevum::net
