#include "tsdb/block_labels.h"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include "tsdb/posting_groups.h"
#include "tsdb/series_entry.h"

namespace aevum::tsdb {
namespace {

constexpr std::size_t kSeriesAtOnce = 10'000;
constexpr std::size_t kPostingsAtOnce = 1'000;
// What the entry of a series takes, roughly, against four bytes in postings.
constexpr std::uint64_t kTypicalEntryBytes = 128;
constexpr TimeRange kNoChunks = {INT64_MAX, INT64_MIN};

using VisitLabel = std::function<void(const SeriesEntry::Label&)>;

// Calls for each label of the series.
Status ForEachLabel(const Context& context, const IndexTables& tables, BlockSource& source,
                    std::span<const SeriesRef> series, const VisitLabel& visit) {
  SeriesEntry entry;
  while (!series.empty()) {
    RETURN_IF_ERROR(context.status());
    const auto refs = series.first(std::min(series.size(), kSeriesAtOnce));
    ASSIGN_OR_RETURN(const Pieces pieces, source.ReadSeries(context, refs));
    for (std::size_t i = 0; i < refs.size(); ++i) {
      if (Status status = ParseSeriesEntry(pieces.bytes[i], kNoChunks, &entry); !status.ok()) {
        return Annotate(
            status, fmt::format("series at offset {} of the index", tables.SeriesOffset(refs[i])));
      }
      for (const SeriesEntry::Label& label : entry.labels) visit(label);
    }
    series = series.subspan(refs.size());
  }
  return OkStatus();
}

// The strings of symbols, sorted, each once.
StatusOr<std::vector<std::string>> StringsOf(const SymbolTable& table,
                                             std::vector<std::uint32_t> symbols) {
  std::sort(symbols.begin(), symbols.end());
  symbols.erase(std::unique(symbols.begin(), symbols.end()), symbols.end());
  std::vector<std::string> strings;
  strings.reserve(symbols.size());
  for (const std::uint32_t symbol : symbols) {
    ASSIGN_OR_RETURN(const std::string_view text, table.Find(symbol));
    strings.emplace_back(text);
  }
  std::sort(strings.begin(), strings.end());  // they are, but in indexes of version 1
  return strings;
}

// Drops what repeats, so that a column of a million equal symbols stays small.
void Compress(std::vector<std::uint32_t>* symbols) {
  std::sort(symbols->begin(), symbols->end());
  symbols->erase(std::unique(symbols->begin(), symbols->end()), symbols->end());
}

class SymbolSet {
 public:
  void Add(std::uint32_t symbol) {
    if (!symbols_.empty() && symbols_.back() == symbol) return;
    symbols_.push_back(symbol);
    if (symbols_.size() < limit_) return;
    Compress(&symbols_);
    limit_ = std::max(kLeast, symbols_.size() * 2);
  }
  std::vector<std::uint32_t> Take() && { return std::move(symbols_); }

 private:
  static constexpr std::size_t kLeast = 1 << 16;
  std::vector<std::uint32_t> symbols_;
  std::size_t limit_ = kLeast;
};

StatusOr<std::vector<std::string>> ValuesFromSeries(const Context& context,
                                                    const IndexTables& tables, BlockSource& source,
                                                    std::string_view name, const Postings& series) {
  SymbolSet values;
  SymbolCache symbols(tables.symbols());
  Status status;
  RETURN_IF_ERROR(
      ForEachLabel(context, tables, source, series, [&](const SeriesEntry::Label& label) {
        const StatusOr<std::string_view> found = symbols.Find(label.name);
        if (!found.ok()) status = found.status();
        if (found.ok() && *found == name) values.Add(label.value);
      }));
  RETURN_IF_ERROR(status);
  return StringsOf(tables.symbols(), std::move(values).Take());
}

StatusOr<std::vector<std::string>> ValuesFromPostings(const Context& context, BlockSource& source,
                                                      std::span<const PostingsKey> keys,
                                                      const Postings& series) {
  std::vector<std::string> values;
  while (!keys.empty()) {
    RETURN_IF_ERROR(context.status());
    const auto some = keys.first(std::min(keys.size(), kPostingsAtOnce));
    ASSIGN_OR_RETURN(const Pieces pieces, source.ReadPostings(context, some));
    for (std::size_t i = 0; i < some.size(); ++i) {
      ASSIGN_OR_RETURN(const Postings postings, DecodePostings(pieces.bytes[i]));
      if (!Intersect(series, postings).empty()) values.emplace_back(some[i].value);
    }
    keys = keys.subspan(some.size());
  }
  return values;
}

}  // namespace

StatusOr<std::vector<std::string>> LabelNames(const Context& context, const IndexTables& tables,
                                              BlockSource& source,
                                              const model::Matchers& matchers) {
  if (matchers.empty()) {
    const std::vector<std::string_view> names = tables.postings().Names();
    return std::vector<std::string>(names.begin(), names.end());
  }
  ASSIGN_OR_RETURN(const PostingGroups groups,
                   ResolveMatchers(context, tables.postings(), matchers));
  ASSIGN_OR_RETURN(const Postings series, SelectSeries(context, groups, source));
  SymbolSet names;
  RETURN_IF_ERROR(ForEachLabel(context, tables, source, series,
                               [&](const SeriesEntry::Label& label) { names.Add(label.name); }));
  return StringsOf(tables.symbols(), std::move(names).Take());
}

StatusOr<std::vector<std::string>> LabelValues(const Context& context, const IndexTables& tables,
                                               BlockSource& source, std::string_view name,
                                               const model::Matchers& matchers) {
  const PostingOffsets& table = tables.postings();
  model::Matchers others;
  model::Matchers own;
  for (const model::Matcher& matcher : matchers)
    (matcher.name() == name ? own : others).push_back(matcher);
  std::vector<PostingsKey> keys;
  std::uint64_t bytes = 0;
  table.ForEachValue(name, "", [&](std::string_view value, const PostingsRange& range) {
    for (const model::Matcher& matcher : own) {
      if (!matcher.Matches(value)) return true;
    }
    keys.push_back({name, value, range});
    bytes += range.size();
    return true;
  });
  if (keys.empty()) return std::vector<std::string>();
  if (others.empty()) {
    std::vector<std::string> values;
    values.reserve(keys.size());
    for (const PostingsKey& key : keys) values.emplace_back(key.value);
    return values;
  }
  ASSIGN_OR_RETURN(const PostingGroups groups, ResolveMatchers(context, table, matchers));
  ASSIGN_OR_RETURN(const Postings series, SelectSeries(context, groups, source));
  if (series.empty()) return std::vector<std::string>();
  if (series.size() * kTypicalEntryBytes < bytes)
    return ValuesFromSeries(context, tables, source, name, series);
  return ValuesFromPostings(context, source, keys, series);
}

}  // namespace aevum::tsdb
