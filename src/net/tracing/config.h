// The YAML of --tracing.config: where spans go, which traces are recorded, whose they are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/environment.h"
#include "base/status.h"
#include "net/tracing/jaeger.h"
#include "net/tracing/otlp.h"
#include "net/tracing/tracer.h"

namespace aevum::net {

struct JaegerAgentOptions {
  std::string host = "localhost";
  std::uint16_t port = 6831;
};

struct TracingConfig {
  TracerOptions tracer;
  TraceResource resource;
  std::variant<OtlpHttpOptions, OtlpGrpcOptions, JaegerHttpOptions, JaegerAgentOptions> exporter;
  // Settings that are there but do nothing, for the log.
  std::vector<std::string> without_effect;
};

// Reads section 9 of the YAML contract. Unknown fields, values out of range, and what this version
// does not have are InvalidArgument with the line or the field, and say what to do instead.
// `service_name` is for a text that gives none; `environment` for references in tags.
StatusOr<TracingConfig> ParseTracingConfig(std::string_view yaml, std::string_view service_name,
                                           const Environment& environment);

std::unique_ptr<SpanExporter> MakeExporter(const TracingConfig& config);

}  // namespace aevum::net
