#include "promql/engine/select_sharing.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace aevum::promql {
namespace {

constexpr std::int64_t kMostBytes = 64 << 20;
constexpr std::int64_t kShareOfBudget = 4;  // a quarter of what a query may use

bool SameSamples(const SelectHints& a, const SelectHints& b) {
  return a.start_ms == b.start_ms && a.end_ms == b.end_ms && a.step_ms == b.step_ms &&
         a.range_ms == b.range_ms && a.function == b.function && a.by == b.by &&
         a.grouping == b.grouping;
}

bool Contains(const model::Matchers& matchers, const model::Matcher& matcher) {
  return std::find(matchers.begin(), matchers.end(), matcher) != matchers.end();
}

// Some series of a batch.
class PartOfBatch final : public SelectBatch {
 public:
  PartOfBatch(std::shared_ptr<const SelectBatch> batch, std::vector<std::size_t> series)
      : batch_(std::move(batch)), series_(std::move(series)) {}
  std::size_t size() const override { return series_.size(); }
  const model::Labels& labels(std::size_t index) const override {
    return batch_->labels(series_[index]);
  }
  Status Decode(std::size_t index, chunk::Columns* out) const override {
    return batch_->Decode(series_[index], out);
  }
  std::int64_t memory_bytes() const override { return batch_->memory_bytes(); }

 private:
  const std::shared_ptr<const SelectBatch> batch_;
  const std::vector<std::size_t> series_;
};

// The series of a batch that meet the matchers; null when there are none.
std::unique_ptr<const SelectBatch> Matching(std::shared_ptr<const SelectBatch> batch,
                                            const model::Matchers& matchers) {
  std::vector<std::size_t> series;
  for (std::size_t i = 0; i < batch->size(); ++i) {
    if (model::MatchesAll(matchers, batch->labels(i))) series.push_back(i);
  }
  if (series.empty()) return nullptr;
  return std::make_unique<PartOfBatch>(std::move(batch), std::move(series));
}

model::Matchers Beyond(const model::Matchers& wide, const model::Matchers& narrow) {
  model::Matchers rest;
  std::copy_if(narrow.begin(), narrow.end(), std::back_inserter(rest),
               [&](const model::Matcher& matcher) { return !Contains(wide, matcher); });
  return rest;
}

}  // namespace

// What was read of a selector.
struct SelectSharing::Kept {
  model::Matchers matchers;
  SelectHints hints;
  std::vector<std::shared_ptr<const SelectBatch>> batches;
  std::vector<std::string> warnings;
  MemoryCharge charge;
  std::int64_t bytes = 0;
  bool complete = false;
  bool given_up = false;

  // Gives up what there is when it gets too much.
  void Add(const std::shared_ptr<const SelectBatch>& batch, std::int64_t most_bytes) {
    if (given_up) return;
    const std::int64_t more = batch->memory_bytes();
    if (bytes + more <= most_bytes && charge.Add(more, "series kept for several selectors").ok()) {
      bytes += more;
      batches.push_back(batch);
      return;
    }
    given_up = true;
    batches.clear();
    charge.Reset();
  }
};

// Reads for a selector and keeps what it read for others.
class SelectSharing::KeepingStream final : public SelectStream {
 public:
  KeepingStream(std::unique_ptr<SelectStream> stream, std::shared_ptr<Kept> kept,
                model::Matchers filter, std::int64_t most_bytes)
      : stream_(std::move(stream)),
        kept_(std::move(kept)),
        filter_(std::move(filter)),
        most_bytes_(most_bytes) {}

  StatusOr<std::unique_ptr<const SelectBatch>> Next() override {
    while (true) {
      ASSIGN_OR_RETURN(std::shared_ptr<const SelectBatch> batch, stream_->Next());
      if (batch == nullptr) {
        kept_->warnings = stream_->warnings();
        kept_->complete = !kept_->given_up;
        return nullptr;
      }
      kept_->Add(batch, most_bytes_);
      if (auto matching = Matching(std::move(batch), filter_)) return matching;
    }
  }
  std::vector<std::string> warnings() const override { return stream_->warnings(); }

 private:
  const std::unique_ptr<SelectStream> stream_;
  const std::shared_ptr<Kept> kept_;
  const model::Matchers filter_;
  const std::int64_t most_bytes_;
};

class SelectSharing::KeptStream final : public SelectStream {
 public:
  KeptStream(std::shared_ptr<const Kept> kept, model::Matchers filter)
      : kept_(std::move(kept)), filter_(std::move(filter)) {}

  StatusOr<std::unique_ptr<const SelectBatch>> Next() override {
    while (next_ < kept_->batches.size()) {
      if (auto matching = Matching(kept_->batches[next_++], filter_)) return matching;
    }
    return nullptr;
  }
  std::vector<std::string> warnings() const override { return kept_->warnings; }

 private:
  const std::shared_ptr<const Kept> kept_;
  const model::Matchers filter_;
  std::size_t next_ = 0;
};

SelectSharing::SelectSharing(Queryable& source, bool shares) : source_(source), shares_(shares) {}
SelectSharing::~SelectSharing() = default;

SelectSharing::Ticket::Ticket(SelectSharing& sharing, model::Matchers matchers, SelectHints hints)
    : sharing_(sharing), matchers_(std::move(matchers)), hints_(std::move(hints)) {
  sharing_.waiting_.push_back(this);
}

SelectSharing::Ticket::~Ticket() {
  if (!waits_) return;
  sharing_.waiting_.remove(this);
  sharing_.ForgetUnwanted();
}

std::unique_ptr<SelectSharing::Ticket> SelectSharing::Expect(model::Matchers matchers,
                                                             SelectHints hints) {
  return std::unique_ptr<Ticket>(new Ticket(*this, std::move(matchers), std::move(hints)));
}

StatusOr<std::unique_ptr<SelectStream>> SelectSharing::Ticket::Open(const Context& context) {
  waits_ = false;
  sharing_.waiting_.remove(this);
  if (std::shared_ptr<Kept> kept = sharing_.FindKept(*this)) {
    model::Matchers filter = Beyond(kept->matchers, matchers_);
    sharing_.ForgetUnwanted();
    return std::make_unique<KeptStream>(std::move(kept), std::move(filter));
  }
  const Ticket* widest = sharing_.WidestFor(*this);
  if (widest == nullptr) return sharing_.source_.Select(context, matchers_, hints_);
  ASSIGN_OR_RETURN(auto stream, sharing_.source_.Select(context, widest->matchers_, hints_));
  auto kept = std::make_shared<Kept>(Kept{.matchers = widest->matchers_, .hints = hints_});
  kept->charge = MemoryCharge(context.budget());
  std::int64_t most = kMostBytes;
  if (context.budget()) most = std::min(most, context.budget()->limit_bytes() / kShareOfBudget);
  sharing_.kept_.push_back(kept);
  model::Matchers filter = Beyond(kept->matchers, matchers_);
  return std::make_unique<KeepingStream>(std::move(stream), std::move(kept), std::move(filter),
                                         most);
}

bool SelectSharing::Serves(const model::Matchers& wide, const model::Matchers& narrow) const {
  const auto in_narrow = [&](const model::Matcher& matcher) { return Contains(narrow, matcher); };
  if (!std::all_of(wide.begin(), wide.end(), in_narrow)) return false;
  return std::all_of(narrow.begin(), narrow.end(), [&](const model::Matcher& matcher) {
    return Contains(wide, matcher) || source_.MatchesOnLabels(matcher.name());
  });
}

const SelectSharing::Ticket* SelectSharing::WidestFor(const Ticket& ticket) const {
  if (!shares_) return nullptr;
  const Ticket* widest = &ticket;
  for (const Ticket* other : waiting_) {
    if (SameSamples(other->hints_, ticket.hints_) && Serves(other->matchers_, ticket.matchers_) &&
        other->matchers_.size() < widest->matchers_.size())
      widest = other;
  }
  const bool wanted = std::any_of(waiting_.begin(), waiting_.end(), [&](const Ticket* other) {
    return SameSamples(other->hints_, ticket.hints_) && Serves(widest->matchers_, other->matchers_);
  });
  return wanted ? widest : nullptr;
}

std::shared_ptr<SelectSharing::Kept> SelectSharing::FindKept(const Ticket& ticket) const {
  for (const std::shared_ptr<Kept>& kept : kept_) {
    if (kept->complete && SameSamples(kept->hints, ticket.hints_) &&
        Serves(kept->matchers, ticket.matchers_))
      return kept;
  }
  return nullptr;
}

void SelectSharing::ForgetUnwanted() {
  std::erase_if(kept_, [&](const std::shared_ptr<Kept>& kept) {
    return kept->complete && std::none_of(waiting_.begin(), waiting_.end(), [&](Ticket* ticket) {
             return SameSamples(kept->hints, ticket->hints_) &&
                    Serves(kept->matchers, ticket->matchers_);
           });
  });
}

}  // namespace aevum::promql
