// Where one algorithm is worse than another, and why.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "store/dedup/testing/measure.h"
#include "store/dedup/testing/simulator.h"

namespace aevum::store::dedup::testing {

// What a window shows in which the first algorithm is nearer to the truth or farther from it.
enum class WindowKind : std::uint8_t {
  // All samples of one replica: two scrapes of one process at different moments differ.
  kOneReplica,
  // A change of replicas, or its edge, of clocks that differ by more than scrapes may be late.
  kClocks,
  // A change where the replicas have different intervals or change theirs.
  kIntervals,
  // Any other change, or its edge.
  kChange,
};
inline constexpr std::size_t kWindowKinds = 4;
std::string NameOf(WindowKind kind);

// A case that is worse by more than a hundredth of the scale.
struct WorseCase {
  std::uint64_t seed = 0;
  double ours = 0;    // mean error
  double theirs = 0;  // mean error
  int missing = 0;    // windows
  int their_missing = 0;
  // In windows that both answer it is no worse than that: the answers of the other are fewer, and
  // what it has no answer for is hard.
  bool answers_more = false;
  WindowKind kind = WindowKind::kOneReplica;  // where most of the difference is
  std::string faults;

  // Seed, kind, figures and faults between tabs.
  std::string Text() const;
};

class Comparison {
 public:
  struct Sample {
    const chunk::Columns& columns;
    const Measure& measure;
  };
  void Add(std::uint64_t seed, const SimulatedCase& c, const Sample& ours, const Sample& other);

  // The worst first.
  std::vector<WorseCase> Worse() const;
  std::string Text() const;

 private:
  struct Windows {
    int worse = 0;  // by more than a hundredth of the scale
    int better = 0;
    double lost = 0;  // of these, summed, each at most the scale
    double gained = 0;
  };
  int better_ = 0, worse_ = 0, equal_ = 0;
  std::array<Windows, kWindowKinds> windows_;
  std::vector<WorseCase> listed_;
};

}  // namespace aevum::store::dedup::testing
