#include "tools/verify/segment_scan.h"

#include <algorithm>
#include <utility>

#include "chunk/aggregate_chunk.h"
#include "encoding/byte_reader.h"
#include "encoding/crc32c.h"
#include "tsdb/chunk_segment.h"

namespace aevum::tools {
namespace {

constexpr std::size_t kCrcBytes = 4;
constexpr std::size_t kMostLengthBytes = 5;

bool IsKnownEncoding(std::uint8_t encoding) {
  return encoding == chunk::kAggregateEncoding ||
         (encoding > static_cast<std::uint8_t>(chunk::Encoding::kNone) &&
          encoding <= static_cast<std::uint8_t>(chunk::Encoding::kFloatHistogramStart));
}

}  // namespace

Status SegmentScan::Start(std::int64_t /*size_bytes*/) {
  *this = SegmentScan(offsets_);
  return OkStatus();
}

void SegmentScan::NoteDamage(std::string what) {
  if (damaged_++ == 0) first_damage_ = std::move(what);
}

void SegmentScan::Advance(std::string_view* piece, std::size_t bytes) {
  piece->remove_prefix(bytes);
  at_ += bytes;
}

bool SegmentScan::Gather(std::string_view* piece, std::size_t size) {
  const std::size_t wanted = std::min(size - frame_.size(), piece->size());
  frame_ += piece->substr(0, wanted);
  Advance(piece, wanted);
  return frame_.size() == size;
}

Status SegmentScan::ReadHeader(std::string_view* piece) {
  if (!Gather(piece, tsdb::kSegmentHeaderBytes)) return OkStatus();
  RETURN_IF_ERROR(tsdb::CheckSegmentHeader(frame_));
  frame_.clear();
  expect_ = Expect::kLength;
  return OkStatus();
}

void SegmentScan::BeginChunk() {
  chunk_at_ = at_;
  ++chunks_;
  for (; next_offset_ < offsets_.size() && offsets_[next_offset_] < chunk_at_; ++next_offset_)
    NoteDamage(fmt::format("the index has a chunk at offset {}, where none begins",
                           offsets_[next_offset_]));
  if (next_offset_ < offsets_.size() && offsets_[next_offset_] == chunk_at_) {
    ++next_offset_;
  } else {
    ++unnamed_;
  }
}

Status SegmentScan::ReadLength(std::string_view* piece) {
  if (frame_.empty()) BeginChunk();
  while (!piece->empty() && frame_.size() < kMostLengthBytes) {
    frame_ += piece->front();
    Advance(piece, 1);
    if ((static_cast<unsigned char>(frame_.back()) & 0x80) == 0) {
      encoding::ByteReader reader(frame_);
      const std::uint64_t length = reader.ReadUvarint();
      if (reader.failed() || length > UINT32_MAX) break;
      body_left_ = length + 1;
      body_began_ = false;
      crc_ = 0;
      frame_.clear();
      expect_ = Expect::kBody;
      return OkStatus();
    }
  }
  if (piece->empty() && frame_.size() < kMostLengthBytes) return OkStatus();
  return Corruption("a chunk without a valid length at offset {}", chunk_at_);
}

void SegmentScan::ReadBody(std::string_view* piece) {
  if (!std::exchange(body_began_, true)) {
    const auto encoding = static_cast<std::uint8_t>(piece->front());
    if (!IsKnownEncoding(encoding))
      NoteDamage(fmt::format("unknown encoding {} of the chunk at offset {}", encoding, chunk_at_));
  }
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, piece->size()));
  crc_ = encoding::ExtendCrc32c(crc_, piece->substr(0, bytes));
  Advance(piece, bytes);
  body_left_ -= bytes;
  if (body_left_ == 0) expect_ = Expect::kChecksum;
}

void SegmentScan::ReadChecksum(std::string_view* piece) {
  if (!Gather(piece, kCrcBytes)) return;
  encoding::ByteReader reader(frame_);
  const std::uint32_t stored = reader.ReadU32();
  if (stored != crc_) {
    NoteDamage(fmt::format("checksum of the chunk at offset {}: {:08x}, stored {:08x}", chunk_at_,
                           crc_, stored));
  }
  frame_.clear();
  expect_ = Expect::kLength;
}

Status SegmentScan::Write(std::string_view piece) {
  while (!piece.empty()) {
    switch (expect_) {
      case Expect::kHeader:
        RETURN_IF_ERROR(ReadHeader(&piece));
        break;
      case Expect::kLength:
        RETURN_IF_ERROR(ReadLength(&piece));
        break;
      case Expect::kBody:
        ReadBody(&piece);
        break;
      case Expect::kChecksum:
        ReadChecksum(&piece);
        break;
    }
  }
  return OkStatus();
}

Status SegmentScan::Finish() {
  if (expect_ == Expect::kHeader) return Corruption("not a segment: {} bytes", at_);
  if (expect_ != Expect::kLength || !frame_.empty())
    NoteDamage(fmt::format("the chunk at offset {} is cut short by the end at {}", chunk_at_, at_));
  for (; next_offset_ < offsets_.size(); ++next_offset_)
    NoteDamage(fmt::format("the index has a chunk at offset {}, the end is at {}",
                           offsets_[next_offset_], at_));
  if (damaged_ == 0) return OkStatus();
  return Corruption("{} (damages: {})", first_damage_, damaged_);
}

}  // namespace aevum::tools
