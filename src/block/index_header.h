// Index-headers: the tables of a block's index, kept on local disk so that queries need no more of
// the index than series and postings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/context.h"
#include "base/logging.h"
#include "base/status.h"
#include "block/meta.h"
#include "model/ulid.h"
#include "objstore/bucket.h"
#include "tsdb/index_tables.h"

namespace prometheus {
class Histogram;
class Registry;
}  // namespace prometheus

namespace aevum::block {

// The name of the file below a block's local directory.
inline constexpr std::string_view kIndexHeaderFile = "index-header";

// An index-header file, mapped. The format is that of docs/format/index-header.md, byte for byte
// what Thanos writes. Immutable, hence thread-safe.
class IndexHeader {
 public:
  // NotFound when there is no file; Corruption when anything in it is wrong. `index_bytes`, when it
  // is known, is the size of the index that the file must be of. Reads all of the file once.
  static StatusOr<IndexHeader> Open(const std::string& path,
                                    std::optional<std::uint64_t> index_bytes = std::nullopt);
  // The same of bytes, for tests.
  static StatusOr<IndexHeader> Parse(SharedBytes file,
                                     std::optional<std::uint64_t> index_bytes = std::nullopt);

  const tsdb::IndexTables& tables() const { return tables_; }
  // Of the index that this is of.
  std::uint64_t index_bytes() const { return index_bytes_; }
  // Of the file, which is mapped.
  std::size_t file_bytes() const { return file_.size(); }

 private:
  SharedBytes file_;
  tsdb::IndexTables tables_;
  std::uint64_t index_bytes_ = 0;
};

// Makes the file out of the index of a block in a bucket: four ranged reads, of its head, its table
// of contents and the two sections, which are streamed to "<path>.tmp", synced and renamed. The
// directory is made when it is not there. Corruption when head or table of contents is damaged; the
// sections are checked when the file is opened. Errors name the object or the file.
Status BuildIndexHeader(const Context& context, objstore::Bucket& bucket, const model::Ulid& block,
                        const std::string& path);

// Opens and, where need be, builds the files below one directory. Thread-safe; two calls for one
// block at the same time must not be made.
class IndexHeaders {
 public:
  // Files are "<directory>/<ULID>/index-header". Borrows the bucket.
  IndexHeaders(std::string directory, objstore::Bucket& bucket, Logger logger,
               prometheus::Registry& registry);

  // Of a block: the file that is there, or a new one when there is none or it is damaged or not of
  // this block's index. Corruption when the index in the bucket is damaged.
  StatusOr<std::shared_ptr<const IndexHeader>> Load(const Context& context, const Meta& meta);
  // Removes the file of a block, with its directory when that is empty then.
  Status Remove(const model::Ulid& block);

  std::string PathOf(const model::Ulid& block) const;

 private:
  StatusOr<IndexHeader> Open(const Meta& meta) const;

  const std::string directory_;
  objstore::Bucket& bucket_;
  const Logger logger_;
  prometheus::Histogram& download_seconds_;
  prometheus::Histogram& load_seconds_;
};

}  // namespace aevum::block
