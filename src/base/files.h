// Files: read whole, mapped, written whole.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace aevum {

// The bytes of a file. NotFound when there is none; ResourceExhausted when it holds more than
// `limit_bytes`; Unavailable for other errors of the system, with its text.
StatusOr<std::string> ReadFile(const std::string& path, std::size_t limit_bytes = 64 << 20);

// Maps a file for reading; the mapping lives as long as the last copy of the bytes. NotFound when
// there is none, Unavailable for other errors of the system. The file must not be shortened while
// it is mapped: what Aevum maps was put in place whole and is replaced by renaming.
StatusOr<SharedBytes> MapFile(const std::string& path);

// Puts a file in place as a whole: readers see the old bytes or the new ones. Writes beside it,
// syncs, then renames.
Status WriteFileAtomically(const std::string& path, std::string_view bytes);

// Names of the entries of a directory, sorted, without "." and "..".
StatusOr<std::vector<std::string>> ListDirectory(const std::string& path);

// A directory of its own under the system's temporary directory, removed with all it holds at the
// end of the object's life. For tests and scratch data.
class TemporaryDirectory {
 public:
  static StatusOr<TemporaryDirectory> Create();
  ~TemporaryDirectory();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&& other) noexcept;

  const std::string& path() const { return path_; }
  std::string File(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace aevum
