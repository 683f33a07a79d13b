// Writes the index of a block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/output_file.h"
#include "base/status.h"
#include "tsdb/index_toc.h"
#include "tsdb/label_uses.h"
#include "tsdb/series_entry.h"

namespace aevum::tsdb {

struct IndexWriterOptions {
  // What postings may take while they are made: the entries of the series are read as often as it
  // needs. The postings of a single value are held as a whole, 16 bytes a series.
  std::size_t postings_memory_bytes = 256 << 20;
  OutputFile::Durability durability = OutputFile::Durability::kSynced;
};

// An index of version 2 as Prometheus writes it, without label indices:
//
//     header | symbols | series, each at a multiple of 16 | postings | postings offset table | TOC
//
// Symbols come first, then series, in order; the file is in place after Finish. Beside the postings
// it holds a few bytes for each label name and a buffer, whatever the size of the block.
// Thread-compatible.
//
// InvalidArgument when what is added is out of order or not well formed, and ResourceExhausted when
// the index would pass 64 GiB or one of its tables 4 GiB, which the format can't express; nothing
// can be added after an error.
class IndexWriter {
 public:
  static StatusOr<IndexWriter> Create(const std::string& path, IndexWriterOptions options = {});

  // Symbols ascend; the first has number 0. All come before the first series.
  Status AddSymbol(std::string_view symbol);
  // Labels name symbols by number; the numbers of their names ascend. Series ascend by their
  // labels: since symbols are sorted, numbers compare as the strings do. Chunks ascend by time,
  // without overlap, and by reference, also from one series to the next.
  Status AddSeries(std::span<const SeriesEntry::Label> labels, std::span<const ChunkMeta> chunks);
  // Writes postings and tables and puts the file in place.
  Status Finish(const Context& context);

  std::uint64_t series() const { return series_; }
  // Of the largest entry, its length and checksum included.
  std::size_t most_entry_bytes() const { return most_entry_bytes_; }

 private:
  IndexWriter(OutputFile file, std::string path, IndexWriterOptions options)
      : file_(std::move(file)), path_(std::move(path)), options_(options) {}

  Status BeginSymbols();
  Status EndSymbols();
  Status CheckLabels(std::span<const SeriesEntry::Label> labels) const;
  Status CheckChunks(std::span<const ChunkMeta> chunks) const;
  void PutEntry(std::span<const SeriesEntry::Label> labels, std::span<const ChunkMeta> chunks);
  Status Pad(std::uint64_t alignment);
  Status Write(std::string_view bytes);
  Status WriteTables(const Context& context);

  OutputFile file_;
  const std::string path_;
  const IndexWriterOptions options_;
  IndexToc toc_;
  bool in_series_ = false;
  std::uint32_t symbols_ = 0;
  std::string last_symbol_;
  std::uint64_t series_ = 0;
  std::size_t most_entry_bytes_ = 0;
  std::vector<SeriesEntry::Label> last_labels_;
  std::uint64_t last_ref_ = 0;  // of a chunk
  NameUses name_uses_;
  std::string body_;  // scratch
  std::string head_;  // scratch
};

}  // namespace aevum::tsdb
