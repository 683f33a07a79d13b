#include "chunk/xor.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "encoding/byte_reader.h"

namespace aevum::chunk {
namespace {

constexpr std::size_t kSpare = 3;    // elements behind its samples that decoding may write
constexpr std::size_t kMargin = 24;  // bytes that decoding one sample may look ahead
constexpr std::size_t kTail = 40;    // last bytes of a chunk that are decoded from a copy

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

// `word` holds the bits at s.pos + used, at least 33 of them. False when the value is the same.
inline bool ReadValue(Stream& s, std::uint64_t word, unsigned used) {
  if (!(word >> 63)) {
    s.pos += used + 1;
    return false;
  }
  if ((word >> 62) & 1) {
    s.leading = static_cast<unsigned>(word >> 57) & 31;
    const unsigned significant = static_cast<unsigned>(word >> 51) & 63;
    // Damaged bytes can name a window beyond the value, or use one before there is any.
    s.significant = std::min(significant == 0 ? 64 : significant, 64 - s.leading);
    s.pos += used + 13;
  } else {
    s.pos += used + 2;
  }
  if (s.significant == 0) return false;
  s.value ^= ReadBits(s, s.pos, s.significant) << (64 - s.leading - s.significant);
  s.pos += s.significant;
  return true;
}

constexpr std::uint64_t kExponent = 0x7ff;

// Whether the bits are those of an infinite value or of a NaN.
bool IsNotFinite(std::uint64_t bits) { return (bits >> 52 & kExponent) == kExponent; }

// Notes nothing.
struct NoSummary {
  void Step(std::uint64_t /*delta*/) {}
  void Value(std::uint64_t /*bits*/) {}
};

// Notes what an XorSummary tells.
struct Summary {
  void Step(std::uint64_t delta) {
    const auto step = static_cast<TimestampMs>(delta);
    least = std::min(least, step);
    most = std::max(most, step);
  }
  void Value(std::uint64_t bits) { greatest = std::max(greatest, bits << 1); }

  TimestampMs least = kMaxTime;
  TimestampMs most = kMinTime;
  std::uint64_t greatest = 0;  // value, without its sign
};

// `count` samples without a change, and up to kSpare more.
inline void StoreRun(const Stream& s, unsigned count, TimestampMs* times, double* values) {
  const double value = std::bit_cast<double>(s.value);
  std::uint64_t time = s.time;
  for (unsigned i = 0; i < count; i += 4, time += 4 * s.delta) {
    for (unsigned k = 0; k < 4; ++k) {
      times[i + k] = static_cast<TimestampMs>(time + (k + 1) * s.delta);
      values[i + k] = value;
    }
  }
}

// The change of the delta at `word`; the bits that it took, 0 where `word` was loaded anew behind.
inline unsigned ReadDelta(Stream& s, std::uint64_t& word) {
  if (!(word >> 63)) return 1;
  if (!((word >> 62) & 1)) {
    s.delta += SignExtend<14>(word >> 48);
    return 16;
  }
  if (!((word >> 61) & 1)) {
    s.delta += SignExtend<17>(word >> 44);
    return 20;
  }
  if (!((word >> 60) & 1)) {
    s.delta += SignExtend<20>(word >> 40);
    return 24;
  }
  s.delta += ReadBits(s, s.pos + 4, 64);
  s.pos += 68;
  word = LoadBigEndian(s.base + (s.pos >> 3)) << (s.pos & 7);
  return 0;
}

// Decodes up to `count` samples while the position is within the limit; how many. The arrays must
// have room for kSpare more.
template <typename Seen>
unsigned DecodeSamples(Stream& stream, unsigned count, TimestampMs* times, double* values,
                       Seen& seen) {
  Stream s = stream;  // copies that no store to the columns can alias stay in registers
  Seen noted = seen;
  unsigned i = 0;
  while (i < count && s.pos <= s.limit) {
    std::uint64_t word = LoadBigEndian(s.base + (s.pos >> 3)) << (s.pos & 7);
    if (!(word >> 62)) {  // neither delta nor value changed, once or several times
      const auto zeros = static_cast<unsigned>(std::countl_zero(word | 0xff));
      const unsigned run = std::min(zeros / 2, count - i);
      s.pos += 2 * run;
      StoreRun(s, run, times + i, values + i);
      s.time += run * s.delta;
      i += run;
      continue;
    }
    const unsigned used = ReadDelta(s, word);
    s.time += s.delta;
    noted.Step(s.delta);
    if (ReadValue(s, word << used, used)) noted.Value(s.value);
    times[i] = static_cast<TimestampMs>(s.time);
    values[i++] = std::bit_cast<double>(s.value);
  }
  stream = s;
  seen = noted;
  return i;
}

// The last bytes of a chunk with zeros behind them, so that looking ahead stays inside.
struct Tail {
  explicit Tail(std::string_view data) {
    for (std::size_t i = kTail; i < kTail + kMargin; i += 8) std::memset(bytes + i, 0, 8);
    if (data.size() >= kTail) {
      // Word by word: for one copy of this size the compiler takes a slow string instruction.
      from = data.size() - kTail;
      for (std::size_t i = 0; i < kTail; i += 8) std::memcpy(bytes + i, data.data() + from + i, 8);
    } else {
      std::memset(bytes, 0, kTail);
      std::memcpy(bytes, data.data(), data.size());
    }
  }

  alignas(16) std::uint8_t bytes[kTail + kMargin];
  std::size_t from = 0;  // where in the chunk they start
};

// The second sample has a plain delta in front of its value, which s.pos points at; those after it
// are alike. False when `data` ends before `count` samples do.
template <typename Seen>
bool DecodeAfterFirst(std::string_view data, Stream s, unsigned count, TimestampMs* times,
                      double* values, Seen& seen) {
  const Tail tail(data);
  const auto enter_tail = [&] {
    s.base = tail.bytes;
    s.pos -= tail.from * 8;
    s.limit = (data.size() - tail.from) * 8 - 1;
  };
  s.base = reinterpret_cast<const std::uint8_t*>(data.data());
  s.limit = data.size() < kMargin ? 0 : (data.size() - kMargin) * 8;
  const bool in_tail = s.pos > s.limit;
  if (in_tail) enter_tail();
  if (ReadValue(s, LoadBigEndian(s.base + (s.pos >> 3)), 0)) seen.Value(s.value);
  s.time += s.delta;
  seen.Step(s.delta);
  times[0] = static_cast<TimestampMs>(s.time);
  values[0] = std::bit_cast<double>(s.value);
  unsigned done = 1 + DecodeSamples(s, count - 1, times + 1, values + 1, seen);
  if (!in_tail) {
    if (done == count) return true;  // whole samples, since none is longer than the margin
    enter_tail();
    done += DecodeSamples(s, count - done, times + done, values + done, seen);
  }
  return done == count && s.pos <= s.limit + 1;
}

template <typename Seen>
Status DecodeNoting(std::string_view data, std::uint32_t most, Seen& seen, Columns* out) {
  encoding::ByteReader reader(data);
  const unsigned samples = std::min<unsigned>(reader.ReadU16(), most);
  RETURN_IF_ERROR(reader.status());
  if (samples == 0) return OkStatus();
  Stream s{};
  s.time = static_cast<std::uint64_t>(reader.ReadVarint());
  s.value = reader.ReadU64();
  RETURN_IF_ERROR(reader.status());
  const std::size_t before = out->times.size();
  // A sample takes two bits or more, so a damaged count can't ask for memory.
  bool whole = samples - 1 <= (data.size() - reader.offset()) * 4;
  if (whole) {
    const std::size_t room = before + samples + kSpare;
    out->times.resize(room);
    out->values.resize(room);
    TimestampMs* times = out->times.data() + before;
    double* values = out->values.data() + before;
    times[0] = static_cast<TimestampMs>(s.time);
    values[0] = std::bit_cast<double>(s.value);
    seen.Value(s.value);
    if (samples > 1) {
      s.delta = reader.ReadUvarint();
      s.pos = reader.offset() * 8;
      whole = reader.status().ok() && !reader.done() &&
              DecodeAfterFirst(data, s, samples - 1, times + 1, values + 1, seen);
    }
    const std::size_t size = whole ? before + samples : before;
    out->times.resize(size);
    out->values.resize(size);
  }
  if (!whole) {
    return Corruption("xor chunk ends before its samples do, samples: {}, bytes: {}", samples,
                      data.size());
  }
  return OkStatus();
}

constexpr unsigned kTopBits = 12;  // of a value: sign and exponent

// A walk from sample to sample, which knows of the values only the sign and the exponent.
struct Walk {
  const std::uint8_t* base;
  std::size_t pos;       // in bits
  std::size_t limit;     // the last position at which another sample may start
  std::uint64_t top;     // sign and exponent of the value
  std::uint64_t most;    // the greatest exponent so far
  unsigned significant;  // bits of the window; 0: none yet
  unsigned shift;        // brings the first bits of the window to their place in `top`,
  std::uint64_t mask;    // and this leaves those that are inside both
};

inline void OpenWindow(Walk& w, std::uint64_t word) {
  const unsigned leading = static_cast<unsigned>(word >> 57) & 31;
  const unsigned significant = static_cast<unsigned>(word >> 51) & 63;
  w.significant = std::min(significant == 0 ? 64 : significant, 64 - leading);
  const unsigned above = std::min(leading, kTopBits);
  const unsigned below = kTopBits - above - std::min(w.significant, kTopBits - above);
  w.shift = 64 - kTopBits + std::min(above, kTopBits - 1);
  w.mask = above == kTopBits ? 0 : ~std::uint64_t{0} << below;
}

// As ReadValue.
inline void WalkValue(Walk& w, std::uint64_t word, unsigned used) {
  if (!(word >> 63)) {
    w.pos += used + 1;
    return;
  }
  unsigned header = 2;
  if ((word >> 62) & 1) {
    OpenWindow(w, word);
    header = 13;
  }
  w.pos += used + header + w.significant;
  if (w.mask == 0) return;
  w.top ^= (word << header >> w.shift) & w.mask;
  w.most = std::max(w.most, w.top & kExponent);
}

// The bits of the change of a delta at `word`, which is loaded anew behind the longest.
inline unsigned WalkDelta(Walk& w, std::uint64_t& word) {
  if (!(word >> 63)) return 1;
  if (!((word >> 62) & 1)) return 16;
  if (!((word >> 61) & 1)) return 20;
  if (!((word >> 60) & 1)) return 24;
  w.pos += 68;
  word = LoadBigEndian(w.base + (w.pos >> 3)) << (w.pos & 7);
  return 0;
}

// Passes up to `count` samples while the position is within the limit; how many.
unsigned WalkSamples(Walk& walk, unsigned count) {
  Walk w = walk;
  unsigned i = 0;
  while (i < count && w.pos <= w.limit) {
    std::uint64_t word = LoadBigEndian(w.base + (w.pos >> 3)) << (w.pos & 7);
    if (!(word >> 62)) {
      const auto zeros = static_cast<unsigned>(std::countl_zero(word | 0xff));
      const unsigned run = std::min(zeros / 2, count - i);
      w.pos += 2 * run;
      i += run;
      continue;
    }
    const unsigned used = WalkDelta(w, word);
    WalkValue(w, word << used, used);
    ++i;
  }
  walk = w;
  return i;
}

}  // namespace

bool IsFiniteXor(std::string_view data) {
  encoding::ByteReader reader(data);
  const unsigned samples = reader.ReadU16();
  reader.ReadVarint();
  const std::uint64_t first = reader.ReadU64();
  if (samples > 1) reader.ReadUvarint();
  if (!reader.status().ok() || IsNotFinite(first)) return false;
  if (samples < 2) return true;
  Walk w{};
  w.pos = reader.offset() * 8;
  w.top = first >> (64 - kTopBits);
  const Tail tail(data);
  const auto enter_tail = [&] {
    w.base = tail.bytes;
    w.pos -= tail.from * 8;
    w.limit = (data.size() - tail.from) * 8 - 1;
  };
  w.base = reinterpret_cast<const std::uint8_t*>(data.data());
  w.limit = data.size() < kMargin ? 0 : (data.size() - kMargin) * 8;
  const bool in_tail = w.pos > w.limit;
  if (in_tail) enter_tail();
  WalkValue(w, LoadBigEndian(w.base + (w.pos >> 3)) << (w.pos & 7), 0);
  unsigned done = 2 + WalkSamples(w, samples - 2);
  if (!in_tail && done < samples) {
    enter_tail();
    done += WalkSamples(w, samples - done);
  }
  return done == samples && w.pos <= w.limit + 1 && w.most < kExponent;
}

Status DecodeXor(std::string_view data, Columns* out, std::uint32_t most) {
  NoSummary none;
  return DecodeNoting(data, most, none, out);
}

Status DecodeXor(std::string_view data, XorSummary* seen, Columns* out) {
  Summary summary;
  RETURN_IF_ERROR(DecodeNoting(data, 0xffff, summary, out));
  *seen = {.least_step = summary.least,
           .most_step = summary.most,
           .finite = !IsNotFinite(summary.greatest >> 1)};
  return OkStatus();
}

// Appends bits to a stream. A copy of the state, which stays in registers.
class XorEncoder::Writer {
 public:
  Writer(const State& state, std::uint8_t* stream) : s_(state), stream_(stream) {}

  const State& state() const { return s_; }

  void Append(TimestampMs time, std::uint64_t bits) {
    const std::uint64_t delta =
        static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(s_.time);
    if (s_.samples > 1) {
      const std::uint64_t change = delta - s_.delta;
      if (change == 0 && bits == s_.value) {
        Put(0, 2);
      } else {
        PutDelta(change);
        PutValue(bits);
      }
    } else if (s_.samples == 1) {
      PutUvarint(delta);
      PutValue(bits);
    } else {
      const auto unsigned_time = static_cast<std::uint64_t>(time);
      PutUvarint(unsigned_time << 1 ^ static_cast<std::uint64_t>(time >> 63));
      PutLong(bits, 64);
    }
    s_.value = bits;
    s_.delta = delta;
    s_.time = time;
    ++s_.samples;
  }

 private:
  // Up to 57 bits; no others may be set. Writes 8 bytes, of which later ones write over the last.
  void Put(std::uint64_t value, unsigned count) {
    s_.word |= value << (64 - s_.word_bits - count);
    const std::uint64_t big_endian = __builtin_bswap64(s_.word);
    std::memcpy(stream_ + s_.used, &big_endian, sizeof big_endian);
    s_.word_bits += count;
    s_.used += s_.word_bits >> 3;
    // Two shifts, as one by 64 is undefined.
    s_.word = s_.word << (s_.word_bits >> 3 << 2) << (s_.word_bits >> 3 << 2);
    s_.word_bits &= 7;
  }

  // 1 to 64 bits.
  void PutLong(std::uint64_t value, unsigned count) {
    if (count > 57) {
      Put(value >> 32, count - 32);
      value &= 0xffffffff;
      count = 32;
    }
    Put(value, count);
  }

  void PutUvarint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) Put((value & 0x7f) | 0x80, 8);
    Put(value, 8);
  }

  void PutDelta(std::uint64_t delta_of_delta) {
    const auto value = static_cast<std::int64_t>(delta_of_delta);
    const auto fits = [value](unsigned n) {
      const std::int64_t half = std::int64_t{1} << (n - 1);
      return value > -half && value <= half;
    };
    if (value == 0) {
      Put(0, 1);
    } else if (fits(14)) {
      Put(std::uint64_t{0b10} << 14 | (delta_of_delta & 0x3fff), 16);
    } else if (fits(17)) {
      Put(std::uint64_t{0b110} << 17 | (delta_of_delta & 0x1ffff), 20);
    } else if (fits(20)) {
      Put(std::uint64_t{0b1110} << 20 | (delta_of_delta & 0xfffff), 24);
    } else {
      Put(0b1111, 4);
      PutLong(delta_of_delta, 64);
    }
  }

  void PutValue(std::uint64_t bits) {
    const std::uint64_t change = bits ^ s_.value;
    if (change == 0) {
      Put(0, 1);
      return;
    }
    // Five bits hold the leading zeros.
    const unsigned leading = std::min(static_cast<unsigned>(std::countl_zero(change)), 31U);
    const auto trailing = static_cast<unsigned>(std::countr_zero(change));
    std::uint64_t header = 0b10;
    unsigned header_bits = 2;
    if (!s_.has_window || leading < s_.leading || trailing < s_.trailing) {
      s_.leading = leading;
      s_.trailing = trailing;
      s_.has_window = true;
      header = std::uint64_t{0b11} << 11 | std::uint64_t{leading} << 6 |
               ((64 - leading - trailing) & 63);
      header_bits = 13;
    }
    const unsigned significant = 64 - s_.leading - s_.trailing;
    if (significant + header_bits <= 57) {
      Put(header << significant | change >> s_.trailing, significant + header_bits);
    } else {
      Put(header, header_bits);
      PutLong(change >> s_.trailing, significant);
    }
  }

  State s_;
  std::uint8_t* const stream_;
};

void XorEncoder::Append(std::span<const TimestampMs> times, std::span<const double> values) {
  // A sample takes at most 10 bytes for its time and 10 for its value; Put writes up to 8 behind.
  constexpr std::size_t kSampleRoom = 20;
  const std::size_t room = state_.used + times.size() * kSampleRoom + 8;
  if (bytes_.size() < room) bytes_.resize(std::max(room, 2 * bytes_.size()));
  Writer writer(state_, bytes_.data());
  for (std::size_t i = 0; i < times.size(); ++i)
    writer.Append(times[i], std::bit_cast<std::uint64_t>(values[i]));
  state_ = writer.state();
}

std::string XorEncoder::Bytes() const {
  std::string out;
  out.reserve(state_.used + 3);
  out += static_cast<char>(state_.samples >> 8);
  out += static_cast<char>(state_.samples);
  out.append(reinterpret_cast<const char*>(bytes_.data()), state_.used);
  if (state_.word_bits > 0) out += static_cast<char>(state_.word >> 56);
  return out;
}

}  // namespace aevum::chunk
