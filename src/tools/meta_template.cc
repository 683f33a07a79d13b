#include "tools/meta_template.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/timestamp.h"

namespace aevum::tools {
namespace {

using block::Meta;

constexpr std::string_view kBlank = " \t\r\n";

std::string_view TrimLeft(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kBlank), text.size()));
}

std::string_view TrimRight(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

template <typename List, typename Show>
std::string ShowList(const List& list, Show show) {
  std::string text = "[";
  for (const auto& item : list) text += (text.size() > 1 ? " " : "") + show(item);
  return text + "]";
}

std::string ShowText(const std::string& text) { return text; }
std::string ShowId(const model::Ulid& ulid) { return ulid.ToString(); }

std::string ShowLabels(const Meta& meta) {
  std::string text = "map[";
  for (const auto& [name, value] : meta.labels)
    text += fmt::format("{}{}:{}", text.size() > 4 ? " " : "", name, value);
  return text + "]";
}

std::string ShowStats(const Meta& meta) {
  const block::MetaStats& s = meta.stats;
  return fmt::format("{{{} {} {} {} {} {}}}", s.samples, s.float_samples, s.histogram_samples,
                     s.series, s.chunks, s.tombstones);
}

std::string ShowParents(const Meta& meta) {
  return ShowList(meta.compaction.parents, [](const block::ParentBlock& parent) {
    return fmt::format("{{{} {} {}}}", parent.ulid.ToString(), parent.min_time, parent.max_time);
  });
}

std::string ShowFiles(const Meta& meta) {
  return ShowList(meta.files, [](const block::BlockFile& file) { return file.path; });
}

struct Field {
  std::string_view path;
  std::string (*show)(const Meta& meta);
};

// The names are those of Go's structs BlockMeta and Thanos.
constexpr std::array kFields = {
    Field{"ULID", [](const Meta& m) { return m.ulid.ToString(); }},
    Field{"MinTime", [](const Meta& m) { return fmt::to_string(m.min_time); }},
    Field{"MaxTime", [](const Meta& m) { return fmt::to_string(m.max_time); }},
    Field{"Version", [](const Meta&) { return std::string("1"); }},
    Field{"Stats", ShowStats},
    Field{"Stats.NumSamples", [](const Meta& m) { return fmt::to_string(m.stats.samples); }},
    Field{"Stats.NumFloatSamples",
          [](const Meta& m) { return fmt::to_string(m.stats.float_samples); }},
    Field{"Stats.NumHistogramSamples",
          [](const Meta& m) { return fmt::to_string(m.stats.histogram_samples); }},
    Field{"Stats.NumSeries", [](const Meta& m) { return fmt::to_string(m.stats.series); }},
    Field{"Stats.NumChunks", [](const Meta& m) { return fmt::to_string(m.stats.chunks); }},
    Field{"Stats.NumTombstones", [](const Meta& m) { return fmt::to_string(m.stats.tombstones); }},
    Field{"Compaction.Level", [](const Meta& m) { return fmt::to_string(m.compaction.level); }},
    Field{"Compaction.Sources",
          [](const Meta& m) { return ShowList(m.compaction.sources, ShowId); }},
    Field{"Compaction.Deletable",
          [](const Meta& m) { return std::string(m.compaction.deletable ? "true" : "false"); }},
    Field{"Compaction.Parents", ShowParents},
    Field{"Compaction.Failed",
          [](const Meta& m) { return std::string(m.compaction.failed ? "true" : "false"); }},
    Field{"Compaction.Hints", [](const Meta& m) { return ShowList(m.compaction.hints, ShowText); }},
    Field{"Thanos.Version", [](const Meta& m) { return fmt::to_string(m.thanos_version); }},
    Field{"Thanos.Labels", ShowLabels},
    Field{"Thanos.Downsample",
          [](const Meta& m) { return fmt::format("{{{}}}", m.resolution_ms); }},
    Field{"Thanos.Downsample.Resolution",
          [](const Meta& m) { return fmt::to_string(m.resolution_ms); }},
    Field{"Thanos.Source", [](const Meta& m) { return m.source; }},
    Field{"Thanos.SegmentFiles", [](const Meta& m) { return ShowList(m.segment_files, ShowText); }},
    Field{"Thanos.Files", ShowFiles},
    Field{"Thanos.IndexStats.SeriesMaxSize",
          [](const Meta& m) { return fmt::to_string(m.series_max_size); }},
    Field{"Thanos.IndexStats.ChunkMaxSize",
          [](const Meta& m) { return fmt::to_string(m.chunk_max_size); }},
    Field{"Thanos.UploadTime", [](const Meta& m) { return FormatTimestamp(m.upload_time); }},
};

// A field of an embedded struct may be named with the struct, and a method without arguments that
// turns a ULID into text changes nothing.
std::string_view Canonical(std::string_view path) {
  constexpr std::string_view kEmbedded = "BlockMeta.";
  constexpr std::string_view kToText = ".String";
  if (path.starts_with(kEmbedded)) path.remove_prefix(kEmbedded.size());
  if (path == "ULID.String") path.remove_suffix(kToText.size());
  return path;
}

}  // namespace

StatusOr<MetaTemplate::Piece> MetaTemplate::ParseField(std::string_view path) {
  constexpr std::string_view kLabel = "Thanos.Labels.";
  if (!path.starts_with('.') || path.find_first_of(" \t\r\n|()\"") != std::string_view::npos) {
    return InvalidArgument(
        "not supported in a template: {{{{ {} }}}}; fields such as {{{{ .ULID }}}} are", path);
  }
  path = Canonical(path.substr(1));
  if (path.starts_with(kLabel)) return Piece(LabelValue{std::string(path.substr(kLabel.size()))});
  const auto* const field =
      std::find_if(kFields.begin(), kFields.end(), [&](const Field& f) { return f.path == path; });
  if (field != kFields.end()) return Piece(field->show);
  std::string known;
  for (const Field& f : kFields) known += fmt::format("{}.{}", known.empty() ? "" : " ", f.path);
  return InvalidArgument("a block has no field .{}; it has {}", path, known);
}

StatusOr<MetaTemplate> MetaTemplate::Parse(std::string_view text) {
  MetaTemplate parsed;
  bool trim_next = false;
  while (!text.empty()) {
    const std::size_t open = std::min(text.find("{{"), text.size());
    std::string_view plain = text.substr(0, open);
    text.remove_prefix(open);
    if (trim_next) plain = TrimLeft(plain);
    trim_next = false;
    const bool trims = text.starts_with("{{-") && text.size() > 3 &&
                       kBlank.find(text[3]) != std::string_view::npos;
    if (trims) plain = TrimRight(plain);
    if (!plain.empty()) parsed.pieces_.emplace_back(std::string(plain));
    if (text.empty()) break;
    text.remove_prefix(trims ? 3 : 2);
    const std::size_t close = text.find("}}");
    if (close == std::string_view::npos) return InvalidArgument("a template with {{{{ and no }}}}");
    std::string_view action = text.substr(0, close);
    text.remove_prefix(close + 2);
    if (action.size() > 1 && action.ends_with('-') &&
        kBlank.find(action[action.size() - 2]) != std::string_view::npos) {
      trim_next = true;
      action.remove_suffix(1);
    }
    action = TrimLeft(TrimRight(action));
    if (action.starts_with("/*") && action.ends_with("*/")) continue;
    ASSIGN_OR_RETURN(parsed.pieces_.emplace_back(), ParseField(action));
  }
  return parsed;
}

std::string MetaTemplate::Show(const Meta& meta) const {
  std::string text;
  for (const Piece& piece : pieces_) {
    if (const auto* plain = std::get_if<std::string>(&piece)) {
      text += *plain;
    } else if (const auto* getter = std::get_if<Getter>(&piece)) {
      text += (*getter)(meta);
    } else {
      const auto label = meta.labels.find(std::get<LabelValue>(piece).name);
      // What Go prints for a key that a map does not have.
      text += label == meta.labels.end() ? "<no value>" : label->second;
    }
  }
  return text;
}

}  // namespace aevum::tools
