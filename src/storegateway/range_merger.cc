#include "storegateway/range_merger.h"

#include <algorithm>
#include <numeric>

namespace aevum::storegateway {

MergedExtents::MergedExtents(std::span<const Extent> extents)
    : extents_(extents.begin(), extents.end()), part_of_(extents.size()) {
  std::vector<std::uint32_t> order(extents.size());
  std::iota(order.begin(), order.end(), 0);
  const auto begins_before = [&](std::uint32_t a, std::uint32_t b) {
    return extents_[a].begin < extents_[b].begin;
  };
  if (!std::is_sorted(order.begin(), order.end(), begins_before))
    std::sort(order.begin(), order.end(), begins_before);
  for (const std::uint32_t i : order) {
    const Extent& extent = extents_[i];
    const bool near = !parts_.empty() && extent.begin <= parts_.back().end + kMergeGapBytes;
    const bool overlaps = near && extent.begin < parts_.back().end;
    if (overlaps || (near && extent.end - parts_.back().begin <= kMergedBytes)) {
      parts_.back().end = std::max(parts_.back().end, extent.end);
    } else {
      parts_.push_back(extent);
    }
    part_of_[i] = static_cast<std::uint32_t>(parts_.size() - 1);
  }
}

std::uint64_t MergedExtents::bytes() const {
  std::uint64_t bytes = 0;
  for (const Extent& part : parts_) bytes += part.end - part.begin;
  return bytes;
}

Status MergedExtents::Read(const Context& context, objstore::Bucket& bucket,
                           const std::string& name) {
  std::vector<objstore::ByteRange> ranges;
  ranges.reserve(parts_.size());
  for (const Extent& part : parts_) {
    ranges.push_back({.offset = static_cast<std::int64_t>(part.begin),
                      .length = static_cast<std::int64_t>(part.end - part.begin)});
  }
  StatusOr<std::vector<SharedBytes>> read = bucket.GetRanges(context, name, ranges);
  // The references come from an index: one that leads behind the end of an object is damage.
  if (read.status().code() == StatusCode::kOutOfRange)
    return Corruption("{}", read.status().message());
  if (!read.ok()) return read.status();
  bytes_ = *std::move(read);
  return OkStatus();
}

std::string_view MergedExtents::Find(std::size_t extent) const {
  const std::uint32_t part = part_of_[extent];
  const std::uint64_t offset = extents_[extent].begin - parts_[part].begin;
  const std::string_view bytes = bytes_[part].view;
  return offset < bytes.size() ? bytes.substr(offset) : std::string_view();
}

SharedBytes MergedExtents::Slice(std::size_t extent) const {
  const std::uint64_t size = extents_[extent].end - extents_[extent].begin;
  return {Find(extent).substr(0, size), bytes_[part_of_[extent]].owner};
}

std::vector<BufferOwner> MergedExtents::owners() const {
  std::vector<BufferOwner> owners;
  owners.reserve(bytes_.size());
  for (const SharedBytes& bytes : bytes_) owners.push_back(bytes.owner);
  return owners;
}

}  // namespace aevum::storegateway
