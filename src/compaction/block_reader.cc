#include "compaction/block_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "block/meta.h"
#include "compaction/file_window.h"
#include "encoding/byte_reader.h"
#include "encoding/crc32c.h"
#include "tsdb/chunk_segment.h"
#include "tsdb/index_toc.h"

namespace aevum::compaction {
namespace {

using tsdb::IndexVersion;

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kCountBytes = 4;
constexpr std::size_t kCrcBytes = 4;
constexpr std::size_t kMostUvarintBytes = 10;
constexpr std::uint64_t kSeriesAlignment = 16;
// What an entry or a chunk takes at most; real ones are a thousandth of it.
constexpr std::size_t kMostRecordBytes = 64 << 20;

// The end of the series section: where the first of the sections behind it begins.
std::uint64_t EndOfSeries(const tsdb::IndexToc& toc) {
  std::uint64_t end = toc.postings_offset_table;
  for (const std::uint64_t other : {toc.label_indices, toc.label_offset_table, toc.postings})
    if (other > toc.series) end = std::min(end, other);
  return end;
}

// The symbols section, read once from front to back.
class SymbolStream {
 public:
  // The section may take what lies before `end`.
  Status Begin(FileWindow& index, std::uint64_t begin, std::uint64_t end) {
    ASSIGN_OR_RETURN(const std::string_view head, index.Read(begin, kLengthBytes + kCountBytes));
    encoding::ByteReader reader(head);
    const std::uint32_t length = reader.ReadU32();
    count_ = reader.ReadU32();
    if (reader.failed() || length < kCountBytes ||
        length > end - std::min(end, begin + kLengthBytes + kCrcBytes) ||
        count_ > length - kCountBytes) {
      return index.Blame(Corruption("{} symbols in {} bytes, {} are there", count_, length,
                                    end - std::min(begin, end)),
                         begin);
    }
    crc_ = encoding::Crc32c(head.substr(kLengthBytes, kCountBytes));
    at_ = begin + kLengthBytes + kCountBytes;
    end_ = begin + kLengthBytes + length;
    return OkStatus();
  }

  StatusOr<bool> Next(FileWindow& index, std::string_view* symbol) {
    if (read_ == count_) return Finish(index);
    ASSIGN_OR_RETURN(std::string_view bytes, index.Read(at_, kMostUvarintBytes));
    encoding::ByteReader reader(bytes);
    const std::uint64_t size = reader.ReadUvarint();
    const std::uint64_t from = at_ + reader.offset();
    if (reader.failed() || from > end_ || size > end_ - from)
      return index.Blame(Corruption("symbol {} goes beyond its section", read_), at_);
    const std::size_t whole = reader.offset() + static_cast<std::size_t>(size);
    if (bytes.size() < whole) {
      ASSIGN_OR_RETURN(bytes, index.Read(at_, whole));
    }
    if (bytes.size() < whole)
      return index.Blame(Corruption("symbol {} goes beyond the file", read_), at_);
    bytes = bytes.substr(0, whole);
    *symbol = bytes.substr(whole - static_cast<std::size_t>(size));
    if (read_ > 0 && *symbol <= last_)
      return index.Blame(Corruption("symbol {} is not behind the one before it", read_), at_);
    last_ = *symbol;
    last_at_ = at_;
    crc_ = encoding::ExtendCrc32c(crc_, bytes);
    at_ += whole;
    ++read_;
    return true;
  }

  std::uint32_t read() const { return read_; }
  // Where the last symbol that was given stands.
  std::uint64_t last_at() const { return last_at_; }

 private:
  StatusOr<bool> Finish(FileWindow& index) {
    if (finished_) return false;
    if (at_ != end_) return index.Blame(Corruption("{} bytes behind the symbols", end_ - at_), at_);
    ASSIGN_OR_RETURN(const std::string_view bytes, index.Read(end_, kCrcBytes));
    encoding::ByteReader reader(bytes);
    const std::uint32_t expected = reader.ReadU32();
    if (reader.failed() || expected != crc_) {
      return index.Blame(
          Corruption("checksum of the symbols: {:08x}, stored {:08x}", crc_, expected), end_);
    }
    finished_ = true;
    return false;
  }

  std::uint32_t count_ = 0;
  std::uint32_t read_ = 0;
  std::uint64_t at_ = 0;
  std::uint64_t end_ = 0;  // where the checksum stands
  std::uint64_t last_at_ = 0;
  std::uint32_t crc_ = 0;
  std::string last_;
  bool finished_ = false;
};

// The chunks, segment by segment.
class ChunkStream {
 public:
  ChunkStream(Context context, BlockPlace place, std::size_t window_bytes, RetiredBuffers* retired)
      : context_(std::move(context)),
        place_(std::move(place)),
        window_bytes_(window_bytes),
        retired_(retired) {}

  StatusOr<tsdb::StoredChunk> Read(const tsdb::ChunkMeta& meta) {
    RETURN_IF_ERROR(Enter(meta.segment()));
    const std::uint64_t offset = meta.offset();
    if (offset < tsdb::kSegmentHeaderBytes)
      return file_->Blame(Corruption("a chunk inside the header"), offset);
    ASSIGN_OR_RETURN(std::string_view bytes, file_->Read(offset, tsdb::kMostChunkFrameBytes));
    const StatusOr<std::size_t> size = tsdb::StoredChunkBytes(bytes);
    if (!size.ok()) return file_->Blame(size.status(), offset);
    if (*size > kMostRecordBytes || *size > file_->size() - offset)
      return file_->Blame(Corruption("a chunk of {} bytes", *size), offset);
    if (bytes.size() < *size) {
      ASSIGN_OR_RETURN(bytes, file_->Read(offset, *size));
    }
    StatusOr<tsdb::StoredChunk> chunk = tsdb::ParseStoredChunk(bytes.substr(0, *size));
    if (!chunk.ok()) return file_->Blame(chunk.status(), offset);
    return chunk;
  }

 private:
  Status Enter(std::uint32_t segment) {
    if (file_ && segment == segment_) return OkStatus();
    const std::string name = tsdb::SegmentName(segment);
    StatusOr<FileWindow> file = FileWindow::Open(context_, place_, name, window_bytes_, retired_);
    if (objstore::IsNotFound(file.status()))
      return Corruption("{} is not there, the index has chunks in it", name);
    if (!file.ok()) return file.status();
    ASSIGN_OR_RETURN(const std::string_view head, file->Read(0, tsdb::kSegmentHeaderBytes));
    RETURN_IF_ERROR(file->Blame(tsdb::CheckSegmentHeader(head), 0));
    if (file_) RETURN_IF_ERROR(file_->Retire());
    file_.emplace(*std::move(file));
    segment_ = segment;
    return OkStatus();
  }

  Context context_;
  BlockPlace place_;
  std::size_t window_bytes_;
  RetiredBuffers* retired_;
  std::optional<FileWindow> file_;
  std::uint32_t segment_ = 0;
};

class RangeReader final : public BlockReader {
 public:
  RangeReader(const Context& context, const BlockPlace& place, const BlockReaderOptions& options)
      : chunks_(context, place, options.window_bytes, &retired_) {}

  Status Begin(const Context& context, const BlockPlace& place, const BlockReaderOptions& options) {
    ASSIGN_OR_RETURN(FileWindow index, FileWindow::Open(context, place, block::kIndexFile,
                                                        options.window_bytes, &retired_));
    const std::uint64_t size = index.size();
    index_.emplace(std::move(index));
    const std::uint64_t tail_at = size - std::min<std::uint64_t>(size, tsdb::kTocBytes);
    ASSIGN_OR_RETURN(const std::string_view tail, index_->Read(tail_at, tsdb::kTocBytes));
    const StatusOr<tsdb::IndexToc> toc = tsdb::IndexToc::Parse(tail, size);
    if (!toc.ok()) return index_->Blame(toc.status(), tail_at);
    ASSIGN_OR_RETURN(const std::string_view head, index_->Read(0, tsdb::kIndexHeaderBytes));
    const StatusOr<IndexVersion> version =
        tsdb::ParseIndexHeader(head.substr(0, tsdb::kIndexHeaderBytes));
    if (!version.ok()) return index_->Blame(version.status(), 0);
    version_ = *version;
    symbols_at_ = toc->symbols;
    series_at_ = toc->series;
    series_end_ = EndOfSeries(*toc);
    return symbols_.Begin(*index_, toc->symbols, toc->series);
  }

  StatusOr<bool> NextSymbol(std::string_view* symbol) override {
    RETURN_IF_ERROR(status_);
    retired_.Clear();
    StatusOr<bool> more = symbols_.Next(*index_, symbol);
    if (!more.ok()) status_ = more.status();
    // In indexes of version 1 series name symbols by their offset.
    if (more.ok() && *more && version_ == IndexVersion::kV1) {
      symbol_offsets_.push_back(static_cast<std::uint32_t>(symbols_.last_at() - symbols_at_));
    }
    return more;
  }

  StatusOr<bool> NextSeries(StoredSeries* series) override {
    RETURN_IF_ERROR(status_);
    StatusOr<bool> more = Next(series);
    if (!more.ok()) status_ = more.status();
    return more;
  }

 private:
  StatusOr<bool> Next(StoredSeries* series) {
    for (std::string_view symbol; !in_series_;) {
      ASSIGN_OR_RETURN(const bool more, NextSymbol(&symbol));
      in_series_ = !more;
    }
    retired_.Clear();
    ASSIGN_OR_RETURN(const bool more, FindEntry());
    if (!more) return false;
    series->reference = version_ == IndexVersion::kV2 ? series_at_ / kSeriesAlignment : series_at_;
    ASSIGN_OR_RETURN(const std::size_t size, ReadEntry());
    RETURN_IF_ERROR(index_->Blame(NumberLabels(series), series_at_));
    series_at_ += size;
    series->chunks.clear();
    for (const tsdb::ChunkMeta& meta : entry_.chunks) {
      ASSIGN_OR_RETURN(const tsdb::StoredChunk stored, chunks_.Read(meta));
      series->chunks.push_back({meta.min_time, meta.max_time, stored});
    }
    return true;
  }

  // Moves on to where the next entry begins; false at the end of the section. No entry begins with
  // a zero, which is what fills the space between them.
  StatusOr<bool> FindEntry() {
    if (version_ == IndexVersion::kV2) {
      series_at_ += (kSeriesAlignment - series_at_ % kSeriesAlignment) % kSeriesAlignment;
      return series_at_ < series_end_;
    }
    while (series_at_ < series_end_) {
      ASSIGN_OR_RETURN(const std::string_view bytes, index_->Read(series_at_, 1));
      if (bytes.empty() || bytes.front() != '\0') return !bytes.empty();
      ++series_at_;
    }
    return false;
  }

  // Fills `entry_`; the result is how many bytes it takes.
  StatusOr<std::size_t> ReadEntry() {
    ASSIGN_OR_RETURN(std::string_view bytes, index_->Read(series_at_, kMostUvarintBytes));
    const StatusOr<std::size_t> size = tsdb::SeriesEntryBytes(bytes);
    if (!size.ok()) return index_->Blame(size.status(), series_at_);
    if (*size > kMostRecordBytes || *size > series_end_ - series_at_)
      return index_->Blame(Corruption("a series of {} bytes", *size), series_at_);
    if (bytes.size() < *size) {
      ASSIGN_OR_RETURN(bytes, index_->Read(series_at_, *size));
    }
    RETURN_IF_ERROR(index_->Blame(tsdb::ParseSeriesEntryInAnyOrder(bytes.substr(0, *size), &entry_),
                                  series_at_));
    return *size;
  }

  Status NumberLabels(StoredSeries* series) {
    series->labels = entry_.labels;
    for (tsdb::SeriesEntry::Label& label : series->labels) {
      for (std::uint32_t* number : {&label.name, &label.value}) {
        if (version_ == IndexVersion::kV1) {
          const auto found = std::lower_bound(symbol_offsets_.begin(), symbol_offsets_.end(),
                                              *number - static_cast<std::uint32_t>(symbols_at_));
          if (found == symbol_offsets_.end() ||
              *found != *number - static_cast<std::uint32_t>(symbols_at_))
            return Corruption("a label names a symbol that is not there: {}", *number);
          *number = static_cast<std::uint32_t>(found - symbol_offsets_.begin());
        } else if (*number >= symbols_.read()) {
          return Corruption("a label names symbol {} of {}", *number, symbols_.read());
        }
      }
    }
    return OkStatus();
  }

  RetiredBuffers retired_;
  std::optional<FileWindow> index_;
  ChunkStream chunks_;
  IndexVersion version_ = IndexVersion::kV2;
  SymbolStream symbols_;
  std::uint64_t symbols_at_ = 0;
  std::vector<std::uint32_t> symbol_offsets_;  // from `symbols_at_`; of version 1 only
  bool in_series_ = false;
  std::uint64_t series_at_ = 0;
  std::uint64_t series_end_ = 0;
  tsdb::SeriesEntry entry_;  // scratch
  Status status_;            // the first error
};

}  // namespace

StatusOr<std::unique_ptr<BlockReader>> BlockReader::Open(const Context& context, BlockPlace place,
                                                         BlockReaderOptions options) {
  auto reader = std::make_unique<RangeReader>(context, place, options);
  RETURN_IF_ERROR(reader->Begin(context, place, options));
  return StatusOr<std::unique_ptr<BlockReader>>(std::move(reader));
}

}  // namespace aevum::compaction
