#include "query/answer.h"

#include <fmt/core.h>

namespace aevum::query {

JsonSink SinkOf(net::HttpResponse& response) {
  return [&response](std::string_view piece) { return response.Write(piece); };
}

void BeginAnswer(JsonWriter& writer) { writer.Raw("{\"status\":\"success\",\"data\":"); }

Status FinishAnswer(JsonWriter& writer, const std::vector<std::string>& warnings) {
  if (!warnings.empty()) {
    writer.Raw(",\"warnings\":");
    writer.Strings(warnings);
  }
  writer.Raw("}");
  writer.Finish();  // a client that is gone needs no error
  return OkStatus();
}

Status AnnotateStoreError(Status status, std::string_view what) {
  if (status.code() != StatusCode::kAborted && status.code() != StatusCode::kUnavailable)
    return status;
  return MakeError(status.code(), fmt::format("{}: rpc error: code = {} desc = {}", what,
                                              StatusCodeName(status.code()), status.message()));
}

}  // namespace aevum::query
