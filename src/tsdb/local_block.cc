#include "tsdb/local_block.h"

#include <utility>

#include "base/files.h"
#include "tsdb/chunk_segment.h"

namespace aevum::tsdb {
namespace {

// From `offset` to the end of the file.
Status AddTail(const SharedBytes& file, std::uint64_t offset, std::string_view what, Pieces* out) {
  if (offset >= file.size())
    return Corruption("{} at offset {} of a file of {} bytes", what, offset, file.size());
  out->bytes.push_back(file.view.substr(offset));
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<LocalBlock>> LocalBlock::Open(const std::string& directory) {
  std::unique_ptr<LocalBlock> block(new LocalBlock);
  const std::string index = directory + "/index";
  ASSIGN_OR_RETURN(block->index_, MapFile(index));
  StatusOr<IndexTables> tables = IndexTables::OpenIndex(block->index_);
  if (!tables.ok()) return Annotate(tables.status(), index);
  block->tables_ = *std::move(tables);
  for (std::uint32_t i = 0;; ++i) {
    const std::string path = directory + "/" + SegmentName(i);
    StatusOr<SharedBytes> segment = MapFile(path);
    if (segment.status().code() == StatusCode::kNotFound) break;
    if (!segment.ok()) return segment.status();
    RETURN_IF_ERROR(Annotate(CheckSegmentHeader(segment->view), path));
    block->segments_.push_back(*std::move(segment));
  }
  return block;
}

StatusOr<Pieces> LocalBlock::ReadPostings(const Context& /*context*/,
                                          std::span<const PostingsKey> keys) {
  Pieces pieces;
  pieces.owners.push_back(index_.owner);
  pieces.bytes.reserve(keys.size());
  for (const PostingsKey& key : keys)
    pieces.bytes.push_back(index_.view.substr(key.range.begin, key.range.size()));
  return pieces;
}

StatusOr<Pieces> LocalBlock::ReadSeries(const Context& /*context*/,
                                        std::span<const SeriesRef> refs) {
  Pieces pieces;
  pieces.owners.push_back(index_.owner);
  pieces.bytes.reserve(refs.size());
  for (const SeriesRef ref : refs)
    RETURN_IF_ERROR(AddTail(index_, tables_.SeriesOffset(ref), "series", &pieces));
  return pieces;
}

StatusOr<Pieces> LocalBlock::ReadChunks(const Context& /*context*/, std::uint32_t segment,
                                        std::span<const std::uint32_t> offsets) {
  if (segment >= segments_.size())
    return Corruption("chunk in segment {} of a block that has {}", segment + 1ULL,
                      segments_.size());
  const SharedBytes& file = segments_[segment];
  Pieces pieces;
  pieces.owners.push_back(file.owner);
  pieces.bytes.reserve(offsets.size());
  for (const std::uint32_t offset : offsets)
    RETURN_IF_ERROR(AddTail(file, offset, "chunk", &pieces));
  return pieces;
}

}  // namespace aevum::tsdb
