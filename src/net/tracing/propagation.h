// How a trace travels between processes: headers of HTTP requests, metadata of gRPC calls.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/trace.h"

namespace aevum::net {

// The operation of another process that a request belongs to.
struct RemoteParent {
  TraceId trace_id;
  SpanId span_id = 0;
  bool sampled = false;
  std::string trace_state;
};

// The value of a header by its lower-case name, or "".
using HeaderLookup = std::function<std::string_view(std::string_view name)>;

// Reads `traceparent` and `tracestate` (W3C Trace Context), else `uber-trace-id` (Jaeger). Headers
// that are not what the specifications say count as absent: a request never fails for its trace.
std::optional<RemoteParent> ExtractTrace(const HeaderLookup& header);

// The headers that say to which operation a request of this context belongs; none without a trace.
std::vector<std::pair<std::string, std::string>> TraceHeaders(const Context& context);

// The two forms of text, "" or nullopt for what is none.
std::optional<RemoteParent> ParseTraceparent(std::string_view text);
std::optional<RemoteParent> ParseUberTraceId(std::string_view text);

}  // namespace aevum::net
