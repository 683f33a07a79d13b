#include "objstore/bucket.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "objstore/parallel.h"

namespace aevum::objstore {
namespace {

constexpr std::size_t kMaxNameBytes = 1024;
// Parts that one GetRanges reads at a time.
constexpr std::size_t kRangesAtOnce = 16;
// Reserved ahead at most, whatever size a store claims.
constexpr std::int64_t kMaxReserveBytes = 16 << 20;

}  // namespace

Status StringSink::Start(std::int64_t size_bytes) {
  bytes_.clear();
  if (size_bytes > 0 && static_cast<std::uint64_t>(size_bytes) > limit_bytes_) {
    return ResourceExhausted("larger than the limit: {} > {} bytes", size_bytes, limit_bytes_);
  }
  bytes_.reserve(
      static_cast<std::size_t>(std::clamp<std::int64_t>(size_bytes, 0, kMaxReserveBytes)));
  return OkStatus();
}

Status StringSink::Write(std::string_view piece) {
  if (piece.size() > limit_bytes_ - bytes_.size()) {
    return ResourceExhausted("larger than the limit of {} bytes", limit_bytes_);
  }
  bytes_.append(piece);
  return OkStatus();
}

Status BytesSource::Read(std::int64_t offset, std::span<char> out) const {
  std::memcpy(out.data(), bytes_.data() + offset, out.size());
  return OkStatus();
}

StatusOr<FileSource> FileSource::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const StatusCode code = errno == ENOENT ? StatusCode::kNotFound : StatusCode::kInternal;
    return MakeError(code, fmt::format("open {}: {}", path, std::strerror(errno)));
  }
  struct stat about{};
  if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
    ::close(fd);
    return InvalidArgument("not a file: {}", path);
  }
  return FileSource(fd, about.st_size, path);
}

FileSource::~FileSource() {
  if (fd_ >= 0) ::close(fd_);
}

FileSource::FileSource(FileSource&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      size_bytes_(other.size_bytes_),
      path_(std::move(other.path_)) {}

Status FileSource::Read(std::int64_t offset, std::span<char> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(fd_, out.data(), out.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Internal("read {}: {}", path_, std::strerror(errno));
    if (got == 0) return Internal("read {}: the file became shorter, offset: {}", path_, offset);
    out = out.subspan(static_cast<std::size_t>(got));
    offset += got;
  }
  return OkStatus();
}

StatusOr<bool> Bucket::Exists(const Context& context, const std::string& name) {
  const StatusOr<ObjectAttributes> attributes = Attributes(context, name);
  if (attributes.ok()) return true;
  if (IsNotFound(attributes.status())) return false;
  return attributes.status();
}

StatusOr<std::string> Bucket::Get(const Context& context, const std::string& name,
                                  std::size_t limit_bytes) {
  StringSink sink(limit_bytes);
  RETURN_IF_ERROR(Read(context, name, ByteRange(), sink));
  return std::move(sink).Take();
}

StatusOr<std::string> Bucket::GetRange(const Context& context, const std::string& name,
                                       ByteRange range) {
  if (range.offset < 0 || range.length < 0) {
    return InvalidArgument("a range without an end, {}: {} + {}", name, range.offset, range.length);
  }
  if (range.length == 0) return std::string();
  StringSink sink(static_cast<std::size_t>(range.length));
  RETURN_IF_ERROR(Read(context, name, range, sink));
  return std::move(sink).Take();
}

StatusOr<std::vector<SharedBytes>> Bucket::GetRanges(const Context& context,
                                                     const std::string& name,
                                                     std::span<const ByteRange> ranges) {
  std::vector<SharedBytes> parts(ranges.size());
  RETURN_IF_ERROR(
      RunParallel(pool(), ranges.size(), kRangesAtOnce, [&](std::size_t index) -> Status {
        ASSIGN_OR_RETURN(std::string bytes, GetRange(context, name, ranges[index]));
        parts[index] = SharedBytes::Own(std::move(bytes));
        return OkStatus();
      }));
  return parts;
}

Status CheckName(std::string_view name) {
  if (name.empty()) return InvalidArgument("an object without a name");
  if (name.size() > kMaxNameBytes) {
    return InvalidArgument("the name of an object is too long: {} > {} bytes", name.size(),
                           kMaxNameBytes);
  }
  if (name.find('\0') != std::string_view::npos) {
    return InvalidArgument("a zero byte in the name of an object");
  }
  return OkStatus();
}

std::string DirectoryPrefix(std::string_view directory) {
  while (directory.ends_with(kDelimiter)) directory.remove_suffix(1);
  return directory.empty() ? std::string() : std::string(directory) + kDelimiter;
}

}  // namespace aevum::objstore
