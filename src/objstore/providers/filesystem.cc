#include "objstore/providers/filesystem.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <utility>
#include <vector>

#include "objstore/errors.h"

namespace aevum::objstore {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAsideDirectory = ".aevum-upload";
constexpr std::size_t kPieceBytes = 256 << 10;
constexpr std::time_t kLeftoverSeconds = 24 * 3600;
// Another process may remove an empty parent between its creation and the rename.
constexpr int kPlaceAttempts = 10;

Status SystemError(std::string_view action, const std::string& path, int error) {
  StatusCode code = StatusCode::kUnavailable;
  if (error == ENOENT || error == ENOTDIR) code = StatusCode::kNotFound;
  if (error == EACCES || error == EPERM || error == EROFS) code = StatusCode::kPermissionDenied;
  if (error == ENAMETOOLONG) code = StatusCode::kInvalidArgument;
  return MakeError(code, fmt::format("{} {}: {}", action, path, std::strerror(error)));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Removes a file that was not moved into place.
class AsideFile {
 public:
  explicit AsideFile(std::string path) : path_(std::move(path)) {}
  ~AsideFile() { ::unlink(path_.c_str()); }
  AsideFile(const AsideFile&) = delete;
  AsideFile& operator=(const AsideFile&) = delete;

 private:
  const std::string path_;
};

TimestampMs ModifiedMs(const struct stat& about) {
  return about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1'000'000;
}

// A rename gives the name another inode; the time tells apart inodes that are used again.
std::string VersionOf(const struct stat& about) {
  return fmt::format("{:x}-{:x}.{:x}-{:x}", about.st_ino, about.st_mtim.tv_sec,
                     about.st_mtim.tv_nsec, about.st_size);
}

// NotFound also for a directory, which is no object.
StatusOr<struct stat> StatObject(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) return SystemError("stat", path, errno);
  if (!S_ISREG(about.st_mode)) return NotFound("not a file: {}", path);
  return about;
}

Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return OkStatus();
}

Status SyncDirectoryOf(const std::string& path) {
  const std::string parent = fs::path(path).parent_path();
  const Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) {
    return SystemError("sync", parent, errno);
  }
  return OkStatus();
}

// Of an object that was put in place. It may have been deleted already, its directory too.
Status SyncPlaced(const std::string& path) {
  const Status status = SyncDirectoryOf(path);
  return IsNotFound(status) ? OkStatus() : status;
}

Status MakeDirectories(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return SystemError("create directory", path, error.value());
  return OkStatus();
}

bool IsEmptyDirectory(const std::string& path) {
  std::error_code error;
  return fs::is_empty(path, error) || error;
}

// Names of a directory in the order of the objects' full names: a directory counts with its '/'.
StatusOr<std::vector<std::string>> SortedEntries(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return SystemError("list", path, errno);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    bool is_directory = entry->d_type == DT_DIR;
    if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) {
      struct stat about{};
      if (::stat((path + "/" + name).c_str(), &about) != 0) continue;  // gone, or leads nowhere
      is_directory = S_ISDIR(about.st_mode);
    }
    names.push_back(is_directory ? name + kDelimiter : std::move(name));
    errno = 0;
  }
  const int error = errno;
  ::closedir(directory);
  if (error != 0) return SystemError("list", path, error);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

StatusOr<std::unique_ptr<FilesystemBucket>> FilesystemBucket::Open(const std::string& directory) {
  if (directory.empty()) return InvalidArgument("the directory of the bucket is not given");
  std::error_code error;
  const fs::path absolute = fs::absolute(directory, error);
  if (error) return SystemError("find", directory, error.value());
  std::string root = absolute.lexically_normal();
  while (root.size() > 1 && root.ends_with('/')) root.pop_back();
  std::unique_ptr<FilesystemBucket> bucket(new FilesystemBucket(std::move(root)));
  bucket->RemoveLeftovers();
  return bucket;
}

void FilesystemBucket::RemoveLeftovers() const {
  const std::string aside = root_ + "/" + std::string(kAsideDirectory);
  const StatusOr<std::vector<std::string>> names = SortedEntries(aside);
  if (!names.ok()) return;  // nothing was ever uploaded
  const std::time_t limit = std::time(nullptr) - kLeftoverSeconds;
  for (const std::string& name : *names) {
    struct stat about{};
    const std::string path = aside + "/" + name;
    if (::stat(path.c_str(), &about) == 0 && about.st_mtim.tv_sec < limit) ::unlink(path.c_str());
  }
}

StatusOr<std::string> FilesystemBucket::PathOf(std::string_view name) const {
  RETURN_IF_ERROR(CheckName(name));
  std::string_view rest = name;
  while (true) {
    const std::size_t end = rest.find(kDelimiter);
    const std::string_view part = rest.substr(0, end);
    if (part.empty() || part == "." || part == "..") {
      return InvalidArgument("a part of the name is empty, '.' or '..': {}", name);
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (name.substr(0, name.find(kDelimiter)) == kAsideDirectory) {
    return InvalidArgument("the name is kept for uploads that are under way: {}", name);
  }
  return root_ + "/" + std::string(name);
}

Status FilesystemBucket::Iterate(const Context& context, const std::string& directory,
                                 const IterateOptions& options, const ObjectVisitor& visit) {
  const std::string prefix = DirectoryPrefix(directory);
  if (!prefix.empty()) {
    RETURN_IF_ERROR(PathOf(prefix.substr(0, prefix.size() - 1)).status());
  }
  return Walk(context, prefix, options, visit);
}

Status FilesystemBucket::Walk(const Context& context, const std::string& prefix,
                              const IterateOptions& options, const ObjectVisitor& visit) const {
  RETURN_IF_ERROR(context.status());
  StatusOr<std::vector<std::string>> entries = SortedEntries(root_ + "/" + prefix);
  if (IsNotFound(entries.status())) return OkStatus();
  RETURN_IF_ERROR(entries.status());
  for (const std::string& entry : *entries) {
    ListedObject object;
    object.name = prefix + entry;
    const std::string path = root_ + "/" + object.name;
    if (object.IsDirectory()) {
      if (object.name.substr(0, object.name.size() - 1) == kAsideDirectory) continue;
      if (options.depth == IterateOptions::Depth::kRecursive) {
        RETURN_IF_ERROR(Walk(context, object.name, options, visit));
        continue;
      }
      if (IsEmptyDirectory(path)) continue;
    } else if (options.attributes == IterateOptions::Attributes::kWanted) {
      const StatusOr<struct stat> about = StatObject(path);
      if (IsNotFound(about.status())) continue;  // deleted meanwhile
      RETURN_IF_ERROR(about.status());
      object.size_bytes = about->st_size;
      object.last_modified_ms = ModifiedMs(*about);
    }
    RETURN_IF_ERROR(visit(object));
  }
  return OkStatus();
}

Status FilesystemBucket::Read(const Context& context, const std::string& name, ByteRange range,
                              ByteSink& sink) {
  RETURN_IF_ERROR(context.status());
  ASSIGN_OR_RETURN(const std::string path, PathOf(name));
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return SystemError("open", path, errno);
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) return SystemError("stat", path, errno);
  if (!S_ISREG(about.st_mode)) return NotFound("not a file: {}", path);
  if (!range.IsWhole() && range.offset >= about.st_size) {
    return OutOfRange(path, range.offset, about.st_size);
  }
  std::int64_t left = about.st_size - range.offset;
  if (range.length >= 0) left = std::min(left, range.length);
  RETURN_IF_ERROR(sink.Start(left));
  std::string buffer(std::min(kPieceBytes, static_cast<std::size_t>(left)), '\0');
  for (std::int64_t offset = range.offset; left > 0;) {
    RETURN_IF_ERROR(context.status());
    const std::size_t want = std::min(buffer.size(), static_cast<std::size_t>(left));
    const ssize_t got = ::pread(file.get(), buffer.data(), want, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("read", path, errno);
    if (got == 0) return Unavailable("read {}: the file became shorter, offset: {}", path, offset);
    RETURN_IF_ERROR(sink.Write({buffer.data(), static_cast<std::size_t>(got)}));
    offset += got;
    left -= got;
  }
  return OkStatus();
}

StatusOr<ObjectAttributes> FilesystemBucket::Attributes(const Context& context,
                                                        const std::string& name) {
  RETURN_IF_ERROR(context.status());
  ASSIGN_OR_RETURN(const std::string path, PathOf(name));
  ASSIGN_OR_RETURN(const struct stat about, StatObject(path));
  return ObjectAttributes{about.st_size, ModifiedMs(about), VersionOf(about)};
}

StatusOr<std::string> FilesystemBucket::WriteAside(const Context& context,
                                                   const UploadSource& source) const {
  const std::string directory = root_ + "/" + std::string(kAsideDirectory);
  RETURN_IF_ERROR(MakeDirectories(directory));
  std::string path = directory + "/XXXXXX";
  const Descriptor file(::mkostemp(path.data(), O_CLOEXEC));
  if (file.get() < 0) return SystemError("create", path, errno);
  const auto write = [&]() -> Status {
    if (::fchmod(file.get(), 0644) != 0) return SystemError("chmod", path, errno);
    const std::int64_t size = source.size_bytes();
    std::string buffer(std::min(kPieceBytes, static_cast<std::size_t>(size)), '\0');
    for (std::int64_t offset = 0; offset < size;) {
      RETURN_IF_ERROR(context.status());
      const std::size_t count = std::min(buffer.size(), static_cast<std::size_t>(size - offset));
      RETURN_IF_ERROR(source.Read(offset, {buffer.data(), count}));
      RETURN_IF_ERROR(WriteAll(file.get(), {buffer.data(), count}, path));
      offset += static_cast<std::int64_t>(count);
    }
    if (::fsync(file.get()) != 0) return SystemError("sync", path, errno);
    return OkStatus();
  };
  if (Status status = write(); !status.ok()) {
    ::unlink(path.c_str());
    return status;
  }
  return path;
}

Status FilesystemBucket::MoveIntoPlace(const std::string& aside, const std::string& path) const {
  const std::string parent = fs::path(path).parent_path();
  for (int attempt = 1;; ++attempt) {
    // Whoever deletes the last object of a directory removes it, and its parents.
    Status status = MakeDirectories(parent);
    if (status.ok()) {
      if (::rename(aside.c_str(), path.c_str()) == 0) return SyncPlaced(path);
      status = SystemError("rename to", path, errno);
    }
    if (!IsNotFound(status) || attempt == kPlaceAttempts) return status;
  }
}

StatusOr<std::string> FilesystemBucket::PutInPlace(const std::string& aside,
                                                   const std::string& path,
                                                   const UploadOptions& options) const {
  const Descriptor root(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root.get() < 0) return SystemError("open", root_, errno);
  if (options.condition != UploadCondition::kNone) {
    while (::flock(root.get(), LOCK_EX) != 0) {
      if (errno != EINTR) return SystemError("lock", root_, errno);
    }
    const StatusOr<struct stat> now = StatObject(path);
    if (!now.ok() && !IsNotFound(now.status())) return now.status();
    if (options.condition == UploadCondition::kIfAbsent && now.ok()) {
      return ConditionFailed(path, "it exists");
    }
    if (options.condition == UploadCondition::kIfVersion &&
        (!now.ok() || VersionOf(*now) != options.version)) {
      return ConditionFailed(path, "it is another version");
    }
  }
  struct stat about{};
  if (::stat(aside.c_str(), &about) != 0) return SystemError("stat", aside, errno);
  RETURN_IF_ERROR(MoveIntoPlace(aside, path));
  return VersionOf(about);
}

StatusOr<std::string> FilesystemBucket::Upload(const Context& context, const std::string& name,
                                               const UploadSource& source,
                                               const UploadOptions& options) {
  RETURN_IF_ERROR(context.status());
  ASSIGN_OR_RETURN(const std::string path, PathOf(name));
  ASSIGN_OR_RETURN(const std::string aside, WriteAside(context, source));
  const AsideFile remove_what_stays(aside);
  return PutInPlace(aside, path, options);
}

Status FilesystemBucket::Delete(const Context& context, const std::string& name) {
  RETURN_IF_ERROR(context.status());
  // A name with '/' at its end is the object that some stores keep for a directory.
  const std::string_view bare =
      std::string_view(name).substr(0, name.size() - (name.ends_with(kDelimiter) ? 1 : 0));
  ASSIGN_OR_RETURN(const std::string path, PathOf(bare));
  if (bare.size() == name.size()) {
    const Status found = StatObject(path).status();
    if (IsNotFound(found)) return OkStatus();
    RETURN_IF_ERROR(found);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return SystemError("remove", path, errno);
    RemoveEmptyParents(fs::path(path).parent_path());
  } else {
    RemoveEmptyParents(path);
  }
  return OkStatus();
}

// Stops at the first that is not empty, which rmdir tells without a race.
void FilesystemBucket::RemoveEmptyParents(std::string path) const {
  while (path.size() > root_.size() && ::rmdir(path.c_str()) == 0) {
    path = fs::path(path).parent_path();
  }
}

}  // namespace aevum::objstore
