#include "query/answer.h"

#include <utility>

#include <fmt/core.h>

namespace aevum::query {

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

Status FinishAnswer(JsonWriter& writer, const std::vector<std::string>& warnings,
                    const std::vector<store::MissingPart>& missing) {
  net::WriteWarnings(writer, warnings);
  if (!missing.empty()) WriteMissing(writer, missing);
  return net::EndAnswer(writer);
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
