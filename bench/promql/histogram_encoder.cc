#include "histogram_encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/check.h"

namespace aevum::bench {
namespace {

using model::FloatHistogram;
using model::Span;

class BitWriter {
 public:
  // The lower `count` bits, the highest first.
  void Put(std::uint64_t value, unsigned count) {
    while (count-- > 0) {
      if (free_ == 0) {
        bytes_ += '\0';
        free_ = 8;
      }
      --free_;
      if ((value >> count) & 1)
        bytes_.back() = static_cast<char>(static_cast<unsigned char>(bytes_.back()) | 1U << free_);
    }
  }

  void PutVarbit(std::int64_t value) {
    PutWidth(static_cast<std::uint64_t>(value), value == 0, [value](unsigned bits) {
      const std::int64_t half = std::int64_t{1} << (bits - 1);
      return value > -half && value <= half;
    });
  }
  void PutUnsignedVarbit(std::uint64_t value) {
    PutWidth(value, value == 0, [value](unsigned bits) { return value >> bits == 0; });
  }

  std::string Take() { return std::move(bytes_); }

 private:
  template <typename Fits>
  void PutWidth(std::uint64_t value, bool zero, Fits fits) {
    constexpr unsigned kWidths[] = {3, 6, 9, 12, 18, 25, 56};
    if (zero) return Put(0, 1);
    for (unsigned i = 0; i < std::size(kWidths); ++i) {
      if (!fits(kWidths[i])) continue;
      Put((std::uint64_t{2} << (i + 1)) - 2, i + 2);  // i + 1 ones, then a zero
      return Put(value, kWidths[i]);
    }
    Put(0xff, 8);
    Put(value, 64);
  }

  std::string bytes_;
  unsigned free_ = 0;  // bits of the last byte
};

// An XOR stream with a window of its own.
class XorStream {
 public:
  explicit XorStream(double first) : last_(std::bit_cast<std::uint64_t>(first)) {}

  void Put(double value, BitWriter* out) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const std::uint64_t change = bits ^ last_;
    last_ = bits;
    if (change == 0) return out->Put(0, 1);
    const unsigned leading = std::min(static_cast<unsigned>(std::countl_zero(change)), 31U);
    const auto trailing = static_cast<unsigned>(std::countr_zero(change));
    if (has_window_ && leading >= leading_ && trailing >= trailing_) {
      out->Put(0b10, 2);
    } else {
      leading_ = leading;
      trailing_ = trailing;
      has_window_ = true;
      out->Put(0b11, 2);
      out->Put(leading, 5);
      out->Put((64 - leading - trailing) & 63, 6);
    }
    out->Put(change >> trailing_, 64 - leading_ - trailing_);
  }

 private:
  std::uint64_t last_;
  unsigned leading_ = 0;
  unsigned trailing_ = 0;
  bool has_window_ = false;
};

void PutSpans(const std::vector<Span>& spans, BitWriter* out) {
  out->PutUnsignedVarbit(spans.size());
  for (const Span& span : spans) {
    out->PutUnsignedVarbit(span.length);
    out->PutVarbit(span.offset);
  }
}

void PutLayout(const FloatHistogram& h, BitWriter* out) {
  if (h.zero_threshold == 0) {
    out->Put(0, 8);
  } else {
    out->Put(255, 8);
    out->Put(std::bit_cast<std::uint64_t>(h.zero_threshold), 64);
  }
  out->PutVarbit(h.schema);
  PutSpans(h.positive_spans, out);
  PutSpans(h.negative_spans, out);
  if (!h.uses_custom_buckets()) return;
  out->PutUnsignedVarbit(h.custom_values.size());
  for (const double bound : h.custom_values) {
    const double thousandths = bound * 1000;
    AEVUM_CHECK(thousandths >= 0 && thousandths == std::floor(thousandths));
    out->PutUnsignedVarbit(static_cast<std::uint64_t>(thousandths) + 1);
  }
}

std::int64_t Whole(double count) {
  AEVUM_CHECK(count >= 0 && count == std::floor(count) && count < 1e15);
  return static_cast<std::int64_t>(count);
}

// All that a sample has as integers: its time, the counts, the buckets as differences from the one
// to their left.
std::vector<std::int64_t> Integers(TimestampMs time, const FloatHistogram& h) {
  std::vector<std::int64_t> all = {time, Whole(h.count), Whole(h.zero_count)};
  for (const std::vector<double>* side : {&h.positive_buckets, &h.negative_buckets}) {
    std::int64_t left = 0;
    for (const double bucket : *side) {
      all.push_back(Whole(bucket) - left);
      left = Whole(bucket);
    }
  }
  return all;
}

constexpr std::size_t kBeforeSum = 3;  // time, count, zero count

}  // namespace

std::string EncodeHistogramChunk(std::span<const TimestampMs> times,
                                 std::span<const FloatHistogram> histograms) {
  AEVUM_CHECK(times.size() == histograms.size() && !times.empty() && times.size() <= 0xffff);
  BitWriter out;
  out.Put(times.size(), 16);
  out.Put(0, 8);  // nothing is known of a reset before the chunk
  PutLayout(histograms[0], &out);
  std::vector<std::int64_t> last = Integers(times[0], histograms[0]);
  out.PutVarbit(last[0]);
  out.PutUnsignedVarbit(static_cast<std::uint64_t>(last[1]));
  out.PutUnsignedVarbit(static_cast<std::uint64_t>(last[2]));
  out.Put(std::bit_cast<std::uint64_t>(histograms[0].sum), 64);
  for (std::size_t k = kBeforeSum; k < last.size(); ++k) out.PutVarbit(last[k]);

  std::vector<std::int64_t> last_delta(last.size(), 0);
  XorStream sums(histograms[0].sum);
  for (std::size_t i = 1; i < times.size(); ++i) {
    AEVUM_CHECK(SameLayout(histograms[0], histograms[i]));
    const std::vector<std::int64_t> next = Integers(times[i], histograms[i]);
    for (std::size_t k = 0; k < next.size(); ++k) {
      if (k == kBeforeSum) sums.Put(histograms[i].sum, &out);
      const std::int64_t delta = next[k] - last[k];
      out.PutVarbit(delta - last_delta[k]);
      last_delta[k] = delta;
    }
    if (next.size() == kBeforeSum) sums.Put(histograms[i].sum, &out);
    last = next;
  }
  return out.Take();
}

bool SameLayout(const FloatHistogram& a, const FloatHistogram& b) {
  return a.schema == b.schema && a.zero_threshold == b.zero_threshold &&
         a.positive_spans == b.positive_spans && a.negative_spans == b.negative_spans &&
         a.custom_values == b.custom_values;
}

}  // namespace aevum::bench
