#include "store/missing.h"

#include <algorithm>
#include <map>
#include <utility>

#include "store/proxy.h"

namespace aevum::store {
namespace {

// The labels that say which data it is.
model::Labels Without(const model::Labels& labels, const std::vector<std::string>& names) {
  std::vector<model::Label> kept;
  for (const model::Label& label : labels) {
    if (std::find(names.begin(), names.end(), label.name) == names.end()) kept.push_back(label);
  }
  return model::Labels::FromUnsorted(std::move(kept));
}

bool HasSet(const StoreClient& client, const model::Labels& wanted,
            const std::vector<std::string>& replica_labels) {
  return std::any_of(
      client.label_sets.begin(), client.label_sets.end(),
      [&](const model::Labels& set) { return Without(set, replica_labels) == wanted; });
}

}  // namespace

StoreCall::StoreCall(std::shared_ptr<const StoreClients> all, std::vector<const StoreClient*> asked,
                     std::vector<const StoreClient*> lost, TimestampMs min_time,
                     TimestampMs max_time)
    : all_(std::move(all)),
      asked_(std::move(asked)),
      lost_(std::move(lost)),
      min_time_(min_time),
      max_time_(max_time),
      errors_(asked_.size()) {}

void StoreCall::Failed(std::size_t position, std::string error) {
  MutexLock lock(mutex_);
  if (position < errors_.size() && errors_[position].empty()) errors_[position] = std::move(error);
}

MissingPart StoreCall::PartOf(const StoreClient& client, std::string error) const {
  return {.endpoint = client.address,
          .label_sets = client.label_sets,
          .min_time = std::max(min_time_, client.min_time),
          .max_time = std::min(max_time_, client.max_time),
          .error = std::move(error)};
}

std::string StoreCall::FindReplica(const MissingPart& part,
                                   const std::vector<std::string>& replica_labels) const {
  std::string found;
  for (const model::Labels& set : part.label_sets) {
    const model::Labels wanted = Without(set, replica_labels);
    std::string holder;
    for (std::size_t i = 0; i < asked_.size() && holder.empty(); ++i) {
      const StoreClient& client = *asked_[i];
      const bool answered = errors_[i].empty();
      if (answered && client.min_time <= part.min_time && client.max_time >= part.max_time &&
          HasSet(client, wanted, replica_labels)) {
        holder = client.address;
      }
    }
    if (holder.empty()) return "";
    if (found.empty()) found = std::move(holder);
  }
  return found;
}

void StoreCall::AppendMissing(const std::vector<std::string>& replica_labels,
                              std::vector<MissingPart>* parts) const {
  MutexLock lock(mutex_);
  const std::size_t first = parts->size();
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    if (!errors_[i].empty()) parts->push_back(PartOf(*asked_[i], errors_[i]));
  }
  for (const StoreClient* client : lost_) parts->push_back(PartOf(*client, client->lost));
  for (std::size_t i = first; i < parts->size(); ++i)
    (*parts)[i].answered_by = FindReplica((*parts)[i], replica_labels);
}

std::shared_ptr<StoreCall> MissingParts::Begin(std::shared_ptr<const StoreClients> all,
                                               std::vector<const StoreClient*> asked,
                                               std::vector<const StoreClient*> lost,
                                               TimestampMs min_time, TimestampMs max_time) {
  auto call = std::make_shared<StoreCall>(std::move(all), std::move(asked), std::move(lost),
                                          min_time, max_time);
  MutexLock lock(mutex_);
  calls_.push_back(call);
  return call;
}

void MissingParts::Add(MissingPart part) {
  MutexLock lock(mutex_);
  added_.push_back(std::move(part));
}

std::vector<MissingPart> MissingParts::List() const {
  std::vector<MissingPart> parts;
  {
    MutexLock lock(mutex_);
    parts = added_;
    for (const auto& call : calls_) call->AppendMissing(replica_labels_, &parts);
  }
  std::map<std::string, MissingPart> by_endpoint;
  for (MissingPart& part : parts) {
    const auto [it, added] = by_endpoint.try_emplace(part.endpoint, part);
    if (added) continue;
    MissingPart& known = it->second;
    known.min_time = std::min(known.min_time, part.min_time);
    known.max_time = std::max(known.max_time, part.max_time);
    if (part.answered_by.empty()) known.answered_by.clear();
  }
  parts.clear();
  for (auto& [endpoint, part] : by_endpoint) parts.push_back(std::move(part));
  return parts;
}

bool IsComplete(const std::vector<MissingPart>& parts) {
  return std::none_of(parts.begin(), parts.end(),
                      [](const MissingPart& part) { return part.answered_by.empty(); });
}

}  // namespace aevum::store
