// A file that is written piece by piece and put in place as a whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "objstore/bucket.h"

namespace aevum::block {

// Writes "<path>.tmp" and renames it to `path` in Commit; without that it is removed again.
// Thread-compatible.
class OutputFile {
 public:
  // Makes the directories above it.
  static StatusOr<OutputFile> Create(const std::string& path);
  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;

  Status Write(std::string_view bytes);
  // Drops what stands behind the first `size_bytes` bytes.
  Status Truncate(std::uint64_t size_bytes);
  std::uint64_t size_bytes() const { return size_bytes_; }
  // Renames it into place. Synced, file and directory, it outlives a crash of the machine; without,
  // the file may then be empty or gone, which only who checks what it reads can bear.
  enum class Durability : std::uint8_t { kSynced, kUnsynced };
  Status Commit(Durability durability = Durability::kSynced);

 private:
  OutputFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  std::string TemporaryPath() const { return path_ + ".tmp"; }

  int fd_;
  const std::string path_;
  std::uint64_t size_bytes_ = 0;
};

// Appends an object, or a part of one, to a file; a transfer that begins again replaces what it had
// written. Borrows the file.
class OutputFileSink final : public objstore::ByteSink {
 public:
  explicit OutputFileSink(OutputFile& file) : file_(file), begin_(file.size_bytes()) {}
  Status Start(std::int64_t /*size_bytes*/) override { return file_.Truncate(begin_); }
  Status Write(std::string_view piece) override { return file_.Write(piece); }

  // How many bytes came.
  std::uint64_t size_bytes() const { return file_.size_bytes() - begin_; }

 private:
  OutputFile& file_;
  const std::uint64_t begin_;
};

}  // namespace aevum::block
