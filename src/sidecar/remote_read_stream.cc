#include "sidecar/remote_read_stream.h"

#include <prometheus/histogram.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "chunk/xor.h"

namespace aevum::sidecar {
namespace {

// So much crosses the threads at once: a wake-up costs as much as reading it.
constexpr std::size_t kBlockBytes = 64 << 10;
constexpr std::size_t kQueueBytes = 1 << 20;

// A batch is given when it holds as many series or as many bytes of chunks.
constexpr std::size_t kBatchSeries = 512;
constexpr std::size_t kBatchBytes = 256 << 10;

// As Prometheus cuts its own chunks.
constexpr std::size_t kSamplesPerChunk = 120;
// Of an answer of samples; Prometheus itself ends such answers after 50 million samples.
constexpr std::int64_t kMaxSampledBytes = std::int64_t{1} << 30;

constexpr std::string_view kSampledType = "application/x-protobuf";

bool IsFull(const wire::SeriesBatch& batch, std::size_t bytes) {
  return batch.series.size() >= kBatchSeries || bytes >= kBatchBytes;
}

struct EncodedChunks {
  std::vector<std::string> bytes;
  std::vector<chunk::ChunkView> views;
};

// The samples of a series as XOR chunks, which lie in the owner.
std::shared_ptr<const EncodedChunks> Encode(const wire::SampledSeries& series) {
  auto chunks = std::make_shared<EncodedChunks>();
  chunks->bytes.reserve(series.times.size() / kSamplesPerChunk + 1);  // so that the bytes stay
  chunk::XorEncoder encoder;
  for (std::size_t first = 0; first < series.times.size(); first += kSamplesPerChunk) {
    const std::size_t end = std::min(first + kSamplesPerChunk, series.times.size());
    encoder.Reset();
    encoder.Append(std::span(series.times).subspan(first, end - first),
                   std::span(series.values).subspan(first, end - first));
    chunks->bytes.push_back(encoder.Bytes());
    chunks->views.push_back({.min_time = series.times[first],
                             .max_time = series.times[end - 1],
                             .data = chunks->bytes.back(),
                             .encoding = chunk::Encoding::kXor,
                             .aggregate = chunk::Aggregate::kRaw});
  }
  return chunks;
}

}  // namespace

RemoteReadStream::RemoteReadStream(const Context& context, RemoteReadSource source,
                                   RemoteReadOptions options,
                                   prometheus::Histogram& received_frames)
    : source_(std::move(source)),
      options_(std::move(options)),
      shard_(options_.shard_info.value_or(wire::ShardInfo())),
      received_frames_(received_frames),
      budget_(context.budget()),
      scope_(context),
      reader_([this](wire::SeriesBatch frame) { return OnFrame(std::move(frame)); }) {
  thread_ = std::thread([this] { Fetch(); });
}

RemoteReadStream::~RemoteReadStream() {
  scope_.Cancel();
  thread_.join();
}

void RemoteReadStream::Fetch() {
  Status status;
  try {
    status = source_(
        scope_.context(), [this](std::string_view type) { return OnContentType(type); },
        [this](std::string_view piece) { return OnPiece(piece); });
    if (status.ok()) status = FinishBody();
  } catch (const std::exception& error) {
    status = Internal("remote read: {}", error.what());
  }
  if (form_ == Form::kFrames) received_frames_.Observe(static_cast<double>(frames_));
  coming_.reset();
  MutexLock lock(mutex_);
  fetched_ = std::move(status);
  changed_.notify_all();
}

Status RemoteReadStream::OnContentType(std::string_view type) {
  if (type.starts_with(wire::kStreamedChunksType)) {
    form_ = Form::kFrames;
  } else if (type.starts_with(kSampledType)) {
    form_ = Form::kSamples;
  } else {
    return Unavailable("remote read: answer is of a content type that is not supported: {}", type);
  }
  return OkStatus();
}

Status RemoteReadStream::OnPiece(std::string_view piece) {
  if (coming_ == nullptr) {
    coming_ = std::make_shared<Block>();
    coming_->charge = MemoryCharge(budget_);
  }
  // A frame that is not whole yet is charged with the block before it, and released with that.
  RETURN_IF_ERROR(coming_->charge.Add(static_cast<std::int64_t>(piece.size()), "remote read"));
  coming_->size_bytes += piece.size();
  if (form_ == Form::kSamples) {
    coming_->samples += piece;
    return OkStatus();
  }
  RETURN_IF_ERROR(reader_.Feed(piece));
  return coming_->size_bytes >= kBlockBytes && !coming_->series.series.empty() ? Push()
                                                                               : OkStatus();
}

Status RemoteReadStream::OnFrame(wire::SeriesBatch frame) {
  ++frames_;
  wire::SeriesBatch& series = coming_->series;
  const auto shift = static_cast<std::uint32_t>(series.chunks.size());
  for (wire::SeriesBatch::Series& one : frame.series) {
    one.first_chunk += shift;
    series.series.push_back(std::move(one));
  }
  series.chunks.insert(series.chunks.end(), frame.chunks.begin(), frame.chunks.end());
  std::move(frame.owners.begin(), frame.owners.end(), std::back_inserter(coming_->owners));
  return OkStatus();
}

Status RemoteReadStream::FinishBody() {
  if (form_ == Form::kFrames) RETURN_IF_ERROR(reader_.Finish());
  return coming_ != nullptr ? Push() : OkStatus();
}

Status RemoteReadStream::Push() {
  BlockPtr block = std::exchange(coming_, nullptr);
  const Context& context = scope_.context();
  std::unique_lock lock(mutex_.native());
  changed_.wait_until(lock, context.stop_token(), context.deadline(),
                      [this] { return HasRoomLocked(); });
  RETURN_IF_ERROR(context.status());
  queued_bytes_ += block->size_bytes;
  queue_.push_back(std::move(block));
  changed_.notify_all();
  return OkStatus();
}

bool RemoteReadStream::HasRoomLocked() const {
  return queue_.empty() || queued_bytes_ < kQueueBytes;
}

StatusOr<RemoteReadStream::BlockPtr> RemoteReadStream::Pop() {
  std::unique_lock lock(mutex_.native());
  // The thread ends with its context, and says so.
  changed_.wait(lock, [this] { return HasBlockLocked(); });
  if (queue_.empty()) {
    RETURN_IF_ERROR(*fetched_);
    return BlockPtr();
  }
  BlockPtr block = std::move(queue_.front());
  queue_.pop_front();
  queued_bytes_ -= block->size_bytes;
  changed_.notify_all();
  return block;
}

StatusOr<bool> RemoteReadStream::Next(wire::SeriesBatch* batch) {
  batch->Clear();
  std::size_t bytes = 0;
  while (status_.ok()) {
    Fill(batch, &bytes);
    if (IsFull(*batch, bytes) || at_end_ || AtLimit()) break;
    // What is there already joins the batch; nobody waits for more.
    if (!batch->series.empty() && !HasBlock()) break;
    status_ = Read();
  }
  if (!batch->series.empty()) return true;  // an error comes with the next call
  RETURN_IF_ERROR(status_);
  scope_.Cancel();
  return false;
}

bool RemoteReadStream::HasBlock() {
  MutexLock lock(mutex_);
  return HasBlockLocked();
}

Status RemoteReadStream::Read() {
  ASSIGN_OR_RETURN(const BlockPtr block, Pop());
  if (order_ == std::nullopt) {
    // Prometheus does not sort an answer of samples.
    const bool sampled = block != nullptr && !block->samples.empty();
    order_.emplace(options_.rewriting, sampled ? SeriesOrder::Mode::kSorting : options_.mode,
                   budget_);
  }
  if (block == nullptr) {
    at_end_ = true;
    return order_->Finish();
  }
  if (!block->samples.empty()) return AddSamples(*block);
  // What the series need of the block from now on is what its owners keep alive.
  const wire::SeriesBatch coming = std::move(block->series);
  const BufferOwner owner = block;
  for (const wire::SeriesBatch::Series& series : coming.series) {
    RETURN_IF_ERROR(order_->Add(series.labels, coming.ChunksOf(series), owner));
  }
  return OkStatus();
}

Status RemoteReadStream::AddSamples(const Block& block) {
  const std::int64_t left =
      budget_ ? budget_->limit_bytes() - budget_->used_bytes() : kMaxSampledBytes;
  const auto limit = static_cast<std::size_t>(std::clamp<std::int64_t>(left, 0, kMaxSampledBytes));
  ASSIGN_OR_RETURN(const std::vector<wire::SampledSeries> all,
                   wire::DecodeSampledResponse(block.samples, limit));
  for (const wire::SampledSeries& series : all) {
    if (series.histograms > 0) {
      return Unimplemented(
          "remote read: native histograms as samples, which only a Prometheus before "
          "2.13 or a server that does not stream chunks sends: {}",
          series.labels.ToString());
    }
    const auto chunks = Encode(series);
    auto owner = std::make_shared<Block>();
    owner->charge = MemoryCharge(budget_);
    for (const std::string& bytes : chunks->bytes) owner->size_bytes += bytes.size();
    RETURN_IF_ERROR(
        owner->charge.Add(static_cast<std::int64_t>(owner->size_bytes), "encoded samples"));
    owner->owners.push_back(chunks);
    RETURN_IF_ERROR(order_->Add(series.labels, chunks->views, owner));
  }
  return OkStatus();
}

void RemoteReadStream::Fill(wire::SeriesBatch* batch, std::size_t* bytes) {
  while (order_ && !IsFull(*batch, *bytes) && !AtLimit()) {
    std::optional<OrderedSeries> series = order_->Take();
    if (!series) return;
    if (!shard_.Matches(series->labels)) continue;
    batch->series.push_back({.labels = std::move(series->labels),
                             .first_chunk = static_cast<std::uint32_t>(batch->chunks.size()),
                             .chunk_count = static_cast<std::uint32_t>(series->chunks.size())});
    for (const chunk::ChunkView& chunk : series->chunks) {
      *bytes += chunk.data.size();
      batch->chunks.push_back(chunk);
    }
    for (BufferOwner& owner : series->owners) {
      if (batch->owners.empty() || batch->owners.back() != owner) {
        batch->owners.push_back(std::move(owner));
      }
    }
    ++given_;
  }
}

}  // namespace aevum::sidecar
