#include "base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace aevum {
namespace {

Status SystemError(std::string_view action, const std::string& path, int error) {
  const StatusCode code = error == ENOENT ? StatusCode::kNotFound : StatusCode::kUnavailable;
  return MakeError(code, fmt::format("{} {}: {}", action, path, std::strerror(error)));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

StatusOr<std::string> ReadFile(const std::string& path, std::size_t limit_bytes) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return SystemError("open", path, errno);
  std::string bytes;
  char buffer[64 << 10];
  while (true) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("read", path, errno);
    if (got == 0) return bytes;
    if (bytes.size() + static_cast<std::size_t>(got) > limit_bytes) {
      return ResourceExhausted("read {}: the file holds more than {} bytes", path, limit_bytes);
    }
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
}

StatusOr<SharedBytes> MapFile(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return SystemError("open", path, errno);
  struct stat info = {};
  if (::fstat(file.get(), &info) != 0) return SystemError("stat", path, errno);
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return SharedBytes();  // nothing can be mapped
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (address == MAP_FAILED) return SystemError("map", path, errno);
  return SharedBytes{std::string_view(static_cast<const char*>(address), size),
                     BufferOwner(address, [size](void* mapped) { ::munmap(mapped, size); })};
}

Status WriteFileAtomically(const std::string& path, std::string_view bytes) {
  const std::string beside = path + ".tmp";
  {
    const FileDescriptor file(
        ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.get() < 0) return SystemError("create", beside, errno);
    while (!bytes.empty()) {
      const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return SystemError("write", beside, errno);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(file.get()) != 0) return SystemError("sync", beside, errno);
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return SystemError("rename to", path, errno);
  return OkStatus();
}

StatusOr<std::vector<std::string>> ListDirectory(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  auto it = std::filesystem::directory_iterator(path, error);
  for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  if (error) return SystemError("list", path, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

StatusOr<TemporaryDirectory> TemporaryDirectory::Create() {
  const char* root = std::getenv("TMPDIR");
  std::string path =
      std::string(root != nullptr && *root != '\0' ? root : "/tmp") + "/aevum-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return SystemError("create directory", path, errno);
  return TemporaryDirectory(std::move(path));
}

TemporaryDirectory::~TemporaryDirectory() {
  if (path_.empty()) return;
  std::error_code error;  // a directory that can't be removed is left to the system
  std::filesystem::remove_all(path_, error);
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryDirectory& TemporaryDirectory::operator=(TemporaryDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

}  // namespace aevum
