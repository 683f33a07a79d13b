// What all answers of the API that succeed have in common.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/duration.h"
#include "base/status.h"
#include "net/http/server.h"
#include "query/json_writer.h"
#include "store/missing.h"

namespace aevum::query {

// The warning of an answer that a `limit` has made shorter.
inline constexpr std::string_view kTruncated = "results truncated due to limit";

// Writes to the body of a response, which must outlive the sink.
JsonSink SinkOf(net::HttpResponse& response);

// An answer that must be taken within a time from its first byte on, whatever else the server
// allows: what it is made of stays in memory until then. A client that is slower is cut off, so
// that it sees that the answer is not whole. Borrows the answer. Thread-compatible.
class TimedResponse final : public net::HttpResponse {
 public:
  TimedResponse(net::HttpResponse& response, Nanoseconds timeout)
      : response_(response), timeout_(timeout) {}

  void SetStatus(int status) override { response_.SetStatus(status); }
  void SetHeader(std::string_view name, std::string_view value) override {
    response_.SetHeader(name, value);
  }
  bool Write(std::string_view bytes) override;
  int status() const override { return response_.status(); }
  void Abort() override { response_.Abort(); }

 private:
  net::HttpResponse& response_;
  const Nanoseconds timeout_;
  std::optional<Context> writing_;  // since the first byte
};

// Begins a successful answer, up to where `data` is to be written.
void BeginAnswer(JsonWriter& writer);

// Ends it: warnings, what is missing, closing brace. OK even when the client is gone.
//
// `missing` is ours, beside the fields of Thanos, and absent with nothing missing: a list of
// {endpoint, labels, minTime, maxTime, error}, each with `answeredBy` when a replica of the same
// data answered in its place. `complete` beside it is true when that is so for all.
Status FinishAnswer(JsonWriter& writer, const std::vector<std::string>& warnings,
                    const std::vector<store::MissingPart>& missing = {});

// What collects the missing parts of an answer: replicas only stand in for each other where the
// request does not want to see each.
std::shared_ptr<store::MissingParts> MissingFor(bool dedup,
                                                std::vector<std::string> replica_labels);

// Names who failed the way the reference does: a store that broke off also by its gRPC code.
Status AnnotateStoreError(Status status, std::string_view what);

}  // namespace aevum::query
