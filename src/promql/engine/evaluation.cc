#include "promql/engine/evaluation.h"

#include <algorithm>
#include <cstring>

#include <fmt/core.h>

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

}  // namespace

std::string Annotations::Placed(std::string_view text, const Expr& expr) const {
  const auto start = static_cast<std::size_t>(
      std::clamp<int>(expr.range.start, 0, static_cast<int>(query_.size())));
  const std::string_view before = std::string_view(query_).substr(0, start);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t line_break = before.rfind('\n');
  const std::size_t column =
      before.size() - (line_break == std::string_view::npos ? 0 : line_break + 1) + 1;
  return fmt::format("{} ({}:{})", text, line, column);
}

void Annotations::AddWarning(std::string text, const Expr& expr) {
  MutexLock lock(mutex_);
  text = "PromQL warning: " + text;
  warnings_[text] = Placed(text, expr);
}

void Annotations::AddInfo(std::string text, const Expr& expr) {
  MutexLock lock(mutex_);
  text = "PromQL info: " + text;
  infos_[text] = Placed(text, expr);
}

void Annotations::AddStoreWarning(std::string text) {
  MutexLock lock(mutex_);
  store_warnings_.insert(std::move(text));
}

std::vector<std::string> Annotations::Texts(const Placing& placing) {
  std::vector<std::string> texts;
  for (const auto& [text, placed] : placing) texts.push_back(placed);
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

Status MergeEqualLabels(RowBatch* rows, const QueryState& state) {
  const std::size_t steps = rows->steps();
  LabelsMap<std::size_t> first;
  first.reserve(rows->size());
  bool unique = true;
  for (std::size_t i = 0; i < rows->size() && unique; ++i)
    unique = first.emplace(rows->labels(i), i).second;
  if (unique) return OkStatus();

  RowBatch merged;
  merged.Reset(steps, state.context.budget());
  first.clear();
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const auto [it, inserted] = first.emplace(rows->labels(i), merged.size());
    if (inserted) RETURN_IF_ERROR(merged.Add(rows->labels(i), "merged rows"));
    double* values = merged.values(it->second);
    std::uint8_t* present = merged.present(it->second);
    for (std::size_t k = 0; k < steps; ++k) {
      if (!rows->Holds(i, k)) continue;
      if (merged.Holds(it->second, k)) {
        return MakeError(StatusCode::kFailedPrecondition,
                         "vector cannot contain metrics with the same labelset");
      }
      if (rows->present(i)[k] == 0) {
        RETURN_IF_ERROR(merged.SetHistogram(it->second, k, rows->histograms(i)[k], "merged rows"));
        continue;
      }
      values[k] = rows->values(i)[k];
      present[k] = 1;
    }
  }
  *rows = std::move(merged);
  return OkStatus();
}

model::Labels WithoutName(const model::Labels& labels) {
  return model::LabelsBuilder(labels).Remove(model::kMetricName).Build();
}

}  // namespace aevum::promql
