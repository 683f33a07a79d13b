#include "net/grpc/byte_queue.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace aevum::net::grpc {
namespace {

constexpr std::size_t kFirstBlock = 4 << 10;
constexpr std::size_t kLastBlock = 64 << 10;
// Below this the gone pieces are not worth moving the others.
constexpr std::size_t kCompactAbove = 64;

}  // namespace

void ByteQueue::Copy(std::string_view bytes) {
  while (!bytes.empty()) {
    if (block_used_ == block_size_) {
      block_size_ = std::clamp(block_size_ * 2, kFirstBlock, kLastBlock);
      block_ = std::shared_ptr<char[]>(new char[block_size_]);
      block_used_ = 0;
      block_shared_ = false;
    }
    const std::size_t size = std::min(bytes.size(), block_size_ - block_used_);
    char* const target = block_.get() + block_used_;
    std::memcpy(target, bytes.data(), size);
    if (head_ < pieces_.size() && pieces_.back().data + pieces_.back().size == target &&
        pieces_.back().owner == block_) {
      pieces_.back().size += size;
    } else {
      pieces_.push_back({target, size, block_});
    }
    block_used_ += size;
    bytes_ += size;
    bytes.remove_prefix(size);
  }
}

void ByteQueue::Append(const SharedBytes& bytes) {
  if (bytes.size() < kCopyBelow) {
    Copy(bytes.view);
    return;
  }
  pieces_.push_back({bytes.view.data(), bytes.size(), bytes.owner});
  bytes_ += bytes.size();
}

std::size_t ByteQueue::Gather(iovec* pieces, std::size_t limit) const {
  const std::size_t count = std::min(limit, pieces_.size() - head_);
  for (std::size_t i = 0; i < count; ++i) {
    const Piece& piece = pieces_[head_ + i];
    pieces[i] = {const_cast<char*>(piece.data), piece.size};
  }
  return count;
}

void ByteQueue::FlattenInto(std::string& text) {
  text.reserve(text.size() + bytes_);
  for (std::size_t i = head_; i < pieces_.size(); ++i)
    text.append(pieces_[i].data, pieces_[i].size);
  Drop(bytes_);
}

void ByteQueue::Pop() {
  pieces_[head_].owner.reset();
  ++head_;
  if (head_ == pieces_.size()) {
    pieces_.clear();
    head_ = 0;
    // Readers of a shared block may still be at work, so a new one is taken instead.
    block_used_ = block_shared_ ? block_size_ : 0;
  } else if (head_ > kCompactAbove && head_ > pieces_.size() / 2) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void ByteQueue::Drop(std::size_t count) {
  AEVUM_CHECK(count <= bytes_);
  bytes_ -= count;
  while (count > 0) {
    Piece& piece = pieces_[head_];
    if (count < piece.size) {
      piece.data += count;
      piece.size -= count;
      return;
    }
    count -= piece.size;
    Pop();
  }
}

void ByteQueue::MoveTo(ByteQueue& other, std::size_t count) {
  AEVUM_CHECK(count <= bytes_);
  while (count > 0) {
    const Piece& piece = pieces_[head_];
    const std::size_t size = std::min(count, piece.size);
    if (size >= kCopyBelow && piece.owner == block_) block_shared_ = true;
    other.Append({{piece.data, size}, piece.owner});
    Drop(size);
    count -= size;
  }
}

void ByteQueue::Clear() {
  pieces_.clear();
  head_ = 0;
  bytes_ = 0;
  block_.reset();
  block_size_ = 0;
  block_used_ = 0;
  block_shared_ = false;
}

}  // namespace aevum::net::grpc
