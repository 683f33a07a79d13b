// The files of the web application, as the build packs them into the binary.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aevum::web {

// A file of the application. Views into the pack.
struct Asset {
  std::string_view path;  // without a leading slash: "assets/index-Bx3f09aQ.js"
  std::string_view content_type;
  std::string_view tag;        // a hash of the content, of letters and digits
  bool compressed = false;     // `bytes` are a gzip file of the content
  bool immutable = false;      // the path names the content: it never changes under it
  std::size_t size_bytes = 0;  // of the content
  std::string_view bytes;

  // The content. Corruption when the pack is damaged.
  StatusOr<std::string> Content() const;
};

// Finds files of a pack, which cmake/pack_web.py writes:
//
//     "AEVUMWEB" | version u8 = 1 | count u32 | count x asset
//     asset: path | content type | tag | flags u8 | size u32 | bytes
//
// Integers are big-endian; path, type, tag and bytes are a u32 with their size and the bytes. Flag
// 1: compressed, flag 2: immutable. Assets are sorted by path.
//
// Borrows the bytes. Immutable, hence safe to share between threads.
class Pack {
 public:
  // Of no bytes, a pack without files. Corruption when the bytes are not what the format says.
  static StatusOr<Pack> Parse(std::string_view bytes);

  bool empty() const { return assets_.empty(); }
  const std::vector<Asset>& assets() const { return assets_; }
  // The file of exactly that path, or nullptr.
  const Asset* Find(std::string_view path) const;

 private:
  std::vector<Asset> assets_;
};

// The pack in this binary; "" when it was built without the web application.
std::string_view EmbeddedPack();

}  // namespace aevum::web
