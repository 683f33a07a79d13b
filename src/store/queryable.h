// What PromQL reads from, over a store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "promql/queryable.h"
#include "store/store.h"

namespace aevum::store {

// How samples of replicas become one series, the values of --deduplication.func.
enum class DedupFunction : std::uint8_t { kAdaptive, kPenalty, kChain };
// InvalidArgument for a name that is not known.
StatusOr<DedupFunction> ParseDedupFunction(std::string_view name);

struct QueryableOptions {
  // Labels that tell replicas apart. Without them, or without deduplicate, series stay as they are.
  std::vector<std::string> replica_labels;
  bool deduplicate = true;
  DedupFunction dedup_function = DedupFunction::kAdaptive;
  std::int64_t max_source_resolution_ms = 0;  // the coarsest downsampled data allowed; 0: raw only
  wire::PartialResponse partial_response = wire::PartialResponse::kWarn;
  std::optional<wire::ShardInfo> shard_info;
  bool skip_chunks = false;  // labels only; Decode then gives no samples
  std::int64_t response_batch_size = 64;
  std::int64_t limit = 0;  // of series; 0: none
};

// Raw samples come out as they are stored, whatever the function: of several replicas a choice, of
// overlapping chunks without deduplication the union (dedup::Union). Downsampled data is read by
// function as Thanos does: min, max, count and sum aggregates, counters for rate and its like, else
// the average. Only chunks that touch the hints' times are decoded; with the adaptive function only
// those whose samples are needed to decide. Thread-safe.
class StoreQueryable final : public promql::Queryable {
 public:
  StoreQueryable(std::shared_ptr<Store> store, QueryableOptions options);

  StatusOr<std::unique_ptr<promql::SelectStream>> Select(const Context& context,
                                                         const model::Matchers& matchers,
                                                         const promql::SelectHints& hints) override;
  // Not for replica labels, which deduplicated series do not have.
  bool MatchesOnLabels(std::string_view label) const override;

 private:
  const std::shared_ptr<Store> store_;
  const QueryableOptions options_;
};

}  // namespace aevum::store
