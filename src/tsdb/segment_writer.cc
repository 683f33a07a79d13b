#include "tsdb/segment_writer.h"

#include <utility>

#include "encoding/byte_writer.h"
#include "encoding/crc32c.h"

namespace aevum::tsdb {
namespace {

// A reference has 32 bits for the offset in a segment.
constexpr std::uint64_t kMostChunkBytes = 1 << 30;

}  // namespace

SegmentWriter::SegmentWriter(std::string directory, std::uint64_t segment_bytes,
                             OutputFile::Durability durability)
    : directory_(std::move(directory)), segment_bytes_(segment_bytes), durability_(durability) {}

Status SegmentWriter::BeginSegment() {
  RETURN_IF_ERROR(Finish());
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::Create(directory_ + "/" + SegmentName(segments_)));
  file_.emplace(std::move(file));
  ++segments_;
  return file_->Write(MakeSegmentHeader());
}

Status SegmentWriter::Write(std::span<const StoredChunk> chunks, std::vector<std::uint64_t>* refs) {
  // What is there before the series counts as it is, its own chunks by what they take at most.
  std::uint64_t begin = file_ ? file_->size_bytes() : kSegmentHeaderBytes;
  std::uint64_t of_series = 0;
  for (const StoredChunk& chunk : chunks) {
    if (chunk.data.size() >= kMostChunkBytes)
      return InvalidArgument("a chunk of {} bytes is too large for a segment", chunk.data.size());
    const std::uint64_t most = chunk.data.size() + kMostChunkFrameBytes;
    const bool something = begin + of_series > kSegmentHeaderBytes;
    if (!file_ || (something && begin + of_series + most > segment_bytes_)) {
      RETURN_IF_ERROR(BeginSegment());
      begin = kSegmentHeaderBytes;
      of_series = 0;
    }
    of_series += most;
    RETURN_IF_ERROR(WriteChunk(chunk, refs));
  }
  return OkStatus();
}

Status SegmentWriter::WriteChunk(const StoredChunk& chunk, std::vector<std::uint64_t>* refs) {
  refs->push_back(std::uint64_t{segments_ - 1} << 32 | file_->size_bytes());
  frame_.clear();
  encoding::PutUvarint(frame_, chunk.data.size());
  const std::size_t checked_from = frame_.size();
  frame_ += static_cast<char>(chunk.encoding);
  std::uint32_t crc = encoding::Crc32c(std::string_view(frame_).substr(checked_from));
  crc = encoding::ExtendCrc32c(crc, chunk.data);
  RETURN_IF_ERROR(file_->Write(frame_));
  RETURN_IF_ERROR(file_->Write(chunk.data));
  frame_.clear();
  encoding::PutU32(frame_, crc);
  return file_->Write(frame_);
}

Status SegmentWriter::Finish() {
  if (!file_) return OkStatus();
  const Status status = file_->Commit(durability_);
  file_.reset();
  return status;
}

}  // namespace aevum::tsdb
