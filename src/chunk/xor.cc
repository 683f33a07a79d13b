#include "chunk/xor.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "encoding/byte_reader.h"

namespace aevum::chunk {
namespace {

constexpr unsigned kBlock = 128;     // samples that are decoded before they are appended
constexpr std::size_t kMargin = 24;  // bytes that decoding one sample may look ahead
constexpr std::size_t kTail = 2 * kMargin + 16;

std::uint64_t LoadBigEndian(const std::uint8_t* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return __builtin_bswap64(word);
}

struct Stream {
  const std::uint8_t* base;
  std::size_t pos;     // in bits
  std::size_t limit;   // the last position at which another sample may start
  std::uint64_t time;  // of damaged bytes it may wrap, hence unsigned
  std::uint64_t delta;
  std::uint64_t value;
  unsigned leading;
  unsigned significant;  // bits of the window; 0: none yet
};

std::uint64_t ReadBits(const Stream& s, std::size_t pos, unsigned count) {
  const std::uint8_t* at = s.base + (pos >> 3);
  const unsigned shift = pos & 7;
  std::uint64_t word = LoadBigEndian(at) << shift;
  if (shift + count > 64) word |= at[8] >> (8 - shift);
  return word >> (64 - count);
}

// A delta of n bits: values above the middle stand for negative ones.
template <unsigned kBits>
std::uint64_t SignExtend(std::uint64_t bits) {
  bits &= (std::uint64_t{1} << kBits) - 1;
  return bits > (std::uint64_t{1} << (kBits - 1)) ? bits - (std::uint64_t{1} << kBits) : bits;
}

// `word` holds the bits at s.pos + used, at least 33 of them.
inline void ReadValue(Stream& s, std::uint64_t word, unsigned used) {
  if (!(word >> 63)) {
    s.pos += used + 1;
    return;
  }
  if ((word >> 62) & 1) {
    s.leading = static_cast<unsigned>(word >> 57) & 31;
    const unsigned significant = static_cast<unsigned>(word >> 51) & 63;
    s.significant = significant == 0 ? 64 : significant;
    s.pos += used + 13;
  } else {
    s.pos += used + 2;
  }
  // Damaged bytes can name a window beyond the value, or use one before there is any.
  if (s.leading + s.significant > 64) s.significant = 64 - s.leading;
  if (s.significant == 0) return;
  s.value ^= ReadBits(s, s.pos, s.significant) << (64 - s.leading - s.significant);
  s.pos += s.significant;
}

// Decodes up to `count` samples while the position is within the limit. The arrays must have room
// for three more.
unsigned DecodeBlock(Stream& s, unsigned count, TimestampMs* times, double* values) {
  unsigned i = 0;
  while (i < count && s.pos <= s.limit) {
    std::uint64_t word = LoadBigEndian(s.base + (s.pos >> 3)) << (s.pos & 7);
    if (!(word >> 62)) {  // neither delta nor value changed, once or several times
      const auto zeros = static_cast<unsigned>(std::countl_zero(word | 0xff));
      const unsigned run = std::min(zeros / 2, count - i);
      s.pos += 2 * run;
      const double value = std::bit_cast<double>(s.value);
      for (unsigned j = 0; j < run; j += 4) {
        for (unsigned k = 0; k < 4; ++k) {
          times[i + j + k] = static_cast<TimestampMs>(s.time + (j + k + 1) * s.delta);
          values[i + j + k] = value;
        }
      }
      s.time += run * s.delta;
      i += run;
      continue;
    }
    unsigned used = 0;
    if (!(word >> 63)) {
      used = 1;
    } else if (!((word >> 62) & 1)) {
      used = 16;
      s.delta += SignExtend<14>(word >> 48);
    } else if (!((word >> 61) & 1)) {
      used = 20;
      s.delta += SignExtend<17>(word >> 44);
    } else if (!((word >> 60) & 1)) {
      used = 24;
      s.delta += SignExtend<20>(word >> 40);
    } else {
      s.delta += ReadBits(s, s.pos + 4, 64);
      s.pos += 68;
      word = LoadBigEndian(s.base + (s.pos >> 3)) << (s.pos & 7);
    }
    s.time += s.delta;
    ReadValue(s, word << used, used);
    times[i] = static_cast<TimestampMs>(s.time);
    values[i++] = std::bit_cast<double>(s.value);
  }
  return i;
}

void AppendSamples(const TimestampMs* times, const double* values, unsigned count, Columns* out) {
  out->times.insert(out->times.end(), times, times + count);
  out->values.insert(out->values.end(), values, values + count);
}

// Decodes `left` samples at s until the limit; the number that are still left.
unsigned DecodeSamples(Stream& s, unsigned left, Columns* out) {
  TimestampMs times[kBlock + 3];
  double values[kBlock + 3];
  while (left > 0) {
    const unsigned got = DecodeBlock(s, std::min(left, kBlock), times, values);
    AppendSamples(times, values, got, out);
    left -= got;
    if (s.pos > s.limit) break;
  }
  return left;
}

// All samples after the first, whose bits start at s.pos, in `bytes` bytes at s.base. False when
// the bytes end before the samples do.
bool DecodeRest(Stream s, std::size_t bytes, unsigned left, Columns* out) {
  if (bytes > kMargin) {
    s.limit = (bytes - kMargin) * 8;
    left = DecodeSamples(s, left, out);
  }
  // The last bytes go on from a copy with zeros behind them.
  const std::size_t at = s.pos >> 3;
  if (at > bytes) return false;
  std::uint8_t tail[kTail] = {};
  std::memcpy(tail, s.base + at, std::min(bytes - at, kTail - kMargin));
  const std::size_t end = (bytes - at) * 8;
  s.base = tail;
  s.pos &= 7;
  s.limit = end == 0 ? 0 : end - 1;
  if (left > 0 && end > 0) left = DecodeSamples(s, left, out);
  return left == 0 && s.pos <= end;
}

}  // namespace

Status DecodeXor(std::string_view data, Columns* out) {
  encoding::ByteReader reader(data);
  const unsigned samples = reader.ReadU16();
  RETURN_IF_ERROR(reader.status());
  if (samples == 0) return OkStatus();
  Stream s{};
  s.time = static_cast<std::uint64_t>(reader.ReadVarint());
  s.value = reader.ReadU64();
  RETURN_IF_ERROR(reader.status());
  const std::size_t before = out->times.size();
  out->times.push_back(static_cast<TimestampMs>(s.time));
  out->values.push_back(std::bit_cast<double>(s.value));
  if (samples == 1) return OkStatus();

  bool whole = true;
  s.delta = reader.ReadUvarint();
  if (reader.status().ok() && !reader.done()) {
    // The second sample has a plain delta in front of its value.
    const std::size_t offset = reader.offset();
    const std::size_t rest = data.size() - offset;
    std::uint8_t start[kTail] = {};
    std::memcpy(start, data.data() + offset, std::min(rest, kTail - 16));
    s.base = start;
    s.pos = 0;
    ReadValue(s, LoadBigEndian(start), 0);
    s.time += s.delta;
    out->times.push_back(static_cast<TimestampMs>(s.time));
    out->values.push_back(std::bit_cast<double>(s.value));
    s.base = reinterpret_cast<const std::uint8_t*>(data.data()) + offset;
    whole = s.pos <= rest * 8 && DecodeRest(s, rest, samples - 2, out);
  } else {
    whole = false;
  }
  if (!whole) {
    out->times.resize(before);
    out->values.resize(before);
    return Corruption("xor chunk ends before its samples do, samples: {}, bytes: {}", samples,
                      data.size());
  }
  return OkStatus();
}

void XorEncoder::Reset() {
  bytes_.clear();
  word_ = 0;
  word_bits_ = 0;
  samples_ = 0;
  has_window_ = false;
}

void XorEncoder::Put(std::uint64_t bits, unsigned count) {
  const unsigned room = 64 - word_bits_;
  if (count < room) {
    word_ = word_ << count | bits;
    word_bits_ += count;
    return;
  }
  const unsigned over = count - room;
  // A shift by 64 is undefined, hence the case of an empty word.
  std::uint64_t full = (room == 64 ? 0 : word_ << room) | bits >> over;
  full = __builtin_bswap64(full);
  char text[8];
  std::memcpy(text, &full, sizeof text);
  bytes_.append(text, sizeof text);
  word_ = over == 0 ? 0 : bits & ((std::uint64_t{1} << over) - 1);
  word_bits_ = over;
}

void XorEncoder::PutDelta(std::int64_t delta_of_delta) {
  const auto bits = static_cast<std::uint64_t>(delta_of_delta);
  const auto fits = [&](unsigned n) {
    const std::int64_t half = std::int64_t{1} << (n - 1);
    return delta_of_delta >= -half + 1 && delta_of_delta <= half;
  };
  if (delta_of_delta == 0) {
    Put(0, 1);
  } else if (fits(14)) {
    Put(std::uint64_t{0b10} << 14 | (bits & 0x3fff), 16);
  } else if (fits(17)) {
    Put(std::uint64_t{0b110} << 17 | (bits & 0x1ffff), 20);
  } else if (fits(20)) {
    Put(std::uint64_t{0b1110} << 20 | (bits & 0xfffff), 24);
  } else {
    Put(0b1111, 4);
    Put(bits, 64);
  }
}

void XorEncoder::PutValue(std::uint64_t bits) {
  const std::uint64_t change = bits ^ value_;
  value_ = bits;
  if (change == 0) {
    Put(0, 1);
    return;
  }
  // Five bits hold the leading zeros.
  const unsigned leading = std::min(static_cast<unsigned>(std::countl_zero(change)), 31U);
  const auto trailing = static_cast<unsigned>(std::countr_zero(change));
  if (has_window_ && leading >= leading_ && trailing >= trailing_) {
    const unsigned significant = 64 - leading_ - trailing_;
    if (significant <= 62) {
      Put(std::uint64_t{0b10} << significant | change >> trailing_, significant + 2);
    } else {
      Put(0b10, 2);
      Put(change >> trailing_, significant);
    }
    return;
  }
  leading_ = leading;
  trailing_ = trailing;
  has_window_ = true;
  const unsigned significant = 64 - leading - trailing;
  const std::uint64_t header =
      std::uint64_t{0b11} << 11 | std::uint64_t{leading} << 6 | (significant & 63);
  if (significant <= 51) {
    Put(header << significant | change >> trailing, significant + 13);
  } else {
    Put(header, 13);
    Put(change >> trailing, significant);
  }
}

void XorEncoder::Append(TimestampMs time, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  if (samples_ == 0) {
    auto rest = static_cast<std::uint64_t>(time) << 1 ^ static_cast<std::uint64_t>(time >> 63);
    for (; rest >= 0x80; rest >>= 7) PutByte(static_cast<std::uint8_t>(rest | 0x80));
    PutByte(static_cast<std::uint8_t>(rest));
    Put(bits, 64);
    value_ = bits;
  } else {
    const std::uint64_t delta =
        static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(time_);
    if (samples_ == 1) {
      std::uint64_t rest = delta;
      for (; rest >= 0x80; rest >>= 7) PutByte(static_cast<std::uint8_t>(rest | 0x80));
      PutByte(static_cast<std::uint8_t>(rest));
      PutValue(bits);
    } else {
      const std::uint64_t change = delta - delta_;
      if (change == 0 && bits == value_) {
        Put(0, 2);
      } else {
        PutDelta(static_cast<std::int64_t>(change));
        PutValue(bits);
      }
    }
    delta_ = delta;
  }
  time_ = time;
  ++samples_;
}

std::string XorEncoder::Bytes() const {
  std::string out;
  out.reserve(bytes_.size() + 10);
  out += static_cast<char>(samples_ >> 8);
  out += static_cast<char>(samples_);
  out += bytes_;
  for (unsigned done = 0; done < word_bits_; done += 8) {
    const unsigned left = word_bits_ - done;
    const std::uint64_t byte = left >= 8 ? word_ >> (left - 8) : word_ << (8 - left);
    out += static_cast<char>(byte);
  }
  return out;
}

}  // namespace aevum::chunk
