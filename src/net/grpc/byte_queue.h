// A queue of bytes that keeps large pieces where they are and gathers small ones.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace aevum::net::grpc {

// Pieces under 2 KiB are copied into blocks of up to 64 KiB, where neighbours become one piece;
// larger ones are kept as a view and its owner. Thread-compatible.
class ByteQueue {
 public:
  static constexpr std::size_t kCopyBelow = 2 << 10;

  void Copy(std::string_view bytes);
  // Copies what is small, references what is not.
  void Append(const SharedBytes& bytes);

  std::size_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }

  // Describes the first pieces for sendmsg; how many. They stay valid until the next change.
  std::size_t Gather(iovec* pieces, std::size_t limit) const;
  // Appends everything to `text` and empties the queue.
  void FlattenInto(std::string& text);
  // Forgets the first `count` bytes, of those that are there.
  void Drop(std::size_t count);
  // Moves the first `count` bytes, of those that are there, to the end of another queue.
  void MoveTo(ByteQueue& other, std::size_t count);
  void Clear();

 private:
  struct Piece {
    const char* data;
    std::size_t size;
    BufferOwner owner;
  };

  void Pop();

  std::vector<Piece> pieces_;
  std::size_t head_ = 0;  // pieces before it are gone
  std::size_t bytes_ = 0;
  std::shared_ptr<char[]> block_;
  std::size_t block_size_ = 0;
  std::size_t block_used_ = 0;
  bool block_shared_ = false;  // a piece of the block went to another queue
};

}  // namespace aevum::net::grpc
