// A file that is written piece by piece and put in place as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace aevum {

// Writes "<path>.tmp" and renames it to `path` in Commit; without that it is removed again. Small
// pieces are gathered in a buffer of 256 KiB. Thread-compatible.
class OutputFile {
 public:
  // Makes the directories above it. Unavailable, here and below, with what the system says.
  static StatusOr<OutputFile> Create(const std::string& path);
  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;

  Status Write(std::string_view bytes);
  // Replaces bytes that were written; `offset` and `bytes` must not reach beyond them.
  Status WriteAt(std::uint64_t offset, std::string_view bytes);
  // Drops what stands behind the first `size_bytes` bytes.
  Status Truncate(std::uint64_t size_bytes);
  // Hands the system what is in the buffer, so that who opens temporary_path() sees it.
  Status Flush();
  std::uint64_t size_bytes() const { return size_bytes_; }
  // Where the bytes are until they are put in place.
  std::string temporary_path() const { return path_ + ".tmp"; }
  // Renames it into place. Synced, file and directory, it outlives a crash of the machine; without,
  // the file may then be empty or gone, which only who checks what it reads can bear.
  enum class Durability : std::uint8_t { kSynced, kUnsynced };
  Status Commit(Durability durability = Durability::kSynced);

 private:
  static constexpr std::size_t kBufferBytes = 256 << 10;

  OutputFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  Status WriteThrough(std::string_view bytes);

  int fd_;
  const std::string path_;
  std::string buffer_;
  std::uint64_t size_bytes_ = 0;  // with those in the buffer
};

}  // namespace aevum
