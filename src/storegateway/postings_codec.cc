#include "storegateway/postings_codec.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "encoding/byte_reader.h"
#include "encoding/snappy.h"
#include "net/grpc/snappy_frame.h"

namespace aevum::storegateway {
namespace {

constexpr std::string_view kStreamed = "dss";
constexpr std::string_view kBlock = "dvs";
// A varint of 32 bits.
constexpr std::size_t kMostRefBytes = 5;

StatusOr<tsdb::Postings> DecodeDifferences(std::string_view bytes, std::size_t most) {
  tsdb::Postings postings;
  // A reference takes a byte at least.
  postings.reserve(std::min(most, bytes.size()));
  encoding::ByteReader reader(bytes);
  std::uint64_t ref = 0;
  while (!reader.done()) {
    const std::uint64_t difference = reader.ReadUvarint();
    if (reader.failed()) break;
    if (difference > UINT32_MAX - ref || (difference == 0 && !postings.empty()))
      return Corruption("cached postings whose references do not rise or pass 32 bits");
    if (postings.size() == most) return Corruption("cached postings with more than {}", most);
    ref += difference;
    postings.push_back(static_cast<tsdb::SeriesRef>(ref));
  }
  RETURN_IF_ERROR(reader.status());
  return postings;
}

// Nobody writes chunks that may be skipped into postings: one is a chunk whose type was damaged,
// and with it references would go unnoticed.
bool HasSkippableChunks(std::string_view framed) {
  constexpr std::size_t kHeaderBytes = 4;
  constexpr unsigned char kLastData = 0x01;
  constexpr unsigned char kIdentifier = 0xff;
  while (framed.size() >= kHeaderBytes) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(framed[i]); };
    if (byte(0) > kLastData && byte(0) != kIdentifier) return true;
    const std::size_t size = byte(1) | std::size_t{byte(2)} << 8 | std::size_t{byte(3)} << 16;
    framed.remove_prefix(std::min(framed.size(), kHeaderBytes + size));
  }
  return false;
}

}  // namespace

std::string EncodePostings(std::span<const tsdb::SeriesRef> postings) {
  if (postings.empty()) return std::string(kStreamed);
  std::string differences;
  differences.resize(postings.size() * kMostRefBytes);
  char* out = differences.data();
  tsdb::SeriesRef before = 0;
  for (const tsdb::SeriesRef ref : postings) {
    std::uint32_t difference = ref - before;
    before = ref;
    for (; difference >= 0x80; difference >>= 7) *out++ = static_cast<char>(difference | 0x80);
    *out++ = static_cast<char>(difference);
  }
  differences.resize(static_cast<std::size_t>(out - differences.data()));
  return std::string(kStreamed) + net::grpc::SnappyCompress(differences);
}

StatusOr<tsdb::Postings> DecodeCachedPostings(std::string_view bytes, std::size_t most) {
  const std::size_t limit = std::min(most, SIZE_MAX / kMostRefBytes) * kMostRefBytes;
  const std::string_view body = bytes.substr(std::min(bytes.size(), kStreamed.size()));
  if (bytes.starts_with(kStreamed)) {
    if (body.empty()) return tsdb::Postings();  // no postings, as Thanos writes them
    if (HasSkippableChunks(body)) return Corruption("cached postings with an unknown chunk");
    const StatusOr<SharedBytes> plain = net::grpc::SnappyDecompress(body, limit);
    if (!plain.ok()) return Corruption("cached postings: {}", plain.status().message());
    if (plain->empty()) return Corruption("cached postings that were cut");
    return DecodeDifferences(plain->view, most);
  }
  if (bytes.starts_with(kBlock)) {
    const StatusOr<std::string> plain = encoding::SnappyDecompress(body, limit);
    if (!plain.ok()) return Corruption("cached postings: {}", plain.status().message());
    return DecodeDifferences(*plain, most);
  }
  return Corruption("cached postings of no known form");
}

}  // namespace aevum::storegateway
