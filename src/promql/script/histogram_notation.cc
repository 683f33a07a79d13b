#include "promql/script/histogram_notation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "promql/script/series_notation.h"

namespace aevum::promql::script {
namespace {

using model::FloatHistogram;

// Counts by bucket index, without those that are zero.
using Buckets = std::map<std::int64_t, double>;

Buckets ToMap(const std::vector<model::Span>& spans, const std::vector<double>& counts) {
  Buckets buckets;
  std::int64_t index = 0;
  std::size_t next = 0;
  for (const model::Span& span : spans) {
    index += span.offset;
    for (std::uint32_t i = 0; i < span.length && next < counts.size(); ++i, ++index, ++next) {
      if (counts[next] != 0) buckets[index] = counts[next];
    }
  }
  return buckets;
}

void FromMap(const Buckets& buckets, std::vector<model::Span>* spans, std::vector<double>* counts) {
  spans->clear();
  counts->clear();
  std::int64_t expected = 0;
  for (const auto& [index, count] : buckets) {
    if (spans->empty() || index != expected) {
      spans->push_back({static_cast<std::int32_t>(index - expected), 0});
    }
    ++spans->back().length;
    counts->push_back(count);
    expected = index + 1;
  }
}

// The bucket that holds another of a schema that is higher by `halvings`.
std::int64_t WiderBucket(std::int64_t index, int halvings) { return ((index - 1) >> halvings) + 1; }

bool BucketsEqual(const Buckets& a, const Buckets& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && AlmostEqual(x.second, y.second);
  });
}

void SkipSpaces(std::string_view* text) {
  text->remove_prefix(std::min(text->find_first_not_of(" \t"), text->size()));
}

// The fields of a description before it becomes a histogram.
struct Fields {
  HistogramText out;
  int offset = 0;
  int negative_offset = 0;
};

StatusOr<std::vector<double>> ParseList(std::string_view value) {
  if (!value.starts_with('[') || !value.ends_with(']')) {
    return InvalidArgument("buckets are not in brackets: {}", value);
  }
  value = value.substr(1, value.size() - 2);
  std::vector<double> numbers;
  SkipSpaces(&value);
  while (!value.empty()) {
    const std::string_view item = value.substr(0, value.find_first_of(" \t"));
    double number = 0;
    if (!ParseNumber(item, &number)) return InvalidArgument("not a number: {}", item);
    numbers.push_back(number);
    value.remove_prefix(item.size());
    SkipSpaces(&value);
  }
  return numbers;
}

Status SetResetHint(std::string_view value, HistogramText* out) {
  using enum model::ResetHint;
  out->reset_hint_given = true;
  if (value == "unknown") {
    out->histogram.reset_hint = kUnknown;
  } else if (value == "reset") {
    out->histogram.reset_hint = kReset;
  } else if (value == "not_reset") {
    out->histogram.reset_hint = kNoReset;
  } else if (value == "gauge") {
    out->histogram.reset_hint = kGauge;
  } else {
    return InvalidArgument("unknown counter reset hint: {}", value);
  }
  return OkStatus();
}

Status SetList(std::string_view key, std::string_view value, FloatHistogram* histogram) {
  ASSIGN_OR_RETURN(std::vector<double> list, ParseList(value));
  if (key == "buckets") {
    histogram->positive_buckets = std::move(list);
  } else if (key == "n_buckets") {
    histogram->negative_buckets = std::move(list);
  } else {
    histogram->custom_values = std::move(list);
  }
  return OkStatus();
}

Status SetField(std::string_view key, std::string_view value, Fields* fields) {
  FloatHistogram& histogram = fields->out.histogram;
  if (key == "counter_reset_hint") return SetResetHint(value, &fields->out);
  if (key == "buckets" || key == "n_buckets" || key == "custom_values") {
    return SetList(key, value, &histogram);
  }
  double number = 0;
  if (!ParseNumber(value, &number)) return InvalidArgument("not a number: {}", value);
  if (key == "sum") {
    histogram.sum = number;
  } else if (key == "count") {
    histogram.count = number;
  } else if (key == "z_bucket") {
    histogram.zero_count = number;
  } else if (key == "z_bucket_w") {
    histogram.zero_threshold = number;
  } else if (key != "schema" && key != "offset" && key != "n_offset") {
    return InvalidArgument("unknown part of a histogram: {}", key);
  } else if (!(std::abs(number) <= 1e9) || number != std::floor(number)) {
    return InvalidArgument("not a whole number in range: {}", value);
  } else if (key == "schema") {
    histogram.schema = static_cast<std::int32_t>(number);
  } else if (key == "offset") {
    fields->offset = static_cast<int>(number);
  } else {
    fields->negative_offset = static_cast<int>(number);
  }
  return OkStatus();
}

}  // namespace

StatusOr<HistogramText> ParseHistogram(std::string_view* text) {
  const std::size_t end = text->find("}}");
  if (!text->starts_with("{{") || end == std::string_view::npos) {
    return InvalidArgument("a histogram has no end: {}", *text);
  }
  std::string_view body = text->substr(2, end - 2);
  text->remove_prefix(end + 2);
  Fields fields;
  SkipSpaces(&body);
  while (!body.empty()) {
    const std::size_t colon = body.find(':');
    if (colon == std::string_view::npos) {
      return InvalidArgument("a part of a histogram has no value: {}", body);
    }
    const std::string_view key = body.substr(0, colon);
    body.remove_prefix(colon + 1);
    const std::size_t bracket = body.starts_with('[') ? body.find(']') : std::string_view::npos;
    const std::string_view value = bracket == std::string_view::npos
                                       ? body.substr(0, body.find_first_of(" \t"))
                                       : body.substr(0, bracket + 1);
    RETURN_IF_ERROR(SetField(key, value, &fields));
    body.remove_prefix(value.size());
    SkipSpaces(&body);
  }
  FloatHistogram& histogram = fields.out.histogram;
  const auto length = [](const std::vector<double>& counts) {
    return static_cast<std::uint32_t>(counts.size());
  };
  if (!histogram.positive_buckets.empty()) {
    histogram.positive_spans = {{fields.offset, length(histogram.positive_buckets)}};
  }
  if (!histogram.negative_buckets.empty()) {
    histogram.negative_spans = {{fields.negative_offset, length(histogram.negative_buckets)}};
  }
  return std::move(fields.out);
}

Status AddHistogram(FloatHistogram* a, const FloatHistogram& b, double factor) {
  // Custom buckets have the lowest schema, so they only take steps of their own kind.
  if (a->schema > b.schema || a->uses_custom_buckets() != b.uses_custom_buckets() ||
      a->zero_threshold != b.zero_threshold || a->custom_values != b.custom_values) {
    return Unimplemented("steps between histograms of different layouts are not supported");
  }
  const int halvings = std::min(b.schema - a->schema, 62);
  a->count += factor * b.count;
  a->sum += factor * b.sum;
  a->zero_count += factor * b.zero_count;
  Buckets positive = ToMap(a->positive_spans, a->positive_buckets);
  for (const auto& [index, count] : ToMap(b.positive_spans, b.positive_buckets)) {
    positive[WiderBucket(index, halvings)] += factor * count;
  }
  FromMap(positive, &a->positive_spans, &a->positive_buckets);
  Buckets negative = ToMap(a->negative_spans, a->negative_buckets);
  for (const auto& [index, count] : ToMap(b.negative_spans, b.negative_buckets)) {
    negative[WiderBucket(index, halvings)] += factor * count;
  }
  FromMap(negative, &a->negative_spans, &a->negative_buckets);
  return OkStatus();
}

bool HistogramsEqual(const FloatHistogram& a, const FloatHistogram& b, bool compare_hint) {
  return a.schema == b.schema && AlmostEqual(a.count, b.count) && AlmostEqual(a.sum, b.sum) &&
         a.zero_threshold == b.zero_threshold && AlmostEqual(a.zero_count, b.zero_count) &&
         a.custom_values == b.custom_values &&
         BucketsEqual(ToMap(a.positive_spans, a.positive_buckets),
                      ToMap(b.positive_spans, b.positive_buckets)) &&
         BucketsEqual(ToMap(a.negative_spans, a.negative_buckets),
                      ToMap(b.negative_spans, b.negative_buckets)) &&
         (!compare_hint || a.reset_hint == b.reset_hint);
}

bool AlmostEqual(double a, double b) {
  // The tolerance that Prometheus's own scripts are written for.
  constexpr double kTolerance = 1e-6;
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == b) return true;
  constexpr double kSmallest = std::numeric_limits<double>::min();
  const double difference = std::abs(a - b);
  const double size = std::min(std::abs(a) + std::abs(b), std::numeric_limits<double>::max());
  if (a == 0 || b == 0 || size < kSmallest) return difference < kTolerance * kSmallest;
  return difference / size < kTolerance;
}

}  // namespace aevum::promql::script
