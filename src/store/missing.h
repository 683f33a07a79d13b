// What an answer lacks: the stores that have a part in it and did not give theirs.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "model/labels.h"

namespace aevum::store {

struct StoreClient;
using StoreClients = std::vector<StoreClient>;

// One store's part of an answer that is not there, or not whole.
struct MissingPart {
  std::string endpoint;
  std::vector<model::Labels> label_sets;  // external labels
  TimestampMs min_time = 0;               // of what was asked and the store has, both inclusive
  TimestampMs max_time = 0;
  std::string error;
  // A store with the same external labels but for replica labels that answered over these times;
  // "" when there is none.
  std::string answered_by = {};
};

// The stores of one call to many of them. Thread-safe.
class StoreCall {
 public:
  // The pointers are into `all`, which is kept. `lost` are stores that are known but not asked.
  StoreCall(std::shared_ptr<const StoreClients> all, std::vector<const StoreClient*> asked,
            std::vector<const StoreClient*> lost, TimestampMs min_time, TimestampMs max_time);

  // The store at this position of `asked` failed, or said that its answer is not whole. The first
  // word counts.
  void Failed(std::size_t position, std::string error);

 private:
  friend class MissingParts;

  void AppendMissing(const std::vector<std::string>& replica_labels,
                     std::vector<MissingPart>* parts) const;
  MissingPart PartOf(const StoreClient& client, std::string error) const;
  // The address of a store that has all that a part lacks.
  std::string FindReplica(const MissingPart& part,
                          const std::vector<std::string>& replica_labels) const
      AEVUM_REQUIRES(mutex_);

  const std::shared_ptr<const StoreClients> all_;
  const std::vector<const StoreClient*> asked_;
  const std::vector<const StoreClient*> lost_;
  const TimestampMs min_time_;
  const TimestampMs max_time_;
  mutable Mutex mutex_;
  std::vector<std::string> errors_ AEVUM_GUARDED_BY(mutex_);  // "": answered so far
};

// What all calls of a request lack together. A few strings for each failure. Thread-safe.
class MissingParts {
 public:
  // `replica_labels` tell replicas of the same data apart; none when the request wants to see each.
  explicit MissingParts(std::vector<std::string> replica_labels)
      : replica_labels_(std::move(replica_labels)) {}

  std::shared_ptr<StoreCall> Begin(std::shared_ptr<const StoreClients> all,
                                   std::vector<const StoreClient*> asked,
                                   std::vector<const StoreClient*> lost, TimestampMs min_time,
                                   TimestampMs max_time);
  // A part that no store call knows of.
  void Add(MissingPart part);

  // One part an endpoint, sorted by endpoint: over the times of all calls, replaced by a replica
  // only when it is so in each. To be asked when the calls are over.
  std::vector<MissingPart> List() const;

 private:
  const std::vector<std::string> replica_labels_;
  mutable Mutex mutex_;
  std::vector<std::shared_ptr<StoreCall>> calls_ AEVUM_GUARDED_BY(mutex_);
  std::vector<MissingPart> added_ AEVUM_GUARDED_BY(mutex_);
};

// Whether replicas answered for all that is missing.
bool IsComplete(const std::vector<MissingPart>& parts);

}  // namespace aevum::store
