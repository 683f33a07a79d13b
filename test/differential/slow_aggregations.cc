#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <xxhash.h>

#include "promql/printer.h"
#include "slow_parts.h"

namespace aevum::promql::differential {
namespace {

struct Group {
  model::Labels labels;
  Vector members;
};

model::Labels GroupOf(const model::Labels& labels, const AggregateExpr& expr) {
  std::vector<model::Label> kept;
  for (const model::Label label : labels) {
    const bool named =
        std::find(expr.grouping.begin(), expr.grouping.end(), label.name) != expr.grouping.end();
    if (expr.without ? !named && label.name != model::kMetricName : named) kept.push_back(label);
  }
  return model::Labels::FromUnsorted(std::move(kept));
}

// In the order of their first members.
std::vector<Group> GroupsOf(const Vector& input, const AggregateExpr& expr) {
  std::vector<Group> groups;
  for (const Sample& sample : input) {
    const model::Labels labels = GroupOf(sample.labels, expr);
    auto it = std::find_if(groups.begin(), groups.end(),
                           [&](const Group& group) { return group.labels == labels; });
    if (it == groups.end()) it = groups.insert(it, {labels, {}});
    it->members.push_back(sample);
  }
  return groups;
}

// ---- one value a group ----

double SumOf(const std::vector<double>& values) {
  CompensatedSum sum{.sum = values[0]};
  for (std::size_t i = 1; i < values.size(); ++i) sum.Add(values[i]);
  return sum.Total();
}

double Extreme(const std::vector<double>& values, bool most) {
  double best = values[0];
  for (const double value : values)
    if ((most ? best < value : best > value) || std::isnan(best)) best = value;
  return best;
}

double VarianceOf(const std::vector<double>& values) {
  double squares = std::isfinite(values[0]) ? 0 : std::numeric_limits<double>::quiet_NaN();
  double mean = values[0];
  for (std::size_t i = 1; i < values.size(); ++i) {
    const double delta = values[i] - mean;
    mean += delta / static_cast<double>(i + 1);
    squares += delta * (values[i] - mean);
  }
  return squares / static_cast<double>(values.size());
}

double ValueOf(AggregateOp op, const std::vector<double>& values, double parameter) {
  switch (op) {
    case AggregateOp::kSum:
      return SumOf(values);
    case AggregateOp::kAvg:
      return MeanOf(values);
    case AggregateOp::kCount:
      return static_cast<double>(values.size());
    case AggregateOp::kMin:
      return Extreme(values, false);
    case AggregateOp::kMax:
      return Extreme(values, true);
    case AggregateOp::kStdvar:
      return VarianceOf(values);
    case AggregateOp::kStddev:
      return std::sqrt(VarianceOf(values));
    case AggregateOp::kQuantile:
      return QuantileOf(parameter, values);
    default:
      return 1;  // group
  }
}

// ---- topk, bottomk ----

// The heap of Go's library, whose moves say which of equal values topk keeps.
class Heap {
 public:
  explicit Heap(bool most) : most_(most) {}

  bool Less(const Sample& a, const Sample& b) const {
    if (std::isnan(a.value)) return true;
    return most_ ? a.value < b.value : a.value > b.value;
  }

  void Push(const Sample& sample) {
    items_.push_back(sample);
    std::size_t i = items_.size() - 1;
    while (i > 0 && Less(items_[i], items_[(i - 1) / 2])) {
      std::swap(items_[i], items_[(i - 1) / 2]);
      i = (i - 1) / 2;
    }
  }

  void ReplaceRoot(const Sample& sample) {
    items_[0] = sample;
    std::size_t i = 0;
    while (2 * i + 1 < items_.size()) {
      std::size_t child = 2 * i + 1;
      if (child + 1 < items_.size() && Less(items_[child + 1], items_[child])) ++child;
      if (!Less(items_[child], items_[i])) break;
      std::swap(items_[i], items_[child]);
      i = child;
    }
  }

  void Offer(const Sample& sample, std::size_t limit) {
    if (items_.size() < limit) {
      Push(sample);
      return;
    }
    const double root = items_[0].value;
    const bool better = most_ ? root < sample.value : root > sample.value;
    if (better || (std::isnan(root) && !std::isnan(sample.value))) ReplaceRoot(sample);
  }

  // Best first, NaN last.
  Vector Sorted() const {
    Vector sorted = items_;
    std::stable_sort(sorted.begin(), sorted.end(), [&](const Sample& a, const Sample& b) {
      if (std::isnan(b.value)) return !std::isnan(a.value);
      return Less(b, a);
    });
    return sorted;
  }

 private:
  const bool most_;
  Vector items_;
};

Vector Best(const Vector& members, std::size_t limit, bool most) {
  Heap heap(most);
  for (const Sample& sample : members) heap.Offer(sample, limit);
  return heap.Sorted();
}

// ---- limit_ratio ----

double PlaceOf(const model::Labels& labels) {
  std::string packed;
  for (const model::Label label : labels) {
    for (const std::string_view text : {label.name, label.value}) {
      // One byte of size, or 255 and three with the least first.
      const bool is_long = text.size() >= 255;
      packed += is_long ? '\xff' : static_cast<char>(text.size());
      if (is_long) {
        packed += static_cast<char>(text.size() % 256);
        packed += static_cast<char>(text.size() / 256 % 256);
        packed += static_cast<char>(text.size() / 65'536);
      }
      packed += text;
    }
  }
  return static_cast<double>(XXH64(packed.data(), packed.size(), 0)) / std::pow(2.0, 64);
}

Vector Sampled(const Vector& input, double ratio) {
  ratio = std::fmin(1, std::fmax(-1, ratio));
  Vector kept;
  for (const Sample& sample : input) {
    const double place = PlaceOf(sample.labels);
    if (ratio > 0 ? place < ratio : ratio < 0 && place >= 1 + ratio) kept.push_back(sample);
  }
  return kept;
}

// ---- count_values ----

Vector CountValues(const AggregateExpr& expr, const Vector& input, const AggregationStep& step) {
  const std::string& label = As<StringLiteral>(WithoutParens(*expr.param)).value;
  Vector counts;
  for (const Sample& sample : input) {
    const std::string text = FormatNumber(sample.value);
    model::LabelsBuilder with_value(sample.labels);
    const model::Labels marked = with_value.Set(label, text).Build();
    model::Labels labels = GroupOf(marked, expr);
    if (!expr.without) labels = model::LabelsBuilder(labels).Set(label, text).Build();
    auto it = std::find_if(counts.begin(), counts.end(),
                           [&](const Sample& count) { return count.labels == labels; });
    if (it == counts.end()) it = counts.insert(it, {labels, 0, sample.rank * step.steps + step.k});
    it->value += 1;
  }
  return counts;
}

}  // namespace

Vector Aggregate(const AggregateExpr& expr, const Vector& input, const AggregationStep& step) {
  if (expr.op == AggregateOp::kCountValues) return CountValues(expr, input, step);
  if (expr.op == AggregateOp::kLimitRatio) return Sampled(input, step.parameter);
  const bool selects = expr.op == AggregateOp::kTopk || expr.op == AggregateOp::kBottomk ||
                       expr.op == AggregateOp::kLimitk;
  const double limit = selects ? std::trunc(step.parameter) : 0;
  if (selects && limit < 1) return {};
  Vector result;
  for (const Group& group : GroupsOf(input, expr)) {
    if (selects) {
      const auto count = static_cast<std::size_t>(std::fmin(limit, 1e6));
      const std::size_t kept = std::min(count, group.members.size());
      const Vector chosen = expr.op == AggregateOp::kLimitk
                                ? Vector(group.members.begin(),
                                         group.members.begin() + static_cast<std::ptrdiff_t>(kept))
                                : Best(group.members, count, expr.op == AggregateOp::kTopk);
      result.insert(result.end(), chosen.begin(), chosen.end());
      continue;
    }
    std::vector<double> values;
    for (const Sample& member : group.members) values.push_back(member.value);
    result.push_back(
        {group.labels, ValueOf(expr.op, values, step.parameter), group.members.front().rank});
  }
  return result;
}

}  // namespace aevum::promql::differential
