#include "compact/testing/fake_blocks.h"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

#include "base/output_file.h"
#include "block/marks.h"

namespace aevum::compact::testing {
namespace {

constexpr const char* kSegment = "chunks/000001";

void PutObject(objstore::Bucket& bucket, const std::string& name, std::string_view bytes) {
  const auto put = bucket.Upload(Context::Background(), name, objstore::BytesSource(bytes), {});
  ASSERT_TRUE(put.ok()) << put.status();
}

std::set<std::string> WordsOf(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

Status WriteFile(const std::string& path, std::string_view bytes) {
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::Create(path));
  RETURN_IF_ERROR(file.Write(bytes));
  return file.Commit(OutputFile::Durability::kUnsynced);
}

Status WriteBlock(const std::string& directory, const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + " ";
  RETURN_IF_ERROR(WriteFile(directory + "/" + kSegment, text));
  return WriteFile(directory + "/index", "index");
}

StatusOr<std::set<std::string>> ReadWords(const Context& context,
                                          const compaction::BlockPlace& place) {
  ASSIGN_OR_RETURN(const std::string text,
                   place.bucket->Get(context, block::ObjectName(place.block, kSegment)));
  std::set<std::string> words = WordsOf(text);
  if (words.contains("DAMAGED"))
    return Corruption("block {}: chunks/000001: wrong checksum", place.block.ToString());
  return words;
}

}  // namespace

model::Ulid IdOf(int number) {
  model::Ulid id = *model::Ulid::Parse("01HF5Z6Q0000000000000000AA");
  id.bytes[15] = static_cast<std::uint8_t>(number);
  return id;
}

block::Meta BucketOf::MakeMeta(int number, TimestampMs min_time, TimestampMs max_time) const {
  block::Meta meta;
  meta.ulid = IdOf(number);
  meta.min_time = min_time;
  meta.max_time = max_time;
  meta.stats.samples = 1;
  meta.compaction.level = 1;
  meta.compaction.sources = {meta.ulid};
  if (!cluster_.empty()) meta.labels["cluster"] = cluster_;
  if (!replica_.empty()) meta.labels["replica"] = replica_;
  meta.source = block::kSourceSidecar;
  return meta;
}

void BucketOf::PutBlock(block::Meta meta, const std::string& word) {
  PutObject(bucket_, block::ObjectName(meta.ulid, kSegment), word);
  PutObject(bucket_, block::ObjectName(meta.ulid, "index"), "index");
  meta.files = {
      {.path = kSegment, .size_bytes = static_cast<std::int64_t>(word.size()), .hash = {}},
      {.path = "index", .size_bytes = 5, .hash = {}},
      {.path = "meta.json", .size_bytes = 0, .hash = {}}};
  PutObject(bucket_, block::ObjectName(meta.ulid, block::kMetaFile), meta.Write());
}

void BucketOf::Put(int number, TimestampMs min_time, TimestampMs max_time, std::string word,
                   std::int64_t resolution_ms) {
  block::Meta meta = MakeMeta(number, min_time, max_time);
  meta.resolution_ms = resolution_ms;
  PutBlock(std::move(meta), word.empty() ? std::to_string(number) : word);
}

void BucketOf::PutWithSamples(int number, TimestampMs min_time, TimestampMs max_time,
                              std::uint64_t samples) {
  block::Meta meta = MakeMeta(number, min_time, max_time);
  meta.stats.samples = samples;
  PutBlock(std::move(meta), std::to_string(number));
}

void BucketOf::PutWithoutMeta(int number) {
  PutObject(bucket_, block::ObjectName(IdOf(number), kSegment), "lost");
}

Shape FoundBlocks::Live() const {
  Shape shape;
  for (const auto& [ulid, block] : all) {
    if (!block.marked)
      shape.emplace(block.meta.min_time, block.meta.max_time, block.meta.resolution_ms);
  }
  return shape;
}

std::set<std::string> FoundBlocks::LiveSamples() const {
  std::set<std::string> samples;
  for (const auto& [ulid, block] : all) {
    if (!block.marked) samples.insert(block.samples.begin(), block.samples.end());
  }
  return samples;
}

FoundBlocks ReadBlocks(objstore::Bucket& bucket) {
  const Context context = Context::Background();
  std::vector<model::Ulid> ids;
  const Status listed = bucket.Iterate(context, "", {}, [&](const objstore::ListedObject& object) {
    if (const auto id = model::BlockDirectory(object.name)) ids.push_back(*id);
    return OkStatus();
  });
  EXPECT_TRUE(listed.ok()) << listed;
  FoundBlocks found;
  for (const model::Ulid& id : ids) {
    const auto text = bucket.Get(context, block::ObjectName(id, block::kMetaFile));
    if (!text.ok()) {
      found.without_meta.push_back(id.ToString());
      continue;
    }
    FoundBlock block;
    block.meta = *block::Meta::Parse(*text);
    block.marked =
        bucket.Exists(context, block::ObjectName(id, block::MarkFile(block::MarkKind::kDeletion)))
            .value();
    for (const block::BlockFile& file : block.meta.files) {
      const std::string name = block::ObjectName(id, file.path);
      if (!bucket.Exists(context, name).value()) found.incomplete.push_back(name);
    }
    const auto words = bucket.Get(context, block::ObjectName(id, kSegment));
    if (words.ok()) block.samples = WordsOf(*words);
    found.all[id] = std::move(block);
  }
  return found;
}

BlockWork FakeWork::functions() {
  return {
      .merge = [this](const Context& context, const std::vector<compaction::MergeInput>& inputs,
                      const compaction::MergeOptions&,
                      const std::string& directory) { return Merge(context, inputs, directory); },
      .downsample =
          [this](const Context& context, const block::Meta& meta,
                 const compaction::BlockPlace& place, std::int64_t resolution_ms,
                 const compaction::DownsampleOptions&, const std::string& directory) {
            return Downsample(context, meta, place, resolution_ms, directory);
          }};
}

StatusOr<compaction::MergeResult> FakeWork::Merge(const Context& context,
                                                  const std::vector<compaction::MergeInput>& inputs,
                                                  const std::string& directory) {
  RETURN_IF_ERROR(merge_status);
  std::set<std::string> words;
  std::set<model::Ulid> sources;
  compaction::MergedBlock merged{.meta = inputs.front().meta, .directory = ""};
  for (const compaction::MergeInput& input : inputs) {
    ASSIGN_OR_RETURN(const std::set<std::string> of_input, ReadWords(context, input.place));
    words.insert(of_input.begin(), of_input.end());
    sources.insert(input.meta.compaction.sources.begin(), input.meta.compaction.sources.end());
    merged.meta.max_time = std::max(merged.meta.max_time, input.meta.max_time);
    merged.meta.compaction.level =
        std::max(merged.meta.compaction.level, input.meta.compaction.level + 1);
  }
  ++merges;
  if (drop_all) return compaction::MergeResult{};
  merged.meta.ulid = ulids_.Next();
  merged.meta.source = block::kSourceCompactor;
  merged.meta.compaction.sources.assign(sources.begin(), sources.end());
  merged.meta.stats.samples = words.size();
  merged.directory = directory + "/" + merged.meta.ulid.ToString();
  RETURN_IF_ERROR(WriteBlock(merged.directory, words));
  compaction::MergeResult result;
  result.blocks.push_back(std::move(merged));
  return result;
}

StatusOr<compaction::DownsampledBlock> FakeWork::Downsample(const Context& context,
                                                            const block::Meta& meta,
                                                            const compaction::BlockPlace& place,
                                                            std::int64_t resolution_ms,
                                                            const std::string& directory) {
  RETURN_IF_ERROR(downsample_status);
  ASSIGN_OR_RETURN(const std::set<std::string> words, ReadWords(context, place));
  compaction::DownsampledBlock made{.meta = meta, .directory = ""};
  made.meta.ulid = ulids_.Next();
  made.meta.resolution_ms = resolution_ms;
  made.meta.source = block::kSourceCompactor;
  made.directory = directory + "/" + made.meta.ulid.ToString();
  RETURN_IF_ERROR(WriteBlock(made.directory, words));
  return made;
}

}  // namespace aevum::compact::testing
