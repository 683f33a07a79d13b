#include "store/testing/golden_bucket.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>
#include <sstream>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "chunk/testing/vectors.h"
#include "chunk/xor.h"
#include "encoding/byte_reader.h"
#include "store/external_labels.h"
#include "store/sharding.h"
#include "store/testing/fake_store.h"

namespace aevum::store::testing {
namespace {

using chunk::Aggregate;
using chunk::ChunkView;
using chunk::Encoding;
using nlohmann::json;

constexpr std::size_t kSegmentHeader = 8;
constexpr std::size_t kChecksum = 4;
constexpr std::uint8_t kAggregateChunk = 255;

// A line "C mint maxt encoding samples bytes" of a dump.
struct ChunkTimes {
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
};

ChunkTimes ParseChunkLine(const std::string& line) {
  ChunkTimes times;
  std::istringstream words(line.substr(2));
  words >> times.min_time >> times.max_time;
  return times;
}

model::Labels ParseLabels(const json& object) {
  std::vector<model::Label> labels;
  for (const auto& [name, value] : object.items())
    labels.push_back({name, value.get_ref<const std::string&>()});
  return model::Labels::FromUnsorted(std::move(labels));
}

// The parts of an aggregate chunk: len uvarint | encoding u8 | bytes, in the order of the enum;
// a length of 0 stands alone.
Status AddAggregates(std::string_view data, ChunkView view, std::vector<ChunkView>* out) {
  encoding::ByteReader reader(data);
  for (const Aggregate part : {Aggregate::kCount, Aggregate::kSum, Aggregate::kMin, Aggregate::kMax,
                               Aggregate::kCounter}) {
    const std::uint64_t size = reader.ReadUvarint();
    if (size == 0) continue;
    view.aggregate = part;
    view.encoding = static_cast<Encoding>(reader.ReadU8());
    view.data = reader.ReadBytes(size);
    RETURN_IF_ERROR(reader.status());
    out->push_back(view);
  }
  return OkStatus();
}

// The chunks of a block, one after another.
class ChunkFiles {
 public:
  explicit ChunkFiles(const std::vector<std::string>& segments) : segments_(segments) { Open(); }

  // Adds the next chunk, or the parts of it.
  Status Next(ChunkTimes times, std::vector<ChunkView>* out) {
    while (reader_.remaining() == 0 && segment_ + 1 < segments_.size()) {
      ++segment_;
      Open();
    }
    const std::uint64_t size = reader_.ReadUvarint();
    const std::uint8_t encoding = reader_.ReadU8();
    const std::string_view data = reader_.ReadBytes(size);
    reader_.ReadBytes(kChecksum);
    RETURN_IF_ERROR(reader_.status());
    ChunkView view{.min_time = times.min_time, .max_time = times.max_time};
    if (encoding == kAggregateChunk) return AddAggregates(data, view, out);
    view.data = data;
    view.encoding = static_cast<Encoding>(encoding);
    out->push_back(view);
    return OkStatus();
  }
  bool AtEnd() const { return reader_.remaining() == 0 && segment_ + 1 == segments_.size(); }

 private:
  void Open() {
    reader_ = encoding::ByteReader(std::string_view(segments_[segment_]).substr(kSegmentHeader));
  }

  const std::vector<std::string>& segments_;
  std::size_t segment_ = 0;
  encoding::ByteReader reader_{""};
};

// Gives chunks of floats an encoding that travels; `bytes` holds the new ones.
Status Transcode(ChunkView* view, std::vector<std::string>* bytes) {
  if (view->encoding != Encoding::kXor2) return OkStatus();
  chunk::Columns columns;
  RETURN_IF_ERROR(chunk::Decode(view->encoding, view->data, &columns));
  chunk::XorEncoder encoder;
  for (std::size_t i = 0; i < columns.times.size(); ++i)
    encoder.Append(columns.times[i], columns.values[i]);
  bytes->push_back(encoder.Bytes());
  view->encoding = Encoding::kXor;
  view->data = bytes->back();
  return OkStatus();
}

StatusOr<std::string> DumpOf(const std::string& bucket, const std::string& id) {
  // Blocks that another bucket has too are dumped there alone.
  for (const std::string& folder : {bucket, std::string("raw")}) {
    for (const char* suffix : {".txt.gz", ".count.txt.gz"}) {
      std::string dump = chunk::testing::ReadGzip(
          fmt::format("{}/dumps/{}/{}{}", GoldenBucket::Folder(), folder, id, suffix));
      if (!dump.empty()) return dump;
    }
  }
  return NotFound("no dump of block {}", id);
}

Status ReadSegments(const std::string& folder, std::vector<std::string>* segments) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDirectory(folder + "/chunks"));
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(std::string bytes, ReadFile(folder + "/chunks/" + name));
    segments->push_back(std::move(bytes));
  }
  return OkStatus();
}

StatusOr<std::shared_ptr<GoldenBlock>> ReadBlock(const std::string& bucket, const std::string& id,
                                                 const std::string& dump) {
  const std::string folder = fmt::format("{}/{}/{}", GoldenBucket::Folder(), bucket, id);
  auto block = std::make_shared<GoldenBlock>();
  block->id = id;
  ASSIGN_OR_RETURN(const std::string meta_text, ReadFile(folder + "/meta.json"));
  const json meta = json::parse(meta_text);
  block->external_labels = ParseLabels(meta.at("thanos").at("labels"));
  block->min_time = meta.at("minTime").get<TimestampMs>();
  block->max_time = meta.at("maxTime").get<TimestampMs>();
  block->resolution_ms = meta.at("thanos").at("downsample").at("resolution").get<std::int64_t>();
  RETURN_IF_ERROR(ReadSegments(folder, &block->segments));

  ChunkFiles files(block->segments);
  std::istringstream lines(dump);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("S ")) {
      block->series.push_back({.labels = ParseLabels(json::parse(line.substr(2))), .chunks = {}});
    } else if (line.starts_with("C ")) {
      RETURN_IF_ERROR(files.Next(ParseChunkLine(line), &block->series.back().chunks));
    }
  }
  if (!files.AtEnd()) return Corruption("block {} has more chunks than its dump", id);

  // Not into `segments`, whose strings the views point into.
  std::vector<std::string>& transcoded = block->transcoded;
  std::size_t chunks = 0;
  for (const GoldenBlock::Series& series : block->series) chunks += series.chunks.size();
  transcoded.reserve(chunks);
  for (GoldenBlock::Series& series : block->series)
    for (ChunkView& view : series.chunks) RETURN_IF_ERROR(Transcode(&view, &transcoded));
  return block;
}

bool Asks(const wire::SeriesRequest& request, Aggregate aggregate) {
  if (aggregate == Aggregate::kRaw) return true;
  return std::ranges::any_of(request.aggregates, [&](wire::Aggr asked) {
    return static_cast<int>(asked) == static_cast<int>(aggregate);
  });
}

void AddChunks(const GoldenBlock::Series& series, const wire::SeriesRequest& request,
               std::vector<ChunkView>* out) {
  for (const ChunkView& chunk : series.chunks) {
    if (chunk.max_time < request.min_time || chunk.min_time > request.max_time) continue;
    if (Asks(request, chunk.aggregate)) out->push_back(chunk);
  }
}

// Chunks as a store gateway orders them: of those with equal times the larger bytes first.
bool InStoreOrder(const ChunkView& a, const ChunkView& b) {
  return std::tie(a.min_time, a.max_time, a.aggregate, b.data) <
         std::tie(b.min_time, b.max_time, b.aggregate, a.data);
}

}  // namespace

std::string GoldenBucket::Folder() {
  std::string folder = AEVUM_SHARED_DIR "/golden/buckets";
  return ListDirectory(folder).ok() ? folder : std::string();
}

StatusOr<std::unique_ptr<GoldenBucket>> GoldenBucket::Open(const std::string& name,
                                                           std::string_view id) {
  auto bucket = std::make_unique<GoldenBucket>();
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, ListDirectory(Folder() + "/" + name));
  for (const std::string& one : ids) {
    if (!id.empty() && one != id) continue;
    StatusOr<std::string> dump = DumpOf(name, one);
    if (!dump.ok()) continue;
    auto block = ReadBlock(name, one, *dump);
    if (!block.ok()) return Annotate(block.status(), fmt::format("block {}", one));
    bucket->blocks_[(*block)->external_labels].push_back(*std::move(block));
  }
  for (auto& [labels, blocks] : bucket->blocks_) {
    std::ranges::stable_sort(blocks, std::less<>(), [](const auto& b) { return b->min_time; });
  }
  return bucket;
}

void GoldenBucket::DropExternalLabels() {
  Blocks all;
  for (auto& [labels, blocks] : blocks_) {
    for (const auto& block : blocks) {
      block->external_labels = {};
      all.push_back(block);
    }
  }
  blocks_ = {{model::Labels(), std::move(all)}};
}

GoldenBucket::Blocks GoldenBucket::Choose(const Blocks& sorted, TimestampMs min_time,
                                          TimestampMs max_time, std::int64_t max_resolution_ms) {
  std::int64_t resolution = -1;
  for (const auto& block : sorted) {
    if (block->resolution_ms <= max_resolution_ms)
      resolution = std::max(resolution, block->resolution_ms);
  }
  Blocks chosen;
  if (min_time > max_time || resolution < 0) return chosen;
  const auto fill = [&](TimestampMs from, TimestampMs to) {
    const Blocks finer = Choose(sorted, from, to, resolution - 1);
    chosen.insert(chosen.end(), finer.begin(), finer.end());
  };
  TimestampMs covered = min_time;
  for (const auto& block : sorted) {
    if (block->resolution_ms != resolution || block->max_time <= min_time) continue;
    if (block->min_time > max_time) break;
    fill(covered, block->min_time - 1);
    chosen.push_back(block);
    covered = block->max_time;
  }
  fill(covered, max_time);
  return chosen;
}

StatusOr<std::unique_ptr<SeriesStream>> GoldenBucket::Series(const Context& /*context*/,
                                                             const wire::SeriesRequest& request) {
  // Blocks of one origin hold parts of the same series.
  std::map<model::Labels, std::vector<ChunkView>> found;
  const ShardMatcher shard(request.shard_info.value_or(wire::ShardInfo{}));
  for (const auto& [external, blocks] : blocks_) {
    const auto matchers = MatchExternalLabels(request.matchers, external);
    if (!matchers) continue;
    if (matchers->empty())
      return InvalidArgument("no matchers specified (excluding selector labels)");
    for (const auto& block :
         Choose(blocks, request.min_time, request.max_time, request.max_resolution_window_ms)) {
      for (const GoldenBlock::Series& series : block->series) {
        if (!model::MatchesAll(*matchers, series.labels)) continue;
        const model::Labels labels = ExtendLabels(series.labels, external);
        std::vector<ChunkView> chunks;
        AddChunks(series, request, &chunks);
        if (chunks.empty() || !shard.Matches(labels)) continue;
        std::vector<ChunkView>& all = found[labels];
        if (!request.skip_chunks) all.insert(all.end(), chunks.begin(), chunks.end());
      }
    }
  }
  std::vector<FakeSeries> list;
  for (auto& [labels, chunks] : found) {
    std::ranges::sort(chunks, InStoreOrder);
    model::LabelsBuilder builder(labels);
    for (const std::string& name : request.without_replica_labels) builder.Remove(name);
    list.push_back({.labels = builder.Build(), .chunks = std::move(chunks)});
  }
  std::ranges::stable_sort(list, std::less<>(), &FakeSeries::labels);
  return StreamOf(std::move(list), 64);
}

template <typename Visit>
void GoldenBucket::VisitMatching(const model::Matchers& matchers, TimestampMs start,
                                 TimestampMs end, Visit visit) const {
  for (const auto& [external, blocks] : blocks_) {
    const auto rest = MatchExternalLabels(matchers, external);
    if (!rest) continue;
    for (const auto& block : blocks) {
      if (block->max_time <= start || block->min_time > end) continue;
      for (const GoldenBlock::Series& series : block->series) {
        if (model::MatchesAll(*rest, series.labels)) visit(*block, series.labels, !rest->empty());
      }
    }
  }
}

StatusOr<wire::LabelsResponse> GoldenBucket::LabelNames(const Context& /*context*/,
                                                        const wire::LabelNamesRequest& request) {
  std::set<std::string> names;
  const auto add = [&](const model::Labels& labels) {
    for (const model::Label label : labels) names.emplace(label.name);
  };
  VisitMatching(request.matchers, request.start, request.end,
                [&](const GoldenBlock& block, const model::Labels& labels, bool) {
                  add(labels);
                  add(block.external_labels);
                });
  return wire::LabelsResponse{.strings = {names.begin(), names.end()}, .warnings = {}, .hints = {}};
}

StatusOr<wire::LabelsResponse> GoldenBucket::LabelValues(const Context& /*context*/,
                                                         const wire::LabelValuesRequest& request) {
  std::set<std::string> values;
  const auto add = [&](const model::Labels& labels) {
    if (labels.Has(request.label)) values.emplace(labels.Get(request.label));
  };
  VisitMatching(request.matchers, request.start, request.end,
                [&](const GoldenBlock& block, const model::Labels& labels, bool by_series) {
                  // Without a matcher on series the list of the index is taken, which also has what
                  // external labels hide.
                  if (!by_series || !block.external_labels.Has(request.label)) add(labels);
                  add(block.external_labels);
                });
  return wire::LabelsResponse{
      .strings = {values.begin(), values.end()}, .warnings = {}, .hints = {}};
}

StatusOr<wire::InfoResponse> GoldenBucket::Info(const Context& /*context*/) {
  wire::InfoResponse info;
  info.component_type = "store";
  info.store = wire::StoreInfo{.min_time = kMaxTime,
                               .max_time = kMinTime,
                               .supports_sharding = true,
                               .supports_without_replica_labels = true};
  for (const auto& [external, blocks] : blocks_) {
    info.label_sets.push_back(external);
    for (const auto& block : blocks) {
      info.store->min_time = std::min(info.store->min_time, block->min_time);
      info.store->max_time = std::max(info.store->max_time, block->max_time);
    }
  }
  return info;
}

}  // namespace aevum::store::testing
