// The disk that compactions and downsamplings write their blocks to, bounded.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <string>
#include <utility>

#include "base/context.h"
#include "base/mutex.h"
#include "base/status.h"

namespace aevum::compact {

// Gives out bytes of a limit. Thread-safe; must outlive its reservations.
class ScratchSpace {
 public:
  // 0: no limit. `directory` is what errors name.
  ScratchSpace(std::string directory, std::uint64_t limit_bytes)
      : directory_(std::move(directory)), limit_bytes_(limit_bytes) {}

  // Gives the bytes back at the end of its life.
  class Reservation {
   public:
    Reservation(ScratchSpace& space, std::uint64_t size_bytes)
        : space_(&space), size_bytes_(size_bytes) {}
    Reservation(Reservation&& other) noexcept
        : space_(std::exchange(other.space_, nullptr)), size_bytes_(other.size_bytes_) {}
    Reservation& operator=(Reservation&&) = delete;
    ~Reservation() {
      if (space_ != nullptr) space_->Return(size_bytes_);
    }

   private:
    ScratchSpace* space_;
    std::uint64_t size_bytes_;
  };

  // Waits until others have given back enough. ResourceExhausted when it would never fit; the
  // context's status when that ends first.
  StatusOr<Reservation> Reserve(const Context& context, std::uint64_t size_bytes);

  const std::string& directory() const { return directory_; }
  std::uint64_t used_bytes() const;

 private:
  void Return(std::uint64_t size_bytes);

  const std::string directory_;
  const std::uint64_t limit_bytes_;
  mutable Mutex mutex_;
  std::condition_variable returned_;
  std::uint64_t used_bytes_ AEVUM_GUARDED_BY(mutex_) = 0;
};

// Removes a directory with all it holds at the end of its life, and what an earlier run left there
// at the beginning.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(std::string path);
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  // Makes it. Unavailable with what the system says, and which flag moves it.
  Status Create() const;
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

}  // namespace aevum::compact
