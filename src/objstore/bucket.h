// The interface of object storage: a flat set of named objects, read and written as wholes or
// parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/context.h"
#include "base/status.h"
#include "base/thread_pool.h"

namespace aevum::objstore {

// What separates the parts of a name. A name that ends with it is a directory in a listing.
inline constexpr char kDelimiter = '/';

// A part of an object.
struct ByteRange {
  std::int64_t offset = 0;
  std::int64_t length = -1;  // -1: up to the end

  bool IsWhole() const { return offset == 0 && length < 0; }
};

struct ObjectAttributes {
  std::int64_t size_bytes = 0;
  TimestampMs last_modified_ms = 0;
  // Names the bytes of the object for UploadCondition::kIfVersion. "" where the store has none.
  std::string version;
};

struct ListedObject {
  std::string name;  // in full; ends with '/' for a directory of a flat listing
  std::optional<std::int64_t> size_bytes;
  std::optional<TimestampMs> last_modified_ms;

  bool IsDirectory() const { return name.ends_with(kDelimiter); }
};

struct IterateOptions {
  enum class Depth : std::uint8_t { kFlat, kRecursive };
  enum class Attributes : std::uint8_t { kNone, kWanted };

  Depth depth = Depth::kFlat;
  // With kWanted objects come with size and time; directories may lack both. With kNone they come
  // where they cost nothing.
  Attributes attributes = Attributes::kNone;
};

// An error ends the iteration and is its result.
using ObjectVisitor = std::function<Status(const ListedObject& object)>;

// Takes the bytes of an object as they come, in the caller's thread. An error of either method ends
// the transfer and is its result. Thread-compatible.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  // Comes before the bytes, with their number, -1 when the store does not tell it. Comes again when
  // the transfer is tried again from its beginning: what was written before is void.
  virtual Status Start(std::int64_t size_bytes) = 0;
  virtual Status Write(std::string_view piece) = 0;
};

// Collects the bytes; ResourceExhausted when they are more than the limit.
class StringSink final : public ByteSink {
 public:
  explicit StringSink(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}
  Status Start(std::int64_t size_bytes) override;
  Status Write(std::string_view piece) override;

  std::string Take() && { return std::move(bytes_); }

 private:
  const std::size_t limit_bytes_;
  std::string bytes_;
};

// The bytes to upload, of known size and readable at any place, so that parts can go in parallel
// and again. Thread-safe.
class UploadSource {
 public:
  virtual ~UploadSource() = default;
  virtual std::int64_t size_bytes() const = 0;
  // Fills all of `out`, which must lie inside the size.
  virtual Status Read(std::int64_t offset, std::span<char> out) const = 0;
};

// Borrows the bytes.
class BytesSource final : public UploadSource {
 public:
  explicit BytesSource(std::string_view bytes) : bytes_(bytes) {}
  std::int64_t size_bytes() const override { return static_cast<std::int64_t>(bytes_.size()); }
  Status Read(std::int64_t offset, std::span<char> out) const override;

 private:
  std::string_view bytes_;
};

// A file, whose size is what it was when it was opened: growth is not seen, shrinking is an error.
class FileSource final : public UploadSource {
 public:
  static StatusOr<FileSource> Open(const std::string& path);
  ~FileSource() override;
  FileSource(FileSource&& other) noexcept;
  FileSource& operator=(FileSource&& other) = delete;

  std::int64_t size_bytes() const override { return size_bytes_; }
  Status Read(std::int64_t offset, std::span<char> out) const override;

 private:
  FileSource(int fd, std::int64_t size_bytes, std::string path)
      : fd_(fd), size_bytes_(size_bytes), path_(std::move(path)) {}
  int fd_;
  std::int64_t size_bytes_;
  std::string path_;
};

enum class UploadCondition : std::uint8_t {
  kNone,
  kIfAbsent,   // only when there is no object of that name
  kIfVersion,  // only when the object is still the one of UploadOptions::version
};

struct UploadOptions {
  UploadCondition condition = UploadCondition::kNone;
  std::string version;
  std::string content_type;  // "" leaves it to the store
};

// A bucket (container, directory) of one provider, or a decorator of another Bucket.
//
// Names are bytes without NUL, 1 to 1024 of them, with '/' between their parts. A provider may
// refuse more (a directory knows no "..").
//
// Errors of all methods: NotFound when there is no such object; PermissionDenied and
// Unauthenticated when the store refuses access; InvalidArgument for a name that can't be;
// Unavailable when it may work later; Cancelled and DeadlineExceeded from the context;
// FailedPrecondition when the bucket itself is not there. The text says which object of which
// bucket.
//
// What was uploaded is read by all later calls; listings of some old stores lag behind.
// Thread-safe. The context may end a call at any time; nothing of an upload is visible then unless
// all of it is.
class Bucket {
 public:
  virtual ~Bucket() = default;

  // The provider as in the configuration, "S3" for example.
  virtual std::string Provider() const = 0;
  // What metrics and logs call the bucket.
  virtual std::string Name() const = 0;

  // Visits what lies in the directory, "" for all and with or without '/' at its end, in the byte
  // order of names. Flat: objects, and directories once each. Recursive: all objects below, and no
  // directories. A directory that does not exist is an empty one. The directory itself, which some
  // stores keep as an object, is not visited.
  virtual Status Iterate(const Context& context, const std::string& directory,
                         const IterateOptions& options, const ObjectVisitor& visit) = 0;

  // Streams an object, or a part, into the sink, in bounded memory. A range that reaches beyond the
  // end stops there; OutOfRange when it starts at the end or behind it. The sink has seen all bytes
  // when the result is OK: a transfer that was cut is Unavailable.
  virtual Status Read(const Context& context, const std::string& name, ByteRange range,
                      ByteSink& sink) = 0;

  // NotFound only where the bucket is there but the object is not.
  virtual StatusOr<ObjectAttributes> Attributes(const Context& context,
                                                const std::string& name) = 0;
  // False for directories.
  virtual StatusOr<bool> Exists(const Context& context, const std::string& name);

  // Puts an object in place as a whole, over one of that name. The result is its version, "" where
  // the store has none. With a condition: FailedPrecondition when it does not hold, Unimplemented
  // when the store knows no such thing.
  virtual StatusOr<std::string> Upload(const Context& context, const std::string& name,
                                       const UploadSource& source,
                                       const UploadOptions& options) = 0;

  // Removes an object. Not an error when there is none, so that it can be repeated.
  virtual Status Delete(const Context& context, const std::string& name) = 0;

  // Where calls of one bucket run side by side; null when that gains nothing.
  virtual ThreadPool* pool() = 0;

  // The object as a string; ResourceExhausted when it is larger than the limit.
  StatusOr<std::string> Get(const Context& context, const std::string& name,
                            std::size_t limit_bytes = 64 << 20);
  // A part of it; the length must be given and bounds the memory.
  StatusOr<std::string> GetRange(const Context& context, const std::string& name, ByteRange range);
  // Many parts of one object, read side by side, in the order of `ranges`. All or the first error.
  StatusOr<std::vector<SharedBytes>> GetRanges(const Context& context, const std::string& name,
                                               std::span<const ByteRange> ranges);
};

inline bool IsNotFound(const Status& status) { return status.code() == StatusCode::kNotFound; }
inline bool IsAccessDenied(const Status& status) {
  return status.code() == StatusCode::kPermissionDenied ||
         status.code() == StatusCode::kUnauthenticated;
}
// Worth another try: the store or the way to it failed, not the request.
inline bool IsTransient(const Status& status) { return status.code() == StatusCode::kUnavailable; }

// InvalidArgument for a name that no bucket holds.
Status CheckName(std::string_view name);
// As the prefix of its objects: "" or with '/' at the end.
std::string DirectoryPrefix(std::string_view directory);

}  // namespace aevum::objstore
