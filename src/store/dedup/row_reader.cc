#include "store/dedup/row_reader.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

namespace aevum::store::dedup {
namespace {

// Chunks are decoded to the end unless the samples that are wanted lie in their first part.
constexpr std::uint32_t kPrefixShare = 2;
constexpr std::uint32_t kLeastPrefix = 8;

bool Ascend(std::span<const TimestampMs> times) {
  bool ascending = true;
  for (std::size_t i = 1; i < times.size(); ++i) ascending &= times[i - 1] < times[i];
  return ascending;
}

// How many samples of a chunk lie before a time if they are spread evenly.
std::uint32_t EvenlyBefore(const chunk::ChunkView& view, std::uint32_t count, TimestampMs time) {
  const double length = static_cast<double>(view.max_time) - static_cast<double>(view.min_time);
  const double part = static_cast<double>(time) - static_cast<double>(view.min_time);
  if (!(length > 0) || part >= length) return count;
  return static_cast<std::uint32_t>(part / length * count);
}

// Columns of floats that a thread used last, so that series after series is read into memory that
// is there.
constexpr std::size_t kSpareColumns = 16;
thread_local std::vector<chunk::Columns> spare_columns;

bool HasStarts(chunk::Encoding encoding) {
  return encoding == chunk::Encoding::kXor2 || encoding == chunk::Encoding::kHistogramStart ||
         encoding == chunk::Encoding::kFloatHistogramStart;
}

// Times that are not known are 0.
void AddStarts(const TimestampMs* starts, std::size_t count, std::vector<TimestampMs>* out) {
  if (starts == nullptr) {
    out->resize(out->size() + count);
  } else {
    out->insert(out->end(), starts, starts + count);
  }
}

}  // namespace

double CountOf(const model::FloatHistogram& histogram) {
  return chunk::IsStale(histogram.sum) ? std::bit_cast<double>(chunk::kStaleNanBits)
                                       : histogram.count;
}

RowReader::RowReader(const chunk::Columns& columns) {
  std::size_t f = 0;
  std::size_t h = 0;
  const std::vector<TimestampMs>& floats = columns.times;
  const std::vector<TimestampMs>& histograms = columns.histogram_times;
  while (f < floats.size() || h < histograms.size()) {
    const TimestampMs next_histogram = h < histograms.size() ? histograms[h] : kMaxTime;
    std::size_t end = h < histograms.size() ? f : floats.size();
    while (end < floats.size() && floats[end] < next_histogram) ++end;
    if (end > f) AddColumns(columns, /*histograms=*/false, f, end - f);
    f = end;
    if (h < histograms.size() && f < floats.size() && floats[f] == histograms[h]) ++f;
    end = h;
    const TimestampMs next_float = f < floats.size() ? floats[f] : kMaxTime;
    while (end < histograms.size() && (f == floats.size() || histograms[end] < next_float)) ++end;
    if (end > h) AddColumns(columns, /*histograms=*/true, h, end - h);
    h = end;
  }
  if (!parts_.empty()) Enter(0);
}

void RowReader::PointAt(const chunk::Columns& columns, std::size_t first, std::size_t count,
                        Part* part) {
  const auto& starts = part->histograms ? columns.histogram_starts : columns.starts;
  part->starts = starts.empty() ? nullptr : starts.data() + first;
  if (!part->histograms) {
    part->times = columns.times.data() + first;
    part->values = columns.values.data() + first;
    return;
  }
  part->times = columns.histogram_times.data() + first;
  part->histogram = columns.histograms.data() + first;
  part->gauge = part->histogram->reset_hint == model::ResetHint::kGauge;
  part->counts.clear();
  for (std::size_t i = 0; i < count; ++i) part->counts.push_back(CountOf(part->histogram[i]));
  part->values = part->counts.data();
}

void RowReader::AddColumns(const chunk::Columns& columns, bool histograms, std::size_t first,
                           std::size_t count) {
  Part& part = parts_.emplace_back();
  part.first = size_;
  part.count = part.ready = static_cast<std::uint32_t>(count);
  part.histograms = histograms;
  size_ += count;
  PointAt(columns, first, count, &part);
  part.min_time = part.times[0];
  part.max_time = part.times[count - 1];
}

RowReader::RowReader(std::span<const chunk::ChunkView> chunks, TimestampMs start, TimestampMs end,
                     ReadChunk read)
    : read_(std::move(read)), end_(end) {
  parts_.reserve(chunks.size());
  for (const chunk::ChunkView& view : chunks) {
    const std::uint32_t count = chunk::ClaimedSamples(view.encoding, view.data);
    if (count == 0 || view.max_time < start || view.min_time > end) continue;
    Part& part = parts_.emplace_back();
    part.min_time = view.min_time;
    part.max_time = view.max_time;
    part.first = size_;
    part.count = count;
    part.view = view;
    part.encoded = true;
    part.histograms =
        view.encoding != chunk::Encoding::kXor && view.encoding != chunk::Encoding::kXor2;
    size_ += count;
  }
  if (parts_.empty()) return;
  Enter(0);
  if (parts_.front().min_time >= start) return;
  const std::size_t first = Next(start);
  begin_ = first == kNone ? size_ : first;
}

RowReader::~RowReader() {
  for (Part& part : parts_) {
    if (part.histograms || part.ready == 0 || spare_columns.size() >= kSpareColumns) continue;
    part.columns.Clear();
    spare_columns.push_back(std::move(part.columns));
  }
}

void RowReader::Enter(std::size_t part) {
  const Part& entered = parts_[part];
  current_ = part;
  low_ = entered.first;
  ready_ = std::min<std::size_t>(entered.ready, entered.count);
  times_ = entered.times;
  values_ = entered.values;
}

std::size_t RowReader::PartOf(std::size_t i) const {
  const auto holds = [&](std::size_t p) {
    return p < parts_.size() && i >= parts_[p].first && i - parts_[p].first < parts_[p].count;
  };
  if (holds(current_)) return current_;
  if (holds(current_ + 1)) return current_ + 1;
  const auto after = std::upper_bound(
      parts_.begin(), parts_.end(), i,
      [](std::size_t position, const Part& part) { return position < part.first; });
  return static_cast<std::size_t>(after - parts_.begin()) - 1;
}

const RowReader::Part& RowReader::Loaded(std::size_t i) {
  if (!Inside(i)) Load(i, 1);
  return parts_[current_];
}

bool RowReader::Load(std::size_t i, std::uint32_t more) {
  if (i >= size_ || !status_.ok()) return false;
  const std::size_t p = PartOf(i);
  Part& part = parts_[p];
  const std::size_t offset = i - part.first;
  const std::size_t wanted = std::min<std::size_t>(part.count, offset + more);
  if (part.ready < wanted && !Decode(&part, static_cast<std::uint32_t>(wanted))) return false;
  Enter(p);
  return offset < ready_;
}

bool RowReader::Decode(Part* part, std::uint32_t samples) {
  samples = std::max(samples, kLeastPrefix);
  // A second time to the end at once.
  if (part->ready > 0 || samples > part->count / kPrefixShare) samples = part->count;
  const std::size_t count = part->count;
  status_ = ReadPart(part, samples);
  if (!status_.ok()) {
    part->count = part->ready = 0;
    size_ = std::min(size_, part->first);
    ready_ = 0;
    return false;
  }
  if (part->max_time > end_) {
    const TimestampMs* past = std::upper_bound(part->times, part->times + part->ready, end_);
    const auto inside = static_cast<std::uint32_t>(past - part->times);
    if (inside < part->ready || part->ready == count) {
      part->ready = part->count = inside;
      size_ = part->first + inside;
    }
  }
  return true;
}

Status RowReader::ReadPart(Part* part, std::uint32_t samples) {
  if (!part->histograms && part->ready == 0 && !spare_columns.empty()) {
    part->columns = std::move(spare_columns.back());
    spare_columns.pop_back();
  }
  part->columns.Clear();
  part->columns.with_starts = HasStarts(part->view.encoding);
  RETURN_IF_ERROR(read_(part->view, samples, &part->columns));
  const chunk::Columns& columns = part->columns;
  const std::size_t size = part->histograms ? columns.histogram_times.size() : columns.times.size();
  if (size < samples || size > part->count) {
    return Corruption("chunk has other samples than it claims, claimed: {}, found: {}", part->count,
                      size);
  }
  part->ready = static_cast<std::uint32_t>(size);
  PointAt(columns, 0, size, part);
  if (!Ascend(std::span(part->times, size))) {
    return Corruption("samples are not in the order of time");
  }
  if (part->times[0] < part->min_time || part->times[size - 1] > part->max_time) {
    return Corruption("samples lie outside the bounds of their chunk, from {} to {}",
                      part->times[0], part->times[size - 1]);
  }
  return OkStatus();
}

const model::FloatHistogram& RowReader::Histogram(std::size_t i) {
  return Loaded(i).histogram[Offset(i)];
}

std::size_t RowReader::Next(TimestampMs time) {
  std::size_t p = current_;
  if (p >= parts_.size() || (p > 0 && parts_[p - 1].max_time >= time)) p = 0;
  while (p < parts_.size() && parts_[p].max_time < time) ++p;
  for (; p < parts_.size() && parts_[p].first < size_; ++p) {
    const std::size_t i = NextIn(p, time);
    if (!status_.ok()) return kNone;
    if (i != kNone) return std::max(i, begin_);
  }
  return kNone;
}

std::size_t RowReader::NextIn(std::size_t p, TimestampMs time) {
  Part& part = parts_[p];
  if (part.min_time >= time && part.max_time <= end_) return part.first;
  // Some more, since what comes next is looked at as well.
  const std::uint32_t likely = EvenlyBefore(part.view, part.count, time) + kLeastPrefix;
  if (part.encoded && part.ready == 0) Decode(&part, std::min(likely, part.count));
  while (true) {
    const TimestampMs* end = part.times + part.ready;
    const TimestampMs* found = status_.ok() ? std::lower_bound(part.times, end, time) : end;
    const bool whole = part.ready == part.count || !status_.ok();
    if (p == current_) Enter(p);
    if (found != end) return part.first + static_cast<std::size_t>(found - part.times);
    if (whole) return kNone;
    Decode(&part, part.count);
  }
}

TimestampMs RowReader::Newest() {
  if (size_ > begin_ && parts_.back().max_time <= end_) return parts_.back().max_time;
  while (size_ > begin_) {
    // Decoding to the end may show that there are fewer samples.
    const std::size_t last = size_ - 1;
    if (Has(last)) return Time(last);
    if (!status_.ok()) break;
  }
  return kMinTime;
}

RowReader::Stretch RowReader::StretchFrom(std::size_t i) {
  if (!Load(i, std::numeric_limits<std::uint16_t>::max())) return {};
  const std::size_t offset = Offset(i);
  return {.times = std::span(times_ + offset, ready_ - offset),
          .values = std::span(values_ + offset, ready_ - offset)};
}

std::size_t RowReader::SharedWith(std::size_t i, const RowReader& other, std::size_t j) const {
  if (i >= size_ || j >= other.size_) return 0;
  const Part& a = parts_[PartOf(i)];
  const Part& b = other.parts_[other.PartOf(j)];
  const bool same = a.encoded && b.encoded && a.view.encoding == b.view.encoding &&
                    a.view.data == b.view.data && a.max_time <= end_ && b.max_time <= other.end_;
  return same && i - a.first == j - b.first ? a.count - (i - a.first) : 0;
}

void RowReader::MoveTo(std::size_t first, std::size_t count, bool forget, chunk::Columns* out) {
  while (count > 0 &&
         Load(first, static_cast<std::uint32_t>(std::min<std::size_t>(count, 65535)))) {
    Part& part = parts_[current_];
    const std::size_t offset = Offset(first);
    const std::size_t size = std::min(count, ready_ - offset);
    const TimestampMs* times = times_ + offset;
    if (out->with_starts) {
      AddStarts(part.starts == nullptr ? nullptr : part.starts + offset, size,
                part.histograms ? &out->histogram_starts : &out->starts);
    }
    if (part.histograms) {
      out->histogram_times.insert(out->histogram_times.end(), times, times + size);
      for (std::size_t k = offset; k < offset + size; ++k) {
        out->histograms.push_back(part.encoded ? std::move(part.columns.histograms[k])
                                               : part.histogram[k]);
        model::ResetHint& hint = out->histograms.back().reset_hint;
        if (forget && k == offset && hint != model::ResetHint::kGauge) {
          hint = model::ResetHint::kUnknown;
        }
      }
    } else {
      out->times.insert(out->times.end(), times, times + size);
      out->values.insert(out->values.end(), values_ + offset, values_ + offset + size);
    }
    forget = false;
    first += size;
    count -= size;
  }
}

}  // namespace aevum::store::dedup
