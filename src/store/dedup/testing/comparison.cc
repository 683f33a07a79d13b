#include "store/dedup/testing/comparison.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace aevum::store::dedup::testing {
namespace {

// A hundredth of the scale.
constexpr double kNotable = 0.01;

WindowKind KindOf(const SimulatedCase& c, const chunk::Columns& ours,
                  const SimulatedCase::Window& window) {
  if (IsOneReplica(c, ours, window)) return WindowKind::kOneReplica;
  if (c.Has(Fault::kSmallSkew) || c.Has(Fault::kMinuteSkew)) return WindowKind::kClocks;
  if (c.Has(Fault::kOtherInterval) || c.Has(Fault::kIntervalChange)) return WindowKind::kIntervals;
  return WindowKind::kChange;
}

std::string FaultsOf(const SimulatedCase& c) {
  std::string text;
  for (const Fault fault : c.faults) text += (text.empty() ? "" : ", ") + NameOf(fault);
  return text;
}

}  // namespace

std::string NameOf(WindowKind kind) {
  constexpr std::array<const char*, kWindowKinds> kNames = {"one replica", "clocks", "intervals",
                                                            "change"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string WorseCase::Text() const {
  return fmt::format("{}\t{}\t{:.4f}\t{:.4f}\t{}\t{}\t{}\n", seed,
                     answers_more ? "answers more" : NameOf(kind), ours, theirs, missing,
                     their_missing, faults);
}

void Comparison::Add(std::uint64_t seed, const SimulatedCase& c, const Sample& ours,
                     const Sample& other) {
  std::array<double, kWindowKinds> surplus{};
  double common = 0;
  int answered = 0;
  for (std::size_t i = 0; i < c.windows.size(); ++i) {
    const std::optional<double>& a = ours.measure.each[i];
    const std::optional<double>& b = other.measure.each[i];
    if (!a || !b) continue;
    const double more = *a - *b;
    common += more;
    ++answered;
    if (std::abs(more) <= kNotable) continue;
    const auto kind = static_cast<std::size_t>(KindOf(c, ours.columns, c.windows[i]));
    Windows& windows = windows_[kind];
    surplus[kind] += more;
    ++(more > 0 ? windows.worse : windows.better);
    (more > 0 ? windows.lost : windows.gained) += std::min(1.0, std::abs(more));
  }
  const double difference = ours.measure.MeanError() - other.measure.MeanError();
  ++(difference < 0 ? better_ : difference == 0 ? equal_ : worse_);
  if (difference <= kNotable) return;
  const auto most = std::max_element(surplus.begin(), surplus.end());
  listed_.push_back({.seed = seed,
                     .ours = ours.measure.MeanError(),
                     .theirs = other.measure.MeanError(),
                     .missing = ours.measure.missing,
                     .their_missing = other.measure.missing,
                     .answers_more = answered == 0 || common / answered <= kNotable,
                     .kind = static_cast<WindowKind>(most - surplus.begin()),
                     .faults = FaultsOf(c)});
}

std::vector<WorseCase> Comparison::Worse() const {
  std::vector<WorseCase> sorted = listed_;
  std::sort(sorted.begin(), sorted.end(), [](const WorseCase& a, const WorseCase& b) {
    return a.ours - a.theirs > b.ours - b.theirs;
  });
  return sorted;
}

std::string Comparison::Text() const {
  const auto by_five = std::count_if(listed_.begin(), listed_.end(), [](const WorseCase& one) {
    return one.ours - one.theirs > 5 * kNotable;
  });
  std::string text = fmt::format(
      "cases: better {}, equal {}, worse {}, by more than 1 % of the scale {}, by more than 5 % "
      "{}\n",
      better_, equal_, worse_, listed_.size(), by_five);
  text += "windows that differ by more than 1 %:\n| | worse | better | lost | gained |\n";
  for (std::size_t k = 0; k < kWindowKinds; ++k) {
    const Windows& w = windows_[k];
    text += fmt::format("| {} | {} | {} | {:.0f} | {:.0f} |\n", NameOf(static_cast<WindowKind>(k)),
                        w.worse, w.better, w.lost, w.gained);
  }
  std::map<std::string, int> kinds;
  for (const WorseCase& one : listed_) {
    ++kinds[one.answers_more ? "answers more" : NameOf(one.kind)];
  }
  for (const auto& [kind, count] : kinds) text += fmt::format("  {}: {} cases\n", kind, count);
  for (const WorseCase& one : Worse()) text += "  " + one.Text();
  return text;
}

}  // namespace aevum::store::dedup::testing
