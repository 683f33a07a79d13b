#include "encoding/gunzip.h"

#include <zlib.h>

namespace aevum::encoding {
namespace {

class Inflater {
 public:
  Inflater() { ok_ = inflateInit2(&stream_, 15 + 16) == Z_OK; }  // 15 + 16: a gzip frame
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool ok() const { return ok_; }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  bool ok_ = false;
};

}  // namespace

bool IsGzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b\x08"); }

StatusOr<std::string> Gunzip(std::string_view bytes, std::size_t limit_bytes) {
  Inflater inflater;
  if (!inflater.ok()) return ResourceExhausted("no memory to unpack gzip");
  z_stream& stream = inflater.stream();
  // zlib does not write through next_in, its type is older than const. ReadFile bounds the size.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  char buffer[64 << 10];
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    const int result = inflate(&stream, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END) {
      return Corruption("gzip data is damaged or cut: {}",
                        stream.msg != nullptr ? stream.msg : "it ends too early");
    }
    const std::size_t got = sizeof buffer - stream.avail_out;
    if (got > limit_bytes - text.size()) {
      return ResourceExhausted("gzip data unpacks to more than {} bytes", limit_bytes);
    }
    text.append(buffer, got);
    if (result == Z_STREAM_END) {
      if (stream.avail_in == 0) return text;
      inflateReset(&stream);  // the next member
    }
  }
}

}  // namespace aevum::encoding
