#include "tsdb/label_uses.h"

#include <algorithm>
#include <array>
#include <utility>

#include "encoding/byte_reader.h"

namespace aevum::tsdb {
namespace {

constexpr std::uint64_t kAlignment = 16;
constexpr std::size_t kCrcBytes = 4;
constexpr std::size_t kSeriesAtOnce = 1 << 16;

// Calls visit(reference, labels) for each entry; `labels` stands behind the number of labels.
template <typename Visit>
Status WalkEntries(const Context& context, const SeriesSection& section, Visit visit) {
  std::uint64_t at = section.begin;
  for (std::size_t seen = 0;; ++seen) {
    at = (at + kAlignment - 1) / kAlignment * kAlignment;
    if (at >= section.end) return OkStatus();
    if (seen % kSeriesAtOnce == 0) RETURN_IF_ERROR(context.status());
    encoding::ByteReader reader(section.index.substr(at, section.end - at));
    const std::uint64_t size = reader.ReadUvarint();
    encoding::ByteReader body(reader.ReadBytes(size));
    const std::uint64_t labels = body.ReadUvarint();
    visit(static_cast<SeriesRef>(at / kAlignment), labels, body);
    if (reader.failed() || body.failed())
      return Corruption("series at offset {} of the index that is being written", at);
    at += reader.offset() + kCrcBytes;
  }
}

// Values [first, last] of a name.
struct Slice {
  std::uint32_t name = 0;
  std::uint32_t first = 0;
  std::uint32_t last = UINT32_MAX;
  std::uint64_t uses = 0;
};

// A use of a value by a series, the value in the upper half.
using Use = std::uint64_t;

// Orders by value; the series of each stay in order.
void SortByValue(std::vector<Use>* uses, std::vector<Use>* scratch) {
  constexpr unsigned kBits = 11;
  constexpr unsigned kMask = (1 << kBits) - 1;
  scratch->resize(uses->size());
  for (unsigned shift = 32; shift < 64; shift += kBits) {
    std::array<std::size_t, kMask + 1> counts{};
    for (const Use use : *uses) ++counts[use >> shift & kMask];
    if (std::find(counts.begin(), counts.end(), uses->size()) != counts.end()) continue;
    std::size_t place = 0;
    for (std::size_t& count : counts) place += std::exchange(count, place);
    for (const Use use : *uses) (*scratch)[counts[use >> shift & kMask]++] = use;
    uses->swap(*scratch);
  }
}

class Gatherer {
 public:
  Gatherer(const Context& context, const SeriesSection& section, const VisitUses& visit)
      : context_(context), section_(section), visit_(visit) {}

  // One look at all entries. Slices are of different names, in order.
  Status Gather(std::span<const Slice> slices) {
    NameUses names;
    for (const Slice& slice : slices) names.SlotOf(slice.name);
    std::vector<std::vector<Use>> uses(slices.size());
    for (std::size_t i = 0; i < slices.size(); ++i) uses[i].reserve(slices[i].uses);
    RETURN_IF_ERROR(
        WalkEntries(context_, section_,
                    [&](SeriesRef series, std::uint64_t labels, encoding::ByteReader& reader) {
                      for (; labels > 0 && !reader.failed(); --labels) {
                        const auto name = static_cast<std::uint32_t>(reader.ReadUvarint());
                        const auto value = static_cast<std::uint32_t>(reader.ReadUvarint());
                        const std::uint32_t slot = names.SlotOf(name);
                        if (slot >= slices.size()) continue;
                        if (value < slices[slot].first || value > slices[slot].last) continue;
                        uses[slot].push_back(std::uint64_t{value} << 32 | series);
                      }
                    }));
    for (std::size_t i = 0; i < slices.size(); ++i) {
      SortByValue(&uses[i], &scratch_);
      RETURN_IF_ERROR(Visit(slices[i].name, uses[i]));
      std::vector<Use>().swap(uses[i]);
    }
    return OkStatus();
  }

  // Ranges of values of a name that have about `most` uses each, or one value.
  StatusOr<std::vector<Slice>> Split(std::uint32_t name, std::uint64_t most) {
    constexpr unsigned kShift = 12;  // values of a bucket: 4,096
    std::vector<std::uint64_t> buckets;
    RETURN_IF_ERROR(WalkEntries(
        context_, section_, [&](SeriesRef, std::uint64_t labels, encoding::ByteReader& reader) {
          for (; labels > 0 && !reader.failed(); --labels) {
            const auto of = static_cast<std::uint32_t>(reader.ReadUvarint());
            const auto bucket = static_cast<std::uint32_t>(reader.ReadUvarint()) >> kShift;
            if (of != name) continue;
            if (bucket >= buckets.size()) buckets.resize(bucket + 1);
            ++buckets[bucket];
          }
        }));
    std::vector<Slice> slices = {{.name = name}};
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      if (slices.back().uses > 0 && slices.back().uses + buckets[i] > most) {
        const auto next = static_cast<std::uint32_t>(i << kShift);
        slices.back().last = next - 1;
        slices.push_back({.name = name, .first = next});
      }
      slices.back().uses += buckets[i];
    }
    return slices;
  }

 private:
  Status Visit(std::uint32_t name, std::span<const Use> uses) {
    for (std::size_t begin = 0; begin < uses.size();) {
      const auto value = static_cast<std::uint32_t>(uses[begin] >> 32);
      series_.clear();
      for (; begin < uses.size() && uses[begin] >> 32 == value; ++begin)
        series_.push_back(static_cast<SeriesRef>(uses[begin]));
      RETURN_IF_ERROR(visit_(name, value, series_));
    }
    return context_.status();
  }

  const Context& context_;
  const SeriesSection& section_;
  const VisitUses& visit_;
  std::vector<Use> scratch_;
  std::vector<SeriesRef> series_;
};

}  // namespace

std::uint32_t NameUses::FindSlot(std::uint32_t name) {
  const auto [entry, added] = slots_.try_emplace(name, static_cast<std::uint32_t>(uses_.size()));
  if (added) uses_.push_back({.name = name});
  return entry->second;
}

Status ForEachSeries(const Context& context, const SeriesSection& section,
                     const VisitSeries& visit) {
  std::vector<SeriesRef> some;
  Status status;
  RETURN_IF_ERROR(
      WalkEntries(context, section, [&](SeriesRef series, std::uint64_t, encoding::ByteReader&) {
        some.push_back(series);
        if (some.size() < kSeriesAtOnce || !status.ok()) return;
        status = visit(some);
        some.clear();
      }));
  RETURN_IF_ERROR(status);
  return some.empty() ? OkStatus() : visit(some);
}

Status ForEachLabelUse(const Context& context, const SeriesSection& section,
                       std::vector<NameUses::Use> names, std::size_t memory_bytes,
                       const VisitUses& visit) {
  // Sorting takes them twice.
  const std::uint64_t most = std::max<std::uint64_t>(1, memory_bytes / (2 * sizeof(Use)));
  std::sort(names.begin(), names.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  Gatherer gatherer(context, section, visit);
  std::vector<Slice> together;
  std::uint64_t uses = 0;
  for (const NameUses::Use& name : names) {
    if (!together.empty() && uses + name.series > most) {
      RETURN_IF_ERROR(gatherer.Gather(together));
      together.clear();
      uses = 0;
    }
    if (name.series <= most) {
      together.push_back({.name = name.name, .uses = name.series});
      uses += name.series;
      continue;
    }
    ASSIGN_OR_RETURN(const std::vector<Slice> slices, gatherer.Split(name.name, most));
    for (const Slice& slice : slices) RETURN_IF_ERROR(gatherer.Gather(std::span(&slice, 1)));
  }
  return together.empty() ? OkStatus() : gatherer.Gather(together);
}

}  // namespace aevum::tsdb
