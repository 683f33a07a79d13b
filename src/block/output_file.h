// An object of a bucket got into a file.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/output_file.h"
#include "base/status.h"
#include "objstore/bucket.h"

namespace aevum::block {

// Appends an object, or a part of one, to a file; a transfer that begins again replaces what it had
// written. Borrows the file.
class OutputFileSink final : public objstore::ByteSink {
 public:
  explicit OutputFileSink(OutputFile& file) : file_(file), begin_(file.size_bytes()) {}
  Status Start(std::int64_t /*size_bytes*/) override { return file_.Truncate(begin_); }
  Status Write(std::string_view piece) override { return file_.Write(piece); }

  // How many bytes came.
  std::uint64_t size_bytes() const { return file_.size_bytes() - begin_; }

 private:
  OutputFile& file_;
  const std::uint64_t begin_;
};

}  // namespace aevum::block
