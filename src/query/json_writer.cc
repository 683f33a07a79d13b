#include "query/json_writer.h"

#include <cstring>

#include "model/format_float.h"
#include "query/json_histogram.h"
#include "query/stats_json.h"

namespace aevum::query {
namespace {

constexpr std::size_t kMaxPoint = 2 * model::kMaxFloatSize;

// `[time,"` of each step, made once for all series.
class Prefixes {
 public:
  explicit Prefixes(const promql::QueryResult& result) {
    const std::size_t steps = result.rows.steps();
    texts_.resize(steps);
    for (std::size_t k = 0; k < steps; ++k) {
      char* const start = texts_[k].bytes;
      *start = '[';
      char* end = model::FormatTimestamp(start + 1, result.TimeOf(k));
      *end++ = ',';
      *end++ = '"';
      texts_[k].size = static_cast<std::uint8_t>(end - start);
    }
  }

  // Writes `[time,"value"]` and returns the end; at most kMaxPoint bytes, some of them behind it.
  char* Put(char* out, std::size_t k, double value) const {
    const Text& text = texts_[k];
    std::memcpy(out, text.bytes, sizeof text.bytes);
    out = model::FormatFloat(out + text.size, value);
    *out++ = '"';
    *out++ = ']';
    return out;
  }

 private:
  struct Text {
    char bytes[31];
    std::uint8_t size;
  };
  std::vector<Text> texts_;
};

}  // namespace

void JsonWriter::Sample(TimestampMs time, double value) {
  char text[2 * model::kMaxFloatSize];
  char* end = text;
  *end++ = '[';
  end = model::FormatTimestamp(end, time);
  *end++ = ',';
  *end++ = '"';
  end = model::FormatFloat(end, value);
  *end++ = '"';
  *end++ = ']';
  Raw({text, static_cast<std::size_t>(end - text)});
}

void JsonWriter::Sample(TimestampMs time, const model::FloatHistogram& histogram) {
  char text[model::kMaxFloatSize];
  Raw("[");
  Raw({text, static_cast<std::size_t>(model::FormatTimestamp(text, time) - text)});
  buffer() += ',';
  AppendJsonHistogram(buffer(), histogram);
  Raw("]");
}

void JsonWriter::Histograms(const promql::QueryResult& result, std::size_t row) {
  const promql::HistogramPtr* histograms = result.rows.histograms(row);
  bool any = false;
  for (std::size_t k = 0; histograms != nullptr && k < result.rows.steps(); ++k) {
    if (histograms[k] == nullptr) continue;
    Raw(any ? "," : ",\"histograms\":[");
    any = true;
    Sample(result.TimeOf(k), *histograms[k]);
  }
  if (any) Raw("]");
}

void JsonWriter::Vector(const promql::QueryResult& result) {
  bool first = true;
  for (std::size_t i = 0; i < result.rows.size() && !failed(); ++i) {
    const promql::HistogramPtr* histograms = result.rows.histograms(i);
    if (!result.rows.Holds(i, 0)) continue;
    Raw(first ? "{\"metric\":" : ",{\"metric\":");
    first = false;
    Labels(result.rows.labels(i));
    if (histograms != nullptr && histograms[0] != nullptr) {
      Raw(",\"histogram\":");
      Sample(result.start, *histograms[0]);
    } else {
      Raw(",\"value\":");
      Sample(result.start, result.rows.values(i)[0]);
    }
    Raw("}");
  }
}

void JsonWriter::Matrix(const promql::QueryResult& result) {
  const Prefixes prefixes(result);
  const std::size_t steps = result.rows.steps();
  bool first = true;
  for (std::size_t i = 0; i < result.rows.size() && !failed(); ++i) {
    if (!result.rows.AnyPresent(i)) continue;
    Raw(first ? "{\"metric\":" : ",{\"metric\":");
    first = false;
    Labels(result.rows.labels(i));
    const double* values = result.rows.values(i);
    const std::uint8_t* present = result.rows.present(i);
    if (result.rows.histograms(i) != nullptr && std::memchr(present, 1, steps) == nullptr) {
      Histograms(result, i);
      Raw("}");
      continue;
    }
    Raw(",\"values\":[");
    char points[4096];
    char* end = points;
    bool comma = false;
    for (std::size_t k = 0; k < steps; ++k) {
      if (present[k] == 0) continue;
      if (comma) *end++ = ',';
      comma = true;
      end = prefixes.Put(end, k, values[k]);
      if (end > points + sizeof points - kMaxPoint - 1) {
        Raw({points, static_cast<std::size_t>(end - points)});
        end = points;
      }
    }
    Raw({points, static_cast<std::size_t>(end - points)});
    Raw("]");
    Histograms(result, i);
    Raw("}");
  }
}

void JsonWriter::Ranges(const promql::QueryResult& result) {
  for (std::size_t i = 0; i < result.ranges.size() && !failed(); ++i) {
    const promql::QueryResult::Range& range = result.ranges[i];
    Raw(i == 0 ? "{\"metric\":" : ",{\"metric\":");
    Labels(range.labels);
    for (std::size_t k = 0; k < range.times.size(); ++k) {
      Raw(k > 0 ? "," : ",\"values\":[");
      Sample(range.times[k], range.values[k]);
    }
    if (!range.times.empty()) Raw("]");
    for (std::size_t k = 0; k < range.histograms.size(); ++k) {
      Raw(k > 0 ? "," : ",\"histograms\":[");
      Sample(range.histogram_times[k], *range.histograms[k]);
    }
    Raw(range.histograms.empty() ? "}" : "]}");
  }
}

void JsonWriter::QueryData(const promql::QueryResult& result, StatsDetail stats) {
  using promql::ValueType;
  Raw("{\"resultType\":\"");
  Raw(promql::ValueTypeName(result.type));
  Raw("\",\"result\":");
  switch (result.type) {
    case ValueType::kScalar:
      Sample(result.start, result.scalar);
      break;
    case ValueType::kString: {
      char text[model::kMaxFloatSize];
      Raw("[");
      Raw({text, static_cast<std::size_t>(model::FormatTimestamp(text, result.start) - text)});
      Raw(",");
      String(result.text);
      Raw("]");
      break;
    }
    default:
      Raw("[");
      if (result.type == ValueType::kVector) {
        Vector(result);
      } else if (result.ranges.empty()) {
        Matrix(result);
      } else {
        Ranges(result);
      }
      Raw("]");
  }
  if (stats != StatsDetail::kNone) {
    Raw(",\"stats\":");
    WriteStats(result, stats, *this);
  }
  Raw(",\"analysis\":");
  if (result.analysis) {
    WriteAnalysis(*result.analysis, *this);
  } else {
    Raw("{}");
  }
  Raw("}");
}

}  // namespace aevum::query
