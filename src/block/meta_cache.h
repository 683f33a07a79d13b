// The metas that were read out of a bucket, kept in a directory for the next start.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/logging.h"
#include "base/status.h"
#include "block/meta.h"

namespace aevum::block {

// A meta and the version of the object that it was read from.
struct CachedMeta {
  std::shared_ptr<const Meta> meta;
  TimestampMs modified_ms = 0;  // of the object; 0 when the store does not tell
};
using CachedMetas = std::map<model::Ulid, CachedMeta>;

// Files "<directory>/meta-syncer/<ULID>/meta.json", as Thanos keeps them; the time of a file is
// that of its object. All is done as well as it goes: what fails is logged and costs a read of the
// bucket. Thread-safe, but for one block at a time.
class MetaCache {
 public:
  // "" is no cache.
  MetaCache(const std::string& directory, Logger logger);

  // All of them. Removes what is damaged.
  CachedMetas Load() const;
  void Store(const CachedMeta& cached) const;
  void Remove(const model::Ulid& block) const;

 private:
  std::string DirectoryOf(const model::Ulid& block) const;

  const std::string root_;
  const Logger logger_;
};

}  // namespace aevum::block
