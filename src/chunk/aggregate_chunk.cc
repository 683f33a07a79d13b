#include "chunk/aggregate_chunk.h"

#include "encoding/byte_reader.h"
#include "encoding/byte_writer.h"

namespace aevum::chunk {

StatusOr<AggregateParts> SplitAggregateChunk(std::string_view data) {
  encoding::ByteReader reader(data);
  AggregateParts parts;
  for (AggregatePart& part : parts) {
    const std::uint64_t size = reader.ReadUvarint();
    if (size == 0) continue;
    const std::uint8_t encoding = reader.ReadU8();
    if (encoding == 0 || encoding > static_cast<std::uint8_t>(Encoding::kFloatHistogramStart))
      return Corruption("part of an aggregate chunk with encoding {}", encoding);
    part.encoding = static_cast<Encoding>(encoding);
    part.data = reader.ReadBytes(size);
  }
  if (reader.failed()) return Corruption("aggregate chunk cut short: {} bytes", data.size());
  if (!reader.done())
    return Corruption("{} bytes behind the parts of an aggregate chunk", reader.remaining());
  return parts;
}

std::string JoinAggregateParts(const AggregateParts& parts) {
  std::string data;
  for (const AggregatePart& part : parts) {
    encoding::PutUvarint(data, part.data.size());
    if (part.data.empty()) continue;
    data += static_cast<char>(part.encoding);
    data += part.data;
  }
  return data;
}

}  // namespace aevum::chunk
