#include "store/dedup/penalty.h"

#include <memory>
#include <utility>
#include <vector>

#include "store/dedup/cursor.h"

namespace aevum::store::dedup {
namespace {

// What the other row has to wait before any distance between samples is known.
constexpr TimestampMs kInitialPenalty = 5000;

// time + delta without wrapping round; delta is not negative.
TimestampMs Later(TimestampMs time, TimestampMs delta) {
  TimestampMs sum = 0;
  return __builtin_add_overflow(time, delta, &sum) ? kMaxTime : sum;
}

TimestampMs Twice(TimestampMs from, TimestampMs to) {
  TimestampMs distance = 0;
  if (__builtin_sub_overflow(to, from, &distance)) return kMaxTime;
  return __builtin_mul_overflow(distance, TimestampMs{2}, &distance) ? kMaxTime : distance;
}

// The rule for two rows, told apart from where their samples come from and go to.
class Choice {
 public:
  // The times that the rows have to be moved to before Pick.
  TimestampMs seek_a() const { return Later(Later(last_, 1), penalty_a_); }
  TimestampMs seek_b() const { return Later(Later(last_, 1), penalty_b_); }

  bool uses_a() const { return uses_a_; }
  TimestampMs last() const { return last_; }

  // False when both rows have ended.
  template <typename A, typename B>
  bool Pick(const A& a, const B& b) {
    if (last_ == kMaxTime) return false;
    if (a.ended()) {
      uses_a_ = false;
      if (b.ended()) return false;
      last_ = b.time();
      penalty_b_ = 0;
      return true;
    }
    if (b.ended()) {
      uses_a_ = true;
      last_ = a.time();
      penalty_a_ = 0;
      return true;
    }
    uses_a_ = a.time() <= b.time();
    const TimestampMs time = uses_a_ ? a.time() : b.time();
    const TimestampMs penalty = last_ == kMinTime ? kInitialPenalty : Twice(last_, time);
    (uses_a_ ? penalty_b_ : penalty_a_) = penalty;
    (uses_a_ ? penalty_a_ : penalty_b_) = 0;
    last_ = time;
    return true;
  }

 private:
  TimestampMs last_ = kMinTime;
  TimestampMs penalty_a_ = 0;
  TimestampMs penalty_b_ = 0;
  bool uses_a_ = true;
};

template <bool kStarts>
void MergeTwo(const Row& first, const Row& second, ResetHints hints, chunk::Columns* out) {
  Cursor a(first);
  Cursor b(second);
  Choice choice;
  // The sample that would follow the last one given, in its own row.
  bool last_a = true;
  std::size_t follows = SIZE_MAX;
  bool last_float = false;
  while (true) {
    if (!a.ended()) a.Seek(choice.seek_a());
    if (!b.ended()) b.Seek(choice.seek_b());
    if (!choice.Pick(a, b)) return;
    const Cursor& from = choice.uses_a() ? a : b;
    const bool seam =
        hints == ResetHints::kForgetAtSeams &&
        (choice.uses_a() != last_a || from.is_float() != last_float || from.index() != follows);
    from.CopyTo<kStarts>(out, seam);
    last_a = choice.uses_a();
    last_float = from.is_float();
    follows = from.index() + 1;
  }
}

// A row, or the merge of all rows up to one, whose values can be raised: what a counter needs,
// since a switch further out raises the values further in.
class Source {
 public:
  virtual ~Source() = default;
  virtual void Seek(TimestampMs time) = 0;
  virtual void Raise(double last) = 0;
  virtual double value() const = 0;
  virtual void CopyTo(chunk::Columns* out) const = 0;

  bool ended() const { return ended_; }
  TimestampMs time() const { return time_; }
  bool is_float() const { return is_float_; }

 protected:
  bool ended_ = false;
  bool is_float_ = false;
  TimestampMs time_ = kMinTime;
};

class RowSource final : public Source {
 public:
  explicit RowSource(const Row& row) : cursor_(row) { Show(); }
  void Seek(TimestampMs time) override {
    cursor_.Seek(time);
    Show();
  }
  void Raise(double last) override {
    const double now = value();
    if (last > now) raised_ += last - now;
  }
  double value() const override { return cursor_.value() + raised_; }
  void CopyTo(chunk::Columns* out) const override {
    cursor_.CopyTo<false>(out, /*forget=*/false);
    if (cursor_.is_float()) out->values.back() = value();
  }

 private:
  void Show() {
    ended_ = cursor_.ended();
    is_float_ = cursor_.is_float();
    time_ = cursor_.time();
  }

  Cursor cursor_;
  double raised_ = 0;
};

class PairSource final : public Source {
 public:
  PairSource(std::unique_ptr<Source> a, std::unique_ptr<Source> b, TimestampMs max_time)
      : a_(std::move(a)), b_(std::move(b)), max_time_(max_time), chosen_(a_.get()) {
    Next();
  }

  void Next() {
    const bool used_a = choice_.uses_a();
    const Source& used = used_a ? *a_ : *b_;
    const bool was_float = !used.ended() && used.is_float();
    const double last = was_float ? chosen_->value() : 0;
    if (!a_->ended()) a_->Seek(choice_.seek_a());
    if (!b_->ended()) b_->Seek(choice_.seek_b());
    ended_ = !choice_.Pick(*a_, *b_);
    if (choice_.uses_a() != used_a && was_float) Raise(last);
    if (ended_) return;
    chosen_ = choice_.uses_a() ? a_.get() : b_.get();
    time_ = choice_.last();
    is_float_ = chosen_->is_float();
  }

  void Seek(TimestampMs time) override {
    while (!ended_ && time_ < time) Next();
    ended_ |= time_ > max_time_;
  }
  void Raise(double last) override {
    if (!a_->ended() && a_->is_float()) a_->Raise(last);
    if (!b_->ended() && b_->is_float()) b_->Raise(last);
  }
  double value() const override { return chosen_->value(); }
  void CopyTo(chunk::Columns* out) const override { chosen_->CopyTo(out); }

 private:
  std::unique_ptr<Source> a_;
  std::unique_ptr<Source> b_;
  const TimestampMs max_time_;  // for those that seek: as a row
  Source* chosen_;
  Choice choice_;
};

void MergeCounters(std::span<const Row> rows, chunk::Columns* out) {
  std::unique_ptr<Source> source = std::make_unique<RowSource>(rows.front());
  std::unique_ptr<PairSource> pair;
  for (const Row& row : rows.subspan(1)) {
    if (pair) source = std::move(pair);
    pair = std::make_unique<PairSource>(std::move(source), std::make_unique<RowSource>(row),
                                        rows.front().max_time);
  }
  for (; !pair->ended(); pair->Next()) pair->CopyTo(out);
  // Aggregates have no start timestamps.
  out->FitStarts();
}

template <bool kStarts>
void MergeFold(std::span<const Row> rows, ResetHints hints, chunk::Columns* out) {
  chunk::Columns left;
  chunk::Columns merged;
  left.with_starts = merged.with_starts = kStarts;
  Row folded = rows.front();
  for (const Row& row : rows.subspan(1, rows.size() - 2)) {
    merged.Clear();
    MergeTwo<kStarts>(folded, row, hints, &merged);
    std::swap(left, merged);
    while (!left.times.empty() && left.times.back() > row.max_time) {
      left.times.pop_back();
      left.values.pop_back();
    }
    while (!left.histogram_times.empty() && left.histogram_times.back() > row.max_time) {
      left.histogram_times.pop_back();
      left.histograms.pop_back();
    }
    left.FitStarts();
    folded = {.columns = &left, .max_time = kMaxTime};
  }
  MergeTwo<kStarts>(folded, rows.back(), hints, out);
}

template <bool kStarts>
void CopyRow(const Row& row, chunk::Columns* out) {
  for (Cursor cursor(row); !cursor.ended(); cursor.Next()) {
    cursor.CopyTo<kStarts>(out, /*forget=*/false);
  }
}

}  // namespace

bool IsCounterFunction(std::string_view function) {
  return function == "increase" || function == "rate" || function == "irate" ||
         function == "resets";
}

void MergePenalty(std::span<const Row> rows, Adjust adjust, ResetHints hints, chunk::Columns* out) {
  if (rows.empty()) return;
  if (rows.size() == 1) {
    out->with_starts ? CopyRow<true>(rows.front(), out) : CopyRow<false>(rows.front(), out);
  } else if (adjust == Adjust::kCounter) {
    MergeCounters(rows, out);
  } else {
    out->with_starts ? MergeFold<true>(rows, hints, out) : MergeFold<false>(rows, hints, out);
  }
}

}  // namespace aevum::store::dedup
