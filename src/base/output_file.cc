#include "base/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace aevum {
namespace {

Status SystemError(std::string_view action, const std::string& path) {
  return Unavailable("{} {}: {}", action, path, std::strerror(errno));
}

// A rename lasts through a crash when its directory is synced too.
Status SyncDirectory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return SystemError("open", path);
  const int result = ::fsync(fd);
  ::close(fd);
  if (result != 0) return SystemError("sync", path);
  return OkStatus();
}

std::string ParentOf(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

}  // namespace

StatusOr<OutputFile> OutputFile::Create(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(ParentOf(path), error);
  if (error) return Unavailable("create directory {}: {}", ParentOf(path), error.message());
  OutputFile file(-1, path);
  const std::string beside = file.temporary_path();
  file.fd_ = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file.fd_ < 0) return SystemError("create", beside);
  return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(other.path_),
      buffer_(std::move(other.buffer_)),
      size_bytes_(other.size_bytes_) {}

OutputFile::~OutputFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_path().c_str());
}

Status OutputFile::WriteThrough(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", temporary_path());
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return OkStatus();
}

Status OutputFile::Flush() {
  const Status status = WriteThrough(buffer_);
  buffer_.clear();
  return status;
}

Status OutputFile::Write(std::string_view bytes) {
  size_bytes_ += bytes.size();
  if (buffer_.size() + bytes.size() > kBufferBytes) RETURN_IF_ERROR(Flush());
  if (bytes.size() >= kBufferBytes) return WriteThrough(bytes);
  buffer_ += bytes;
  return OkStatus();
}

Status OutputFile::WriteAt(std::uint64_t offset, std::string_view bytes) {
  RETURN_IF_ERROR(Flush());
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", temporary_path());
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return OkStatus();
}

Status OutputFile::Truncate(std::uint64_t size_bytes) {
  if (size_bytes == size_bytes_) return OkStatus();
  RETURN_IF_ERROR(Flush());
  if (::ftruncate(fd_, static_cast<off_t>(size_bytes)) != 0 ||
      ::lseek(fd_, static_cast<off_t>(size_bytes), SEEK_SET) < 0) {
    return SystemError("truncate", temporary_path());
  }
  size_bytes_ = size_bytes;
  return OkStatus();
}

Status OutputFile::Commit(Durability durability) {
  RETURN_IF_ERROR(Flush());
  const bool synced = durability == Durability::kSynced;
  if (synced && ::fsync(fd_) != 0) return SystemError("sync", temporary_path());
  if (::rename(temporary_path().c_str(), path_.c_str()) != 0)
    return SystemError("rename to", path_);
  ::close(std::exchange(fd_, -1));
  return synced ? SyncDirectory(ParentOf(path_)) : OkStatus();
}

}  // namespace aevum
