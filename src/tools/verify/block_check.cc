#include "tools/verify/block_check.h"

#include <algorithm>
#include <vector>

#include "base/files.h"
#include "block/output_file.h"
#include "block/upload.h"
#include "objstore/parallel.h"
#include "tools/verify/segment_scan.h"
#include "tsdb/chunk_segment.h"

namespace aevum::tools {
namespace {

using block::ObjectName;

constexpr std::size_t kSegmentsAtOnce = 2;

// Passes everything on and tells the bar of it.
class CountedSink final : public objstore::ByteSink {
 public:
  CountedSink(objstore::ByteSink& inner, ProgressBar& progress)
      : inner_(inner), progress_(progress) {}
  Status Start(std::int64_t size_bytes) override { return inner_.Start(size_bytes); }
  Status Write(std::string_view piece) override {
    progress_.Advance(static_cast<std::int64_t>(piece.size()));
    return inner_.Write(piece);
  }

 private:
  objstore::ByteSink& inner_;
  ProgressBar& progress_;
};

// The segments, which must be numbered without a gap.
StatusOr<std::size_t> CountSegments(const Context& context, objstore::Bucket& bucket,
                                    const model::Ulid& block) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   block::ListSegmentObjects(context, bucket, block));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string expected =
        ObjectName(block, tsdb::SegmentName(static_cast<std::uint32_t>(i)));
    if (names[i] != expected) return Corruption("{} is not there, {} is", expected, names[i]);
  }
  return names.size();
}

Status CheckSize(const block::Meta& meta, std::string_view path, std::uint64_t size_bytes) {
  for (const block::BlockFile& file : meta.files) {
    if (file.path == path && file.size_bytes > 0 &&
        static_cast<std::uint64_t>(file.size_bytes) != size_bytes) {
      return Corruption("{} bytes, {} by meta.json", size_bytes, file.size_bytes);
    }
  }
  return OkStatus();
}

StatusOr<SharedBytes> FetchIndex(const Context& context, objstore::Bucket& bucket,
                                 const std::string& name, const std::string& path,
                                 ProgressBar& progress) {
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::Create(path));
  block::OutputFileSink sink(file);
  CountedSink counted(sink, progress);
  RETURN_IF_ERROR(bucket.Read(context, name, {}, counted));
  RETURN_IF_ERROR(file.Commit(OutputFile::Durability::kUnsynced));
  return MapFile(path);
}

Status CheckSegment(const Context& context, objstore::Bucket& bucket, const block::Meta& meta,
                    std::uint32_t segment, std::span<const std::uint32_t> offsets,
                    ProgressBar& progress) {
  const std::string path = tsdb::SegmentName(segment);
  const std::string name = ObjectName(meta.ulid, path);
  SegmentScan scan(offsets);
  CountedSink counted(scan, progress);
  Status status = bucket.Read(context, name, {}, counted);
  if (status.ok()) status = scan.Finish();
  if (status.ok()) status = CheckSize(meta, path, scan.size_bytes());
  return Annotate(status, name);
}

}  // namespace

StatusOr<IndexHealth> CheckBlock(const Context& context, objstore::Bucket& bucket,
                                 const block::Meta& meta, ProgressBar& progress) {
  ASSIGN_OR_RETURN(const std::size_t segments, CountSegments(context, bucket, meta.ulid));
  ASSIGN_OR_RETURN(const TemporaryDirectory scratch, TemporaryDirectory::Create());
  const std::string name = ObjectName(meta.ulid, block::kIndexFile);
  ASSIGN_OR_RETURN(const SharedBytes index,
                   FetchIndex(context, bucket, name, scratch.File("index"), progress));
  RETURN_IF_ERROR(Annotate(CheckSize(meta, block::kIndexFile, index.size()), name));
  StatusOr<IndexReport> report = CheckIndex(context, index, meta, segments);
  if (!report.ok()) return Annotate(report.status(), name);
  RETURN_IF_ERROR(
      objstore::RunParallel(bucket.pool(), segments, kSegmentsAtOnce, [&](std::size_t i) {
        return CheckSegment(context, bucket, meta, static_cast<std::uint32_t>(i),
                            report->chunk_offsets[i], progress);
      }));
  return std::move(report->health);
}

}  // namespace aevum::tools
