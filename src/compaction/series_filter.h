// What is known of series by the numbers of their labels: what is deleted of them, what they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compaction/deletion.h"
#include "store/dedup/adaptive.h"
#include "tsdb/series_entry.h"

namespace aevum::compaction {

// Series have their labels as numbers of the merged symbols; what matchers say of each symbol is
// noted while these go by: a bit a symbol and matcher. Borrows the deletions. Thread-compatible.
class SeriesFilter {
 public:
  explicit SeriesFilter(std::span<const Deletion> deletions) : deletions_(deletions) {
    for (const Deletion& deletion : deletions_) matchers_.emplace_back(deletion.matchers.size());
  }

  // Symbols in the order of their numbers.
  void AddSymbol(std::string_view symbol);

  // Appends what is deleted of a series in a block of these external labels, in any order.
  void AppendDeleted(std::span<const tsdb::SeriesEntry::Label> labels,
                     const std::map<std::string, std::string>& external,
                     std::vector<tsdb::TimeRange>* ranges) const;
  // By the type that its labels tell, or the end of its name, as the querier.
  store::dedup::SeriesType TypeOf(std::span<const tsdb::SeriesEntry::Label> labels) const;

 private:
  struct Noted {
    std::optional<std::uint32_t> name;
    std::vector<bool> matches;  // by symbol
  };

  bool Matches(std::size_t deletion, std::span<const tsdb::SeriesEntry::Label> labels,
               const std::map<std::string, std::string>& external) const;

  const std::span<const Deletion> deletions_;
  std::vector<std::vector<Noted>> matchers_;  // as those of the deletions
  std::uint32_t symbols_ = 0;
  std::optional<std::uint32_t> name_, type_, counter_, gauge_;
  std::vector<bool> names_counter_;  // by symbol: ends as counters' names do
};

// Sorts ranges and joins those that overlap.
void JoinRanges(std::vector<tsdb::TimeRange>* ranges);

}  // namespace aevum::compaction
