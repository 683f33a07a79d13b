#include "promql/engine/limit_ratio.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <xxhash.h>

#include "promql/printer.h"

namespace aevum::promql {
namespace {

// A length as Prometheus packs its labels: a byte, or 255 and three more.
void PutSize(std::string& out, std::size_t size) {
  if (size < 255) {
    out += static_cast<char>(size);
    return;
  }
  out += '\xff';
  for (int shift = 0; shift < 24; shift += 8) out += static_cast<char>(size >> shift);
}

// Where a series lies in [0, 1): the same place as in Prometheus, which hashes its packed labels.
double PlaceOf(const model::Labels& labels) {
  std::string packed;
  for (const model::Label label : labels) {
    for (const std::string_view text : {label.name, label.value}) {
      PutSize(packed, text.size());
      packed += text;
    }
  }
  return static_cast<double>(XXH64(packed.data(), packed.size(), 0)) / 18446744073709551615.0;
}

bool Chosen(double place, double ratio) { return ratio >= 0 ? place < ratio : place >= 1 + ratio; }

class LimitRatioOperator final : public Operator {
 public:
  LimitRatioOperator(QueryState& state, std::vector<double> ratios, OperatorPtr source)
      : state_(state),
        ratios_(std::move(ratios)),
        any_nan_(std::any_of(ratios_.begin(), ratios_.end(),
                             [](double ratio) { return std::isnan(ratio); })),
        source_(std::move(source)) {}

  StatusOr<bool> Next(RowBatch* out) override {
    std::vector<std::size_t> kept;
    do {
      RETURN_IF_ERROR(state_.context.status());
      ASSIGN_OR_RETURN(const bool more, source_->Next(out));
      // What is wrong with the source comes first.
      if (!more && any_nan_)
        return MakeError(StatusCode::kFailedPrecondition, "Ratio value is NaN");
      if (!more) return false;
      kept.clear();
      if (any_nan_) continue;
      for (std::size_t row = 0; row < out->size(); ++row) {
        Mask(out, row);
        if (out->AnyPresent(row)) kept.push_back(row);
      }
    } while (kept.empty());
    out->Select(kept);
    return true;
  }

 private:
  void Mask(RowBatch* rows, std::size_t row) const {
    const double place = PlaceOf(rows->labels(row));
    for (std::size_t k = 0; k < ratios_.size(); ++k) {
      if (ratios_[k] != 0 && Chosen(place, ratios_[k])) continue;
      rows->present(row)[k] = 0;
      rows->values(row)[k] = 0;
      if (rows->histograms(row) != nullptr) rows->RemoveHistogram(row, k);
    }
  }

  QueryState& state_;
  const std::vector<double> ratios_;
  const bool any_nan_;
  const OperatorPtr source_;
};

void WarnOfRatio(double ratio, double bound, const AggregateExpr& expr, Annotations& annotations) {
  annotations.AddWarning(
      fmt::format("ratio value should be between -1 and 1, got {}, capping to {}",
                  FormatShort(ratio), FormatShort(bound)),
      *expr.param);
}

}  // namespace

StatusOr<OperatorPtr> MakeLimitRatio(QueryState& state, const AggregateExpr& expr,
                                     std::vector<double> ratios, OperatorPtr source) {
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  if (*most > 1) WarnOfRatio(*most, 1, expr, state.annotations);
  if (*least < -1) WarnOfRatio(*least, -1, expr, state.annotations);
  for (double& ratio : ratios) ratio = std::clamp(ratio, -1.0, 1.0);
  return OperatorPtr(
      std::make_unique<LimitRatioOperator>(state, std::move(ratios), std::move(source)));
}

}  // namespace aevum::promql
