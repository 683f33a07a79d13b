#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/duration.h"
#include "model/quote.h"
#include "promql/engine/deadline_check.h"
#include "promql/engine/elementwise.h"
#include "promql/engine/histogram_windows.h"
#include "promql/function_table.h"
#include "promql/functions/bucket_quantile.h"
#include "promql/functions/native_histograms.h"
#include "promql/functions/whole_vectors.h"
#include "promql/printer.h"

namespace aevum::promql {
namespace {

using functions::Bucket;
using functions::BucketQuantile;

constexpr std::string_view kBucketLabel = "le";
constexpr std::size_t kEntryBytes = 128;  // of a map by labels

// The bound that a value of `le` names; nullopt when it is none.
std::optional<double> ParseBound(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with('-')) return std::nullopt;
  double bound = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bound);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return negative ? -bound : bound;
}

// A row of the input, which is one bucket.
struct BucketRow {
  double upper_bound;
  std::size_t row;
};

// The buckets of each histogram, by its labels.
using Histograms = std::map<model::Labels, std::vector<BucketRow>>;

// Where and by how much counts went down, over all histograms and steps.
struct ForcedInfo {
  BucketQuantile extent;
  TimestampMs first = 0;
  TimestampMs last = 0;
  int samples = 0;

  void Add(const BucketQuantile& one, TimestampMs time) {
    first = samples == 0 ? time : std::min(first, time);
    last = samples == 0 ? time : std::max(last, time);
    ++samples;
    extent.lowest_forced = std::min(extent.lowest_forced, one.lowest_forced);
    extent.highest_forced = std::max(extent.highest_forced, one.highest_forced);
    extent.largest_difference = std::max(extent.largest_difference, one.largest_difference);
  }
};

// One answer for each histogram: a quantile, or the fraction between two bounds.
struct Question {
  bool fraction = false;
  std::vector<double> ranks;  // or lower bounds; a value a step
  std::vector<double> uppers;
};

// A rank as the value of a label: 0.5, 1.0.
std::string RankText(double rank) {
  std::string text = FormatShort(rank == 0 ? 0 : rank);  // -0 has no sign here
  if (std::isfinite(rank) && text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

class HistogramOperator final : public Operator {
 public:
  // With a label each rank is a series of its own.
  HistogramOperator(QueryState& state, const Grid& grid, const Expr& argument,
                    std::vector<Question> questions, std::string rank_label, OperatorPtr source)
      : state_(state),
        grid_(grid),
        argument_(argument),
        questions_(std::move(questions)),
        rank_label_(std::move(rank_label)),
        source_(std::move(source)),
        deadline_(state.context),
        charge_(state.context.budget()) {}

  StatusOr<bool> Next(RowBatch* out) override {
    if (result_ == nullptr) {
      ASSIGN_OR_RETURN(const RowBatch rows, Materialize(*source_, state_, grid_.steps));
      ASSIGN_OR_RETURN(RowBatch result, Answer(rows));
      charge_.Reset();
      result_ = MakeRowSource(std::move(result), state_.context.budget());
    }
    return result_->Next(out);
  }

 private:
  // For what the answer needs beside its rows; released when it is done.
  Status Charge(std::size_t bytes) {
    return charge_.Add(static_cast<std::int64_t>(bytes), "histogram function");
  }

  StatusOr<Histograms> Group(const RowBatch& rows) {
    Histograms histograms;
    RETURN_IF_ERROR(Charge(2 * sizeof(BucketRow) * rows.size()));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      // Rows of native histograms only have no bound.
      if (std::memchr(rows.present(i), 1, rows.steps()) == nullptr) continue;
      const std::string_view text = rows.labels(i).Get(kBucketLabel);
      const std::optional<double> bound = ParseBound(text);
      if (!bound) {
        WarnOfBound(text, NameOf(rows.labels(i)));
        continue;
      }
      // A bound that is no number has no place among the others.
      if (std::isnan(*bound)) continue;
      model::LabelsBuilder builder(rows.labels(i));
      std::vector<BucketRow>& buckets = histograms[builder.Remove(kBucketLabel).Build()];
      if (buckets.empty()) RETURN_IF_ERROR(Charge(kEntryBytes + rows.labels(i).memory_bytes()));
      buckets.push_back({*bound, i});
    }
    for (auto& [labels, buckets] : histograms) {
      // So that the sorting at each step finds them in order.
      std::stable_sort(buckets.begin(), buckets.end(), [](const BucketRow& a, const BucketRow& b) {
        return a.upper_bound < b.upper_bound;
      });
    }
    return histograms;
  }

  StatusOr<RowBatch> Answer(const RowBatch& rows) {
    RowBatch result;
    result.Reset(grid_.steps, state_.context.budget());
    ASSIGN_OR_RETURN(const Histograms classic, Group(rows));
    // By native row, where a classic histogram has the same labels.
    std::map<model::Labels, std::size_t> native;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows.histograms(i) == nullptr) continue;
      RETURN_IF_ERROR(Charge(kEntryBytes));
      native[rows.labels(i)] = i;
    }
    for (const Question& question : questions_) {
      for (const auto& [labels, row] : native)
        RETURN_IF_ERROR(AnswerNative(question, rows, row, classic, &result));
      for (const auto& [labels, buckets] : classic) {
        RETURN_IF_ERROR(state_.context.status());
        const auto same = native.find(labels);
        RETURN_IF_ERROR(
            AnswerClassic(question, rows, labels, buckets,
                          same == native.end() ? nullptr : rows.histograms(same->second), &result));
      }
    }
    for (const auto& [name, forced] : forced_) TellOfForced(forced, name);
    RETURN_IF_ERROR(MergeEqualLabels(&result, state_));
    return result;
  }

  static bool AnyBucketAt(const std::vector<BucketRow>& buckets, const RowBatch& rows,
                          std::size_t k) {
    return std::any_of(buckets.begin(), buckets.end(),
                       [&](const BucketRow& bucket) { return rows.present(bucket.row)[k] != 0; });
  }

  Status AnswerNative(const Question& question, const RowBatch& rows, std::size_t row,
                      const Histograms& classic, RowBatch* result) {
    RETURN_IF_ERROR(state_.context.status());
    const HistogramPtr* histograms = rows.histograms(row);
    const auto same = classic.find(rows.labels(row));
    const model::Labels base = ResultLabels(rows.labels(row));
    const std::string_view name = NameOf(rows.labels(row));
    RowOfRank at;
    for (std::size_t k = 0; k < grid_.steps; ++k) {
      if (histograms[k] == nullptr) continue;
      RETURN_IF_ERROR(deadline_.After(kValuesOfHistogram));
      if (same != classic.end() && AnyBucketAt(same->second, rows, k)) {
        state_.annotations.AddWarning(
            Named("vector contains a mix of classic and native histograms", name), argument_);
        continue;
      }
      const functions::NativeResult answer =
          question.fraction
              ? functions::NativeFraction(question.ranks[k], question.uppers[k], *histograms[k])
              : functions::NativeQuantile(question.ranks[k], *histograms[k]);
      TellOfNan(answer.note, name);
      RETURN_IF_ERROR(Put(question, base, k, answer.value, &at, result));
    }
    return OkStatus();
  }

  // `native` has the histograms with the same labels, or is null.
  Status AnswerClassic(const Question& question, const RowBatch& rows, const model::Labels& labels,
                       const std::vector<BucketRow>& buckets, const HistogramPtr* native,
                       RowBatch* result) {
    const model::Labels base = ResultLabels(labels);
    std::vector<Bucket> present;
    RowOfRank at;
    for (std::size_t k = 0; k < grid_.steps; ++k) {
      if (native != nullptr && native[k] != nullptr) continue;
      RETURN_IF_ERROR(deadline_.After(buckets.size()));
      present.clear();
      for (const BucketRow& bucket : buckets) {
        if (rows.present(bucket.row)[k] == 0) continue;
        present.push_back({bucket.upper_bound, rows.values(bucket.row)[k]});
      }
      if (present.empty()) continue;
      double value = 0;
      if (question.fraction) {
        value = functions::FractionOfBuckets(question.ranks[k], question.uppers[k], &present);
      } else {
        const BucketQuantile quantile = functions::QuantileOfBuckets(question.ranks[k], &present);
        if (quantile.forced_monotonic)
          forced_[std::string(NameOf(labels))].Add(quantile, grid_.At(k));
        value = quantile.value;
      }
      RETURN_IF_ERROR(Put(question, base, k, value, &at, result));
    }
    return OkStatus();
  }

  // The row of the last answer; another rank may need another.
  struct RowOfRank {
    std::optional<std::size_t> row;
    std::string rank;
  };

  Status Put(const Question& question, const model::Labels& base, std::size_t k, double value,
             RowOfRank* at, RowBatch* result) {
    std::string rank = rank_label_.empty() ? "" : RankText(question.ranks[k]);
    if (!at->row || at->rank != rank) {
      model::Labels labels =
          rank_label_.empty() ? base : model::LabelsBuilder(base).Set(rank_label_, rank).Build();
      RETURN_IF_ERROR(result->Add(std::move(labels), "histogram function"));
      result->set_drops_name(result->size() - 1, true);
      *at = {result->size() - 1, std::move(rank)};
    }
    result->values(*at->row)[k] = value;
    result->present(*at->row)[k] = 1;
    return OkStatus();
  }

  // Names that are dropped at once are not in texts either.
  std::string_view NameOf(const model::Labels& labels) const {
    return state_.delays_names ? labels.Get(model::kMetricName) : "";
  }

  model::Labels ResultLabels(const model::Labels& labels) const {
    return state_.delays_names ? labels : WithoutName(labels);
  }

  static std::string Named(std::string_view text, std::string_view name) {
    std::string all(text);
    if (name.empty()) return all;
    all += " for metric name ";
    model::AppendGoQuoted(all, name);
    return all;
  }

  void TellOfNan(functions::NanNote note, std::string_view name) {
    const auto tell = [&](std::string_view text) {
      state_.annotations.AddInfo(Named(text, name), argument_);
    };
    switch (note) {
      case functions::NanNote::kNone:
        break;
      case functions::NanNote::kResultIsNan:
        tell("input to histogram_quantile has NaN observations, result is NaN");
        break;
      case functions::NanNote::kSkewed:
        tell("input to histogram_quantile has NaN observations, result is skewed higher");
        break;
      case functions::NanNote::kExcluded:
        tell(
            "input to histogram_fraction has NaN observations, which are excluded from all "
            "fractions");
        break;
    }
  }

  void WarnOfBound(std::string_view text, std::string_view name) {
    std::string warning = "bucket label \"le\" is missing or has a malformed value of ";
    model::AppendGoQuoted(warning, text);
    state_.annotations.AddWarning(Named(warning, name), argument_);
  }

  void TellOfForced(const ForcedInfo& forced, std::string_view name) {
    const auto second = [](TimestampMs time) { return FormatRfc3339(time - time % 1000); };
    state_.annotations.AddInfo(
        fmt::format("{}, from buckets {} to {}, with a max diff of {:.2g}, over {} samples from {} "
                    "to {}",
                    Named("input to histogram_quantile needed to be fixed for monotonicity (see "
                          "https://prometheus.io/docs/prometheus/latest/querying/functions/"
                          "#histogram_quantile)",
                          name),
                    FormatShort(forced.extent.lowest_forced),
                    FormatShort(forced.extent.highest_forced), forced.extent.largest_difference,
                    forced.samples, second(forced.first), second(forced.last)),
        argument_);
  }

  QueryState& state_;
  const Grid grid_;
  const Expr& argument_;
  const std::vector<Question> questions_;
  const std::string rank_label_;
  OperatorPtr source_;
  OperatorPtr result_;
  std::map<std::string, ForcedInfo> forced_;  // by name
  DeadlineCheck deadline_;
  MemoryCharge charge_;
};

// The operator over the vector argument, which looks at buckets.
StatusOr<OperatorPtr> OverHistograms(const Call& call, const Expr& argument, Planner& planner,
                                     std::vector<Question> questions, std::string rank_label) {
  ++planner.state().buckets_depth;
  StatusOr<OperatorPtr> source = planner.Vector(argument, call.function->name);
  --planner.state().buckets_depth;
  if (!source.ok()) return source.status();
  return OperatorPtr(std::make_unique<HistogramOperator>(
      planner.state(), planner.grid(), WithoutParens(argument), std::move(questions),
      std::move(rank_label), *std::move(source)));
}

}  // namespace

StatusOr<OperatorPtr> MakeHistogramQuantile(const Call& call, Planner& planner) {
  Question question;
  ASSIGN_OR_RETURN(question.ranks, planner.Scalar(*call.args[0]));
  planner.WarnOfQuantile(question.ranks, *call.args[0]);
  return OverHistograms(call, *call.args[1], planner, {std::move(question)}, "");
}

StatusOr<OperatorPtr> MakeHistogramFraction(const Call& call, Planner& planner) {
  Question question{.fraction = true};
  ASSIGN_OR_RETURN(question.ranks, planner.Scalar(*call.args[0]));
  ASSIGN_OR_RETURN(question.uppers, planner.Scalar(*call.args[1]));
  return OverHistograms(call, *call.args[2], planner, {std::move(question)}, "");
}

StatusOr<OperatorPtr> MakeHistogramQuantiles(const Call& call, Planner& planner) {
  ASSIGN_OR_RETURN(std::string label, Planner::String(*call.args[1]));
  if (label.empty()) return Unimplemented("quantiles without a label are not available yet");
  std::vector<Question> questions;
  for (std::size_t i = 2; i < call.args.size(); ++i) {
    Question question;
    ASSIGN_OR_RETURN(question.ranks, planner.Scalar(*call.args[i]));
    planner.WarnOfQuantile(question.ranks, *call.args[i]);
    questions.push_back(std::move(question));
  }
  return OverHistograms(call, *call.args[0], planner, std::move(questions), std::move(label));
}

}  // namespace aevum::promql
