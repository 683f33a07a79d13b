#include "storegateway/bucket_store.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "objstore/parallel.h"
#include "store/merge.h"
#include "storegateway/block_stream.h"
#include "storegateway/read_ahead.h"
#include "storegateway/store_metrics.h"
#include "tsdb/block_labels.h"
#include "tsdb/posting_groups.h"
#include "wire/store_hints.h"

namespace aevum::storegateway {
namespace {

using store::SeriesStream;
using SteadyClock = std::chrono::steady_clock;

// More blocks than this do not wait in line: their readers read themselves.
constexpr std::size_t kPoolQueue = 4096;

// What ends a request whatever it says about partial answers: its own limits and its own end.
bool EndsRequest(const Status& error) {
  return error.code() == StatusCode::kResourceExhausted || error.code() == StatusCode::kCancelled ||
         error.code() == StatusCode::kDeadlineExceeded;
}

// The merged series of a request, counted and cut at its limit.
class AnswerStream final : public SeriesStream {
 public:
  AnswerStream(std::unique_ptr<SeriesStream> merged, std::int64_t limit,
               std::shared_ptr<RequestReads> reads, std::size_t blocks, std::string tenant,
               StoreMetrics& metrics, std::unique_ptr<store::GatePass> pass)
      : pass_(std::move(pass)),
        merged_(std::move(merged)),
        left_(limit > 0 ? static_cast<std::size_t>(limit) : SIZE_MAX),
        reads_(std::move(reads)),
        blocks_(blocks),
        tenant_(std::move(tenant)),
        metrics_(metrics) {}

  ~AnswerStream() override {
    merged_.reset();
    metrics_.SeriesEnded(tenant_, *reads_, blocks_, series_, SteadyClock::now() - began_);
    if (reads_->refused()) metrics_.Refused(tenant_);
  }

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    if (left_ == 0) {
      batch->Clear();
      return false;
    }
    ASSIGN_OR_RETURN(const bool more, merged_->Next(batch));
    if (batch->series.size() > left_) batch->series.resize(left_);
    left_ -= batch->series.size();
    series_ += batch->series.size();
    return more;
  }

 private:
  const std::unique_ptr<store::GatePass> pass_;
  std::unique_ptr<SeriesStream> merged_;
  std::size_t left_;
  const std::shared_ptr<RequestReads> reads_;
  const std::size_t blocks_;
  const std::string tenant_;
  StoreMetrics& metrics_;
  const SteadyClock::time_point began_ = SteadyClock::now();
  std::size_t series_ = 0;
};

// Many sorted lists made one, each string once. Lists of like length are united, so that a string
// is moved a few times only, however many lists there are.
class StringUnion {
 public:
  void Add(std::vector<std::string> sorted) {
    lists_.push_back(std::move(sorted));
    while (lists_.size() > 1 && lists_[lists_.size() - 2].size() < 2 * lists_.back().size())
      UniteLast();
  }
  std::vector<std::string> Take() && {
    while (lists_.size() > 1) UniteLast();
    return lists_.empty() ? std::vector<std::string>() : std::move(lists_.front());
  }

 private:
  void UniteLast() {
    std::vector<std::string> last = std::move(lists_.back());
    lists_.pop_back();
    std::vector<std::string> united;
    united.reserve(std::max(last.size(), lists_.back().size()));
    std::set_union(std::make_move_iterator(lists_.back().begin()),
                   std::make_move_iterator(lists_.back().end()),
                   std::make_move_iterator(last.begin()), std::make_move_iterator(last.end()),
                   std::back_inserter(united));
    lists_.back() = std::move(united);
  }

  std::vector<std::vector<std::string>> lists_;
};

bool Contains(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

std::vector<std::string> IdsOf(const std::vector<ChosenBlock>& chosen) {
  std::vector<std::string> ids;
  for (const ChosenBlock& one : chosen) ids.push_back(one.block->id());
  return ids;
}

}  // namespace

BucketStore::BucketStore(BucketStoreOptions options, std::shared_ptr<objstore::Bucket> bucket,
                         std::shared_ptr<IndexCache> cache, prometheus::Registry& metrics)
    : options_(options),
      bucket_(std::move(bucket)),
      cache_(std::move(cache)),
      chunk_pool_(std::make_shared<MemoryBudget>(
          "chunk pool (--chunk-pool-size)", static_cast<std::int64_t>(options.chunk_pool_bytes))),
      metrics_(std::make_unique<StoreMetrics>(metrics)),
      codec_(metrics),
      postings_metrics_(metrics),
      expander_(*cache_, codec_, postings_metrics_, options.lazy_postings),
      blocks_(std::make_shared<const BlockSet>()),
      gate_(options.max_concurrent, "thanos_bucket_store_series_gate_queries", metrics),
      pool_("bucket-store", options.threads, kPoolQueue) {}

BucketStore::~BucketStore() { pool_.Stop(); }

void BucketStore::SetBlocks(std::shared_ptr<const BlockSet> blocks) {
  MutexLock lock(mutex_);
  blocks_ = std::move(blocks);
}

std::shared_ptr<const BlockSet> BucketStore::blocks() const {
  MutexLock lock(mutex_);
  return blocks_;
}

void BucketStore::SetTombstones(std::shared_ptr<const block::Tombstones> tombstones) {
  MutexLock lock(mutex_);
  tombstones_ = std::move(tombstones);
}

tsdb::TimeRange BucketStore::Served(TimestampMs min_time, TimestampMs max_time) const {
  if (!options_.served) return {min_time, max_time};
  const tsdb::TimeRange served = options_.served();
  return {std::max(min_time, served.min_time), std::min(max_time, served.max_time)};
}

SharedReads BucketStore::ReadsOfRequest() {
  std::shared_ptr<const block::Tombstones> tombstones;
  {
    MutexLock lock(mutex_);
    tombstones = tombstones_;
  }
  return {.bucket = bucket_,
          .origin = options_.origin,
          .cache = cache_,
          .expander = &expander_,
          .postings_metrics = &postings_metrics_,
          .reads = std::make_shared<RequestReads>(options_.downloaded_bytes_limit),
          .chunk_pool = chunk_pool_,
          .most_chunk_bytes = options_.most_chunk_bytes,
          .page_bytes = options_.index_page_bytes,
          .most_series_bytes = options_.most_series_bytes,
          .series_batch = options_.series_batch,
          .tombstones = std::move(tombstones)};
}

StatusOr<std::unique_ptr<SeriesStream>> BucketStore::Series(const Context& context,
                                                            const wire::SeriesRequest& request) {
  wire::SeriesRequest limited = request;
  const tsdb::TimeRange range = Served(request.min_time, request.max_time);
  limited.min_time = range.min_time;
  limited.max_time = range.max_time;
  ASSIGN_OR_RETURN(const model::Matchers block_matchers,
                   wire::DecodeBlockMatchers(wire::HintsOf::kSeries, request.hints));
  auto pass = std::make_unique<store::GatePass>(gate_);
  RETURN_IF_ERROR(pass->Enter(context));
  const SharedReads shared = ReadsOfRequest();
  std::vector<ChosenBlock> chosen =
      blocks()->Choose({limited.matchers, block_matchers}, limited.min_time, limited.max_time,
                       limited.max_resolution_window_ms);
  const std::size_t count = chosen.size();
  std::vector<std::unique_ptr<SeriesStream>> streams;
  streams.reserve(count);
  for (ChosenBlock& block : chosen)
    streams.push_back(ReadAhead(StreamBlock(context, limited, std::move(block), shared), pool_));
  store::InputErrorHandler on_error;
  if (request.partial_response == wire::PartialResponse::kWarn) {
    on_error = [](std::size_t /*input*/, const Status& error, wire::SeriesBatch* out) -> Status {
      if (EndsRequest(error)) return error;
      out->warnings.emplace_back(error.message());
      return OkStatus();
    };
  }
  return std::make_unique<AnswerStream>(store::MergeStreams(std::move(streams), on_error),
                                        request.limit, shared.reads, count,
                                        context.request().tenant, *metrics_, std::move(pass));
}

StatusOr<wire::LabelsResponse> BucketStore::AskBlocks(const Context& context,
                                                      const std::vector<ChosenBlock>& chosen,
                                                      wire::PartialResponse partial_response,
                                                      std::int64_t limit, const AskBlock& ask) {
  const SharedReads shared = ReadsOfRequest();
  Mutex mutex;
  StringUnion found;
  wire::LabelsResponse response;
  const auto ask_one = [&](std::size_t i) -> Status {
    const ChosenBlock& one = chosen[i];
    auto answer = [&]() -> StatusOr<std::vector<std::string>> {
      ASSIGN_OR_RETURN(const BucketBlock::Tables tables, one.block->GetTables(context));
      BucketSource source = MakeSource(shared, *one.block, *tables);
      return ask(one, *tables, source);
    }();
    MutexLock lock(mutex);
    if (answer.ok()) {
      found.Add(*std::move(answer));
      return OkStatus();
    }
    Status error = Annotate(answer.status(), "block " + one.block->id());
    if (partial_response == wire::PartialResponse::kAbort || EndsRequest(error)) return error;
    response.warnings.emplace_back(error.message());
    return OkStatus();
  };
  RETURN_IF_ERROR(objstore::RunParallel(&pool_, chosen.size(), options_.threads, ask_one));
  std::sort(response.warnings.begin(), response.warnings.end());
  response.strings = std::move(found).Take();
  if (limit > 0 && response.strings.size() > static_cast<std::size_t>(limit))
    response.strings.resize(static_cast<std::size_t>(limit));
  return response;
}

StatusOr<wire::LabelsResponse> BucketStore::LabelNames(const Context& context,
                                                       const wire::LabelNamesRequest& request) {
  const tsdb::TimeRange range = Served(request.start, request.end);
  ASSIGN_OR_RETURN(const model::Matchers block_matchers,
                   wire::DecodeBlockMatchers(wire::HintsOf::kLabelNames, request.hints));
  const std::vector<ChosenBlock> chosen =
      blocks()->ChooseAll({request.matchers, block_matchers}, range.min_time, range.max_time);
  const auto ask = [&](const ChosenBlock& one, const tsdb::IndexTables& tables,
                       tsdb::BlockSource& source) -> StatusOr<std::vector<std::string>> {
    ASSIGN_OR_RETURN(std::vector<std::string> names,
                     tsdb::LabelNames(context, tables, source, one.matchers));
    if (names.empty()) return names;
    for (const model::Label label : one.block->labels()) names.emplace_back(label.name);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::erase_if(names, [&](const std::string& name) {
      return Contains(request.without_replica_labels, name);
    });
    return names;
  };
  ASSIGN_OR_RETURN(wire::LabelsResponse response,
                   AskBlocks(context, chosen, request.partial_response, request.limit, ask));
  response.hints = wire::EncodeQueriedBlocks(wire::HintsOf::kLabelNames, IdsOf(chosen));
  return response;
}

StatusOr<wire::LabelsResponse> BucketStore::LabelValues(const Context& context,
                                                        const wire::LabelValuesRequest& request) {
  if (Contains(request.without_replica_labels, request.label)) return wire::LabelsResponse();
  const tsdb::TimeRange range = Served(request.start, request.end);
  ASSIGN_OR_RETURN(const model::Matchers block_matchers,
                   wire::DecodeBlockMatchers(wire::HintsOf::kLabelValues, request.hints));
  const std::vector<ChosenBlock> chosen =
      blocks()->ChooseAll({request.matchers, block_matchers}, range.min_time, range.max_time);
  const auto ask = [&](const ChosenBlock& one, const tsdb::IndexTables& tables,
                       tsdb::BlockSource& source) -> StatusOr<std::vector<std::string>> {
    const std::string_view external = one.block->labels().Get(request.label);
    if (external.empty())
      return tsdb::LabelValues(context, tables, source, request.label, one.matchers);
    // The external label hides what series of the block say.
    const std::vector<std::string> value = {std::string(external)};
    if (one.matchers.empty()) return value;
    ASSIGN_OR_RETURN(const tsdb::PostingGroups groups,
                     tsdb::ResolveMatchers(context, tables.postings(), one.matchers));
    ASSIGN_OR_RETURN(const tsdb::Postings series, tsdb::SelectSeries(context, groups, source));
    return series.empty() ? std::vector<std::string>() : value;
  };
  ASSIGN_OR_RETURN(wire::LabelsResponse response,
                   AskBlocks(context, chosen, request.partial_response, request.limit, ask));
  response.hints = wire::EncodeQueriedBlocks(wire::HintsOf::kLabelValues, IdsOf(chosen));
  return response;
}

StatusOr<wire::InfoResponse> BucketStore::Info(const Context& /*context*/) {
  wire::InfoResponse info;
  info.component_type = "store";
  wire::StoreInfo& store = info.store.emplace();
  store.min_time = INT64_MAX;
  store.max_time = INT64_MIN;
  store.supports_sharding = true;
  store.supports_without_replica_labels = true;
  const std::shared_ptr<const BlockSet> now = blocks();
  for (wire::TsdbInfo stream : now->streams()) {
    const tsdb::TimeRange range = Served(stream.min_time, stream.max_time);
    stream.min_time = range.min_time;
    stream.max_time = range.max_time;
    store.min_time = std::min(store.min_time, stream.min_time);
    store.max_time = std::max(store.max_time, stream.max_time);
    info.label_sets.push_back(stream.labels);
    store.tsdb_infos.push_back(std::move(stream));
  }
  return info;
}

}  // namespace aevum::storegateway
