#include "compaction/file_window.h"

#include <algorithm>
#include <utility>

#include "block/meta.h"

namespace aevum::compaction {
namespace {

// What is read where no more than one chunk is expected to be wanted.
constexpr std::size_t kPieceBytes = 64 << 10;
// Chunks of one series take a few MiB.
constexpr std::size_t kMostRetiredBytes = 256 << 20;

}  // namespace

Status RetiredBuffers::Add(SharedBytes buffer) {
  bytes_ += buffer.size();
  buffers_.push_back(std::move(buffer));
  if (bytes_ > kMostRetiredBytes)
    return Corruption("the chunks of a series lie over more than {} bytes", kMostRetiredBytes);
  return OkStatus();
}

void RetiredBuffers::Clear() {
  buffers_.clear();
  bytes_ = 0;
}

StatusOr<FileWindow> FileWindow::Open(const Context& context, const BlockPlace& place,
                                      std::string_view path, std::size_t window_bytes,
                                      RetiredBuffers* retired) {
  const std::string name = place.bucket != nullptr ? block::ObjectName(place.block, path)
                                                   : place.directory + "/" + std::string(path);
  FileWindow window(context, place, name, window_bytes, retired);
  std::int64_t size_bytes = 0;
  if (place.bucket != nullptr) {
    ASSIGN_OR_RETURN(const objstore::ObjectAttributes attributes,
                     place.bucket->Attributes(context, name));
    size_bytes = attributes.size_bytes;
  } else {
    ASSIGN_OR_RETURN(objstore::FileSource file, objstore::FileSource::Open(name));
    size_bytes = file.size_bytes();
    window.file_ = std::make_unique<objstore::FileSource>(std::move(file));
  }
  if (size_bytes < 0) return Corruption("{} has a size of {} bytes", name, size_bytes);
  window.size_ = static_cast<std::uint64_t>(size_bytes);
  return window;
}

Status FileWindow::Blame(Status status, std::uint64_t offset) const {
  return Annotate(std::move(status), fmt::format("{}, offset {}", name_, offset));
}

StatusOr<std::string> FileWindow::Load(std::uint64_t offset, std::size_t size) {
  RETURN_IF_ERROR(context_.status());
  if (bucket_ != nullptr) {
    ASSIGN_OR_RETURN(std::string bytes,
                     bucket_->GetRange(context_, name_,
                                       {.offset = static_cast<std::int64_t>(offset),
                                        .length = static_cast<std::int64_t>(size)}));
    if (bytes.size() != size)
      return Blame(Corruption("{} bytes of {} are there", bytes.size(), size), offset);
    return bytes;
  }
  std::string bytes(size, '\0');
  RETURN_IF_ERROR(Blame(file_->Read(static_cast<std::int64_t>(offset), bytes), offset));
  return bytes;
}

Status FileWindow::Retire() {
  if (window_.empty()) return OkStatus();
  return retired_->Add(std::exchange(window_, {}));
}

StatusOr<std::string_view> FileWindow::Move(std::uint64_t offset, std::uint64_t least) {
  if (offset >= size_) return std::string_view();
  // Forwards, over a little that nobody wants: the usual way.
  const std::uint64_t end = begin_ + window_.size();
  const bool onwards = offset >= begin_ && offset <= end + kPieceBytes;
  const std::uint64_t wanted =
      std::max<std::uint64_t>(onwards ? window_bytes_ : kPieceBytes, least);
  ASSIGN_OR_RETURN(std::string bytes,
                   Load(offset, static_cast<std::size_t>(std::min(wanted, size_ - offset))));
  RETURN_IF_ERROR(Blame(Retire(), offset));
  window_ = SharedBytes::Own(std::move(bytes));
  begin_ = offset;
  return window_.view;
}

}  // namespace aevum::compaction
