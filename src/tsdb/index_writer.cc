#include "tsdb/index_writer.h"

#include <algorithm>

#include "base/files.h"
#include "encoding/byte_writer.h"
#include "encoding/crc32c.h"
#include "tsdb/label_uses.h"
#include "tsdb/symbols.h"

namespace aevum::tsdb {
namespace {

// References of series are their offsets divided by this, in 32 bits.
constexpr std::uint64_t kSeriesAlignment = 16;
constexpr std::uint64_t kMostIndexBytes = kSeriesAlignment * UINT32_MAX;
constexpr std::uint64_t kPostingsAlignment = 4;
constexpr std::size_t kPieceBytes = 1 << 20;

// Writes a section whose length and checksum are known when it is finished.
//
//     length u32 | content | CRC-32C of the content u32
class SectionWriter {
 public:
  SectionWriter(OutputFile& file, std::string_view what) : file_(file), what_(what) {}

  // `content_bytes` must be what Write gets in all.
  Status Begin(std::uint64_t content_bytes) {
    if (content_bytes > UINT32_MAX)
      return ResourceExhausted("{} of {} bytes, the format has 4 GiB", what_, content_bytes);
    std::string length;
    encoding::PutU32(length, static_cast<std::uint32_t>(content_bytes));
    return file_.Write(length);
  }
  Status Write(std::string_view content) {
    crc_ = encoding::ExtendCrc32c(crc_, content);
    return file_.Write(content);
  }
  Status End() {
    std::string crc;
    encoding::PutU32(crc, crc_);
    return file_.Write(crc);
  }

 private:
  OutputFile& file_;
  const std::string_view what_;
  std::uint32_t crc_ = 0;
};

// Postings and, in a file beside the index, their places.
class PostingsWriter {
 public:
  PostingsWriter(OutputFile& file, OutputFile& places, const SymbolTable& symbols)
      : file_(file), places_(places), symbols_(symbols) {}

  // Of all series, which stand first, under two empty strings.
  Status WriteAll(const Context& context, const SeriesSection& section, std::uint64_t count) {
    RETURN_IF_ERROR(AddPlace("", ""));
    SectionWriter out(file_, "postings of all series");
    RETURN_IF_ERROR(Begin(out, count));
    RETURN_IF_ERROR(ForEachSeries(context, section, [&](std::span<const SeriesRef> some) {
      PutRefs(some);
      return out.Write(bytes_);
    }));
    return out.End();
  }

  Status Write(std::uint32_t name, std::uint32_t value, std::span<const SeriesRef> series) {
    ASSIGN_OR_RETURN(const std::string_view name_text, symbols_.Find(name));
    ASSIGN_OR_RETURN(const std::string_view value_text, symbols_.Find(value));
    RETURN_IF_ERROR(AddPlace(name_text, value_text));
    SectionWriter out(file_, "postings");
    RETURN_IF_ERROR(Begin(out, series.size()));
    PutRefs(series);
    RETURN_IF_ERROR(out.Write(bytes_));
    return out.End();
  }

  std::uint64_t places() const { return place_count_; }

 private:
  static Status Begin(SectionWriter& out, std::uint64_t count) {
    std::string number;
    encoding::PutU32(number, static_cast<std::uint32_t>(count));
    RETURN_IF_ERROR(out.Begin(sizeof(std::uint32_t) * (1 + count)));
    return out.Write(number);
  }

  void PutRefs(std::span<const SeriesRef> series) {
    bytes_.clear();
    bytes_.reserve(series.size_bytes());
    for (const SeriesRef ref : series) encoding::PutU32(bytes_, ref);
  }

  Status AddPlace(std::string_view name, std::string_view value) {
    std::string place;
    encoding::PutUvarint(place, 2);  // strings
    encoding::PutUvarint(place, name.size());
    place += name;
    encoding::PutUvarint(place, value.size());
    place += value;
    encoding::PutUvarint(place, file_.size_bytes());
    ++place_count_;
    return places_.Write(place);
  }

  OutputFile& file_;
  OutputFile& places_;
  const SymbolTable& symbols_;
  std::uint64_t place_count_ = 0;
  std::string bytes_;  // scratch
};

// The postings offset table.
Status CopyPlaces(OutputFile& places, std::uint64_t count, OutputFile& file) {
  RETURN_IF_ERROR(places.Flush());
  std::string number;
  encoding::PutU32(number, static_cast<std::uint32_t>(count));
  SectionWriter out(file, "postings offset table");
  RETURN_IF_ERROR(out.Begin(number.size() + places.size_bytes()));
  RETURN_IF_ERROR(out.Write(number));
  ASSIGN_OR_RETURN(const SharedBytes bytes, MapFile(places.temporary_path()));
  for (std::string_view rest = bytes.view; !rest.empty();) {
    const std::string_view piece = rest.substr(0, kPieceBytes);
    RETURN_IF_ERROR(out.Write(piece));
    rest.remove_prefix(piece.size());
  }
  return out.End();
}

}  // namespace

StatusOr<IndexWriter> IndexWriter::Create(const std::string& path, IndexWriterOptions options) {
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::Create(path));
  IndexWriter writer(std::move(file), path, options);
  RETURN_IF_ERROR(writer.BeginSymbols());
  return writer;
}

Status IndexWriter::Write(std::string_view bytes) {
  if (file_.size_bytes() + bytes.size() > kMostIndexBytes)
    return ResourceExhausted("the index would pass the 64 GiB that its format has, series: {}",
                             series_);
  return file_.Write(bytes);
}

Status IndexWriter::Pad(std::uint64_t alignment) {
  static constexpr char kZeros[kSeriesAlignment] = {};
  const std::uint64_t over = file_.size_bytes() % alignment;
  return over == 0 ? OkStatus() : Write({kZeros, alignment - over});
}

Status IndexWriter::BeginSymbols() {
  RETURN_IF_ERROR(file_.Write(MakeIndexHeader(IndexVersion::kV2)));
  toc_.symbols = file_.size_bytes();
  return file_.Write(
      std::string(2 * sizeof(std::uint32_t), '\0'));  // length and count, unknown yet
}

Status IndexWriter::AddSymbol(std::string_view symbol) {
  if (in_series_) return InvalidArgument("symbol \"{}\" behind the first series", symbol);
  if (symbols_ > 0 && symbol <= last_symbol_)
    return InvalidArgument("symbols out of order: \"{}\" behind \"{}\"", symbol, last_symbol_);
  if (symbols_ == UINT32_MAX) return ResourceExhausted("more symbols than the format has numbers");
  last_symbol_ = symbol;
  ++symbols_;
  head_.clear();
  encoding::PutUvarint(head_, symbol.size());
  RETURN_IF_ERROR(Write(head_));
  return Write(symbol);
}

Status IndexWriter::EndSymbols() {
  in_series_ = true;
  const std::uint64_t content = toc_.symbols + sizeof(std::uint32_t);
  const std::uint64_t length = file_.size_bytes() - content;
  if (length > UINT32_MAX)
    return ResourceExhausted("symbols of {} bytes, the format has 4 GiB", length);
  std::string numbers;
  encoding::PutU32(numbers, static_cast<std::uint32_t>(length));
  encoding::PutU32(numbers, symbols_);
  RETURN_IF_ERROR(file_.WriteAt(toc_.symbols, numbers));
  ASSIGN_OR_RETURN(const SharedBytes written, MapFile(file_.temporary_path()));
  std::string crc;
  encoding::PutU32(crc, encoding::Crc32c(written.view.substr(content)));
  RETURN_IF_ERROR(file_.Write(crc));
  toc_.series = file_.size_bytes();
  return OkStatus();
}

Status IndexWriter::CheckLabels(std::span<const SeriesEntry::Label> labels) const {
  const auto numbers = [](const SeriesEntry::Label& label) {
    return std::pair(label.name, label.value);
  };
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].name >= symbols_ || labels[i].value >= symbols_) {
      return InvalidArgument("a label of a series names a symbol that is not there: {} or {} of {}",
                             labels[i].name, labels[i].value, symbols_);
    }
    if (i > 0 && labels[i].name <= labels[i - 1].name)
      return InvalidArgument("labels of a series out of order: symbol {} behind {}", labels[i].name,
                             labels[i - 1].name);
  }
  const bool after = std::lexicographical_compare(
      last_labels_.begin(), last_labels_.end(), labels.begin(), labels.end(),
      [&](const auto& a, const auto& b) { return numbers(a) < numbers(b); });
  if (series_ > 0 && !after)
    return InvalidArgument("series {} is not behind the one before it", series_);
  return OkStatus();
}

Status IndexWriter::CheckChunks(std::span<const ChunkMeta> chunks) const {
  std::uint64_t last_ref = last_ref_;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const ChunkMeta& chunk = chunks[i];
    if (chunk.max_time < chunk.min_time)
      return InvalidArgument("a chunk ends at {} before its begin, {}", chunk.max_time,
                             chunk.min_time);
    if (i > 0 && chunk.min_time <= chunks[i - 1].max_time)
      return InvalidArgument("a chunk begins at {}, before the one before it ends, {}",
                             chunk.min_time, chunks[i - 1].max_time);
    if (chunk.ref < last_ref)
      return InvalidArgument("references of chunks out of order: {} behind {}", chunk.ref,
                             last_ref);
    last_ref = chunk.ref;
  }
  return OkStatus();
}

void IndexWriter::PutEntry(std::span<const SeriesEntry::Label> labels,
                           std::span<const ChunkMeta> chunks) {
  const auto distance = [](TimestampMs from, TimestampMs to) {
    return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
  };
  body_.clear();
  encoding::PutUvarint(body_, labels.size());
  for (const SeriesEntry::Label& label : labels) {
    encoding::PutUvarint(body_, label.name);
    encoding::PutUvarint(body_, label.value);
  }
  encoding::PutUvarint(body_, chunks.size());
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const ChunkMeta& chunk = chunks[i];
    if (i == 0) {
      encoding::PutVarint(body_, chunk.min_time);
    } else {
      encoding::PutUvarint(body_, distance(chunks[i - 1].max_time, chunk.min_time));
    }
    encoding::PutUvarint(body_, distance(chunk.min_time, chunk.max_time));
    if (i == 0) {
      encoding::PutUvarint(body_, chunk.ref);
    } else {
      encoding::PutVarint(body_, static_cast<std::int64_t>(chunk.ref - chunks[i - 1].ref));
    }
  }
  head_.clear();
  encoding::PutUvarint(head_, body_.size());
  encoding::PutU32(body_, encoding::Crc32c(body_));
}

Status IndexWriter::AddSeries(std::span<const SeriesEntry::Label> labels,
                              std::span<const ChunkMeta> chunks) {
  if (!in_series_) RETURN_IF_ERROR(EndSymbols());
  RETURN_IF_ERROR(CheckLabels(labels));
  RETURN_IF_ERROR(CheckChunks(chunks));
  PutEntry(labels, chunks);
  RETURN_IF_ERROR(Pad(kSeriesAlignment));
  RETURN_IF_ERROR(Write(head_));
  RETURN_IF_ERROR(Write(body_));
  for (const SeriesEntry::Label& label : labels) name_uses_.Add(label.name);
  last_labels_.assign(labels.begin(), labels.end());
  if (!chunks.empty()) last_ref_ = chunks.back().ref;
  most_entry_bytes_ = std::max(most_entry_bytes_, head_.size() + body_.size());
  ++series_;
  return OkStatus();
}

Status IndexWriter::WriteTables(const Context& context) {
  toc_.label_indices = file_.size_bytes();  // which are no longer written
  RETURN_IF_ERROR(file_.Flush());
  ASSIGN_OR_RETURN(const SharedBytes written, MapFile(file_.temporary_path()));
  ASSIGN_OR_RETURN(const SymbolTable symbols,
                   SymbolTable::Open(written.Slice(toc_.symbols, toc_.series - toc_.symbols),
                                     IndexVersion::kV2, toc_.symbols));
  ASSIGN_OR_RETURN(OutputFile places, OutputFile::Create(path_ + ".postings"));
  toc_.postings = file_.size_bytes();
  RETURN_IF_ERROR(Pad(kPostingsAlignment));
  const SeriesSection section{written.view, toc_.series, toc_.label_indices};
  PostingsWriter postings(file_, places, symbols);
  RETURN_IF_ERROR(postings.WriteAll(context, section, series_));
  const auto write = [&](std::uint32_t name, std::uint32_t value,
                         std::span<const SeriesRef> series) -> Status {
    RETURN_IF_ERROR(postings.Write(name, value, series));
    return Write("");  // checks the size
  };
  RETURN_IF_ERROR(
      ForEachLabelUse(context, section, name_uses_.uses(), options_.postings_memory_bytes, write));
  toc_.label_offset_table = file_.size_bytes();
  toc_.postings_offset_table = file_.size_bytes();
  return CopyPlaces(places, postings.places(), file_);
}

Status IndexWriter::Finish(const Context& context) {
  if (!in_series_) RETURN_IF_ERROR(EndSymbols());
  RETURN_IF_ERROR(WriteTables(context));
  RETURN_IF_ERROR(Write(toc_.Write()));
  return file_.Commit(options_.durability);
}

}  // namespace aevum::tsdb
