// The shipper: uploads the blocks that a Prometheus finishes in its data directory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"
#include "block/meta.h"
#include "block/upload.h"
#include "model/labels.h"
#include "objstore/bucket.h"

namespace prometheus {
class Counter;
class Gauge;
class Registry;
}  // namespace prometheus

namespace aevum::block {

// thanos.shipper.json: which blocks of the directory were uploaded.
struct ShipperState {
  std::vector<model::Ulid> uploaded;

  // Corruption names the field; nothing may follow the object.
  static StatusOr<ShipperState> Parse(std::string_view text);
  // Tab-indented, as Thanos writes it.
  std::string Write() const;
};

struct ShipperOptions {
  std::string directory;  // of the TSDB
  std::string state_file = "thanos.shipper.json";
  std::string source = std::string(kSourceSidecar);
  bool upload_compacted = false;    // levels above 1 too
  bool allow_out_of_order = false;  // a block that fails does not hold up those after it
  bool skip_corrupted = false;      // likewise a block whose meta.json can't be read
  HashFunction hash = HashFunction::kNone;
  std::size_t upload_concurrency = 0;
  const Clock* clock = &Clock::System();
};

// Each Sync looks at all blocks once, from the oldest. Files are linked to
// "<directory>/thanos/upload/<ULID>" while they go up, so that the TSDB can delete its block
// meanwhile; it is never waited for or changed. Thread-safe; one Sync at a time, others wait.
class Shipper {
 public:
  // The external labels of the moment.
  using LabelsSource = std::function<model::Labels()>;

  // Borrows the bucket.
  Shipper(ShipperOptions options, objstore::Bucket& bucket, LabelsSource labels, Logger logger,
          prometheus::Registry& registry);

  // The number of blocks that it uploaded. An error says what held it up; what was uploaded before
  // is remembered all the same.
  StatusOr<std::size_t> Sync(const Context& context);

  // The oldest sample time of the blocks in the directory, 0 without any.
  StatusOr<TimestampMs> MinTime() const;

 private:
  struct LocalBlocks {
    std::vector<Meta> metas;  // from the oldest
    std::size_t unreadable = 0;
  };
  StatusOr<LocalBlocks> ListBlocks() const;
  // The links through which a process that was killed uploaded: they would keep the bytes of a
  // block on the disk that Prometheus has deleted.
  void RemoveLeftovers() const;
  std::set<model::Ulid> ReadUploaded() const;
  StatusOr<std::size_t> SyncBlocks(const Context& context, std::vector<model::Ulid>* uploaded);
  // Whether the block is in the bucket now; `count` is raised when it was uploaded.
  StatusOr<bool> Ship(const Context& context, const Meta& meta, std::size_t* count);
  Status CheckOverlap(const Context& context, const Meta& meta);
  Status Upload(const Context& context, Meta meta);
  Status LinkFiles(const std::string& from, const std::string& to) const;

  const ShipperOptions options_;
  objstore::Bucket& bucket_;
  const LabelsSource labels_;
  const Logger logger_;
  prometheus::Counter& syncs_;
  prometheus::Counter& sync_failures_;
  prometheus::Counter& uploads_;
  prometheus::Counter& upload_failures_;
  prometheus::Counter& corrupted_;
  prometheus::Gauge* compacted_done_ = nullptr;  // with upload_compacted alone
  Mutex mutex_;
};

}  // namespace aevum::block
