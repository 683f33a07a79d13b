#include "compaction/series_filter.h"

#include <algorithm>

namespace aevum::compaction {

void SeriesFilter::AddSymbol(std::string_view symbol) {
  const std::uint32_t number = symbols_++;
  if (symbol == "__name__") name_ = number;
  if (symbol == "__type__") type_ = number;
  if (symbol == "counter") counter_ = number;
  if (symbol == "gauge") gauge_ = number;
  names_counter_.push_back(symbol.ends_with("_total") || symbol.ends_with("_count") ||
                           symbol.ends_with("_sum") || symbol.ends_with("_bucket"));
  for (std::size_t d = 0; d < deletions_.size(); ++d) {
    for (std::size_t m = 0; m < matchers_[d].size(); ++m) {
      const model::Matcher& matcher = deletions_[d].matchers[m];
      if (symbol == matcher.name()) matchers_[d][m].name = number;
      matchers_[d][m].matches.push_back(matcher.Matches(symbol));
    }
  }
}

bool SeriesFilter::Matches(std::size_t d, std::span<const tsdb::SeriesEntry::Label> labels,
                           const std::map<std::string, std::string>& external) const {
  for (std::size_t m = 0; m < matchers_[d].size(); ++m) {
    const model::Matcher& matcher = deletions_[d].matchers[m];
    const Noted& noted = matchers_[d][m];
    // External labels hide those of the series.
    if (const auto found = external.find(matcher.name()); found != external.end()) {
      if (!matcher.Matches(found->second)) return false;
      continue;
    }
    const auto label = std::find_if(labels.begin(), labels.end(), [&](const auto& l) {
      return noted.name && l.name == *noted.name;
    });
    const bool matches =
        label == labels.end() ? matcher.MatchesEmpty() : noted.matches[label->value];
    if (!matches) return false;
  }
  return true;
}

void SeriesFilter::AppendDeleted(std::span<const tsdb::SeriesEntry::Label> labels,
                                 const std::map<std::string, std::string>& external,
                                 std::vector<tsdb::TimeRange>* ranges) const {
  for (std::size_t d = 0; d < deletions_.size(); ++d) {
    const Deletion& deletion = deletions_[d];
    if (deletion.min_time <= deletion.max_time && Matches(d, labels, external))
      ranges->push_back({deletion.min_time, deletion.max_time});
  }
}

store::dedup::SeriesType SeriesFilter::TypeOf(
    std::span<const tsdb::SeriesEntry::Label> labels) const {
  using store::dedup::SeriesType;
  bool counter = false;
  for (const tsdb::SeriesEntry::Label& label : labels) {
    if (type_ && label.name == *type_) {
      if (gauge_ && label.value == *gauge_) return SeriesType::kGauge;
      counter |= counter_ && label.value == *counter_;
    }
    counter |= name_ && label.name == *name_ && names_counter_[label.value];
  }
  return counter ? SeriesType::kCounter : SeriesType::kUnknown;
}

void JoinRanges(std::vector<tsdb::TimeRange>* ranges) {
  std::sort(ranges->begin(), ranges->end(),
            [](const auto& a, const auto& b) { return a.min_time < b.min_time; });
  std::size_t kept = 0;
  for (const tsdb::TimeRange& range : *ranges) {
    if (kept > 0 && range.min_time <= (*ranges)[kept - 1].max_time) {
      (*ranges)[kept - 1].max_time = std::max((*ranges)[kept - 1].max_time, range.max_time);
    } else {
      (*ranges)[kept++] = range;
    }
  }
  ranges->resize(kept, tsdb::TimeRange{});
}

}  // namespace aevum::compaction
