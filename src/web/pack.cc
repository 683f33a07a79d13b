#include "web/pack.h"

#include <algorithm>
#include <cstdint>

#include "encoding/byte_reader.h"
#include "encoding/gunzip.h"

namespace aevum::web {
namespace {

using encoding::ByteReader;

constexpr std::string_view kMagic = "AEVUMWEB";
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kCompressed = 1;
constexpr std::uint8_t kImmutable = 2;

std::string_view ReadSized(ByteReader& reader) { return reader.ReadBytes(reader.ReadU32()); }

Asset ReadAsset(ByteReader& reader) {
  Asset asset;
  asset.path = ReadSized(reader);
  asset.content_type = ReadSized(reader);
  asset.tag = ReadSized(reader);
  const std::uint8_t flags = reader.ReadU8();
  asset.compressed = (flags & kCompressed) != 0;
  asset.immutable = (flags & kImmutable) != 0;
  asset.size_bytes = reader.ReadU32();
  asset.bytes = ReadSized(reader);
  return asset;
}

}  // namespace

StatusOr<std::string> Asset::Content() const {
  if (!compressed) return std::string(bytes);
  ASSIGN_OR_RETURN(std::string content, encoding::Gunzip(bytes, size_bytes));
  if (content.size() != size_bytes) {
    return Corruption("an asset unpacks to another size than it says: {} instead of {}",
                      content.size(), size_bytes);
  }
  return content;
}

StatusOr<Pack> Pack::Parse(std::string_view bytes) {
  Pack pack;
  if (bytes.empty()) return pack;
  ByteReader reader(bytes);
  if (reader.ReadBytes(kMagic.size()) != kMagic) return Corruption("not a pack of web pages");
  if (const std::uint8_t version = reader.ReadU8(); version != kVersion)
    return Corruption("a pack of web pages of another version: {}", version);
  const std::uint32_t count = reader.ReadU32();
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    const Asset asset = ReadAsset(reader);
    if (reader.failed()) break;
    if (!pack.assets_.empty() && pack.assets_.back().path >= asset.path)
      return Corruption("assets out of order: {}", asset.path);
    pack.assets_.push_back(asset);
  }
  RETURN_IF_ERROR(reader.status());
  if (!reader.done()) return Corruption("{} bytes after the last asset", reader.remaining());
  return pack;
}

const Asset* Pack::Find(std::string_view path) const {
  const auto at = std::lower_bound(
      assets_.begin(), assets_.end(), path,
      [](const Asset& asset, std::string_view wanted) { return asset.path < wanted; });
  return at != assets_.end() && at->path == path ? &*at : nullptr;
}

}  // namespace aevum::web
