// What all answers of the querier have in common beyond the envelope of APIs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "net/api/answer.h"
#include "query/json_writer.h"
#include "store/missing.h"

namespace aevum::query {

// The warning of an answer that a `limit` has made shorter.
inline constexpr std::string_view kTruncated = "results truncated due to limit";

// Ends an answer that net::BeginAnswer began: warnings, what is missing, closing brace. OK even
// when the client is gone.
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
