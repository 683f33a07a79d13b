#include "tsdb/block_labels.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "tsdb/label_uses.h"
#include "tsdb/posting_groups.h"
#include "tsdb/series_entry.h"

namespace aevum::tsdb {
namespace {

constexpr std::size_t kSeriesAtOnce = 10'000;
constexpr std::size_t kPostingsAtOnce = 1'000;
// What the entry of a series takes, roughly, against four bytes in postings.
constexpr std::uint64_t kTypicalEntryBytes = 128;
constexpr TimeRange kNoChunks = {INT64_MAX, INT64_MIN};

// Takes the next kSeriesAtOnce of `*series` and calls visit(label) for each of their labels.
template <typename Visit>
Status VisitSomeLabels(const Context& context, const IndexTables& tables, BlockSource& source,
                       std::span<const SeriesRef>* series, Visit visit) {
  RETURN_IF_ERROR(context.status());
  const auto refs = series->first(std::min(series->size(), kSeriesAtOnce));
  *series = series->subspan(refs.size());
  ASSIGN_OR_RETURN(const Pieces pieces, source.ReadSeries(context, refs));
  SeriesEntry entry;
  for (std::size_t i = 0; i < refs.size(); ++i) {
    if (Status status = ParseSeriesEntry(pieces.bytes[i], kNoChunks, &entry); !status.ok()) {
      return Annotate(
          status, fmt::format("series at offset {} of the index", tables.SeriesOffset(refs[i])));
    }
    for (const SeriesEntry::Label& label : entry.labels) visit(label);
  }
  return OkStatus();
}

// Values of a name with postings that have a series in common with `series`, from the first that is
// accepted on: calls found(value) for each until it returns false.
template <typename Accept, typename Found>
Status FindValues(const Context& context, const PostingOffsets& table, BlockSource& source,
                  std::string_view name, std::span<const SeriesRef> series, Accept accept,
                  Found found) {
  std::string from;
  std::vector<PostingsKey> keys;
  do {
    RETURN_IF_ERROR(context.status());
    keys.clear();
    bool more = false;
    table.ForEachValue(name, from, [&](std::string_view value, const PostingsRange& range) {
      more = keys.size() == kPostingsAtOnce;
      if (more) {
        from = value;
      } else if (accept(value)) {
        keys.push_back({name, value, range});
      }
      return !more;
    });
    ASSIGN_OR_RETURN(const Pieces pieces, source.ReadPostings(context, keys));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      ASSIGN_OR_RETURN(const Postings postings, DecodePostings(pieces.bytes[i]));
      if (Overlap(series, postings) && !found(keys[i].value)) return OkStatus();
    }
    if (!more) return OkStatus();
  } while (true);
}

// Of all postings of a name.
std::uint64_t PostingsBytes(const PostingOffsets& table, std::string_view name) {
  std::uint64_t bytes = 0;
  table.ForEachValue(name, "", [&](std::string_view, const PostingsRange& range) {
    bytes += range.size();
    return true;
  });
  return bytes;
}

// The strings of symbols, sorted, each once.
StatusOr<std::vector<std::string>> StringsOf(const SymbolTable& table,
                                             std::vector<std::uint32_t> symbols) {
  std::sort(symbols.begin(), symbols.end());
  symbols.erase(std::unique(symbols.begin(), symbols.end()), symbols.end());
  std::vector<std::string> strings;
  strings.reserve(symbols.size());
  SymbolTable::Place place;
  for (const std::uint32_t symbol : symbols) {
    ASSIGN_OR_RETURN(const std::string_view text, table.Find(symbol, &place));
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
                                                    std::string_view name,
                                                    std::span<const SeriesRef> series) {
  SymbolSet values;
  // Each string is one symbol, so once the name has been met numbers are compared.
  std::optional<std::uint32_t> wanted;
  SymbolCache symbols(tables.symbols());
  Status status;
  while (!series.empty()) {
    RETURN_IF_ERROR(
        VisitSomeLabels(context, tables, source, &series, [&](const SeriesEntry::Label& label) {
          if (!wanted) {
            const StatusOr<std::string_view> found = symbols.Find(label.name);
            if (!found.ok()) status = found.status();
            if (found.ok() && *found == name) wanted = label.name;
          }
          if (wanted == label.name) values.Add(label.value);
        }));
    RETURN_IF_ERROR(status);
  }
  return StringsOf(tables.symbols(), std::move(values).Take());
}

// The names that the series have. Most are met with the first series; those that are not are
// looked for in their postings, if these are less than the rest of the series.
StatusOr<std::vector<std::string>> NamesOfSeries(const Context& context, const IndexTables& tables,
                                                 BlockSource& source,
                                                 std::span<const SeriesRef> series) {
  const PostingOffsets& table = tables.postings();
  const std::vector<std::string_view> all = table.Names();
  NameUses met;
  std::vector<std::string> names;
  bool first = true;
  while (!series.empty() && met.uses().size() < all.size()) {
    const std::size_t known = met.uses().size();
    RETURN_IF_ERROR(
        VisitSomeLabels(context, tables, source, &series,
                        [&](const SeriesEntry::Label& label) { met.SlotOf(label.name); }));
    for (std::size_t i = known; i < met.uses().size(); ++i) {
      ASSIGN_OR_RETURN(names.emplace_back(), tables.symbols().Find(met.uses()[i].name));
    }
    std::sort(names.begin(), names.end());
    if (!std::exchange(first, false)) continue;
    std::vector<std::string_view> missing;
    std::set_difference(all.begin(), all.end(), names.begin(), names.end(),
                        std::back_inserter(missing));
    std::uint64_t bytes = 0;
    for (const std::string_view name : missing) bytes += PostingsBytes(table, name);
    if (bytes > series.size() * kTypicalEntryBytes) continue;
    for (const std::string_view name : missing) {
      RETURN_IF_ERROR(FindValues(
          context, table, source, name, series, [](std::string_view) { return true; },
          [&](std::string_view) {
            names.emplace_back(name);
            return false;
          }));
    }
    break;
  }
  std::sort(names.begin(), names.end());
  return names;
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
  return NamesOfSeries(context, tables, source, series);
}

StatusOr<std::vector<std::string>> LabelValues(const Context& context, const IndexTables& tables,
                                               BlockSource& source, std::string_view name,
                                               const model::Matchers& matchers) {
  const PostingOffsets& table = tables.postings();
  model::Matchers own;
  for (const model::Matcher& matcher : matchers) {
    if (matcher.name() == name) own.push_back(matcher);
  }
  const auto accepted = [&](std::string_view value) {
    return std::all_of(own.begin(), own.end(),
                       [&](const model::Matcher& matcher) { return matcher.Matches(value); });
  };
  std::vector<std::string> values;
  if (own.size() == matchers.size()) {
    table.ForEachValue(name, "", [&](std::string_view value, const PostingsRange&) {
      if (accepted(value)) values.emplace_back(value);
      return true;
    });
    return values;
  }
  if (table.CountValues(name) == 0) return values;
  ASSIGN_OR_RETURN(const PostingGroups groups, ResolveMatchers(context, table, matchers));
  ASSIGN_OR_RETURN(const Postings series, SelectSeries(context, groups, source));
  if (series.empty()) return values;
  std::uint64_t bytes = 0;
  table.ForEachValue(name, "", [&](std::string_view value, const PostingsRange& range) {
    if (accepted(value)) bytes += range.size();
    return bytes <= series.size() * kTypicalEntryBytes;
  });
  if (bytes > series.size() * kTypicalEntryBytes)
    return ValuesFromSeries(context, tables, source, name, series);
  RETURN_IF_ERROR(
      FindValues(context, table, source, name, series, accepted, [&](std::string_view value) {
        values.emplace_back(value);
        return true;
      }));
  return values;
}

}  // namespace aevum::tsdb
