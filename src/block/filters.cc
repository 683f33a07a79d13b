#include "block/filters.h"

#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "objstore/parallel.h"

namespace aevum::block {
namespace {

// Drops the blocks for which `keeps` is false.
template <typename Keeps>
void DropUnless(FetchView& view, BlockState state, Keeps keeps) {
  for (auto it = view.metas.begin(); it != view.metas.end();) {
    it = keeps(*it->second) ? std::next(it) : view.Drop(it, state);
  }
}

TimestampMs MilliSeconds(const Timestamp& time) {
  return time.seconds * 1000 + time.nanos / 1'000'000;
}

bool ReplacesBlocks(const Meta& meta) {
  return meta.source == kSourceCompactor || meta.source == kSourceCompactorRepair ||
         meta.source == kSourceBucketRepair;
}

// The blocks of one group that are not duplicates so far, by their sources.
class CoveringSet {
 public:
  // True when a block of the set has all sources of `meta`.
  bool Covers(const Meta& meta) const {
    if (members_ == 0) return false;
    const std::vector<model::Ulid>& sources = meta.compaction.sources;
    if (sources.empty()) return true;
    const auto candidates = by_source_.find(sources.front());
    if (candidates == by_source_.end()) return false;
    return std::any_of(candidates->second.begin(), candidates->second.end(),
                       [&](const std::vector<model::Ulid>* all) {
                         return std::all_of(
                             sources.begin(), sources.end(), [&](const model::Ulid& source) {
                               return std::binary_search(all->begin(), all->end(), source);
                             });
                       });
  }

  void Add(const Meta& meta) {
    ++members_;
    auto sorted = std::make_unique<std::vector<model::Ulid>>(meta.compaction.sources);
    std::sort(sorted->begin(), sorted->end());
    for (const model::Ulid& source : *sorted) by_source_[source].push_back(sorted.get());
    sources_.push_back(std::move(sorted));
  }

 private:
  std::size_t members_ = 0;
  std::vector<std::unique_ptr<std::vector<model::Ulid>>> sources_;
  std::unordered_map<model::Ulid, std::vector<const std::vector<model::Ulid>*>, model::UlidHash>
      by_source_;
};

std::vector<model::Ulid> DuplicatesOf(std::vector<const Meta*> group) {
  std::sort(group.begin(), group.end(), [](const Meta* a, const Meta* b) {
    const std::size_t left = a->compaction.sources.size();
    const std::size_t right = b->compaction.sources.size();
    return left != right ? left > right : a->ulid < b->ulid;
  });
  std::vector<model::Ulid> duplicates;
  CoveringSet covering;
  for (const Meta* meta : group) {
    if (covering.Covers(*meta)) {
      duplicates.push_back(meta->ulid);
    } else {
      covering.Add(*meta);
    }
  }
  return duplicates;
}

}  // namespace

Status TimePartitionFilter::Apply(const Context& /*context*/, FetchView& view) {
  const TimestampMs now = clock_.NowMs();
  const TimestampMs min_time = min_time_.At(now);
  const TimestampMs max_time = max_time_.At(now);
  DropUnless(view, BlockState::kTimeExcluded, [&](const Meta& meta) {
    if (touching_ == Touching::kLeftOut)
      return meta.max_time > min_time && meta.min_time < max_time;
    return meta.max_time >= min_time && meta.min_time <= max_time;
  });
  return OkStatus();
}

StatusOr<std::shared_ptr<LabelFilter>> LabelFilter::Create(std::string_view yaml) {
  using model::RelabelAction;
  static constexpr std::array allowed = {RelabelAction::kKeep, RelabelAction::kDrop,
                                         RelabelAction::kHashMod};
  ASSIGN_OR_RETURN(model::Relabeler selector, model::Relabeler::Parse(yaml));
  RETURN_IF_ERROR(selector.RestrictTo(allowed));
  return std::make_shared<LabelFilter>(std::move(selector));
}

Status LabelFilter::Apply(const Context& /*context*/, FetchView& view) {
  if (selector_.empty()) return OkStatus();
  DropUnless(view, BlockState::kLabelExcluded, [&](const Meta& meta) {
    const std::string id = meta.ulid.ToString();
    const model::Labels external = meta.ExternalLabels();
    model::LabelsBuilder labels(external);
    labels.Set(kBlockIdLabel, id);
    const std::optional<model::Labels> kept = selector_.Process(labels.Build());
    return kept && !kept->empty();
  });
  return OkStatus();
}

ConsistencyDelayFilter::ConsistencyDelayFilter(std::chrono::milliseconds delay,
                                               prometheus::Registry& registry,
                                               const std::string& metric, const Clock& clock)
    : delay_(delay), clock_(clock) {
  prometheus::BuildGauge()
      .Name(metric)
      .Help("How old a block must be before it is looked at.")
      .Register(registry)
      .Add({})
      .Set(std::chrono::duration<double>(delay).count());
}

Status ConsistencyDelayFilter::Apply(const Context& /*context*/, FetchView& view) {
  const TimestampMs latest = clock_.NowMs() - delay_.count();
  DropUnless(view, BlockState::kTooFresh, [&](const Meta& meta) {
    const TimestampMs made =
        meta.IsUploadTimeSet() ? MilliSeconds(meta.upload_time) : meta.ulid.time_ms();
    return made <= latest || ReplacesBlocks(meta);
  });
  return OkStatus();
}

Status DeletionMarkFilter::Apply(const Context& context, FetchView& view) {
  std::vector<model::Ulid> asked;
  for (const auto& [block, meta] : view.metas) {
    if (!view.deletion_marks || view.deletion_marks->contains(block)) asked.push_back(block);
  }
  std::vector<StatusOr<Mark>> answers(asked.size(), NotFound("not asked for"));
  RETURN_IF_ERROR(objstore::RunParallel(
      bucket_.pool(), asked.size(), options_.concurrency, [&](std::size_t i) -> Status {
        answers[i] = ReadMark(context, bucket_, MarkKind::kDeletion, asked[i]);
        const StatusCode code = answers[i].status().code();
        const bool answered = code == StatusCode::kOk || code == StatusCode::kNotFound ||
                              code == StatusCode::kDataLoss;
        return answered ? OkStatus() : answers[i].status();
      }));
  Marks marks;
  const std::int64_t now = clock_.NowMs();
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (answers[i].status().code() == StatusCode::kDataLoss) {
      logger_.Warn("a deletion mark can't be read, the block is taken as not marked",
                   {{"err", answers[i].status()}});
    }
    if (!answers[i].ok()) continue;
    marks[asked[i]] = *answers[i];
    if (IsDue(*answers[i], now, options_.delay))
      view.Drop(view.metas.find(asked[i]), BlockState::kMarkedForDeletion);
  }
  marks_.Set(std::make_shared<const Marks>(std::move(marks)));
  return OkStatus();
}

Status DuplicateFilter::Apply(const Context& /*context*/, FetchView& view) {
  std::map<std::string, std::vector<const Meta*>> groups;
  for (const auto& [block, meta] : view.metas) groups[meta->GroupKey()].push_back(meta.get());
  std::vector<model::Ulid> all;
  for (auto& [key, group] : groups) {
    const std::vector<model::Ulid> duplicates = DuplicatesOf(std::move(group));
    all.insert(all.end(), duplicates.begin(), duplicates.end());
  }
  std::sort(all.begin(), all.end());
  for (const model::Ulid& block : all) view.Drop(view.metas.find(block), BlockState::kDuplicate);
  duplicates_.Set(std::make_shared<const std::vector<model::Ulid>>(std::move(all)));
  return OkStatus();
}

Status ReplicaLabelRemover::Apply(const Context& /*context*/, FetchView& view) {
  if (labels_.empty()) return OkStatus();
  for (auto& [block, meta] : view.metas) {
    const bool has_one = std::any_of(labels_.begin(), labels_.end(), [&](const std::string& name) {
      return meta->labels.contains(name);
    });
    if (!has_one && !meta->labels.empty()) continue;
    Meta changed = *meta;
    for (const std::string& name : labels_) changed.labels.erase(name);
    if (changed.labels.empty()) changed.labels[labels_.front()] = "deduped";
    meta = std::make_shared<const Meta>(std::move(changed));
    if (has_one) ++view.labels_removed;
  }
  return OkStatus();
}

Status ParquetMigratedFilter::Apply(const Context& /*context*/, FetchView& view) {
  DropUnless(view, BlockState::kParquetMigrated,
             [](const Meta& meta) { return !meta.IsParquetMigrated(); });
  return OkStatus();
}

}  // namespace aevum::block
