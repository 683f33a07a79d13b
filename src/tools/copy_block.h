// A block copied from one bucket to another.
#pragma once

#include <cstdint>

#include "base/context.h"
#include "base/status.h"
#include "model/ulid.h"
#include "objstore/bucket.h"
#include "tools/progress.h"

namespace aevum::tools {

struct CopyResult {
  bool was_there = false;  // whole, with the same meta.json
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
};

// kReplaced: another block of that ULID, one with another meta.json, is replaced. kRefused:
// anything that the destination has of the block is refused, so that what is there after the copy
// is the copy.
enum class OtherBlock : std::uint8_t { kReplaced, kRefused };

// Copies segments, then the index, and last meta.json, so that what is there is no block to a
// reader until it is whole. Objects that are there with the same size are not copied again, unless
// the destination has another block under the same ULID: then all are. Each object lies in a
// temporary file meanwhile. NotFound when the source has no meta.json, Corruption when it
// lacks a file that meta.json names, Unavailable when its meta.json changed or went meanwhile,
// AlreadyExists when the destination has what may not be replaced.
StatusOr<CopyResult> CopyBlock(const Context& context, objstore::Bucket& from, objstore::Bucket& to,
                               const model::Ulid& block, OtherBlock other, ProgressBar& progress);

}  // namespace aevum::tools
