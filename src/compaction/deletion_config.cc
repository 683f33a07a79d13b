#include "compaction/deletion_config.h"

#include <charconv>
#include <string>
#include <utility>

#include <yaml-cpp/yaml.h>

#include "promql/parser.h"
#include "tsdb/series_entry.h"

namespace aevum::compaction {
namespace {

constexpr std::size_t kMostDeletions = 100'000;

Status ReadTime(const YAML::Node& node, TimestampMs* time) {
  if (!node.IsScalar()) return InvalidArgument("not a single value");
  const std::string& text = node.Scalar();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *time);
  if (error != std::errc() || end != text.data() + text.size())
    return InvalidArgument("not a number of milliseconds: {}", text);
  return OkStatus();
}

StatusOr<tsdb::TimeRange> ReadInterval(const YAML::Node& node) {
  if (!node.IsMap()) return InvalidArgument("not a mapping");
  tsdb::TimeRange range{INT64_MIN, INT64_MAX};
  for (const auto& field : node) {
    if (!field.first.IsScalar()) return InvalidArgument("a field whose name is no text");
    const std::string& key = field.first.Scalar();
    if (key != "mint" && key != "maxt") return InvalidArgument("unknown field \"{}\"", key);
    const Status status = ReadTime(field.second, key == "mint" ? &range.min_time : &range.max_time);
    if (!status.ok()) return Annotate(status, key);
  }
  if (range.min_time > range.max_time)
    return InvalidArgument("ends at {}, before it begins at {}", range.max_time, range.min_time);
  return range;
}

Status ReadIntervals(const YAML::Node& node, std::vector<tsdb::TimeRange>* ranges) {
  if (node.IsNull()) return OkStatus();
  if (!node.IsSequence()) return InvalidArgument("intervals: not a list");
  for (const YAML::Node& item : node) {
    const StatusOr<tsdb::TimeRange> range = ReadInterval(item);
    if (!range.ok()) return Annotate(range.status(), fmt::format("interval {}", ranges->size()));
    ranges->push_back(*range);
  }
  return OkStatus();
}

Status ReadItem(const YAML::Node& node, std::vector<Deletion>* deletions) {
  if (!node.IsMap()) return InvalidArgument("not a mapping");
  Deletion deletion;
  std::vector<tsdb::TimeRange> ranges;
  for (const auto& field : node) {
    if (!field.first.IsScalar()) return InvalidArgument("a field whose name is no text");
    const std::string& key = field.first.Scalar();
    if (key == "intervals") {
      RETURN_IF_ERROR(ReadIntervals(field.second, &ranges));
      continue;
    }
    // A slip of the pen would delete what was to be kept.
    if (key != "matchers" && key != "request_id")
      return InvalidArgument("unknown field \"{}\"", key);
    if (!field.second.IsScalar()) return InvalidArgument("{}: not a single value", key);
    if (key == "request_id") {
      deletion.request_id = field.second.Scalar();
      continue;
    }
    auto matchers = promql::ParseSelector(field.second.Scalar());
    if (!matchers.ok()) return Annotate(matchers.status(), key);
    deletion.matchers = *std::move(matchers);
  }
  if (deletion.matchers.empty()) return InvalidArgument("no matchers");
  if (ranges.empty()) ranges.push_back({INT64_MIN, INT64_MAX});
  if (ranges.size() > kMostDeletions - deletions->size())
    return ResourceExhausted("more than {} deletions", kMostDeletions);
  for (const tsdb::TimeRange& range : ranges) {
    deletion.min_time = range.min_time;
    deletion.max_time = range.max_time;
    deletions->push_back(deletion);
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::vector<Deletion>> ParseDeletionConfig(std::string_view yaml) {
  std::vector<Deletion> deletions;
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (root.IsNull()) return deletions;
    if (!root.IsSequence()) return InvalidArgument("deletions: not a list");
    for (std::size_t i = 0; i < root.size(); ++i) {
      const Status status = ReadItem(root[i], &deletions);
      if (!status.ok()) return Annotate(status, fmt::format("deletion {}", i));
    }
  } catch (const YAML::Exception& error) {
    return InvalidArgument("deletions: {}", error.what());
  }
  return deletions;
}

}  // namespace aevum::compaction
