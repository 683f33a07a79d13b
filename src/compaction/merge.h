// Several blocks made into one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/status.h"
#include "block/meta.h"
#include "compaction/block_reader.h"
#include "compaction/deletion.h"
#include "model/labels.h"

namespace aevum::compaction {

// What becomes of series with equal labels whose chunks overlap (--deduplication.func).
enum class MergeFunction : std::uint8_t {
  kOneToOne,  // the union of the samples
  kPenalty,   // one replica at a time, as Thanos does it
  kAdaptive,  // one replica at a time, as the querier does it by default
};

struct MergeInput {
  block::Meta meta;
  BlockPlace place;
  // What the replica labels, which were taken off, said. Blocks of one replica are joined before
  // replicas are merged. Blocks that say nothing are replicas of their own where they overlap.
  std::string replica;
};

struct MergeOptions {
  MergeFunction function = MergeFunction::kOneToOne;
  // Samples to leave out, those of series that are to be deleted.
  std::vector<Deletion> deletions;
  // An index that would become larger is split: the output is several blocks, by hash of the
  // series.
  std::uint64_t max_index_bytes = 64ULL << 30;
  std::string source = "compactor";  // Meta::source
  // Told now and then how many bytes of chunks were read in all. May be null.
  std::function<void(std::uint64_t chunk_bytes)> progress;
  const Clock* clock = &Clock::System();
};

// What was mended in passing.
struct Repairs {
  std::uint64_t duplicate_chunks = 0;     // left out
  std::uint64_t out_of_order_chunks = 0;  // put in order
  std::uint64_t unsorted_series = 0;
  std::uint64_t any() const { return duplicate_chunks + out_of_order_chunks + unsorted_series; }
};

struct MergedBlock {
  // Complete but for what an upload fills in; written into the directory as meta.json too.
  block::Meta meta;
  std::string directory;
};

struct MergeResult {
  // Mostly one; none when no sample remained.
  std::vector<MergedBlock> blocks;
  Repairs repairs;
};

// Streams the inputs, which share external labels and resolution, into new blocks below
// `directory`, each in a directory named by its ULID. Chunks that overlap no other are copied as
// they are. The output is read once more before it is given: its numbers agree with those of the
// inputs. DataLoss names the input block that is damaged (see DamagedBlock); nothing is left in
// `directory` after an error. Memory does not grow with the size of the blocks, but for 4 bytes a
// symbol.
StatusOr<MergeResult> MergeBlocks(const Context& context, std::vector<MergeInput> inputs,
                                  const MergeOptions& options, const std::string& directory);

// The input that an error of MergeBlocks blames; nullopt when it blames none.
std::optional<model::Ulid> DamagedBlock(const Status& status);

}  // namespace aevum::compaction
