#include "tools/inspect.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include <fmt/format.h>

#include "base/duration.h"
#include "tools/show.h"

namespace aevum::tools {
namespace {

using block::Meta;
using std::chrono::hours;

constexpr std::size_t kColumns = kInspectColumns.size();
using Texts = std::array<std::string, kColumns>;

// What a block of a resolution must span to be downsampled to the next.
constexpr std::int64_t kFiveMinutesMs = 300'000;
constexpr hours kSpanForFiveMinutes{40};
constexpr hours kSpanForHour{240};

// A cell of a column of numbers has its order in `number`, others in their text.
struct Row {
  Texts texts;
  std::array<std::int64_t, kColumns> numbers{};
};

std::string WithThousands(std::uint64_t number) {
  std::string text = fmt::to_string(number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::int64_t Clamped(std::uint64_t number) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(number, INT64_MAX));
}

// How much longer a block must become before it is downsampled. Negative when it could be by now.
void AddUntilDownsampled(const Meta& meta, std::string* text, std::int64_t* number) {
  *text = "-";
  *number = INT64_MIN;
  if (meta.resolution_ms != 0 && meta.resolution_ms != kFiveMinutesMs) return;
  const Nanoseconds needed = meta.resolution_ms == 0 ? kSpanForFiveMinutes : kSpanForHour;
  std::int64_t left = 0;
  if (__builtin_sub_overflow(needed.count(), SpanOf(meta.min_time, meta.max_time).count(), &left))
    return;
  *text = FormatGoDuration(Nanoseconds(left));
  *number = left;
}

Row RowOf(const Meta& meta) {
  Row row;
  std::size_t column = 0;
  const auto add = [&](std::string text, std::int64_t number = 0) {
    row.texts[column] = std::move(text);
    row.numbers[column] = number;
    ++column;
  };
  const auto count = [&](std::uint64_t number) { add(WithThousands(number), Clamped(number)); };
  add(meta.ulid.ToString());
  add(ShowSecond(meta.min_time), meta.min_time / 1000);
  add(ShowSecond(meta.max_time), meta.max_time / 1000);
  add(ShowSpan(meta.min_time, meta.max_time), SpanOf(meta.min_time, meta.max_time).count());
  AddUntilDownsampled(meta, &row.texts[column], &row.numbers[column]);
  ++column;
  count(meta.stats.series);
  count(meta.stats.samples);
  count(meta.stats.chunks);
  add(fmt::to_string(meta.compaction.level), meta.compaction.level);
  add(meta.compaction.failed ? "true" : "false");
  std::string labels;
  for (const auto& [name, value] : meta.labels)
    labels += fmt::format("{}{}={}", labels.empty() ? "" : ",", name, value);
  add(std::move(labels));
  add(ShowSpan(0, meta.resolution_ms), meta.resolution_ms);
  add(meta.source);
  return row;
}

// Code points, which is what a terminal shows of most text.
std::size_t WidthOf(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

void AppendLine(const Texts& texts, const std::array<std::size_t, kColumns>& widths, bool centred,
                std::string* out) {
  for (std::size_t i = 0; i < kColumns; ++i) {
    const std::size_t gap = widths[i] - WidthOf(texts[i]);
    const std::size_t left = centred ? gap / 2 : 0;
    *out += fmt::format("| {:{}}{}{:{}} ", "", left, texts[i], "", gap - left);
  }
  *out += "|\n";
}

std::string AsTable(const Texts& head, const std::vector<Row>& rows) {
  std::array<std::size_t, kColumns> widths{};
  for (std::size_t i = 0; i < kColumns; ++i) {
    widths[i] = WidthOf(head[i]);
    for (const Row& row : rows) widths[i] = std::max(widths[i], WidthOf(row.texts[i]));
  }
  std::string out;
  AppendLine(head, widths, /*centred=*/true, &out);
  for (const std::size_t width : widths) out += fmt::format("|{:-<{}}", "", width + 2);
  out += "|\n";
  for (const Row& row : rows) AppendLine(row.texts, widths, /*centred=*/false, &out);
  return out;
}

// RFC 4180, with quotes where Go's writer puts them.
std::string AsField(const std::string& text, char separator) {
  const bool quoted = text == "\\." || text.starts_with(' ') || text.starts_with('\t') ||
                      text.find_first_of("\"\r\n") != std::string::npos ||
                      text.find(separator) != std::string::npos;
  if (!quoted) return text;
  std::string field = "\"";
  for (const char c : text) {
    if (c == '"') field += '"';
    field += c;
  }
  return field + '"';
}

std::string AsSeparated(const Texts& head, const std::vector<Row>& rows, char separator) {
  std::string out;
  const auto append = [&](const Texts& texts) {
    for (std::size_t i = 0; i < kColumns; ++i) {
      if (i > 0) out += separator;
      out += AsField(texts[i], separator);
    }
    out += '\n';
  };
  append(head);
  for (const Row& row : rows) append(row.texts);
  return out;
}

StatusOr<std::vector<std::size_t>> ColumnsOf(const std::vector<std::string>& names) {
  std::vector<std::size_t> columns;
  for (const std::string& name : names) {
    const auto* const found = std::find(kInspectColumns.begin(), kInspectColumns.end(), name);
    if (found == kInspectColumns.end()) {
      return InvalidArgument("there is no column {}; there are {}", name,
                             fmt::join(kInspectColumns, ", "));
    }
    columns.push_back(static_cast<std::size_t>(found - kInspectColumns.begin()));
  }
  return columns;
}

bool HasLabels(const Meta& meta, const std::map<std::string, std::string>& selector) {
  return std::all_of(selector.begin(), selector.end(), [&](const auto& wanted) {
    const auto label = meta.labels.find(wanted.first);
    return label != meta.labels.end() && label->second == wanted.second;
  });
}

}  // namespace

StatusOr<std::string> InspectBlocks(const block::MetaMap& metas, const InspectOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<std::size_t> columns, ColumnsOf(options.sort_by));
  std::vector<Row> rows;
  for (const auto& [ulid, meta] : metas) {
    if (HasLabels(*meta, options.selector)) rows.push_back(RowOf(*meta));
  }
  // Rows come in the order of their ULIDs, and stay so where they are equal.
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    for (const std::size_t i : columns) {
      if (a.numbers[i] != b.numbers[i]) return a.numbers[i] < b.numbers[i];
      if (a.numbers[i] == 0 && a.texts[i] != b.texts[i]) return a.texts[i] < b.texts[i];
    }
    return false;
  });
  Texts head;
  std::copy(kInspectColumns.begin(), kInspectColumns.end(), head.begin());
  switch (options.form) {
    case InspectOptions::Form::kTsv:
      return AsSeparated(head, rows, '\t');
    case InspectOptions::Form::kCsv:
      return AsSeparated(head, rows, ',');
    case InspectOptions::Form::kTable:
      break;
  }
  return AsTable(head, rows);
}

}  // namespace aevum::tools
