#include "compact/scratch_space.h"

#include <chrono>
#include <filesystem>
#include <system_error>

namespace aevum::compact {

StatusOr<ScratchSpace::Reservation> ScratchSpace::Reserve(const Context& context,
                                                          std::uint64_t size_bytes) {
  if (limit_bytes_ != 0 && size_bytes > limit_bytes_) {
    return ResourceExhausted(
        "the output may take {} bytes of {}, more than --compact.scratch-size allows: {}",
        size_bytes, directory_, limit_bytes_);
  }
  const std::stop_callback wake(context.stop_token(), [this] {
    MutexLock lock(mutex_);
    returned_.notify_all();
  });
  MutexLock lock(mutex_);
  while (limit_bytes_ != 0 && size_bytes > limit_bytes_ - used_bytes_) {
    RETURN_IF_ERROR(context.status());
    if (context.deadline() == Context::TimePoint::max()) {
      lock.Wait(returned_);
    } else {
      lock.WaitUntil(returned_, context.deadline());
    }
  }
  used_bytes_ += limit_bytes_ != 0 ? size_bytes : 0;
  return Reservation(*this, limit_bytes_ != 0 ? size_bytes : 0);
}

void ScratchSpace::Return(std::uint64_t size_bytes) {
  MutexLock lock(mutex_);
  used_bytes_ -= size_bytes;
  returned_.notify_all();
}

std::uint64_t ScratchSpace::used_bytes() const {
  MutexLock lock(mutex_);
  return used_bytes_;
}

ScratchDirectory::ScratchDirectory(std::string path) : path_(std::move(path)) {
  std::error_code ignored;  // what can't be removed is in the way of Create, which tells
  std::filesystem::remove_all(path_, ignored);
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;  // the next run tries again
  std::filesystem::remove_all(path_, ignored);
}

Status ScratchDirectory::Create() const {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (!error) return OkStatus();
  return Unavailable("can't make the directory {}, --data-dir moves it: {}", path_,
                     error.message());
}

}  // namespace aevum::compact
