// Joins small reads that lie near one another into fewer large ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/context.h"
#include "base/status.h"
#include "objstore/bucket.h"

namespace aevum::storegateway {

// Bytes [begin, end) of an object.
struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// A read of a bucket costs milliseconds, in which half a megabyte comes over the wire: extents that
// are no further apart are read as one.
inline constexpr std::uint64_t kMergeGapBytes = 512 << 10;
// Parts are not made larger by merging than this, so that they are read side by side.
inline constexpr std::uint64_t kMergedBytes = 16 << 20;

// The parts to read for a number of extents, and where each is found in them.
class MergedExtents {
 public:
  // In any order; each must not end before it begins.
  explicit MergedExtents(std::span<const Extent> extents);

  // What will be read at most; an object that ends earlier gives less.
  std::uint64_t bytes() const;
  std::span<const Extent> parts() const { return parts_; }

  // Reads all parts of an object. Once.
  Status Read(const Context& context, objstore::Bucket& bucket, const std::string& name);

  // The bytes of an extent, by its position, and what follows it in its part; fewer where the
  // object ends. Valid as long as the owners. After Read.
  std::string_view Find(std::size_t extent) const;
  // With its owner, cut to the extent.
  SharedBytes Slice(std::size_t extent) const;
  std::vector<BufferOwner> owners() const;

 private:
  std::vector<Extent> extents_;
  std::vector<Extent> parts_;
  std::vector<std::uint32_t> part_of_;  // by extent
  std::vector<SharedBytes> bytes_;      // by part
};

}  // namespace aevum::storegateway
