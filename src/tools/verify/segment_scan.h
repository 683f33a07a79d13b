// Checks a segment file as it streams by: frames, checksums, and that chunks stand where the index
// says.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "objstore/bucket.h"

namespace aevum::tools {

// Holds nothing of the segment but the beginning of a frame; a chunk is checked piece by piece as
// it comes. Borrows the offsets. Thread-compatible.
class SegmentScan final : public objstore::ByteSink {
 public:
  // `offsets` are where the index has chunks of this segment, ascending, each once.
  explicit SegmentScan(std::span<const std::uint32_t> offsets) : offsets_(offsets) {}

  Status Start(std::int64_t size_bytes) override;
  // Corruption when frames can't be told apart any more.
  Status Write(std::string_view piece) override;
  // At the end of the stream: OK, or Corruption with the first damage, its offset, and how many
  // chunks have one.
  Status Finish();

  std::uint64_t size_bytes() const { return at_; }
  std::uint64_t chunks() const { return chunks_; }
  // Chunks that the index does not name: they take room and harm nobody.
  std::uint64_t unnamed() const { return unnamed_; }

 private:
  enum class Expect : std::uint8_t { kHeader, kLength, kBody, kChecksum };

  Status ReadHeader(std::string_view* piece);
  Status ReadLength(std::string_view* piece);
  void ReadBody(std::string_view* piece);
  void ReadChecksum(std::string_view* piece);
  // Moves bytes of the piece to `frame_` until that has `size`; false when the piece ended first.
  bool Gather(std::string_view* piece, std::size_t size);
  void BeginChunk();
  void Advance(std::string_view* piece, std::size_t bytes);
  void NoteDamage(std::string what);

  std::span<const std::uint32_t> offsets_;
  Expect expect_ = Expect::kHeader;
  std::string frame_;            // the header, a length or a checksum as far as it came
  std::uint64_t at_ = 0;         // in the file
  std::uint64_t chunk_at_ = 0;   // where the chunk began
  std::uint64_t body_left_ = 0;  // of encoding and data
  bool body_began_ = false;
  std::uint32_t crc_ = 0;
  std::size_t next_offset_ = 0;  // of `offsets_`
  std::uint64_t chunks_ = 0;
  std::uint64_t unnamed_ = 0;
  std::uint64_t damaged_ = 0;
  std::string first_damage_;
};

}  // namespace aevum::tools
