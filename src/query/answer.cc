#include "query/answer.h"

#include <utility>

#include <fmt/core.h>

namespace aevum::query {

JsonSink SinkOf(net::HttpResponse& response) {
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

namespace {

void WriteMissing(JsonWriter& writer, const std::vector<store::MissingPart>& missing) {
  writer.Raw(",\"missing\":[");
  bool first = true;
  for (const store::MissingPart& part : missing) {
    writer.Raw(std::exchange(first, false) ? "{\"endpoint\":" : ",{\"endpoint\":");
    writer.String(part.endpoint);
    writer.Raw(",\"labels\":[");
    for (std::size_t i = 0; i < part.label_sets.size(); ++i) {
      if (i > 0) writer.Raw(",");
      writer.Labels(part.label_sets[i]);
    }
    writer.Raw(
        fmt::format("],\"minTime\":{},\"maxTime\":{},\"error\":", part.min_time, part.max_time));
    writer.String(part.error);
    if (!part.answered_by.empty()) {
      writer.Raw(",\"answeredBy\":");
      writer.String(part.answered_by);
    }
    writer.Raw("}");
  }
  writer.Raw(store::IsComplete(missing) ? "],\"complete\":true" : "],\"complete\":false");
}

}  // namespace

void BeginAnswer(JsonWriter& writer) { writer.Raw("{\"status\":\"success\",\"data\":"); }

Status FinishAnswer(JsonWriter& writer, const std::vector<std::string>& warnings,
                    const std::vector<store::MissingPart>& missing) {
  if (!warnings.empty()) {
    writer.Raw(",\"warnings\":");
    writer.Strings(warnings);
  }
  if (!missing.empty()) WriteMissing(writer, missing);
  writer.Raw("}");
  writer.Finish();  // a client that is gone needs no error
  return OkStatus();
}

std::shared_ptr<store::MissingParts> MissingFor(bool dedup,
                                                std::vector<std::string> replica_labels) {
  if (!dedup) replica_labels.clear();
  return std::make_shared<store::MissingParts>(std::move(replica_labels));
}

Status AnnotateStoreError(Status status, std::string_view what) {
  if (status.code() != StatusCode::kAborted && status.code() != StatusCode::kUnavailable)
    return status;
  if (status.message().starts_with("fetch ")) return Annotate(status, what);
  return MakeError(status.code(), fmt::format("{}: rpc error: code = {} desc = {}", what,
                                              StatusCodeName(status.code()), status.message()));
}

}  // namespace aevum::query
