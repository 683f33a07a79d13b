#include "query/info_check.h"

#include <algorithm>

#include "base/clock.h"

namespace aevum::query {
namespace {

constexpr std::size_t kMaxSets = 100'000;
constexpr std::size_t kMaxLabelsBytes = std::size_t{64} << 10;
constexpr std::size_t kMaxTypeBytes = 128;
constexpr std::size_t kMaxText = 1000;

Status CheckLabels(const model::Labels& labels) {
  if (labels.packed().size() <= kMaxLabelsBytes) return OkStatus();
  return InvalidArgument("labels of {} bytes, more than {}", labels.packed().size(),
                         kMaxLabelsBytes);
}

Status CheckCount(std::string_view what, std::size_t count) {
  if (count <= kMaxSets) return OkStatus();
  return InvalidArgument("{} {}, more than {}", count, what, kMaxSets);
}

void CheckTimes(std::string_view what, TimestampMs* min_time, TimestampMs* max_time,
                std::vector<std::string>* complaints) {
  const bool holds_nothing = *min_time == kMaxTime && *max_time == kMinTime;
  if (*min_time <= *max_time || holds_nothing) return;
  std::string text = fmt::format(
      "the times of its {} are the wrong way round, from {} to {}: it is asked for all times", what,
      *min_time, *max_time);
  // One of many TSDBs is enough to know.
  if (complaints->empty()) complaints->push_back(std::move(text));
  *min_time = kMinTime;
  *max_time = kMaxTime;
}

}  // namespace

Status CheckInfo(wire::InfoResponse* info, std::vector<std::string>* complaints) {
  if (info->component_type.size() > kMaxTypeBytes) {
    return InvalidArgument("the name of its component has {} bytes, more than {}",
                           info->component_type.size(), kMaxTypeBytes);
  }
  RETURN_IF_ERROR(CheckCount("sets of external labels", info->label_sets.size()));
  for (const model::Labels& labels : info->label_sets) RETURN_IF_ERROR(CheckLabels(labels));
  if (info->exemplars) {
    CheckTimes("exemplars", &info->exemplars->min_time, &info->exemplars->max_time, complaints);
  }
  if (!info->store) return OkStatus();
  CheckTimes("store", &info->store->min_time, &info->store->max_time, complaints);
  RETURN_IF_ERROR(CheckCount("TSDBs", info->store->tsdb_infos.size()));
  for (wire::TsdbInfo& tsdb : info->store->tsdb_infos) {
    RETURN_IF_ERROR(CheckLabels(tsdb.labels));
    CheckTimes("TSDBs", &tsdb.min_time, &tsdb.max_time, complaints);
  }
  return OkStatus();
}

std::string LabelSetsText(const std::vector<model::Labels>& sets) {
  std::string text;
  for (const model::Labels& labels : sets) {
    if (!text.empty()) text += ",";
    text += labels.ToString();
    if (text.size() > kMaxText) break;
  }
  if (text.size() <= kMaxText) return text;
  std::size_t end = kMaxText - 1;
  // Not inside a character of several bytes.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  text.resize(end);
  return text + "}";
}

}  // namespace aevum::query
