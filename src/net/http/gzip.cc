#include "net/http/gzip.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <isa-l.h>

#include "base/check.h"

namespace aevum::net {

struct GzipStream::Buffers {
  isal_zstream stream;
  std::array<std::uint8_t, ISAL_DEF_LVL1_DEFAULT> level;
};

GzipStream::GzipStream() : buffers_(new Buffers) {
  isal_zstream& stream = buffers_->stream;
  isal_deflate_init(&stream);
  stream.level = 1;
  stream.level_buf = buffers_->level.data();
  stream.level_buf_size = static_cast<std::uint32_t>(buffers_->level.size());
  stream.gzip_flag = IGZIP_GZIP;
}

GzipStream::~GzipStream() = default;

void GzipStream::Compress(std::string_view bytes, End end, std::string* out) {
  // The stream counts in 32 bits.
  static constexpr std::size_t kPiece = std::size_t{1} << 30;
  isal_zstream& stream = buffers_->stream;
  do {
    const std::string_view piece = bytes.substr(0, kPiece);
    bytes.remove_prefix(piece.size());
    // The library does not write to its input.
    stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(piece.data()));
    stream.avail_in = static_cast<std::uint32_t>(piece.size());
    stream.end_of_stream = end == End::kYes && bytes.empty() ? 1 : 0;
    stream.flush = NO_FLUSH;
    do {
      const std::size_t used = out->size();
      out->resize(used + std::max<std::size_t>(4096, piece.size() / 4));
      stream.next_out = reinterpret_cast<std::uint8_t*>(out->data() + used);
      stream.avail_out = static_cast<std::uint32_t>(out->size() - used);
      AEVUM_CHECK(isal_deflate(&stream) == COMP_OK);
      out->resize(out->size() - stream.avail_out);
    } while (stream.avail_out == 0);
    AEVUM_CHECK(stream.avail_in == 0);
  } while (!bytes.empty());
}

}  // namespace aevum::net
