#include "net/grpc/snappy_frame.h"

#include <isa-l/crc.h>
#include <snappy.h>

#include <algorithm>
#include <cstdint>
#include <memory>

namespace aevum::net::grpc {
namespace {

constexpr std::string_view kIdentifier("\xff\x06\x00\x00sNaPpY", 10);
constexpr std::size_t kHeaderBytes = 4;
constexpr std::size_t kCrcBytes = 4;
constexpr std::size_t kBlockBytes = 64 << 10;
constexpr unsigned char kTypeSnappy = 0x00;
constexpr unsigned char kTypePlain = 0x01;
constexpr unsigned char kTypeSkippable = 0x80;
constexpr unsigned char kTypeIdentifier = 0xff;

std::uint32_t MaskedCrc(std::string_view plain) {
  // The library takes a mutable pointer and does not write.
  auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(plain.data()));
  const std::uint32_t crc = ~crc32_iscsi(data, static_cast<int>(plain.size()), ~std::uint32_t{0});
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

std::uint32_t Little(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  }
  return value;
}

void AppendLittle(std::string& out, std::size_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

struct Chunk {
  bool holds_data = false;
  bool snappy = false;
  std::uint32_t crc = 0;
  std::size_t plain_size = 0;
  std::string_view data;
};

// Takes the next chunk off the front.
StatusOr<Chunk> TakeChunk(std::string_view& framed) {
  if (framed.size() < kHeaderBytes) return Internal("snappy stream ends inside a chunk header");
  const auto type = static_cast<unsigned char>(framed[0]);
  const std::size_t size = Little(framed.substr(1, 3));
  framed.remove_prefix(kHeaderBytes);
  if (size > framed.size()) {
    return Internal("snappy stream ends inside a chunk: {} of {} bytes", framed.size(), size);
  }
  const std::string_view body = framed.substr(0, size);
  framed.remove_prefix(size);
  if (type == kTypeIdentifier) {
    if (body != kIdentifier.substr(kHeaderBytes)) return Internal("bad snappy stream identifier");
    return Chunk{};
  }
  if (type >= kTypeSkippable) return Chunk{};
  if (type != kTypeSnappy && type != kTypePlain) {
    return Internal("unknown snappy chunk type: {}", type);
  }
  if (size < kCrcBytes) return Internal("snappy chunk without checksum");
  Chunk chunk{.holds_data = true,
              .snappy = type == kTypeSnappy,
              .crc = Little(body.substr(0, kCrcBytes)),
              .plain_size = size - kCrcBytes,
              .data = body.substr(kCrcBytes)};
  if (chunk.snappy &&
      !snappy::GetUncompressedLength(chunk.data.data(), chunk.data.size(), &chunk.plain_size)) {
    return Internal("snappy block without size");
  }
  if (chunk.plain_size > kBlockBytes) {
    return Internal("snappy block above 64 KiB: {}", chunk.plain_size);
  }
  return chunk;
}

}  // namespace

std::string SnappyCompress(std::string_view plain) {
  std::string framed(kIdentifier);
  framed.reserve(framed.size() + plain.size() / 2 + 64);
  std::string block;
  while (!plain.empty()) {
    const std::string_view piece = plain.substr(0, kBlockBytes);
    plain.remove_prefix(piece.size());
    block.resize(snappy::MaxCompressedLength(piece.size()));
    std::size_t size = 0;
    snappy::RawCompress(piece.data(), piece.size(), block.data(), &size);
    // What saves less than an eighth is not worth the reader's time.
    const bool worth = size < piece.size() - piece.size() / 8;
    framed += static_cast<char>(worth ? kTypeSnappy : kTypePlain);
    AppendLittle(framed, kCrcBytes + (worth ? size : piece.size()), 3);
    AppendLittle(framed, MaskedCrc(piece), 4);
    framed.append(worth ? std::string_view(block.data(), size) : piece);
  }
  return framed;
}

StatusOr<std::size_t> SnappyPlainSize(std::string_view framed, std::size_t max_bytes) {
  if (!framed.starts_with(kIdentifier)) return Internal("snappy stream without identifier");
  std::size_t total = 0;
  while (!framed.empty()) {
    ASSIGN_OR_RETURN(const Chunk chunk, TakeChunk(framed));
    total += chunk.holds_data ? chunk.plain_size : 0;
    if (total > max_bytes) {
      return ResourceExhausted("received message after decompression larger than max: {} vs. {}",
                               total, max_bytes);
    }
  }
  return total;
}

StatusOr<SharedBytes> SnappyDecompress(std::string_view framed, std::size_t max_bytes) {
  ASSIGN_OR_RETURN(const std::size_t total, SnappyPlainSize(framed, max_bytes));
  std::shared_ptr<char[]> buffer(new char[std::max<std::size_t>(total, 1)]);
  std::size_t filled = 0;
  while (!framed.empty()) {
    ASSIGN_OR_RETURN(const Chunk chunk, TakeChunk(framed));
    if (!chunk.holds_data) continue;
    char* const target = buffer.get() + filled;
    if (!chunk.snappy) {
      std::copy(chunk.data.begin(), chunk.data.end(), target);
    } else if (!snappy::RawUncompress(chunk.data.data(), chunk.data.size(), target)) {
      return Internal("damaged snappy block at plain byte {}", filled);
    }
    if (MaskedCrc({target, chunk.plain_size}) != chunk.crc) {
      return Internal("snappy checksum does not match at plain byte {}", filled);
    }
    filled += chunk.plain_size;
  }
  return SharedBytes{{buffer.get(), total}, buffer};
}

}  // namespace aevum::net::grpc
