// Jaeger's own protocol: spans as Thrift, over HTTP to a collector or over UDP to an agent.
//
// Source: jaeger.thrift and agent.thrift of the Jaeger IDL.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/status.h"
#include "base/trace.h"
#include "net/http/client.h"
#include "net/tracing/thrift_writer.h"
#include "net/tracing/tracer.h"

namespace aevum::net {

// Writes a Batch as the struct that is open: its process, then its spans.
void WriteJaegerBatch(const TraceResource& resource, std::span<const FinishedSpan> spans,
                      ThriftWriter* writer);

struct JaegerHttpOptions {
  std::string url;  // "http://host:14268/api/traces"
  HttpClientOptions client;
};
std::unique_ptr<SpanExporter> MakeJaegerHttpExporter(TraceResource resource,
                                                     JaegerHttpOptions options);

// Spans that fit into no datagram are refused. Nobody says whether datagrams arrive.
std::unique_ptr<SpanExporter> MakeJaegerAgentExporter(TraceResource resource, std::string host,
                                                      std::uint16_t port);

}  // namespace aevum::net
