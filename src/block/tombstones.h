// Tombstones of a bucket: samples that somebody wants deleted, before the blocks are rewritten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/logging.h"
#include "base/status.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/ulid.h"
#include "objstore/bucket.h"

namespace aevum::block {

// The directory of the bucket that holds them, one object each: "tombstones/<ULID>.json".
inline constexpr std::string_view kTombstonesDirectory = "tombstones";

// Bounds of what is read from a bucket: who writes to it must not fill the memory of its readers.
inline constexpr std::size_t kMaxTombstoneBytes = 64 << 10;
inline constexpr std::size_t kMaxTombstones = 10'000;

// Series that all matchers accept, with the external labels of their block, lose their samples
// between two times. Format: docs/format/tombstones.md.
struct Tombstone {
  model::Ulid id;
  model::Matchers matchers;          // at least one, of which one does not match the empty value
  TimestampMs min_time = INT64_MIN;  // both inclusive
  TimestampMs max_time = INT64_MAX;
  TimestampMs created = 0;
  std::string author;
  std::string reason;

  // Corruption names the field and what is wrong with it.
  static StatusOr<Tombstone> Parse(std::string_view text);
  std::string Write() const;
  // InvalidArgument for one that would delete everything, or nothing: no matcher that asks for a
  // label, times in the wrong order, more than kMaxTombstoneBytes.
  Status Check() const;

  friend bool operator==(const Tombstone&, const Tombstone&) = default;
};

std::string TombstoneName(const model::Ulid& id);

// Puts a tombstone into the bucket. InvalidArgument as Check.
Status PutTombstone(const Context& context, objstore::Bucket& bucket, const Tombstone& tombstone);
// NotFound when there is none of that id.
Status RemoveTombstone(const Context& context, objstore::Bucket& bucket, const model::Ulid& id);

using Tombstones = std::map<model::Ulid, std::shared_ptr<const Tombstone>>;

// Follows the tombstones of a bucket. An object never changes under its name, so that each is read
// once. Borrows the bucket. Thread-compatible; what it gives is immutable.
class TombstoneReader {
 public:
  TombstoneReader(objstore::Bucket& bucket, Logger logger)
      : bucket_(bucket), logger_(std::move(logger)) {}

  // Those of the bucket now; one listing, and a read for each that is new. One that can't be read
  // is left out and named in the log, and read again the next time. ResourceExhausted when there
  // are more than kMaxTombstones; Unavailable as the bucket says: the caller goes on with what it
  // had.
  StatusOr<std::shared_ptr<const Tombstones>> Sync(const Context& context);

  // Those that could not be read at the last Sync.
  std::size_t failed() const { return failed_; }

 private:
  objstore::Bucket& bucket_;
  const Logger logger_;
  std::shared_ptr<const Tombstones> known_ = std::make_shared<const Tombstones>();
  std::size_t failed_ = 0;
};

}  // namespace aevum::block
