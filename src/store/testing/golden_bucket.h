// The golden buckets as a store: blocks that real programs wrote, read without their index.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "store/store.h"

namespace aevum::store::testing {

// A block in memory. Its labels and the times of its chunks come from the dump beside the bucket,
// its chunks from the block's own files, where they stand in the order of the dump.
struct GoldenBlock {
  struct Series {
    model::Labels labels;                  // without the external ones
    std::vector<chunk::ChunkView> chunks;  // the parts of an aggregate side by side
  };

  std::string id;
  model::Labels external_labels;
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;  // exclusive
  std::int64_t resolution_ms = 0;
  std::vector<std::string> segments;
  std::vector<std::string> transcoded;  // chunks in another encoding than in `segments`
  std::vector<Series> series;

  GoldenBlock() = default;
  GoldenBlock(const GoldenBlock&) = delete;
  GoldenBlock& operator=(const GoldenBlock&) = delete;
};

// What a store gateway over a bucket answers. Immutable, hence thread-safe.
class GoldenBucket final : public Store {
 public:
  // The folder of the golden buckets, or "" where there is none.
  static std::string Folder();
  // Reads every block of one of them that has a dump, or only the one named `id`. XOR2 chunks of
  // floats become XOR chunks, since the StoreAPI carries no others.
  static StatusOr<std::unique_ptr<GoldenBucket>> Open(const std::string& name,
                                                      std::string_view id = "");

  StatusOr<std::unique_ptr<SeriesStream>> Series(const Context& context,
                                                 const wire::SeriesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelNames(const Context& context,
                                            const wire::LabelNamesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelValues(const Context& context,
                                             const wire::LabelValuesRequest& request) override;
  StatusOr<wire::InfoResponse> Info(const Context& context) override;

  // As if the blocks had no external labels: as Prometheus shows its own. Before it is used.
  void DropExternalLabels();

 private:
  using Blocks = std::vector<std::shared_ptr<GoldenBlock>>;

  // The blocks of one origin that answer for [min_time, max_time]: the coarsest allowed, and finer
  // ones where these are missing.
  static Blocks Choose(const Blocks& sorted, TimestampMs min_time, TimestampMs max_time,
                       std::int64_t max_resolution_ms);
  // Calls `visit(block, series, labels)`, labels with the external ones, for what matches in blocks
  // that touch [start, end].
  template <typename Visit>
  void VisitMatching(const model::Matchers& matchers, TimestampMs start, TimestampMs end,
                     Visit visit) const;

  std::map<model::Labels, Blocks> blocks_;  // by external labels, sorted by time
};

}  // namespace aevum::store::testing
