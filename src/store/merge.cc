#include "store/merge.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <tuple>
#include <utility>

namespace aevum::store {
namespace {

using chunk::ChunkView;

// Where a key leaves the label set that was given out last:
//
//     shared length + 1, 55 bits | 511 - (next byte + 1, or 0 past the end), 9 bits
//
// Of two keys that are not below that label set the one with the larger code is smaller. 0 stands
// for an input that has ended.
using Code = std::uint64_t;
inline constexpr Code kEnded = 0;

// How far ahead of an input the labels are loaded. Merging waits for memory most of its time.
inline constexpr std::size_t kPrefetchSeries = 4;

// The next byte + 1, or 0 past the end.
std::uint32_t ByteAt(std::string_view key, std::size_t offset) {
  return offset < key.size() ? static_cast<unsigned char>(key[offset]) + 1U : 0U;
}

Code MakeCode(std::size_t shared, std::uint32_t byte) {
  return (static_cast<Code>(shared) + 1) << 9 | (511 - byte);
}

// True when a key with this code is the label set that was given out last.
bool SameAsLast(Code code) { return (code & 511) == 511; }

std::uint64_t Load(const char* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// The number of leading bytes that are equal; the first `from` are known to be.
std::size_t SharedLength(std::string_view a, std::string_view b, std::size_t from) {
  const std::size_t size = std::min(a.size(), b.size());
  std::size_t i = from;
  if constexpr (std::endian::native == std::endian::little) {
    for (; i + 8 <= size; i += 8) {
      const std::uint64_t difference = Load(a.data() + i) ^ Load(b.data() + i);
      if (difference != 0) return i + static_cast<std::size_t>(std::countr_zero(difference)) / 8;
    }
  }
  while (i < size && a[i] == b[i]) ++i;
  return i;
}

// Bits of replicas that come after others; those that find no room share the last one.
std::uint16_t ShiftReplicas(std::uint16_t replicas, unsigned by) {
  constexpr unsigned kBits = 16;
  const std::uint64_t wide = std::uint64_t{replicas} << std::min(by, kBits - 1);
  const std::uint64_t last = wide >> kBits == 0 ? 0 : std::uint64_t{1} << (kBits - 1);
  return static_cast<std::uint16_t>(wide | last);
}

class MergeStream final : public SeriesStream {
 public:
  MergeStream(std::vector<std::unique_ptr<SeriesStream>> inputs, InputErrorHandler on_error)
      : inputs_(inputs.size()), losers_(inputs.size()), on_error_(std::move(on_error)) {
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs_[i].stream = std::move(inputs[i]);
  }

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    batch->Clear();
    RETURN_IF_ERROR(status_);
    status_ = Fill(batch);
    RETURN_IF_ERROR(status_);
    return !batch->series.empty() || winner_.code != kEnded;
  }

 private:
  struct Input {
    std::unique_ptr<SeriesStream> stream;
    wire::SeriesBatch batch;
    std::size_t position = 0;  // of the current series in the batch
    std::string_view key;      // its packed labels
    bool carried = false;      // the owners of the batch are in the batch that is being filled
  };
  struct Node {
    Code code = kEnded;
    std::uint32_t input = 0;
  };

  Status Fill(wire::SeriesBatch* out) {
    for (Input& input : inputs_) input.carried = false;
    if (!started_) RETURN_IF_ERROR(Start(out));
    std::size_t chunk_bytes = 0;
    std::size_t sources = 0;  // of the last series of `out`
    unsigned replicas = 0;    // bits in use of ChunkView::replicas, of that series
    while (winner_.code != kEnded) {
      const bool same = !out->series.empty() && SameAsLast(winner_.code);
      if (!same) {
        if (sources > 0) FinishSeries(out, sources);
        if (out->series.size() >= kMergeBatchSeries || chunk_bytes >= kMergeBatchChunkBytes) {
          return OkStatus();
        }
        sources = 0;
      }
      if (!same) replicas = 0;
      chunk_bytes += Take(same, &replicas, out);
      ++sources;
      RETURN_IF_ERROR(Advance(out));
    }
    if (sources > 0) FinishSeries(out, sources);
    return OkStatus();
  }

  // Moves the current series of the winner to the end of `out`. Its replicas get the next bits.
  // Returns the size of its chunks.
  std::size_t Take(bool same, unsigned* replicas, wire::SeriesBatch* out) {
    Input& input = inputs_[winner_.input];
    wire::SeriesBatch::Series& series = input.batch.series[input.position];
    if (!same) {
      out->series.push_back({.labels = std::move(series.labels),
                             .first_chunk = static_cast<std::uint32_t>(out->chunks.size()),
                             .chunk_count = 0});
    }
    if (series.chunk_count == 0) return 0;
    if (!input.carried) {
      input.carried = true;
      if (!out->sources) out->sources = input.batch.sources;
      out->owners.insert(out->owners.end(), input.batch.owners.begin(), input.batch.owners.end());
    }
    std::size_t bytes = 0;
    unsigned all = 0;
    for (const ChunkView& chunk : input.batch.ChunksOf(series)) {
      out->chunks.push_back(chunk);
      out->chunks.back().replicas = ShiftReplicas(chunk.replicas, *replicas);
      all |= chunk.replicas;
      bytes += chunk.data.size();
    }
    *replicas += static_cast<unsigned>(std::bit_width(all));
    return bytes;
  }

  static void FinishSeries(wire::SeriesBatch* out, std::size_t sources) {
    wire::SeriesBatch::Series& series = out->series.back();
    const auto begin = out->chunks.begin() + series.first_chunk;
    const auto by_min_time = [](const ChunkView& a, const ChunkView& b) {
      return a.min_time < b.min_time;
    };
    if (sources > 1 || !std::is_sorted(begin, out->chunks.end(), by_min_time)) {
      SortChunks(&out->chunks, series.first_chunk);
    }
    series.chunk_count = static_cast<std::uint32_t>(out->chunks.size()) - series.first_chunk;
  }

  // a becomes the winner of the two, b is coded against it.
  void Play(Node& a, Node& b) {
    if (a.code != b.code) {
      if (a.code < b.code) std::swap(a, b);
      return;
    }
    if (a.code == kEnded) return;
    const std::size_t from = static_cast<std::size_t>(a.code >> 9) - 1;
    const std::string_view x = inputs_[a.input].key;
    const std::string_view y = inputs_[b.input].key;
    const std::size_t shared = SharedLength(x, y, from);
    std::uint32_t p = ByteAt(x, shared);
    std::uint32_t q = ByteAt(y, shared);
    if (p > q || (p == q && a.input > b.input)) {  // equal ones in the order of the inputs
      std::swap(a, b);
      std::swap(p, q);
    }
    b.code = MakeCode(shared, q);
  }

  Status Start(wire::SeriesBatch* out) {
    started_ = true;
    const std::size_t count = inputs_.size();
    if (count == 0) return OkStatus();
    std::vector<Node> nodes(2 * count);
    for (std::size_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(const Code code, Refill(i, {}, out));
      nodes[count + i] = {.code = code, .input = static_cast<std::uint32_t>(i)};
    }
    for (std::size_t n = count - 1; n > 0; --n) {
      nodes[n] = nodes[2 * n];
      losers_[n] = nodes[2 * n + 1];
      Play(nodes[n], losers_[n]);
    }
    winner_ = nodes[1];
    return OkStatus();
  }

  // Replaces the series that was just taken by the next one of its input, and finds the new winner.
  Status Advance(wire::SeriesBatch* out) {
    const std::size_t i = winner_.input;
    Input& input = inputs_[i];
    // The labels of the last series of `out` are those that were just taken.
    const std::string_view last = out->series.back().labels.packed();
    const std::size_t ahead = input.position + kPrefetchSeries;
    if (ahead < input.batch.series.size()) input.batch.series[ahead].labels.Prefetch();
    if (++input.position < input.batch.series.size()) {
      ASSIGN_OR_RETURN(winner_.code, SetKey(i, last, out));
    } else {
      ASSIGN_OR_RETURN(winner_.code, Refill(i, last, out));
    }
    for (std::size_t n = (inputs_.size() + i) / 2; n > 0; n /= 2) Play(winner_, losers_[n]);
    return OkStatus();
  }

  // Pulls batches until there is a series. `last` is what the input gave last.
  StatusOr<Code> Refill(std::size_t i, std::string_view last, wire::SeriesBatch* out) {
    Input& input = inputs_[i];
    while (true) {
      StatusOr<bool> more = input.stream->Next(&input.batch);
      input.position = 0;
      input.carried = false;
      if (!more.ok()) return Fail(i, more.status(), out);
      std::move(input.batch.warnings.begin(), input.batch.warnings.end(),
                std::back_inserter(out->warnings));
      input.batch.warnings.clear();
      if (!input.batch.series.empty()) return SetKey(i, last, out);
      if (!*more) break;
    }
    End(input);
    return kEnded;
  }

  StatusOr<Code> SetKey(std::size_t i, std::string_view last, wire::SeriesBatch* out) {
    Input& input = inputs_[i];
    input.key = input.batch.series[input.position].labels.packed();
    const std::size_t shared = SharedLength(last, input.key, 0);
    const std::uint32_t byte = ByteAt(input.key, shared);
    if (byte < ByteAt(last, shared)) {
      return Fail(i,
                  Corruption("series are not sorted by their labels: {} is out of place",
                             input.batch.series[input.position].labels.ToString()),
                  out);
    }
    return MakeCode(shared, byte);
  }

  StatusOr<Code> Fail(std::size_t i, const Status& error, wire::SeriesBatch* out) {
    End(inputs_[i]);
    if (!on_error_) return error;
    RETURN_IF_ERROR(on_error_(i, error, out));
    return kEnded;
  }

  static void End(Input& input) {
    input.stream.reset();
    input.batch.Clear();
    input.position = 0;
    input.key = {};
  }

  std::vector<Input> inputs_;
  std::vector<Node> losers_;  // 1 .. inputs - 1; the children of n are 2n and 2n + 1
  Node winner_;
  InputErrorHandler on_error_;
  bool started_ = false;
  Status status_;
};

auto ContentOf(const ChunkView& chunk) {
  return std::tuple(chunk.min_time, chunk.max_time, chunk.aggregate, chunk.encoding, chunk.data);
}
// By time; of chunks at equal times those with the larger bytes come first, as in Thanos: the order
// decides which samples `penalty` and `chain` take.
bool Before(const ChunkView& a, const ChunkView& b) {
  if (a.min_time != b.min_time) return a.min_time < b.min_time;
  return std::tie(a.max_time, a.aggregate, a.encoding, b.data) <
         std::tie(b.max_time, b.aggregate, b.encoding, a.data);
}
bool Same(const ChunkView& a, const ChunkView& b) {
  return a.min_time == b.min_time && ContentOf(a) == ContentOf(b);
}

// Sorts whole aggregate chunks: runs of parts with the same bounds and rising aggregate.
void SortAggregates(std::span<ChunkView> chunks, std::vector<ChunkView>* out) {
  std::vector<std::span<const ChunkView>> groups;
  for (std::size_t i = 0; i < chunks.size();) {
    std::size_t end = i + 1;
    while (end < chunks.size() && chunks[end].min_time == chunks[i].min_time &&
           chunks[end].max_time == chunks[i].max_time &&
           chunks[end].aggregate > chunks[end - 1].aggregate) {
      ++end;
    }
    groups.push_back(chunks.subspan(i, end - i));
    i = end;
  }
  const auto before = [](std::span<const ChunkView> a, std::span<const ChunkView> b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), Before);
  };
  std::sort(groups.begin(), groups.end(), before);
  std::span<const ChunkView> last;
  for (const auto group : groups) {
    if (std::equal(group.begin(), group.end(), last.begin(), last.end(), Same)) {
      for (std::size_t i = 1; i <= group.size(); ++i) {
        out->rbegin()[static_cast<std::ptrdiff_t>(i) - 1].replicas |=
            group[group.size() - i].replicas;
      }
      continue;
    }
    last = group;
    out->insert(out->end(), group.begin(), group.end());
  }
}

}  // namespace

void SortChunks(std::vector<ChunkView>* chunks, std::size_t first) {
  const auto begin = chunks->begin() + static_cast<std::ptrdiff_t>(first);
  const bool raw = std::all_of(begin, chunks->end(), [](const ChunkView& chunk) {
    return chunk.aggregate == chunk::Aggregate::kRaw;
  });
  if (raw) {
    std::sort(begin, chunks->end(), Before);
    auto kept = begin;
    for (auto chunk = begin; chunk != chunks->end(); ++chunk) {
      if (chunk != begin && Same(*kept, *chunk)) {
        kept->replicas |= chunk->replicas;
      } else if (chunk != begin) {
        *++kept = *chunk;
      }
    }
    if (begin != chunks->end()) chunks->erase(kept + 1, chunks->end());
    return;
  }
  std::vector<ChunkView> unsorted(begin, chunks->end());
  chunks->erase(begin, chunks->end());
  SortAggregates(unsorted, chunks);
}

std::unique_ptr<SeriesStream> MergeStreams(std::vector<std::unique_ptr<SeriesStream>> inputs,
                                           InputErrorHandler on_error) {
  return std::make_unique<MergeStream>(std::move(inputs), std::move(on_error));
}

}  // namespace aevum::store
