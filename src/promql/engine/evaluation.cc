#include "promql/engine/evaluation.h"

#include <algorithm>
#include <cstring>

#include <fmt/core.h>

#include "promql/engine/deadline_check.h"
#include "promql/engine/groups.h"

namespace aevum::promql {
namespace {

class RowSource final : public Operator {
 public:
  RowSource(RowBatch rows, std::shared_ptr<MemoryBudget> budget)
      : rows_(std::move(rows)), steps_(rows_.steps()), budget_(std::move(budget)) {}

  StatusOr<bool> Next(RowBatch* out) override {
    out->Reset(steps_, budget_);
    out->Append(std::move(rows_));
    return !out->empty();
  }

 private:
  RowBatch rows_;
  const std::size_t steps_;
  const std::shared_ptr<MemoryBudget> budget_;
};

std::size_t FirstStep(const RowBatch& rows, std::size_t row) {
  std::size_t step = 0;
  while (!rows.Holds(row, step)) ++step;
  return step;
}

// Puts what a row holds into a row of `merged`.
Status MergeRow(const RowBatch& rows, std::size_t row, EqualLabels rule, RowBatch* merged,
                std::size_t at) {
  const HistogramPtr* histograms = rows.histograms(row);
  for (std::size_t k = 0; k < rows.steps(); ++k) {
    const bool number = rows.present(row)[k] != 0;
    const bool histogram = histograms != nullptr && histograms[k] != nullptr;
    if (!number && !histogram) continue;
    const bool other_number = merged->present(at)[k] != 0;
    const bool other_histogram =
        merged->histograms(at) != nullptr && merged->histograms(at)[k] != nullptr;
    if (rule == EqualLabels::kBySeries ? (number && other_number) || (histogram && other_histogram)
                                       : other_number || other_histogram) {
      return SameLabels();
    }
    if (histogram) RETURN_IF_ERROR(merged->SetHistogram(at, k, histograms[k], "merged rows"));
    if (!number) continue;
    merged->values(at)[k] = rows.values(row)[k];
    merged->present(at)[k] = 1;
  }
  return OkStatus();
}

}  // namespace

std::string Annotations::PlaceOf(const Expr& expr) const {
  const auto start = static_cast<std::size_t>(
      std::clamp<int>(expr.range.start, 0, static_cast<int>(query_.size())));
  const std::string_view before = query_.substr(0, start);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t line_break = before.rfind('\n');
  const std::size_t column =
      before.size() - (line_break == std::string_view::npos ? 0 : line_break + 1) + 1;
  return fmt::format("({}:{})", line, column);
}

void Annotations::Init(std::string_view query, std::shared_ptr<MemoryBudget> budget) {
  query_ = query;
  MutexLock lock(mutex_);
  charge_ = MemoryCharge(std::move(budget));
}

bool Annotations::ChargeLocked(std::size_t bytes) {
  constexpr std::size_t kNodeBytes = 128;
  const Status status =
      charge_.Add(static_cast<std::int64_t>(bytes + kNodeBytes), "warnings and infos");
  if (status_.ok()) status_ = status;
  return status.ok();
}

void Annotations::PutLocked(Placing& placing, const std::string& text, Found found) {
  const auto known = placing.find(text);
  if (known != placing.end()) {
    found.times += known->second.times;
    known->second = std::move(found);
  } else if (ChargeLocked(text.size() + found.place.size())) {
    placing.emplace(text, std::move(found));
  }
}

void Annotations::AddWarning(std::string text, const Expr& expr) {
  MutexLock lock(mutex_);
  PutLocked(warnings_, "PromQL warning: " + text, {.place = PlaceOf(expr)});
}

void Annotations::CountWarning(std::string text, const Expr& expr) {
  MutexLock lock(mutex_);
  PutLocked(warnings_, "PromQL warning: " + text, {.place = PlaceOf(expr), .times = 1});
}

void Annotations::AddInfo(std::string text, const Expr& expr) {
  MutexLock lock(mutex_);
  PutLocked(infos_, "PromQL info: " + text, {.place = PlaceOf(expr)});
}

void Annotations::AddStoreWarning(std::string text) {
  MutexLock lock(mutex_);
  if (!store_warnings_.contains(text) && ChargeLocked(text.size()))
    store_warnings_.insert(std::move(text));
}

void Annotations::Take(Annotations& later) {
  Placing warnings, infos;
  std::set<std::string> store_warnings;
  MemoryCharge charge;
  Status status;
  {
    MutexLock lock(later.mutex_);
    warnings.swap(later.warnings_);
    infos.swap(later.infos_);
    store_warnings.swap(later.store_warnings_);
    charge.Absorb(later.charge_);
    status = std::exchange(later.status_, OkStatus());
  }
  // The texts of both are charged until the later ones are gone.
  MutexLock lock(mutex_);
  if (status_.ok()) status_ = status;
  for (auto& [text, found] : warnings) PutLocked(warnings_, text, std::move(found));
  for (auto& [text, found] : infos) PutLocked(infos_, text, std::move(found));
  for (const std::string& text : store_warnings) {
    if (!store_warnings_.contains(text) && ChargeLocked(text.size())) store_warnings_.insert(text);
  }
}

Status Annotations::status() const {
  MutexLock lock(mutex_);
  return status_;
}

std::vector<std::string> Annotations::Texts(const Placing& placing) {
  std::vector<std::string> texts;
  for (const auto& [text, found] : placing) {
    const std::string times =
        found.times > 1 ? fmt::format(" ({} occurrences)", found.times) : std::string();
    texts.push_back(fmt::format("{}{} {}", text, times, found.place));
  }
  return texts;
}

std::vector<std::string> Annotations::warnings() const {
  MutexLock lock(mutex_);
  return Texts(warnings_);
}

std::vector<std::string> Annotations::infos() const {
  MutexLock lock(mutex_);
  return Texts(infos_);
}

std::vector<std::string> Annotations::store_warnings() const {
  MutexLock lock(mutex_);
  return {store_warnings_.begin(), store_warnings_.end()};
}

StatusOr<RowBatch> Materialize(Operator& source, const QueryState& state, std::size_t steps) {
  RowBatch all;
  all.Reset(steps, state.context.budget());
  RowBatch batch;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, source.Next(&batch));
    if (!more) return all;
    all.Append(std::move(batch));
  }
}

OperatorPtr MakeRowSource(RowBatch rows, std::shared_ptr<MemoryBudget> budget) {
  return std::make_unique<RowSource>(std::move(rows), std::move(budget));
}

Status SameLabels() {
  return MakeError(StatusCode::kFailedPrecondition,
                   "vector cannot contain metrics with the same labelset");
}

Status MergeEqualLabels(RowBatch* rows, const QueryState& state, EqualLabels rule) {
  constexpr std::int64_t kEntryBytes = 64;
  const std::size_t steps = rows->steps();
  MemoryCharge charge(state.context.budget());
  RETURN_IF_ERROR(charge.Add(kEntryBytes * static_cast<std::int64_t>(rows->size()), "merged rows"));
  LabelsMap<std::size_t> first;
  first.reserve(rows->size());
  bool unique = true;
  for (std::size_t i = 0; i < rows->size() && unique; ++i)
    unique = first.emplace(rows->labels(i), i).second;
  if (unique) return OkStatus();

  RowBatch merged;
  merged.Reset(steps, state.context.budget());
  first.clear();
  DeadlineCheck deadline(state.context);
  std::vector<std::size_t> earliest;  // step of each merged row
  for (std::size_t i = 0; i < rows->size(); ++i) {
    RETURN_IF_ERROR(deadline.After(steps));
    if (!rows->AnyPresent(i)) continue;
    const auto [it, inserted] = first.emplace(rows->labels(i), merged.size());
    const std::size_t at = it->second;
    const std::size_t step = FirstStep(*rows, i);
    if (inserted) {
      RETURN_IF_ERROR(merged.Add(rows->labels(i), "merged rows"));
      earliest.push_back(step);
      merged.set_drops_name(at, rows->drops_name(i));
    } else if (rule == EqualLabels::kRefused) {
      return SameLabels();
    } else if (rule == EqualLabels::kByStep && step < earliest[at]) {
      earliest[at] = step;
      merged.set_drops_name(at, rows->drops_name(i));
    }
    RETURN_IF_ERROR(MergeRow(*rows, i, rule, &merged, at));
  }
  *rows = std::move(merged);
  return OkStatus();
}

bool GoesWithName(std::string_view label) {
  return label == model::kMetricName || label == kTypeLabel || label == kUnitLabel;
}

bool HasTypeOrUnit(const model::Labels& labels) {
  for (const model::Label label : labels) {
    if (label.name > kUnitLabel) return false;
    if (label.name == kTypeLabel || label.name == kUnitLabel) return true;
  }
  return false;
}

model::Labels WithoutName(const model::Labels& labels) {
  std::vector<model::Label> kept;
  kept.reserve(labels.size());
  for (const model::Label label : labels) {
    if (!GoesWithName(label.name)) kept.push_back(label);
  }
  return kept.size() == labels.size() ? labels : model::Labels::FromSorted(kept);
}

void DropName(const QueryState& state, RowBatch* rows, std::size_t row) {
  if (state.delays_names) {
    rows->set_drops_name(row, true);
  } else {
    rows->set_labels(row, WithoutName(rows->labels(row)));
  }
}

void DropMarkedNames(RowBatch* rows) {
  for (std::size_t i = 0; i < rows->size(); ++i) {
    if (rows->drops_name(i)) rows->set_labels(i, WithoutName(rows->labels(i)));
  }
}

}  // namespace aevum::promql
