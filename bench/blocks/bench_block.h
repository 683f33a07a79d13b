// Writes made-up series as a block with the meta.json that Thanos's sidecar would give it.
#pragma once

#include <map>
#include <string>

#include "base/status.h"
#include "block/meta.h"
#include "block_data.h"
#include "model/ulid.h"

namespace aevum::bench {

// Makes the block in the directory named by its ULID under `bucket`, which is a filesystem bucket.
// Nothing is synced: a crash of the machine may leave a damaged block.
StatusOr<block::Meta> WriteBenchBlock(const std::string& bucket, const model::Ulid& ulid,
                                      const BlockData& data,
                                      const std::map<std::string, std::string>& external_labels);

// A ULID that depends on the seed and the number of the block alone.
model::Ulid BenchUlid(TimestampMs time, std::uint64_t seed, std::uint64_t block);

}  // namespace aevum::bench
