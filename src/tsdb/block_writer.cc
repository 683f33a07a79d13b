#include "tsdb/block_writer.h"

#include <algorithm>

#include "chunk/chunk.h"
#include "encoding/byte_writer.h"

namespace aevum::tsdb {

StatusOr<BlockWriter> BlockWriter::Create(const std::string& directory,
                                          BlockWriterOptions options) {
  ASSIGN_OR_RETURN(IndexWriter index, IndexWriter::Create(directory + "/index", options.index));
  return BlockWriter(std::move(index), directory, options);
}

Status BlockWriter::AddSeries(std::span<const SeriesEntry::Label> labels,
                              std::span<const WrittenChunk> chunks) {
  stored_.clear();
  for (const WrittenChunk& chunk : chunks) stored_.push_back(chunk.stored);
  refs_.clear();
  RETURN_IF_ERROR(segments_.Write(stored_, &refs_));
  metas_.clear();
  for (std::size_t i = 0; i < chunks.size(); ++i)
    metas_.push_back({chunks[i].min_time, chunks[i].max_time, refs_[i]});
  RETURN_IF_ERROR(index_.AddSeries(labels, metas_));
  for (const WrittenChunk& chunk : chunks) Count(chunk);
  return OkStatus();
}

void BlockWriter::Count(const WrittenChunk& chunk) {
  ++stats_.chunks;
  stats_.min_time = std::min(stats_.min_time, chunk.min_time);
  stats_.max_time = std::max(stats_.max_time, chunk.max_time);
  stats_.chunk_max_bytes =
      std::max<std::uint64_t>(stats_.chunk_max_bytes, StoredSize(chunk.stored.data.size()));
  if (chunk.stored.encoding > static_cast<std::uint8_t>(chunk::Encoding::kFloatHistogramStart))
    return;
  const auto encoding = static_cast<chunk::Encoding>(chunk.stored.encoding);
  const bool floats = encoding == chunk::Encoding::kXor || encoding == chunk::Encoding::kXor2;
  (floats ? stats_.float_samples : stats_.histogram_samples) +=
      chunk::ClaimedSamples(encoding, chunk.stored.data);
}

StatusOr<BlockStats> BlockWriter::Finish(const Context& context) {
  RETURN_IF_ERROR(segments_.Finish());
  RETURN_IF_ERROR(index_.Finish(context));
  stats_.series = index_.series();
  stats_.series_max_bytes = index_.most_entry_bytes();
  return stats_;
}

SymbolNumbers::SymbolNumbers(std::vector<std::string> symbols) : symbols_(std::move(symbols)) {
  std::sort(symbols_.begin(), symbols_.end());
  symbols_.erase(std::unique(symbols_.begin(), symbols_.end()), symbols_.end());
  numbers_.reserve(symbols_.size());
  for (std::uint32_t i = 0; i < symbols_.size(); ++i) numbers_.emplace(symbols_[i], i);
}

StatusOr<std::uint32_t> SymbolNumbers::Find(std::string_view symbol) const {
  const auto found = numbers_.find(symbol);
  if (found == numbers_.end()) return NotFound("no symbol \"{}\"", symbol);
  return found->second;
}

}  // namespace aevum::tsdb
