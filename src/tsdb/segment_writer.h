// Writes the segment files of a block.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/output_file.h"
#include "base/status.h"
#include "tsdb/chunk_segment.h"

namespace aevum::tsdb {

// Where Prometheus begins another segment.
inline constexpr std::uint64_t kSegmentBytes = 512 << 20;

// Chunks one after another, in files "chunks/000001" and on in a directory. Each file is put in
// place when it is full, or by Finish. Memory: the buffer of one file. Thread-compatible.
class SegmentWriter {
 public:
  // `directory` is that of the block. A segment ends where the next chunk might reach beyond
  // `segment_bytes`, by the same rule as Prometheus's; a larger chunk has one of its own.
  explicit SegmentWriter(std::string directory, std::uint64_t segment_bytes = kSegmentBytes,
                         OutputFile::Durability durability = OutputFile::Durability::kSynced);

  // Appends the chunks of one series and their references (ChunkMeta::ref) to `refs`.
  // InvalidArgument for a chunk of 1 GiB or more; otherwise what the system says.
  Status Write(std::span<const StoredChunk> chunks, std::vector<std::uint64_t>* refs);
  // Puts the last segment in place. Without chunks there is none.
  Status Finish();

 private:
  Status BeginSegment();
  Status WriteChunk(const StoredChunk& chunk, std::vector<std::uint64_t>* refs);

  const std::string directory_;
  const std::uint64_t segment_bytes_;
  const OutputFile::Durability durability_;
  std::optional<OutputFile> file_;
  std::uint32_t segments_ = 0;
  std::string frame_;  // scratch
};

}  // namespace aevum::tsdb
