// What all answers of the API that succeed have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "net/http/server.h"
#include "query/json_writer.h"

namespace aevum::query {

// The warning of an answer that a `limit` has made shorter.
inline constexpr std::string_view kTruncated = "results truncated due to limit";

// Writes to the body of a response, which must outlive the sink.
JsonSink SinkOf(net::HttpResponse& response);

// Begins a successful answer, up to where `data` is to be written.
void BeginAnswer(JsonWriter& writer);

// Ends it: warnings, closing brace. OK even when the client is gone.
Status FinishAnswer(JsonWriter& writer, const std::vector<std::string>& warnings);

// Names who failed the way the reference does: it tells a store's error by its gRPC code.
Status AnnotateStoreError(Status status, std::string_view what);

}  // namespace aevum::query
