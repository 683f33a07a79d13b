#include "sidecar/prometheus_store.h"

#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <set>

#include "base/trace.h"
#include "sidecar/remote_read_stream.h"
#include "store/external_labels.h"
#include "store/sharding.h"

namespace aevum::sidecar {
namespace {

// An answer that is in memory as a whole.
class LabelsStream final : public store::SeriesStream {
 public:
  LabelsStream(std::vector<model::Labels> labels, std::vector<std::string> warnings,
               MemoryCharge charge)
      : labels_(std::move(labels)), warnings_(std::move(warnings)), charge_(std::move(charge)) {}

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    constexpr std::size_t kSeries = 1000;
    batch->Clear();
    batch->warnings = std::exchange(warnings_, {});
    const std::size_t end = std::min(labels_.size(), next_ + kSeries);
    for (; next_ < end; ++next_) {
      batch->series.push_back(
          {.labels = std::move(labels_[next_]), .first_chunk = 0, .chunk_count = 0});
    }
    return !batch->series.empty();
  }

 private:
  std::vector<model::Labels> labels_;
  std::vector<std::string> warnings_;
  MemoryCharge charge_;
  std::size_t next_ = 0;
};

std::unique_ptr<store::SeriesStream> NoSeries() {
  return std::make_unique<LabelsStream>(std::vector<model::Labels>(), std::vector<std::string>(),
                                        MemoryCharge());
}

// Sorted, each once, and no more than the limit.
void Finish(std::vector<std::string>* strings, std::int64_t limit) {
  std::sort(strings->begin(), strings->end());
  strings->erase(std::unique(strings->begin(), strings->end()), strings->end());
  if (limit > 0 && strings->size() > static_cast<std::size_t>(limit)) {
    strings->resize(static_cast<std::size_t>(limit));
  }
}

Selection Unlimited(Selection selection) {
  selection.limit = 0;
  return selection;
}

bool ApiKnowsMatchers(const PrometheusState& state, const Selection& selection) {
  return selection.matchers.empty() || VersionAtLeast(state.version, 2, 24);
}

bool NeedsSorting(const PrometheusState& state, const LabelRewriting& rewriting) {
  for (const model::Label label : rewriting.external()) {
    if (state.MayHaveLabel(label.name)) return true;
  }
  for (const std::string& name : rewriting.removed()) {
    if (state.MayHaveLabel(name)) return true;
  }
  return false;
}

}  // namespace

PrometheusStore::PrometheusStore(std::shared_ptr<PrometheusClient> client,
                                 const Heartbeat& heartbeat, prometheus::Registry& registry)
    : client_(std::move(client)),
      heartbeat_(heartbeat),
      received_frames_(
          prometheus::BuildHistogram()
              .Name("prometheus_store_received_frames")
              .Help("Frames of one streamed answer of Prometheus.")
              .Register(registry)
              .Add({}, prometheus::Histogram::BucketBoundaries{10, 100, 1000, 10'000, 100'000})) {}

StatusOr<PrometheusStore::State> PrometheusStore::CurrentState() const {
  State state = heartbeat_.state();
  if (state == nullptr) return Unavailable("not ready: {}", heartbeat_.ready().message());
  return state;
}

StatusOr<std::unique_ptr<store::SeriesStream>> PrometheusStore::Series(
    const Context& context, const wire::SeriesRequest& request) {
  ASSIGN_OR_RETURN(const State state, CurrentState());
  auto matchers = store::MatchExternalLabels(request.matchers, state->external_labels);
  if (!matchers) return NoSeries();
  if (matchers->empty()) {
    return InvalidArgument("no matchers specified (excluding external labels)");
  }
  Selection selection{.matchers = std::move(*matchers),
                      .start = std::max(request.min_time, state->min_time),
                      .end = request.max_time,
                      .limit = 0};
  if (selection.start > selection.end) return NoSeries();
  auto rewriting = std::make_shared<const LabelRewriting>(state->external_labels,
                                                          request.without_replica_labels);
  if (request.skip_chunks) {
    return SeriesWithoutChunks(context, request, *rewriting, std::move(selection));
  }
  const auto mode = NeedsSorting(*state, *rewriting) ? SeriesOrder::Mode::kSorting
                                                     : SeriesOrder::Mode::kStreaming;
  const bool traced = context.trace() != nullptr && context.trace()->sampled;
  std::string shown = traced ? model::ToString(selection.matchers) : std::string();
  std::string read_request = wire::EncodeReadRequest(
      {.start = selection.start, .end = selection.end, .matchers = std::move(selection.matchers)});
  RemoteReadSource source =
      [client = client_, body = std::move(read_request), shown = std::move(shown)](
          const Context& call, const auto& on_content_type, const auto& on_piece) {
        Span span(call, "query_prometheus", SpanKind::kClient);
        span.Set("query.request", shown);
        Status status = client->RemoteRead(span.Inner(call), body, on_content_type, on_piece);
        span.Fail(status);
        return status;
      };
  return std::make_unique<RemoteReadStream>(context, std::move(source),
                                            RemoteReadOptions{.rewriting = std::move(rewriting),
                                                              .mode = mode,
                                                              .shard_info = request.shard_info,
                                                              .limit = request.limit},
                                            received_frames_);
}

StatusOr<std::unique_ptr<store::SeriesStream>> PrometheusStore::SeriesWithoutChunks(
    const Context& context, const wire::SeriesRequest& request, const LabelRewriting& rewriting,
    Selection selection) {
  const store::ShardMatcher shard(request.shard_info.value_or(wire::ShardInfo()));
  // Prometheus may cut only where nothing is left out and nothing becomes equal afterwards.
  if (!request.shard_info && request.without_replica_labels.empty())
    selection.limit = request.limit;
  ASSIGN_OR_RETURN(SeriesAnswer answer, client_->Series(context, selection));
  MemoryCharge charge(context.budget());
  std::vector<model::Labels> labels;
  labels.reserve(answer.series.size());
  for (model::Labels& arrived : answer.series) {
    model::Labels complete = rewriting.Apply(arrived);
    arrived = {};
    if (!shard.Matches(complete)) continue;
    RETURN_IF_ERROR(
        charge.Add(static_cast<std::int64_t>(complete.memory_bytes()), "labels of series"));
    labels.push_back(std::move(complete));
  }
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  if (request.limit > 0 && labels.size() > static_cast<std::size_t>(request.limit)) {
    labels.resize(static_cast<std::size_t>(request.limit));
  }
  return std::make_unique<LabelsStream>(std::move(labels), std::move(answer.warnings),
                                        std::move(charge));
}

StatusOr<wire::LabelsResponse> PrometheusStore::LabelNames(const Context& context,
                                                           const wire::LabelNamesRequest& request) {
  ASSIGN_OR_RETURN(const State state, CurrentState());
  auto matchers = store::MatchExternalLabels(request.matchers, state->external_labels);
  const TimestampMs start = std::max(request.start, state->min_time);
  if (!matchers || start > request.end) return wire::LabelsResponse();
  const LabelRewriting rewriting(state->external_labels, request.without_replica_labels);
  // As many more as may be taken away again.
  const std::int64_t limit =
      request.limit > 0
          ? request.limit + static_cast<std::int64_t>(request.without_replica_labels.size())
          : 0;
  ASSIGN_OR_RETURN(
      StringsAnswer answer,
      AskLabelNames(
          context, *state,
          {.matchers = std::move(*matchers), .start = start, .end = request.end, .limit = limit}));
  if (!answer.strings.empty()) {
    std::erase_if(answer.strings, [&](const std::string& name) { return rewriting.removes(name); });
    for (const model::Label label : rewriting.added()) answer.strings.emplace_back(label.name);
  }
  Finish(&answer.strings, request.limit);
  return wire::LabelsResponse{
      .strings = std::move(answer.strings), .warnings = std::move(answer.warnings), .hints = {}};
}

StatusOr<wire::LabelsResponse> PrometheusStore::LabelValues(
    const Context& context, const wire::LabelValuesRequest& request) {
  if (request.label.empty()) return InvalidArgument("label name parameter cannot be empty");
  const LabelRewriting removal({}, request.without_replica_labels);
  if (removal.removes(request.label)) return wire::LabelsResponse();
  ASSIGN_OR_RETURN(const State state, CurrentState());
  auto matchers = store::MatchExternalLabels(request.matchers, state->external_labels);
  Selection selection{.matchers = {},
                      .start = std::max(request.start, state->min_time),
                      .end = request.end,
                      .limit = request.limit};
  if (!matchers || selection.start > selection.end) return wire::LabelsResponse();
  selection.matchers = std::move(*matchers);

  const std::string_view external = state->external_labels.Get(request.label);
  if (!external.empty()) {
    // The external label hides all values that series have of their own.
    wire::LabelsResponse response;
    bool present = selection.matchers.empty();
    if (!present) {
      selection.limit = 1;
      ASSIGN_OR_RETURN(StringsAnswer names, AskLabelNames(context, *state, selection));
      present = !names.strings.empty();
      response.warnings = std::move(names.warnings);
    }
    if (present) response.strings.emplace_back(external);
    return response;
  }
  ASSIGN_OR_RETURN(StringsAnswer answer, AskLabelValues(context, *state, request.label, selection));
  Finish(&answer.strings, request.limit);
  return wire::LabelsResponse{
      .strings = std::move(answer.strings), .warnings = std::move(answer.warnings), .hints = {}};
}

StatusOr<StringsAnswer> PrometheusStore::AskLabelNames(const Context& context,
                                                       const PrometheusState& state,
                                                       const Selection& selection) {
  if (ApiKnowsMatchers(state, selection)) return client_->LabelNames(context, selection);
  // Without the limit: it counts names, not series.
  ASSIGN_OR_RETURN(SeriesAnswer answer, client_->Series(context, Unlimited(selection)));
  std::set<std::string_view> names;
  for (const model::Labels& labels : answer.series) {
    for (const model::Label label : labels) names.insert(label.name);
  }
  return StringsAnswer{.strings = {names.begin(), names.end()},
                       .warnings = std::move(answer.warnings)};
}

StatusOr<StringsAnswer> PrometheusStore::AskLabelValues(const Context& context,
                                                        const PrometheusState& state,
                                                        const std::string& label,
                                                        const Selection& selection) {
  if (ApiKnowsMatchers(state, selection)) return client_->LabelValues(context, label, selection);
  ASSIGN_OR_RETURN(SeriesAnswer answer, client_->Series(context, Unlimited(selection)));
  std::set<std::string_view> values;
  for (const model::Labels& labels : answer.series) {
    if (const std::string_view value = labels.Get(label); !value.empty()) values.insert(value);
  }
  return StringsAnswer{.strings = {values.begin(), values.end()},
                       .warnings = std::move(answer.warnings)};
}

StatusOr<wire::InfoResponse> PrometheusStore::Info(const Context& /*context*/) {
  const Status ready = heartbeat_.ready();
  if (!ready.ok()) return Unavailable("not ready: {}", ready.message());
  ASSIGN_OR_RETURN(const State state, CurrentState());
  wire::StoreInfo info{
      .min_time = state->min_time,
      .max_time = kMaxTime,
      .supports_sharding = true,
      .supports_without_replica_labels = true,
      .supports_projections = false,
      .tsdb_infos = {
          {.labels = state->external_labels, .min_time = state->min_time, .max_time = kMaxTime}}};
  wire::InfoResponse response;
  response.label_sets = {state->external_labels};
  response.component_type = "sidecar";
  response.store = std::move(info);
  return response;
}

}  // namespace aevum::sidecar
