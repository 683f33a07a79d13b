// The OpenTelemetry protocol: spans as protobuf, over HTTP or gRPC.
//
// Source: opentelemetry/proto/collector/trace/v1, version 1 of the protocol.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/trace.h"
#include "net/grpc/client.h"
#include "net/http/client.h"
#include "net/tracing/tracer.h"

namespace aevum::net {

// An ExportTraceServiceRequest. Text that is not UTF-8 is made so: protobuf refuses it otherwise.
std::string EncodeOtlp(const TraceResource& resource, const std::vector<FinishedSpan>& spans);

// The spans that an ExportTraceServiceResponse says were refused. Corruption when it is none.
StatusOr<std::size_t> DecodeOtlpRefused(std::string_view response);

enum class OtlpCompression : std::uint8_t { kNone, kGzip };

struct OtlpHttpOptions {
  std::string url;  // with the path
  std::vector<std::pair<std::string, std::string>> headers;
  OtlpCompression compression = OtlpCompression::kNone;
  HttpClientOptions client;
};

// The answers 429, 502, 503 and 504 are Unavailable, others but 2xx InvalidArgument.
std::unique_ptr<SpanExporter> MakeOtlpHttpExporter(TraceResource resource, OtlpHttpOptions options);

struct OtlpGrpcOptions {
  grpc::ChannelOptions channel;
  std::vector<std::pair<std::string, std::string>> headers;  // keys in lower case
};

std::unique_ptr<SpanExporter> MakeOtlpGrpcExporter(TraceResource resource, OtlpGrpcOptions options);

// What an exporter over HTTP says of an answer that is no success.
Status CollectorAnswer(const std::string& url, const HttpClientResponse& response);

}  // namespace aevum::net
