// What meta.json tells of a rewrite.
#pragma once

#include <span>

#include "block/json_value.h"
#include "compaction/deletion.h"
#include "model/relabel.h"
#include "model/ulid.h"

namespace aevum::compaction {

// An element of Meta::rewrites as Thanos writes it. Deletions that follow one another and differ in
// their time alone are one request. `relabeler` may be null.
block::JsonValue RewriteRecord(const model::Ulid& source, std::span<const Deletion> deletions,
                               const model::Relabeler* relabeler);

}  // namespace aevum::compaction
