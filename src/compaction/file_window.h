// A file of a block, in a bucket or in a directory, behind a window that moves over it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/context.h"
#include "base/status.h"
#include "compaction/block_reader.h"
#include "objstore/bucket.h"

namespace aevum::compaction {

// Buffers that a window has left and views still point into.
class RetiredBuffers {
 public:
  // Corruption when there are too many: only a damaged index spreads a series so far.
  Status Add(SharedBytes buffer);
  void Clear();

 private:
  std::vector<SharedBytes> buffers_;
  std::size_t bytes_ = 0;
};

// Reads a file mostly forwards. Memory: one window; what lies elsewhere is read by small pieces.
// Thread-compatible.
class FileWindow {
 public:
  // `path` is relative to the block. NotFound when there is no such file. Borrows `retired`.
  static StatusOr<FileWindow> Open(const Context& context, const BlockPlace& place,
                                   std::string_view path, std::size_t window_bytes,
                                   RetiredBuffers* retired);

  std::uint64_t size() const { return size_; }
  // As errors call it.
  const std::string& name() const { return name_; }

  // What the window has from `offset` on: at least `least` bytes, or up to the end of the file.
  // Empty from there on. Valid until the retired buffers are cleared and the window has moved.
  StatusOr<std::string_view> Read(std::uint64_t offset, std::uint64_t least) {
    if (offset >= begin_ && offset - begin_ <= window_.size()) {
      const std::string_view rest = window_.view.substr(offset - begin_);
      if (rest.size() >= least || begin_ + window_.size() == size_) return rest;
    }
    return Move(offset, least);
  }

  // Hands the buffer over to the retired ones; the window is empty then.
  Status Retire();

  // "<name>, offset <offset>: ..." for damage that is found there.
  Status Blame(Status status, std::uint64_t offset) const;

 private:
  FileWindow(Context context, const BlockPlace& place, std::string name, std::size_t window_bytes,
             RetiredBuffers* retired)
      : context_(std::move(context)),
        bucket_(place.bucket),
        name_(std::move(name)),
        window_bytes_(window_bytes),
        retired_(retired) {}

  StatusOr<std::string_view> Move(std::uint64_t offset, std::uint64_t least);
  StatusOr<std::string> Load(std::uint64_t offset, std::size_t size);

  Context context_;
  objstore::Bucket* bucket_;
  std::unique_ptr<objstore::FileSource> file_;  // without a bucket
  std::string name_;
  std::size_t window_bytes_;
  RetiredBuffers* retired_;
  std::uint64_t size_ = 0;
  std::uint64_t begin_ = 0;  // of the window in the file
  SharedBytes window_;
};

}  // namespace aevum::compaction
