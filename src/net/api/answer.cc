#include "net/api/answer.h"

#include <fmt/core.h>

namespace aevum::net {

ApiError ToApiError(StatusCode code) {
  switch (code) {
    case StatusCode::kInvalidArgument:
      return {400, "bad_data"};
    case StatusCode::kCancelled:
      return {503, "canceled"};
    case StatusCode::kDeadlineExceeded:
      return {503, "timeout"};
    case StatusCode::kInternal:
      return {500, "internal"};
    default:
      return {422, "execution"};
  }
}

JsonSink SinkOf(HttpResponse& response) {
  return [&response](std::string_view piece) { return response.Write(piece); };
}

bool TimedResponse::Write(std::string_view bytes) {
  if (!writing_) {
    writing_ = Context::Background().WithTimeout(timeout_);
  } else if (!writing_->status().ok()) {
    response_.Abort();
    return false;
  }
  return response_.Write(bytes);
}

void BeginAnswer(JsonWriter& writer) { writer.Raw("{\"status\":\"success\",\"data\":"); }

void WriteWarnings(JsonWriter& writer, const std::vector<std::string>& warnings) {
  if (warnings.empty()) return;
  writer.Raw(",\"warnings\":");
  writer.Strings(warnings);
}

Status EndAnswer(JsonWriter& writer) {
  writer.Raw("}");
  writer.Finish();  // a client that is gone needs no error
  return OkStatus();
}

void WriteApiError(HttpResponse& response, const Status& status) {
  const ApiError error = ToApiError(status.code());
  response.SetStatus(error.http_status);
  response.SetHeader("Cache-Control", "no-store");
  JsonWriter writer(SinkOf(response));
  writer.Raw(fmt::format("{{\"status\":\"error\",\"errorType\":\"{}\",\"error\":", error.type));
  writer.String(status.message());
  writer.Raw("}");
  writer.Finish();
}

}  // namespace aevum::net
