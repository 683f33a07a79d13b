#include "query/federation.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/core.h>

#include "chunk/chunk.h"
#include "model/quote.h"

namespace aevum::query {
namespace {

constexpr std::string_view kInstance = "instance";
constexpr std::size_t kPieceBytes = 64 << 10;
constexpr std::size_t kWarningHeaderBytes = 4096;

// The newest sample of the columns in the window; false when there is none that can be written.
bool Newest(const chunk::Columns& columns, TimestampMs first, TimestampMs last,
            NewestSample* sample) {
  const auto newest = [&](const std::vector<TimestampMs>& times) {
    return std::upper_bound(times.begin(), times.end(), last) - times.begin() - 1;
  };
  const std::ptrdiff_t number = newest(columns.times);
  if (number < 0) return false;
  const auto at = static_cast<std::size_t>(number);
  if (columns.times[at] < first || chunk::IsStale(columns.values[at])) return false;
  const std::ptrdiff_t histogram = newest(columns.histogram_times);
  if (histogram >= 0 &&
      columns.histogram_times[static_cast<std::size_t>(histogram)] > columns.times[at]) {
    return false;
  }
  sample->time = columns.times[at];
  sample->value = columns.values[at];
  return true;
}

class Reader {
 public:
  Reader(const Context& context, TimestampMs first, TimestampMs last)
      : context_(context), first_(first), last_(last) {
    result_.charge = MemoryCharge(context.budget());
  }

  Status Add(promql::Queryable& queryable, const model::Matchers& selector) {
    ASSIGN_OR_RETURN(const auto stream,
                     queryable.Select(context_, selector,
                                      {.start_ms = first_, .end_ms = last_, .function = ""}));
    while (true) {
      ASSIGN_OR_RETURN(const auto batch, stream->Next());
      if (batch == nullptr) break;
      RETURN_IF_ERROR(context_.status());
      for (std::size_t i = 0; i < batch->size(); ++i) RETURN_IF_ERROR(Take(*batch, i));
    }
    for (std::string& warning : stream->warnings()) warnings_.insert(std::move(warning));
    return OkStatus();
  }

  NewestSamples Finish() && {
    // Two selectors may have found the same series.
    const auto key = [](const NewestSample& sample) {
      return std::tuple<std::string_view, const model::Labels&>(
          sample.labels.Get(model::kMetricName), sample.labels);
    };
    std::vector<NewestSample>& samples = result_.samples;
    std::sort(samples.begin(), samples.end(),
              [&](const NewestSample& a, const NewestSample& b) { return key(a) < key(b); });
    samples.erase(std::unique(samples.begin(), samples.end(),
                              [](const NewestSample& a, const NewestSample& b) {
                                return a.labels == b.labels;
                              }),
                  samples.end());
    result_.warnings.assign(warnings_.begin(), warnings_.end());
    return std::move(result_);
  }

 private:
  Status Take(const promql::SelectBatch& batch, std::size_t index) {
    const model::Labels& labels = batch.labels(index);
    if (labels.Get(model::kMetricName).empty()) return OkStatus();
    columns_.Clear();
    RETURN_IF_ERROR(batch.Decode(index, &columns_));
    NewestSample sample;
    if (!Newest(columns_, first_, last_, &sample)) return OkStatus();
    // Twice the sample, since the vector grows by doubling.
    RETURN_IF_ERROR(result_.charge.Add(
        static_cast<std::int64_t>(labels.memory_bytes() + 2 * sizeof(sample)), "samples"));
    sample.labels = labels;
    result_.samples.push_back(std::move(sample));
    return OkStatus();
  }

  const Context& context_;
  const TimestampMs first_;
  const TimestampMs last_;
  chunk::Columns columns_;
  std::set<std::string> warnings_;
  NewestSamples result_;
};

enum class Colons : std::uint8_t { kAllowed, kRefused };

void AppendName(std::string_view name, Colons colons, std::string* out) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9' && i > 0;
    *out += letter || digit || (c == ':' && colons == Colons::kAllowed) ? c : '_';
  }
}

void AppendLabel(std::string_view name, std::string_view value, std::string* out) {
  AppendName(name, Colons::kRefused, out);
  *out += "=\"";
  for (const char c : model::ReplaceInvalidUtf8(value)) {
    if (c == '\n') {
      *out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') *out += '\\';
    *out += c;
  }
  *out += '"';
}

void AppendTime(TimestampMs time, net::ExpositionFormat format, std::string* out) {
  if (format == net::ExpositionFormat::kText) {
    *out += std::to_string(time);
    return;
  }
  const std::int64_t magnitude = time < 0 ? -time : time;
  *out += fmt::format("{}{}.{:03}", time < 0 ? "-" : "", magnitude / 1000, magnitude % 1000);
}

void AppendSample(const NewestSample& sample, std::string_view name, net::ExpositionFormat format,
                  std::string* out) {
  *out += name;
  char separator = '{';
  bool has_instance = false;
  for (const model::Label label : sample.labels) {
    if (label.name == model::kMetricName || label.value.empty()) continue;
    has_instance = has_instance || label.name == kInstance;
    *out += separator;
    separator = ',';
    AppendLabel(label.name, label.value, out);
  }
  if (!has_instance) {
    *out += separator;
    AppendLabel(kInstance, "", out);
  }
  *out += "} ";
  net::AppendMetricNumber(sample.value, format, out);
  *out += ' ';
  AppendTime(sample.time, format, out);
  *out += '\n';
}

}  // namespace

StatusOr<NewestSamples> ReadNewest(const Context& context, promql::Queryable& queryable,
                                   const std::vector<model::Matchers>& selectors, TimestampMs first,
                                   TimestampMs last) {
  Reader reader(context, first, last);
  for (const model::Matchers& selector : selectors)
    RETURN_IF_ERROR(reader.Add(queryable, selector));
  return std::move(reader).Finish();
}

bool WriteFederation(const NewestSamples& newest, net::ExpositionFormat format,
                     const FederationSink& sink) {
  const bool open = format == net::ExpositionFormat::kOpenMetrics;
  std::string out;
  std::string name;
  std::string family;
  for (const NewestSample& sample : newest.samples) {
    name.clear();
    AppendName(sample.labels.Get(model::kMetricName), Colons::kAllowed, &name);
    if (name != family) {
      family = name;
      out += fmt::format("# TYPE {} {}\n", family, open ? "unknown" : "untyped");
    }
    AppendSample(sample, name, format, &out);
    if (out.size() < kPieceBytes) continue;
    if (!sink(out)) return false;
    out.clear();
  }
  if (open) out += "# EOF\n";
  return out.empty() || sink(out);
}

std::string WarningHeader(const std::vector<std::string>& warnings) {
  std::string header;
  for (const std::string& warning : warnings) {
    std::string one = "199 aevum \"";
    for (const char c : warning) {
      if (c == '"' || c == '\\') one += '\\';
      one += c >= 0x20 && c < 0x7f ? c : '?';
    }
    one += '"';
    if (header.size() + one.size() > kWarningHeaderBytes) break;
    if (!header.empty()) header += ", ";
    header += one;
  }
  return header.empty() && !warnings.empty() ? "199 aevum \"a store did not answer\"" : header;
}

}  // namespace aevum::query
