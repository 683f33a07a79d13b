#include "net/metrics/exposition.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include "net/http/form.h"

namespace aevum::net {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view kOpenMetricsType = "application/openmetrics-text";
constexpr std::string_view kTotal = "_total";

enum class Quotes { kKeep, kEscape };

void AppendEscaped(std::string_view text, Quotes quotes, std::string* out) {
  for (const char c : text) {
    if (c == '\\') {
      *out += "\\\\";
    } else if (c == '\n') {
      *out += "\\n";
    } else if (c == '"' && quotes == Quotes::kEscape) {
      *out += "\\\"";
    } else {
      *out += c;
    }
  }
}

std::string_view TypeName(MetricType type, ExpositionFormat format) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Summary:
      return "summary";
    case MetricType::Histogram:
      return "histogram";
    case MetricType::Untyped:
      break;
  }
  return format == ExpositionFormat::kOpenMetrics ? "unknown" : "untyped";
}

// Writes the lines of one family.
class FamilyWriter {
 public:
  FamilyWriter(const std::string& name, ExpositionFormat format, std::string* out)
      : name_(name), format_(format), out_(out) {}

  void Head(const std::string& help, MetricType type) {
    // OpenMetrics names the family without the suffix that its counter samples must have.
    std::string_view family = name_;
    const bool open = format_ == ExpositionFormat::kOpenMetrics;
    if (open && type == MetricType::Counter) {
      if (family.ends_with(kTotal)) {
        family.remove_suffix(kTotal.size());
      } else {
        type = MetricType::Untyped;
      }
    }
    if (!help.empty()) {
      *out_ += "# HELP ";
      *out_ += family;
      *out_ += ' ';
      AppendEscaped(help, open ? Quotes::kEscape : Quotes::kKeep, out_);
      *out_ += '\n';
    }
    *out_ += "# TYPE ";
    *out_ += family;
    *out_ += ' ';
    *out_ += TypeName(type, format_);
    *out_ += '\n';
  }

  void Metric(const ClientMetric& metric, MetricType type) {
    switch (type) {
      case MetricType::Counter:
        return Sample("", metric, "", 0, metric.counter.value);
      case MetricType::Gauge:
        return Sample("", metric, "", 0, metric.gauge.value);
      case MetricType::Untyped:
        return Sample("", metric, "", 0, metric.untyped.value);
      case MetricType::Summary:
        return Summary(metric);
      case MetricType::Histogram:
        return Histogram(metric);
    }
  }

 private:
  void Summary(const ClientMetric& metric) {
    for (const auto& quantile : metric.summary.quantile) {
      Sample("", metric, "quantile", quantile.quantile, quantile.value);
    }
    Sample("_sum", metric, "", 0, metric.summary.sample_sum);
    Count("_count", metric, metric.summary.sample_count);
  }

  void Histogram(const ClientMetric& metric) {
    bool has_infinity = false;
    for (const auto& bucket : metric.histogram.bucket) {
      has_infinity = has_infinity || std::isinf(bucket.upper_bound);
      Bucket(metric, bucket.upper_bound, bucket.cumulative_count);
    }
    if (!has_infinity) Bucket(metric, INFINITY, metric.histogram.sample_count);
    Sample("_sum", metric, "", 0, metric.histogram.sample_sum);
    Count("_count", metric, metric.histogram.sample_count);
  }

  void Name(std::string_view suffix, const ClientMetric& metric, std::string_view extra,
            double bound) {
    *out_ += name_;
    *out_ += suffix;
    if (!metric.label.empty() || !extra.empty()) {
      char separator = '{';
      for (const auto& label : metric.label) {
        *out_ += separator;
        *out_ += label.name;
        *out_ += "=\"";
        AppendEscaped(label.value, Quotes::kEscape, out_);
        *out_ += '"';
        separator = ',';
      }
      if (!extra.empty()) {
        *out_ += separator;
        *out_ += extra;
        *out_ += "=\"";
        AppendMetricNumber(bound, format_, out_);
        *out_ += '"';
      }
      *out_ += '}';
    }
    *out_ += ' ';
  }

  void End(const ClientMetric& metric) {
    if (metric.timestamp_ms != 0) {
      *out_ += ' ';
      if (format_ == ExpositionFormat::kOpenMetrics) {
        AppendMetricNumber(static_cast<double>(metric.timestamp_ms) / 1000, format_, out_);
      } else {
        *out_ += std::to_string(metric.timestamp_ms);
      }
    }
    *out_ += '\n';
  }

  void Sample(std::string_view suffix, const ClientMetric& metric, std::string_view extra,
              double bound, double value) {
    Name(suffix, metric, extra, bound);
    AppendMetricNumber(value, format_, out_);
    End(metric);
  }
  // Counts of observations are whole numbers in OpenMetrics, too.
  void Count(std::string_view suffix, const ClientMetric& metric, std::uint64_t count) {
    Name(suffix, metric, "", 0);
    *out_ += std::to_string(count);
    End(metric);
  }
  void Bucket(const ClientMetric& metric, double bound, std::uint64_t count) {
    Name("_bucket", metric, "le", bound);
    *out_ += std::to_string(count);
    End(metric);
  }

  const std::string& name_;
  const ExpositionFormat format_;
  std::string* const out_;
};

bool LabelsBefore(const ClientMetric& a, const ClientMetric& b) {
  return std::lexicographical_compare(a.label.begin(), a.label.end(), b.label.begin(),
                                      b.label.end(), [](const auto& x, const auto& y) {
                                        return std::tie(x.name, x.value) <
                                               std::tie(y.name, y.value);
                                      });
}

}  // namespace

ExpositionFormat NegotiateExposition(std::string_view accept) {
  if (ToLower(accept).find(kOpenMetricsType) == std::string::npos) return ExpositionFormat::kText;
  const int open = AcceptWeight(accept, kOpenMetricsType);
  return open > 0 && open >= AcceptWeight(accept, "text/plain") ? ExpositionFormat::kOpenMetrics
                                                                : ExpositionFormat::kText;
}

std::string_view ExpositionContentType(ExpositionFormat format) {
  return format == ExpositionFormat::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

void AppendMetricNumber(double value, ExpositionFormat format, std::string* out) {
  if (std::isnan(value)) {
    *out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    *out += value > 0 ? "+Inf" : "-Inf";
    return;
  }
  // "d.ddde±xx", the shortest digits that read back.
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<std::size_t>(end.ptr - buffer));
  const std::size_t mark = text.find('e');
  int exponent = 0;
  const char* digits = text.data() + mark + (text[mark + 1] == '+' ? 2 : 1);
  std::from_chars(digits, end.ptr, exponent);
  if (value != 0 && (exponent < -4 || exponent >= 6)) {
    // More digits than six change nothing: Go decides as for a precision of six.
    *out += text;
    return;
  }
  const auto fixed =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed);
  const std::string_view plain(buffer, static_cast<std::size_t>(fixed.ptr - buffer));
  *out += plain;
  if (format == ExpositionFormat::kOpenMetrics && plain.find('.') == std::string_view::npos) {
    *out += ".0";
  }
}

std::string WriteExposition(
    const std::vector<std::shared_ptr<prometheus::Collectable>>& collectables,
    ExpositionFormat format) {
  std::map<std::string, MetricFamily> families;
  for (const auto& collectable : collectables) {
    for (MetricFamily& family : collectable->Collect()) {
      const auto [place, is_new] = families.try_emplace(family.name);
      if (is_new) {
        place->second = std::move(family);
      } else {
        auto& all = place->second.metric;
        all.insert(all.end(), std::make_move_iterator(family.metric.begin()),
                   std::make_move_iterator(family.metric.end()));
      }
    }
  }
  std::string out;
  for (auto& [name, family] : families) {
    if (family.metric.empty()) continue;
    std::stable_sort(family.metric.begin(), family.metric.end(), LabelsBefore);
    FamilyWriter writer(name, format, &out);
    writer.Head(family.help, family.type);
    for (const ClientMetric& metric : family.metric) writer.Metric(metric, family.type);
  }
  if (format == ExpositionFormat::kOpenMetrics) out += "# EOF\n";
  return out;
}

}  // namespace aevum::net
