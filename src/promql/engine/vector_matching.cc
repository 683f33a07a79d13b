#include "promql/engine/vector_matching.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

#include "promql/engine/deadline_check.h"
#include "promql/engine/elementwise.h"
#include "promql/engine/groups.h"
#include "promql/engine/histogram_operators.h"

namespace aevum::promql {
namespace {

constexpr std::string_view kMatching = "vector matching";
constexpr std::size_t kEntryBytes = 128;  // of a map by labels
constexpr std::size_t kLabelsCost = 64;   // of new labels, in values looked at
constexpr std::size_t kSignatureBytes = 2 * sizeof(std::vector<std::size_t>);

Grouping SignatureOf(const VectorMatching& matching) { return {matching.labels, !matching.on}; }

// The rows of one side by signature.
struct Side {
  RowBatch rows;
  std::vector<std::size_t> signatures;  // of each row
  std::vector<std::vector<std::size_t>> by_signature;

  void AddToSignature(std::size_t row, std::size_t signature) {
    signatures.push_back(signature);
    by_signature[signature].push_back(row);
  }
  std::vector<std::uint8_t> any;  // steps at which any row has a value
};

class VectorBinaryOperator final : public Operator {
 public:
  VectorBinaryOperator(QueryState& state, std::size_t steps, const BinaryExpr& expr,
                       OperatorPtr lhs, OperatorPtr rhs)
      : state_(state),
        steps_(steps),
        expr_(expr),
        matching_(*expr.matching),
        signatures_(SignatureOf(matching_), state, kMatching),
        lhs_(std::move(lhs)),
        rhs_(std::move(rhs)),
        deadline_(state.context),
        charge_(state.context.budget()) {}

  StatusOr<bool> Next(RowBatch* out) override {
    if (result_ == nullptr) {
      ASSIGN_OR_RETURN(RowBatch rows, Evaluate());
      result_ = MakeRowSource(std::move(rows), state_.context.budget());
    }
    return result_->Next(out);
  }

 private:
  StatusOr<RowBatch> Evaluate() {
    ASSIGN_OR_RETURN(Side left, Read(lhs_));
    ASSIGN_OR_RETURN(Side right, Read(rhs_));
    RETURN_IF_ERROR(Charge(kSignatureBytes * (2 * signatures_.size() - left.by_signature.size() -
                                              right.by_signature.size())));
    left.by_signature.resize(signatures_.size());
    right.by_signature.resize(signatures_.size());
    RowBatch result;
    result.Reset(steps_, state_.context.budget());
    if (IsSetOperator(expr_.op)) {
      RETURN_IF_ERROR(EvaluateSets(left, right, &result));
    } else {
      RETURN_IF_ERROR(EvaluateMatches(left, right, &result));
    }
    for (const StepNote& step : notes_) step.note.Tell(state_.annotations, expr_);
    const Status merged = MergeEqualLabels(&result, state_);
    if (merged.code() == StatusCode::kFailedPrecondition && !IsSetOperator(expr_.op)) {
      return MakeError(StatusCode::kFailedPrecondition,
                       "multiple matches for labels: grouping labels must ensure unique matches");
    }
    RETURN_IF_ERROR(merged);
    charge_.Reset();
    return result;
  }

  // For what the evaluation needs beside its rows; released when it is done.
  Status Charge(std::size_t bytes) {
    return charge_.Add(static_cast<std::int64_t>(bytes), kMatching);
  }

  StatusOr<Side> Read(OperatorPtr& source) {
    Side side;
    ASSIGN_OR_RETURN(side.rows, Materialize(*source, state_, steps_));
    source.reset();
    RETURN_IF_ERROR(Charge(steps_ + 3 * sizeof(std::size_t) * side.rows.size()));
    side.any.resize(steps_);
    for (std::size_t i = 0; i < side.rows.size(); ++i) {
      RETURN_IF_ERROR(deadline_.After(steps_));
      ASSIGN_OR_RETURN(const std::size_t signature, signatures_.Find(side.rows.labels(i)));
      if (side.by_signature.size() <= signature) {
        RETURN_IF_ERROR(Charge((signature + 1 - side.by_signature.size()) * kSignatureBytes));
        side.by_signature.resize(signature + 1);
      }
      side.AddToSignature(i, signature);
      for (std::size_t k = 0; k < steps_; ++k)
        if (side.rows.Holds(i, k)) side.any[k] = 1;
    }
    return side;
  }

  // ---- and, or, unless ----

  Status EvaluateSets(const Side& left, const Side& right, RowBatch* result) {
    const bool is_or = expr_.op == BinaryOp::kOr;
    ASSIGN_OR_RETURN(const Presence in_left, PresenceBySignature(left));
    ASSIGN_OR_RETURN(const Presence in_right, PresenceBySignature(right));
    for (std::size_t i = 0; i < left.rows.size(); ++i) {
      RETURN_IF_ERROR(deadline_.After(steps_));
      const std::uint8_t* other = in_right.data() + left.signatures[i] * steps_;
      RETURN_IF_ERROR(
          AddMasked(left.rows, i, is_or ? nullptr : other, expr_.op == BinaryOp::kAnd, result));
    }
    if (!is_or) return OkStatus();
    for (std::size_t i = 0; i < right.rows.size(); ++i) {
      RETURN_IF_ERROR(deadline_.After(steps_));
      const std::uint8_t* other = in_left.data() + right.signatures[i] * steps_;
      RETURN_IF_ERROR(AddMasked(right.rows, i, other, false, result));
    }
    return OkStatus();
  }

  using Presence = std::vector<std::uint8_t>;

  StatusOr<Presence> PresenceBySignature(const Side& side) {
    RETURN_IF_ERROR(Charge(signatures_.size() * steps_));
    Presence presence(signatures_.size() * steps_);
    for (std::size_t s = 0; s < side.by_signature.size(); ++s) {
      for (const std::size_t row : side.by_signature[s]) {
        RETURN_IF_ERROR(deadline_.After(steps_));
        for (std::size_t k = 0; k < steps_; ++k)
          if (side.rows.Holds(row, k)) presence[s * steps_ + k] = 1;
      }
    }
    return presence;
  }

  // Adds a row where the mask is as wanted; everywhere when there is no mask.
  Status AddMasked(const RowBatch& rows, std::size_t row, const std::uint8_t* mask, bool wanted,
                   RowBatch* result) {
    RETURN_IF_ERROR(result->AddCopy(rows, row, "set operator"));
    const std::size_t at = result->size() - 1;
    for (std::size_t k = 0; mask != nullptr && k < steps_; ++k) {
      if ((mask[k] != 0) == wanted) continue;
      result->present(at)[k] = 0;
      result->values(at)[k] = 0;
      if (result->histograms(at) != nullptr) result->RemoveHistogram(at, k);
    }
    if (!result->AnyPresent(at)) result->RemoveLast();
    return OkStatus();
  }

  // ---- arithmetic and comparisons ----

  Status EvaluateMatches(Side& left, Side& right, RowBatch* result) {
    const bool swapped = matching_.card == Cardinality::kOneToMany;
    Side& many = swapped ? right : left;
    Side& one = swapped ? left : right;
    if (matching_.fill_lhs || matching_.fill_rhs)
      std::fill(many.any.begin(), many.any.end(), std::uint8_t{1});
    RETURN_IF_ERROR(CheckOneSide(one, many.any, swapped ? "left" : "right"));
    RETURN_IF_ERROR(Fill(many, one));
    ASSIGN_OR_RETURN(may_collide_, MayCollide(many));
    // In the order of the side of many, as the reference has it in instant queries.
    for (std::size_t m = 0; m < many.rows.size(); ++m) {
      for (const std::size_t o : one.by_signature[many.signatures[m]]) {
        RETURN_IF_ERROR(deadline_.After(steps_));
        RETURN_IF_ERROR(Match(many, m, one.rows, o, swapped, result));
      }
    }
    return OkStatus();
  }

  // Whether two matches of a signature could have the same labels or, one to one, there could be
  // two. Almost never, so that most often no step needs to be looked at.
  StatusOr<bool> MayCollide(const Side& many) {
    if (matching_.card == Cardinality::kOneToOne) return true;
    if (matching_.include.empty() && (KeepsName(expr_) || HaveOneName(many.rows))) return false;
    LabelsMap<bool> seen;
    for (std::size_t i = 0; i < many.rows.size(); ++i) {
      model::LabelsBuilder builder(KeepsName(expr_) ? many.rows.labels(i)
                                                    : WithoutName(many.rows.labels(i)));
      for (const std::string& label : matching_.include) builder.Remove(label);
      RETURN_IF_ERROR(deadline_.After(kLabelsCost));
      RETURN_IF_ERROR(Charge(kEntryBytes + many.rows.labels(i).memory_bytes()));
      if (!seen.emplace(builder.Build(), true).second) return true;
    }
    return false;
  }

  static bool HaveOneName(const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const model::Labels& labels = rows.labels(i);
      if (HasTypeOrUnit(labels) ||
          labels.Get(model::kMetricName) != rows.labels(0).Get(model::kMetricName))
        return false;
    }
    return true;
  }

  // fill_left stands for the side of many whichever that is, as in the reference.
  Status Fill(Side& many, Side& one) {
    if (!matching_.fill_lhs && !matching_.fill_rhs) return OkStatus();
    ASSIGN_OR_RETURN(const Presence in_many, PresenceBySignature(many));
    ASSIGN_OR_RETURN(const Presence in_one, PresenceBySignature(one));
    if (matching_.fill_rhs)
      RETURN_IF_ERROR(AddFilled(*matching_.fill_rhs, in_one, in_many, many, &one));
    if (matching_.fill_lhs)
      RETURN_IF_ERROR(AddFilled(*matching_.fill_lhs, in_many, in_one, one, &many));
    return OkStatus();
  }

  // Adds rows that have `value` where a signature has a value on the other side only.
  Status AddFilled(double value, const std::vector<std::uint8_t>& present,
                   const std::vector<std::uint8_t>& wanted, const Side& other, Side* side) {
    RETURN_IF_ERROR(Charge(signatures_.size()));
    std::vector<std::uint8_t> done(signatures_.size());
    for (std::size_t i = 0; i < other.rows.size(); ++i) {
      const std::size_t s = other.signatures[i];
      if (std::exchange(done[s], std::uint8_t{1}) != 0) continue;
      RETURN_IF_ERROR(deadline_.After(steps_));
      std::size_t row = SIZE_MAX;
      for (std::size_t k = 0; k < steps_; ++k) {
        if (wanted[s * steps_ + k] == 0 || present[s * steps_ + k] != 0) continue;
        if (row == SIZE_MAX) {
          RETURN_IF_ERROR(
              side->rows.Add(SignatureOf(matching_).Of(other.rows.labels(i)), "fill modifier"));
          row = side->rows.size() - 1;
          side->AddToSignature(row, s);
        }
        side->rows.values(row)[k] = value;
        side->rows.present(row)[k] = 1;
      }
    }
    return OkStatus();
  }

  // At a step where both sides have values no signature may have two on the one side. Tells of the
  // first step and there of the first series, as the reference does.
  Status CheckOneSide(const Side& one, const std::vector<std::uint8_t>& many_any,
                      std::string_view name) {
    RETURN_IF_ERROR(Charge(steps_ * sizeof(std::size_t)));
    std::vector<std::size_t> owner(steps_);
    std::size_t first_step = steps_;
    std::size_t first_row = 0;
    std::size_t its_owner = 0;
    for (const std::vector<std::size_t>& rows : one.by_signature) {
      if (rows.size() < 2) continue;
      std::fill(owner.begin(), owner.end(), SIZE_MAX);
      for (const std::size_t row : rows) {
        RETURN_IF_ERROR(deadline_.After(steps_));
        for (std::size_t k = 0; k < steps_; ++k) {
          if (!one.rows.Holds(row, k) || many_any[k] == 0) continue;
          if (owner[k] == SIZE_MAX) {
            owner[k] = row;
          } else if (k < first_step || (k == first_step && row < first_row)) {
            first_step = k;
            first_row = row;
            its_owner = owner[k];
          }
        }
      }
    }
    if (first_step == steps_) return OkStatus();
    return DuplicateError(one.rows, its_owner, first_row, name);
  }

  Status DuplicateError(const RowBatch& rows, std::size_t a, std::size_t b,
                        std::string_view side) const {
    std::string first = rows.labels(a).ToString();
    std::string second = rows.labels(b).ToString();
    if (second < first) std::swap(first, second);
    return MakeError(
        StatusCode::kFailedPrecondition,
        fmt::format(
            "found duplicate series for the match group {} on the {} hand-side of the operation: "
            "[{}, {}];many-to-many matching not allowed: matching labels must be unique on one "
            "side",
            SignatureOf(matching_).Of(rows.labels(a)).ToString(), side, first, second));
  }

  Status Match(const Side& many_side, std::size_t m, const RowBatch& one, std::size_t o,
               bool swapped, RowBatch* result) {
    const RowBatch& many = many_side.rows;
    const std::size_t signature = many_side.signatures[m];
    model::Labels labels = ResultLabels(many.labels(m), one.labels(o));
    std::uint8_t* taken = nullptr;
    if (may_collide_ && many_side.by_signature[signature].size() > 1) {
      ASSIGN_OR_RETURN(taken, Taken(signature, labels));
    }
    RETURN_IF_ERROR(result->Add(std::move(labels), "binary operator"));
    // A comparison forgets that its operands were to drop their names, as in the reference.
    result->set_drops_name(result->size() - 1, expr_.return_bool);
    if (many.histograms(m) != nullptr || one.histograms(o) != nullptr || IsTrim(expr_.op))
      return MatchMixed(many, m, one, o, swapped, taken, result);
    const bool filter = IsComparison(expr_.op) && !expr_.return_bool;
    const std::size_t at = result->size() - 1;
    for (std::size_t k = 0; k < steps_; ++k) {
      if (many.present(m)[k] == 0 || one.present(o)[k] == 0) continue;
      RETURN_IF_ERROR(Take(k, taken));
      const double a = swapped ? one.values(o)[k] : many.values(m)[k];
      const double b = swapped ? many.values(m)[k] : one.values(o)[k];
      const double value = Apply(expr_.op, a, b);
      if (filter && value == 0) continue;
      result->values(at)[k] = filter ? a : value;
      result->present(at)[k] = 1;
    }
    if (!result->AnyPresent(at)) result->RemoveLast();
    return OkStatus();
  }

  // The steps that matches of the signature have taken: one to one all of them, else those that
  // give the same labels.
  StatusOr<std::uint8_t*> Taken(std::size_t signature, const model::Labels& labels) {
    const bool one_to_one = matching_.card == Cardinality::kOneToOne;
    std::vector<std::uint8_t>& taken = taken_[signature][one_to_one ? model::Labels() : labels];
    if (taken.empty()) {
      RETURN_IF_ERROR(Charge(kEntryBytes + steps_));
      taken.resize(steps_);
    }
    return taken.data();
  }

  // Of such matches only one may be at a step, also where a comparison then drops it.
  Status Take(std::size_t k, std::uint8_t* taken) const {
    if (taken == nullptr || std::exchange(taken[k], std::uint8_t{1}) == 0) return OkStatus();
    return MakeError(StatusCode::kFailedPrecondition,
                     matching_.card == Cardinality::kOneToOne
                         ? "multiple matches for labels: many-to-one matching must be explicit "
                           "(group_left/group_right)"
                         : "multiple matches for labels: grouping labels must ensure unique "
                           "matches");
  }

  static Operand OperandAt(const RowBatch& rows, std::size_t row, std::size_t k) {
    if (rows.present(row)[k] != 0 || rows.histograms(row) == nullptr)
      return {rows.values(row)[k], nullptr};
    return {0, rows.histograms(row)[k]};
  }

  // Match for rows with histograms; the last row of the result is the one to fill.
  Status MatchMixed(const RowBatch& many, std::size_t m, const RowBatch& one, std::size_t o,
                    bool swapped, std::uint8_t* taken, RowBatch* result) {
    const std::size_t at = result->size() - 1;
    for (std::size_t k = 0; k < steps_; ++k) {
      if (!many.Holds(m, k) || !one.Holds(o, k)) continue;
      const Operand a = swapped ? OperandAt(one, o, k) : OperandAt(many, m, k);
      const Operand b = swapped ? OperandAt(many, m, k) : OperandAt(one, o, k);
      OperationResult pair = Operate(expr_.op, a, b);
      if (pair.note.kind != OperationNote::Kind::kNone)
        RETURN_IF_ERROR(Remember(k, m, std::move(pair.note)));
      if (!pair.defined) continue;
      RETURN_IF_ERROR(Take(k, taken));
      if (expr_.return_bool) pair.value = {pair.holds ? 1.0 : 0.0, nullptr};
      if (!pair.holds && !expr_.return_bool) continue;
      if (pair.value.histogram != nullptr) {
        RETURN_IF_ERROR(
            result->SetHistogram(at, k, std::move(pair.value.histogram), "binary operator"));
        continue;
      }
      result->values(at)[k] = pair.value.number;
      result->present(at)[k] = 1;
    }
    if (!result->AnyPresent(at)) result->RemoveLast();
    return OkStatus();
  }

  // Of the notes of a step the reference tells that of the last series only.
  Status Remember(std::size_t k, std::size_t row, OperationNote note) {
    if (notes_.empty()) RETURN_IF_ERROR(Charge(steps_ * sizeof(StepNote)));
    notes_.resize(steps_);
    if (notes_[k].note.kind != OperationNote::Kind::kNone && notes_[k].row > row) return OkStatus();
    notes_[k] = {row, std::move(note)};
    return OkStatus();
  }

  model::Labels ResultLabels(const model::Labels& many, const model::Labels& one) const {
    model::LabelsBuilder builder(many);
    const bool delayed = expr_.return_bool && state_.delays_names;
    if (!KeepsName(expr_) && !delayed) builder.Reset(WithoutName(many));
    if (matching_.card == Cardinality::kOneToOne) {
      if (matching_.on) {
        builder.Keep(matching_.labels);
      } else {
        for (const std::string& label : matching_.labels) builder.Remove(label);
      }
    }
    for (const std::string& label : matching_.include) builder.Set(label, one.Get(label));
    return builder.Build();
  }

  QueryState& state_;
  const std::size_t steps_;
  const BinaryExpr& expr_;
  const VectorMatching& matching_;
  Groups signatures_;
  OperatorPtr lhs_;
  OperatorPtr rhs_;
  OperatorPtr result_;
  bool may_collide_ = false;
  std::unordered_map<std::size_t, LabelsMap<std::vector<std::uint8_t>>> taken_;  // by signature
  DeadlineCheck deadline_;
  MemoryCharge charge_;
  struct StepNote {
    std::size_t row = 0;
    OperationNote note;
  };
  std::vector<StepNote> notes_;  // empty, or one a step
};

}  // namespace

OperatorPtr MakeVectorBinary(QueryState& state, std::size_t steps, const BinaryExpr& expr,
                             OperatorPtr lhs, OperatorPtr rhs) {
  return std::make_unique<VectorBinaryOperator>(state, steps, expr, std::move(lhs), std::move(rhs));
}

}  // namespace aevum::promql
