#include "query/json_histogram.h"

#include "model/format_float.h"
#include "model/histogram_buckets.h"

namespace aevum::query {
namespace {

void AppendNumber(std::string& out, double value) {
  char text[model::kMaxFloatSize];
  out += '"';
  out.append(text, model::FormatFloat(text, value));
  out += '"';
}

char Boundaries(const model::HistogramBucket& bucket) {
  if (bucket.lower_inclusive) return bucket.upper_inclusive ? '3' : '1';
  return bucket.upper_inclusive ? '0' : '2';
}

}  // namespace

void AppendJsonHistogram(std::string& out, const model::FloatHistogram& histogram) {
  out += "{\"count\":";
  AppendNumber(out, histogram.count);
  out += ",\"sum\":";
  AppendNumber(out, histogram.sum);
  bool any = false;
  for (const model::HistogramBucket& bucket : model::AllBuckets(histogram)) {
    if (bucket.count == 0) continue;
    out += any ? "," : ",\"buckets\":[";
    any = true;
    out += '[';
    out += Boundaries(bucket);
    for (const double number : {bucket.lower, bucket.upper, bucket.count}) {
      out += ',';
      AppendNumber(out, number);
    }
    out += ']';
  }
  out += any ? "]}" : "}";
}

}  // namespace aevum::query
