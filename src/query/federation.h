// The newest samples of series, as a Prometheus scrapes them from another one.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/memory_budget.h"
#include "base/status.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "net/metrics/exposition.h"
#include "promql/queryable.h"

namespace aevum::query {

struct NewestSample {
  model::Labels labels;
  TimestampMs time = 0;
  double value = 0;
};

struct NewestSamples {
  std::vector<NewestSample> samples;  // by name, then by labels; each label set once
  std::vector<std::string> warnings;  // of the stores, sorted
  MemoryCharge charge;                // of the samples
};

// The newest sample from `first` to `last`, both inclusive, of each series that one of the
// selectors matches. Without series whose newest sample is a staleness marker or a native
// histogram, which the text formats do not have, and without those that have no name.
// ResourceExhausted when the memory budget of the context is used up; other errors are the
// source's.
StatusOr<NewestSamples> ReadNewest(const Context& context, promql::Queryable& queryable,
                                   const std::vector<model::Matchers>& selectors, TimestampMs first,
                                   TimestampMs last);

// Takes pieces of text; false when nobody reads any more.
using FederationSink = std::function<bool(std::string_view piece)>;

// Writes samples with their times, as families of no type. As Prometheus does, series without the
// label `instance` get an empty one, so that a scrape with honor_labels adds none. Names that the
// formats can't have without quotes get '_' for each byte that does not fit. False as the sink.
bool WriteFederation(const NewestSamples& newest, net::ExpositionFormat format,
                     const FederationSink& sink);

// The value of a header `Warning` that has the texts, cut where it gets long; "" for none.
std::string WarningHeader(const std::vector<std::string>& warnings);

}  // namespace aevum::query
