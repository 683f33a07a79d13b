#include "block/index_header.h"

#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "base/files.h"
#include "block/output_file.h"
#include "encoding/byte_reader.h"
#include "encoding/byte_writer.h"
#include "encoding/crc32c.h"
#include "tsdb/index_toc.h"

namespace aevum::block {
namespace {

constexpr std::uint32_t kMagic = 0xBAAAD792;
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeadBytes = 4 + 1 + 1 + 8;
constexpr std::size_t kTrailerBytes = 8 + 8 + 4;

struct Trailer {
  std::uint64_t symbols = 0;
  std::uint64_t postings = 0;

  static StatusOr<Trailer> Parse(std::string_view bytes) {
    encoding::ByteReader reader(bytes);
    const Trailer trailer{.symbols = reader.ReadU64(), .postings = reader.ReadU64()};
    const std::uint32_t expected = reader.ReadU32();
    const std::uint32_t actual = encoding::Crc32c(bytes.substr(0, kTrailerBytes - 4));
    if (actual != expected) {
      return Corruption("checksum of the end of the index-header: {:08x}, stored {:08x}", actual,
                        expected);
    }
    return trailer;
  }
};

// A part of the index; the bucket cuts one that reaches beyond the end.
StatusOr<std::string> ReadPart(const Context& context, objstore::Bucket& bucket,
                               const std::string& name, std::uint64_t offset, std::size_t size) {
  ASSIGN_OR_RETURN(std::string bytes, bucket.GetRange(context, name,
                                                      {.offset = static_cast<std::int64_t>(offset),
                                                       .length = static_cast<std::int64_t>(size)}));
  if (bytes.size() != size)
    return Unavailable("{} of {} bytes came, offset {}", bytes.size(), size, offset);
  return bytes;
}

Status CopyPart(const Context& context, objstore::Bucket& bucket, const std::string& name,
                std::uint64_t begin, std::uint64_t end, OutputFile& file) {
  OutputFileSink sink(file);
  RETURN_IF_ERROR(bucket.Read(context, name,
                              {.offset = static_cast<std::int64_t>(begin),
                               .length = static_cast<std::int64_t>(end - begin)},
                              sink));
  if (sink.size_bytes() != end - begin)
    return Unavailable("{} of {} bytes came, offset {}", sink.size_bytes(), end - begin, begin);
  return OkStatus();
}

Status CopyTables(const Context& context, objstore::Bucket& bucket, const std::string& name,
                  OutputFile& file) {
  ASSIGN_OR_RETURN(const objstore::ObjectAttributes attributes, bucket.Attributes(context, name));
  const auto size = static_cast<std::uint64_t>(std::max<std::int64_t>(attributes.size_bytes, 0));
  if (size < tsdb::kIndexHeaderBytes + tsdb::kTocBytes)
    return Corruption("index too short: {} bytes", size);
  ASSIGN_OR_RETURN(const std::string head,
                   ReadPart(context, bucket, name, 0, tsdb::kIndexHeaderBytes));
  ASSIGN_OR_RETURN(const tsdb::IndexVersion version, tsdb::ParseIndexHeader(head));
  ASSIGN_OR_RETURN(const std::string tail,
                   ReadPart(context, bucket, name, size - tsdb::kTocBytes, tsdb::kTocBytes));
  ASSIGN_OR_RETURN(const tsdb::IndexToc toc, tsdb::IndexToc::Parse(tail, size));

  std::string begin;
  encoding::PutU32(begin, kMagic);
  begin += static_cast<char>(kVersion);
  begin += static_cast<char>(version);
  encoding::PutU64(begin, toc.postings_offset_table);
  RETURN_IF_ERROR(file.Write(begin));
  RETURN_IF_ERROR(CopyPart(context, bucket, name, toc.symbols, toc.series, file));
  const std::uint64_t postings = file.size_bytes();
  RETURN_IF_ERROR(CopyPart(context, bucket, name, toc.postings_offset_table, size, file));
  std::string end;
  encoding::PutU64(end, kHeadBytes);
  encoding::PutU64(end, postings);
  encoding::PutU32(end, encoding::Crc32c(end));
  return file.Write(end);
}

std::optional<std::uint64_t> IndexBytesOf(const Meta& meta) {
  for (const BlockFile& file : meta.files) {
    if (file.path == kIndexFile && file.size_bytes > 0)
      return static_cast<std::uint64_t>(file.size_bytes);
  }
  return std::nullopt;
}

class Stopwatch {
 public:
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

StatusOr<IndexHeader> IndexHeader::Parse(SharedBytes file,
                                         std::optional<std::uint64_t> index_bytes) {
  const std::size_t size = file.size();
  if (size < kHeadBytes + tsdb::kTocBytes + kTrailerBytes)
    return Corruption("index-header too short: {} bytes", size);
  encoding::ByteReader reader(file.view);
  const std::uint32_t magic = reader.ReadU32();
  const std::uint8_t version = reader.ReadU8();
  const std::uint8_t index_version = reader.ReadU8();
  const std::uint64_t table_offset = reader.ReadU64();
  if (magic != kMagic) return Corruption("not an index-header: it begins with {:08x}", magic);
  if (version != kVersion) return Corruption("unknown version of an index-header: {}", version);
  if (index_version != 1 && index_version != 2)
    return Corruption("index-header of an index of unknown version: {}", index_version);
  ASSIGN_OR_RETURN(const Trailer trailer, Trailer::Parse(file.view.substr(size - kTrailerBytes)));
  const std::size_t end = size - kTrailerBytes;
  if (trailer.symbols != kHeadBytes || trailer.postings < kHeadBytes ||
      trailer.postings > end - tsdb::kTocBytes) {
    return Corruption("parts of the index-header out of place: symbols {}, postings {}, end {}",
                      trailer.symbols, trailer.postings, end);
  }

  IndexHeader header;
  const std::uint64_t table_bytes = end - trailer.postings;
  // Overflow makes a size that the table of contents does not fit.
  header.index_bytes_ = table_offset + table_bytes;
  ASSIGN_OR_RETURN(const tsdb::IndexToc toc,
                   tsdb::IndexToc::Parse(file.view.substr(end - tsdb::kTocBytes, tsdb::kTocBytes),
                                         header.index_bytes_));
  if (toc.postings_offset_table != table_offset ||
      toc.series - toc.symbols != trailer.postings - kHeadBytes) {
    return Corruption("the index-header is not of its table of contents: postings table {}, {}",
                      table_offset, toc.postings_offset_table);
  }
  if (index_bytes && *index_bytes != header.index_bytes_) {
    return Corruption("the index-header is of another index: {} bytes, not {}", header.index_bytes_,
                      *index_bytes);
  }
  ASSIGN_OR_RETURN(header.tables_,
                   tsdb::IndexTables::OpenSections(
                       static_cast<tsdb::IndexVersion>(index_version),
                       file.Slice(kHeadBytes, trailer.postings - kHeadBytes), toc.symbols,
                       file.Slice(trailer.postings, table_bytes - tsdb::kTocBytes), table_offset));
  header.file_ = std::move(file);
  return header;
}

StatusOr<IndexHeader> IndexHeader::Open(const std::string& path,
                                        std::optional<std::uint64_t> index_bytes) {
  ASSIGN_OR_RETURN(SharedBytes file, MapFile(path));
  StatusOr<IndexHeader> header = Parse(std::move(file), index_bytes);
  if (!header.ok()) return Annotate(header.status(), path);
  return header;
}

Status BuildIndexHeader(const Context& context, objstore::Bucket& bucket, const model::Ulid& block,
                        const std::string& path) {
  const std::string name = ObjectName(block, kIndexFile);
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::Create(path));
  RETURN_IF_ERROR(Annotate(CopyTables(context, bucket, name, file), name));
  return file.Commit();
}

IndexHeaders::IndexHeaders(std::string directory, objstore::Bucket& bucket, Logger logger,
                           prometheus::Registry& registry)
    : directory_(std::move(directory)),
      bucket_(bucket),
      logger_(std::move(logger)),
      download_seconds_(
          prometheus::BuildHistogram()
              .Name("thanos_bucket_store_indexheader_download_duration_seconds")
              .Help("Time to make an index-header out of an index in the bucket.")
              .Register(registry)
              .Add({}, prometheus::Histogram::BucketBoundaries{0.1, 0.2, 0.5, 1, 2, 5, 15, 30, 60,
                                                               90, 120, 300})),
      load_seconds_(
          prometheus::BuildHistogram()
              .Name("thanos_bucket_store_indexheader_load_duration_seconds")
              .Help("Time to open an index-header that is on disk.")
              .Register(registry)
              .Add({}, prometheus::Histogram::BucketBoundaries{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1,
                                                               2, 5, 15, 30, 60, 90, 120, 300})) {}

std::string IndexHeaders::PathOf(const model::Ulid& block) const {
  return fmt::format("{}/{}/{}", directory_, block.ToString(), kIndexHeaderFile);
}

StatusOr<IndexHeader> IndexHeaders::Open(const Meta& meta) const {
  const Stopwatch watch;
  StatusOr<IndexHeader> header = IndexHeader::Open(PathOf(meta.ulid), IndexBytesOf(meta));
  if (header.ok()) load_seconds_.Observe(watch.Seconds());
  return header;
}

StatusOr<std::shared_ptr<const IndexHeader>> IndexHeaders::Load(const Context& context,
                                                                const Meta& meta) {
  StatusOr<IndexHeader> header = Open(meta);
  if (header.status().code() == StatusCode::kDataLoss) {
    logger_.Warn("index-header on disk can't be used, making a new one",
                 {{"block", meta.ulid.ToString()}, {"err", header.status()}});
  }
  if (header.status().code() == StatusCode::kDataLoss ||
      header.status().code() == StatusCode::kNotFound) {
    const Stopwatch watch;
    RETURN_IF_ERROR(BuildIndexHeader(context, bucket_, meta.ulid, PathOf(meta.ulid)));
    download_seconds_.Observe(watch.Seconds());
    header = Open(meta);
  }
  if (!header.ok()) return header.status();
  return std::make_shared<const IndexHeader>(*std::move(header));
}

Status IndexHeaders::Remove(const model::Ulid& block) {
  const std::filesystem::path path = PathOf(block);
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) return Unavailable("remove {}: {}", path.string(), error.message());
  // Other files may lie there; then the directory stays.
  std::filesystem::remove(path.parent_path(), error);
  return OkStatus();
}

}  // namespace aevum::block
