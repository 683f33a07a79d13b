// A block of a directory put into a bucket, got out of one, and removed from one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/status.h"
#include "block/meta.h"
#include "objstore/bucket.h"

namespace aevum::block {

// Which hash of each file stands in meta.json (--hash-func).
enum class HashFunction : std::uint8_t { kNone, kSha256 };

// The SHA-256 of a file, hexadecimal. Reads it once.
StatusOr<std::string> Sha256OfFile(const std::string& path);

// The files of a block in a directory, sorted by name: segments, index, and meta.json without size
// and hash. NotFound when there is no index.
StatusOr<std::vector<BlockFile>> ListBlockFiles(const std::string& directory, HashFunction hash);
// Names of the segments, as in Meta::segment_files.
StatusOr<std::vector<std::string>> ListSegments(const std::string& directory);

// Names of the objects of a block in a bucket that are its segments, sorted.
StatusOr<std::vector<std::string>> ListSegmentObjects(const Context& context,
                                                      objstore::Bucket& bucket,
                                                      const model::Ulid& block);

struct UploadBlockOptions {
  HashFunction hash = HashFunction::kNone;
  std::size_t concurrency = 0;  // of segments; 0: one after the other
  const Clock* clock = &Clock::System();
  bool without_labels = false;  // whether a block without external labels is taken
};

// Uploads the block in `directory` as `meta` says: segments, then the index, and last meta.json, in
// which the file list and the time of upload are filled in. An error at any point leaves no
// meta.json, or the whole block: what is there is no block to a reader until it is whole, and the
// next upload writes over it. FailedPrecondition when the meta has no external labels, unless that
// is allowed.
Status UploadBlock(const Context& context, objstore::Bucket& bucket, const std::string& directory,
                   Meta meta, const UploadBlockOptions& options);

// Removes a block: meta.json first, so that it is no block from then on; the deletion mark last, so
// that a removal that was cut short is taken up again. Not an error when there is nothing.
Status DeleteBlock(const Context& context, objstore::Bucket& bucket, const model::Ulid& block);

// Gets a block into a directory: meta.json first, then what is not there already with the hash that
// it states. NotFound when the block has no meta.json.
StatusOr<Meta> DownloadBlock(const Context& context, objstore::Bucket& bucket,
                             const model::Ulid& block, const std::string& directory,
                             std::size_t concurrency = 0);

}  // namespace aevum::block
