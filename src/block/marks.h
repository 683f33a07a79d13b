// The marks beside a block: to be deleted, not to be compacted, not to be downsampled.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/context.h"
#include "base/status.h"
#include "model/ulid.h"
#include "objstore/bucket.h"

namespace aevum::block {

enum class MarkKind : std::uint8_t { kDeletion, kNoCompact, kNoDownsample };

inline constexpr std::array kAllMarks = {MarkKind::kDeletion, MarkKind::kNoCompact,
                                         MarkKind::kNoDownsample};

// The name of its file below the block: "deletion-mark.json" and so on.
std::string_view MarkFile(MarkKind kind);

// Why a block is not compacted or downsampled.
inline constexpr std::string_view kReasonManual = "manual";
inline constexpr std::string_view kReasonIndexSize = "index-size-exceeding";
inline constexpr std::string_view kReasonOutOfOrderChunk = "block-index-out-of-order-chunk";
inline constexpr std::string_view kReasonVerticalDownsampled = "downsample-vertical-compaction";

struct Mark {
  MarkKind kind = MarkKind::kDeletion;
  model::Ulid block;
  std::string details;
  std::int64_t time_seconds = 0;  // Unix
  std::string reason;             // not of a deletion

  // Corruption names the field and what is wrong with it.
  static StatusOr<Mark> Parse(MarkKind kind, std::string_view text);
  // The bytes that Thanos writes: one line without a break.
  std::string Write() const;

  friend bool operator==(const Mark&, const Mark&) = default;
};

// The mark of a block in a bucket; NotFound when it has none, Corruption when it is damaged or too
// large to be one. Names the object.
StatusOr<Mark> ReadMark(const Context& context, objstore::Bucket& bucket, MarkKind kind,
                        const model::Ulid& block);

// Whether more than `delay` has passed since the time of the mark; not so for one that lies beyond
// what milliseconds can say.
bool IsDue(const Mark& mark, TimestampMs now, std::chrono::milliseconds delay);

// Puts a mark beside its block, unless one is there already. True when it was put.
// InvalidArgument for one that is larger than what ReadMark reads, 1 MiB.
StatusOr<bool> PutMark(const Context& context, objstore::Bucket& bucket, const Mark& mark);

// As PutMark, for a mark that a person asks for: NotFound when the bucket holds nothing of the
// block, which then most likely is a slip of the pen.
StatusOr<bool> PutMarkOfExisting(const Context& context, objstore::Bucket& bucket,
                                 const Mark& mark);

}  // namespace aevum::block
