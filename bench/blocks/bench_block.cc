#include "bench_block.h"

#include <cstdint>
#include <vector>

#include "base/context.h"
#include "base/files.h"
#include "block/upload.h"
#include "chunk/xor.h"
#include "tsdb/block_writer.h"

namespace aevum::bench {
namespace {

constexpr std::size_t kSamplesPerChunk = 120;

// Every string of the labels.
std::vector<std::string> SymbolsOf(const BlockData& data) {
  std::vector<std::string> symbols;
  std::vector<std::string> storage;
  std::vector<model::Label> labels;
  std::vector<std::string> last;
  for (std::uint64_t s = 0; s < data.options().series; ++s) {
    data.LabelsOf(s, &storage, &labels);
    if (last.empty()) {
      for (const model::Label& label : labels) symbols.emplace_back(label.name);
      last.resize(storage.size());
    }
    for (std::size_t i = 0; i < storage.size(); ++i) {
      if (storage[i] == last[i]) continue;
      last[i] = storage[i];
      symbols.push_back(storage[i]);
    }
  }
  return symbols;
}

class SeriesEncoder {
 public:
  // The chunks, valid until the next call.
  const std::vector<tsdb::WrittenChunk>& Encode(std::span<const TimestampMs> times,
                                                std::span<const double> values) {
    data_.clear();
    for (std::size_t i = 0; i < times.size(); i += kSamplesPerChunk) {
      const std::size_t count = std::min(kSamplesPerChunk, times.size() - i);
      encoder_.Reset();
      encoder_.Append(times.subspan(i, count), values.subspan(i, count));
      data_.push_back(encoder_.Bytes());
    }
    chunks_.clear();
    for (std::size_t c = 0; c < data_.size(); ++c) {
      const std::size_t first = c * kSamplesPerChunk;
      const std::size_t last = std::min(first + kSamplesPerChunk, times.size()) - 1;
      chunks_.push_back({.min_time = times[first],
                         .max_time = times[last],
                         .stored = {static_cast<std::uint8_t>(chunk::Encoding::kXor), data_[c]}});
    }
    return chunks_;
  }

 private:
  chunk::XorEncoder encoder_;
  std::vector<std::string> data_;
  std::vector<tsdb::WrittenChunk> chunks_;
};

StatusOr<tsdb::BlockStats> WriteSeries(const std::string& directory, const BlockData& data) {
  const tsdb::SymbolNumbers numbers(SymbolsOf(data));
  tsdb::BlockWriterOptions options;
  options.index.durability = OutputFile::Durability::kUnsynced;
  ASSIGN_OR_RETURN(tsdb::BlockWriter writer, tsdb::BlockWriter::Create(directory, options));
  for (const std::string& symbol : numbers.symbols()) RETURN_IF_ERROR(writer.AddSymbol(symbol));
  SeriesEncoder encoder;
  std::vector<std::string> storage;
  std::vector<model::Label> labels;
  std::vector<tsdb::SeriesEntry::Label> numbered;
  std::vector<TimestampMs> times;
  std::vector<double> values;
  for (std::uint64_t s = 0; s < data.options().series; ++s) {
    data.SamplesOf(s, &times, &values);
    if (times.empty()) continue;
    data.LabelsOf(s, &storage, &labels);
    numbered.clear();
    for (const model::Label& label : labels) {
      ASSIGN_OR_RETURN(const std::uint32_t name, numbers.Find(label.name));
      ASSIGN_OR_RETURN(const std::uint32_t value, numbers.Find(label.value));
      numbered.push_back({name, value});
    }
    RETURN_IF_ERROR(writer.AddSeries(numbered, encoder.Encode(times, values)));
  }
  return writer.Finish(Context::Background());
}

}  // namespace

model::Ulid BenchUlid(TimestampMs time, std::uint64_t seed, std::uint64_t block) {
  model::Ulid ulid;
  for (std::size_t i = 0; i < model::Ulid::kTimeBytes; ++i)
    ulid.bytes[i] = static_cast<std::uint8_t>(time >> 8 * (model::Ulid::kTimeBytes - 1 - i));
  for (std::size_t i = 0; i < 5; ++i) {
    ulid.bytes[model::Ulid::kTimeBytes + i] = static_cast<std::uint8_t>(seed >> 8 * (4 - i));
    ulid.bytes[model::Ulid::kTimeBytes + 5 + i] = static_cast<std::uint8_t>(block >> 8 * (4 - i));
  }
  return ulid;
}

StatusOr<block::Meta> WriteBenchBlock(const std::string& bucket, const model::Ulid& ulid,
                                      const BlockData& data,
                                      const std::map<std::string, std::string>& external_labels) {
  const std::string directory = bucket + "/" + ulid.ToString();
  ASSIGN_OR_RETURN(const tsdb::BlockStats stats, WriteSeries(directory, data));
  block::Meta meta;
  meta.ulid = ulid;
  const BlockDataOptions& options = data.options();
  meta.min_time = options.start;
  meta.max_time = options.start + static_cast<TimestampMs>(options.samples) * options.interval_ms;
  meta.stats = {.samples = stats.float_samples,
                .float_samples = stats.float_samples,
                .series = stats.series,
                .chunks = stats.chunks};
  meta.compaction.level = 1;
  meta.compaction.sources = {ulid};
  meta.thanos_version = 1;
  meta.labels = external_labels;
  meta.source = block::kSourceSidecar;
  ASSIGN_OR_RETURN(meta.segment_files, block::ListSegments(directory));
  ASSIGN_OR_RETURN(meta.files, block::ListBlockFiles(directory, block::HashFunction::kNone));
  ASSIGN_OR_RETURN(OutputFile file,
                   OutputFile::Create(directory + "/" + std::string(block::kMetaFile)));
  RETURN_IF_ERROR(file.Write(meta.Write()));
  RETURN_IF_ERROR(file.Commit(OutputFile::Durability::kUnsynced));
  return meta;
}

}  // namespace aevum::bench
