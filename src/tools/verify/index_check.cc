#include "tools/verify/index_check.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "model/labels.h"
#include "tsdb/index_tables.h"
#include "tsdb/postings.h"
#include "tsdb/series_entry.h"

namespace aevum::tools {
namespace {

using tsdb::ChunkMeta;

// One check of one index.
class IndexCheck {
 public:
  IndexCheck(const Context& context, const SharedBytes& index, const tsdb::IndexTables& tables,
             const block::Meta& meta, std::size_t segments)
      : context_(context), index_(index), tables_(tables), meta_(meta), symbols_(tables.symbols()) {
    report_.chunk_offsets.resize(segments);
  }

  StatusOr<IndexReport> Run() {
    const auto all = tables_.postings().Find("", "");
    if (!all) return Corruption("the index has no postings of all series");
    ASSIGN_OR_RETURN(series_, ReadPostings("", "", *all));
    for (const tsdb::SeriesRef ref : series_) {
      if (report_.health.series % kContextEvery == 0) RETURN_IF_ERROR(context_.status());
      if (const Status status = CheckSeries(ref); !status.ok()) {
        return Annotate(status,
                        fmt::format("series at offset {} of the index", tables_.SeriesOffset(ref)));
      }
    }
    RETURN_IF_ERROR(CheckPostings());
    for (std::vector<std::uint32_t>& offsets : report_.chunk_offsets) {
      if (!std::is_sorted(offsets.begin(), offsets.end()))
        std::sort(offsets.begin(), offsets.end());
      offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
    }
    return std::move(report_);
  }

 private:
  static constexpr std::uint64_t kContextEvery = 4096;

  StatusOr<tsdb::Postings> ReadPostings(std::string_view name, std::string_view value,
                                        const tsdb::PostingsRange& range) const {
    auto postings = tsdb::DecodePostings(index_.view.substr(range.begin, range.size()));
    if (!postings.ok()) {
      return Annotate(postings.status(),
                      fmt::format("{}=\"{}\" at offset {} of the index", name, value, range.begin));
    }
    return postings;
  }

  Status CheckSeries(tsdb::SeriesRef ref) {
    const std::uint64_t offset = tables_.SeriesOffset(ref);
    if (offset >= index_.size()) return Corruption("beyond the index of {} bytes", index_.size());
    RETURN_IF_ERROR(tsdb::ParseSeriesEntryInAnyOrder(index_.view.substr(offset), &entry_));
    ++report_.health.series;
    RETURN_IF_ERROR(CheckLabels());
    CheckTimes();
    for (const ChunkMeta& chunk : entry_.chunks) {
      if (chunk.segment() >= report_.chunk_offsets.size()) {
        return Corruption("a chunk in segment {} of a block that has {}", chunk.segment() + 1ULL,
                          report_.chunk_offsets.size());
      }
      report_.chunk_offsets[chunk.segment()].push_back(chunk.offset());
    }
    return OkStatus();
  }

  Status CheckLabels() {
    labels_.clear();
    bool sorted = true;
    for (const tsdb::SeriesEntry::Label& label : entry_.labels) {
      ASSIGN_OR_RETURN(const std::string_view name, symbols_.Find(label.name));
      ASSIGN_OR_RETURN(const std::string_view value, symbols_.Find(label.value));
      if (name.empty() || value.empty()) return Corruption("a label is empty");
      sorted = sorted && (labels_.empty() || labels_.back().name < name);
      labels_.push_back({name, value});
    }
    label_count_ += labels_.size();
    if (!sorted) {
      ++report_.health.series_with_unsorted_labels;
      return OkStatus();
    }
    model::Labels labels = model::Labels::FromSorted(labels_);
    if (report_.health.series > 1 && !(previous_ < labels))
      return Corruption("series are out of order: {} behind {}", labels.ToString(),
                        previous_.ToString());
    previous_ = std::move(labels);
    return OkStatus();
  }

  void CheckTimes() {
    IndexHealth& health = report_.health;
    std::uint64_t unsorted = 0;
    for (std::size_t i = 0; i < entry_.chunks.size(); ++i) {
      const ChunkMeta& chunk = entry_.chunks[i];
      ++health.chunks;
      if (chunk.min_time < meta_.min_time || chunk.max_time > meta_.max_time) {
        ++health.outside_chunks;
        if (chunk.min_time > meta_.max_time || chunk.max_time < meta_.min_time) {
          ++health.wholly_outside_chunks;
        } else if (chunk.min_time == meta_.max_time) {
          ++health.issue_347_chunks;
        }
      }
      if (i == 0 || chunk.min_time > entry_.chunks[i - 1].max_time) continue;
      ++unsorted;
      const ChunkMeta& before = entry_.chunks[i - 1];
      if (chunk.min_time == before.min_time && chunk.max_time == before.max_time)
        ++health.duplicated_chunks;
    }
    health.unsorted_chunks += unsorted;
    if (unsorted > 0) ++health.series_with_unsorted_chunks;
  }

  // Each list names series that there are, and together they name each label of each series once.
  Status CheckPostings() {
    std::uint64_t named = 0;
    for (const std::string_view name : tables_.postings().Names()) {
      RETURN_IF_ERROR(context_.status());
      Status status;
      tables_.postings().ForEachValue(
          name, "", [&](std::string_view value, const tsdb::PostingsRange& range) {
            const StatusOr<tsdb::Postings> postings = ReadPostings(name, value, range);
            if (!postings.ok()) {
              status = postings.status();
              return false;
            }
            named += postings->size();
            if (!tsdb::Subtract(*postings, series_).empty()) {
              status =
                  Corruption("postings of {}=\"{}\" name a series that is not there", name, value);
            }
            return status.ok();
          });
      RETURN_IF_ERROR(status);
    }
    if (named != label_count_)
      return Corruption("postings name {} labels of series, the series have {}", named,
                        label_count_);
    return OkStatus();
  }

  const Context& context_;
  const SharedBytes& index_;
  const tsdb::IndexTables& tables_;
  const block::Meta& meta_;
  tsdb::SymbolCache symbols_;
  tsdb::Postings series_;
  tsdb::SeriesEntry entry_;           // scratch
  std::vector<model::Label> labels_;  // scratch
  model::Labels previous_;
  std::uint64_t label_count_ = 0;
  IndexReport report_;
};

double Ratio(std::uint64_t part, std::uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::string IndexHealth::Problems() const {
  std::vector<std::string> problems;
  if (const std::uint64_t partly = outside_chunks - wholly_outside_chunks - issue_347_chunks;
      partly > 0) {
    problems.push_back(
        fmt::format("found {} chunks non-completely outside the block time range", partly));
  }
  if (wholly_outside_chunks > 0) {
    problems.push_back(fmt::format("found {} chunks completely outside the block time range",
                                   wholly_outside_chunks));
  }
  if (issue_347_chunks > 0) {
    problems.push_back(
        fmt::format("found {} chunks outside the block time range introduced by "
                    "https://github.com/prometheus/tsdb/issues/347",
                    issue_347_chunks));
  }
  if (series_with_unsorted_labels > 0) {
    problems.push_back(fmt::format("index contains {} postings with out of order labels",
                                   series_with_unsorted_labels));
  }
  if (unsorted_chunks > 0) {
    problems.push_back(fmt::format(
        "{}/{} series have an average of {:.3f} out-of-order chunks: {:.3f} of these are exact "
        "duplicates (in terms of data and time range)",
        series_with_unsorted_chunks, series, Ratio(unsorted_chunks, series_with_unsorted_chunks),
        Ratio(duplicated_chunks, unsorted_chunks)));
  }
  return fmt::format("{}", fmt::join(problems, ", "));
}

StatusOr<IndexReport> CheckIndex(const Context& context, SharedBytes index, const block::Meta& meta,
                                 std::size_t segments) {
  ASSIGN_OR_RETURN(const tsdb::IndexTables tables, tsdb::IndexTables::OpenIndex(index));
  return IndexCheck(context, index, tables, meta, segments).Run();
}

}  // namespace aevum::tools
