#include "chunk/xor2.h"

#include <bit>
#include <cstdint>

#include "chunk/bit_reader.h"
#include "chunk/start_time.h"

namespace aevum::chunk {
namespace {

constexpr std::size_t kHeaderBytes = 3;

// Two's complement, unlike the varbits.
std::uint64_t ReadSigned(BitReader& reader, unsigned count) {
  const std::uint64_t bits = reader.Read(count);
  const unsigned unused = 64 - count;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(bits << unused) >> unused);
}

// The values: staleness markers stand outside of the stream of XORed ones.
class ValueReader {
 public:
  double ReadFirst(BitReader& reader) {
    const std::uint64_t bits = reader.Read(64);
    if (bits != kStaleNanBits) bits_ = bits;
    return std::bit_cast<double>(bits);
  }

  double Unchanged() const { return std::bit_cast<double>(bits_); }

  // Behind a change of the interval: 0 unchanged, 10 same window, 110 new window, 111 stale.
  double Read(BitReader& reader) {
    if (!reader.ReadBit()) return Unchanged();
    if (!reader.ReadBit()) return ReadChange(reader);
    if (reader.ReadBit()) return std::bit_cast<double>(kStaleNanBits);
    return ReadNewWindow(reader);
  }

  // Known to have changed: 0 same window, 1 new window.
  double ReadChanged(BitReader& reader) {
    return reader.ReadBit() ? ReadNewWindow(reader) : ReadChange(reader);
  }

  // A window that does not fit into 64 bits.
  bool failed() const { return failed_; }

 private:
  double ReadNewWindow(BitReader& reader) {
    if (!ReadWindow(reader, &window_)) {
      failed_ = true;
      return 0;
    }
    return ReadChange(reader);
  }
  double ReadChange(BitReader& reader) {
    bits_ ^= ReadInWindow(reader, window_);
    return Unchanged();
  }

  std::uint64_t bits_ = 0;
  XorWindow window_;
  bool failed_ = false;
};

// The prefix of the third and later samples.
double ReadSample(BitReader& reader, ValueReader& values, std::uint64_t* delta) {
  if (!reader.ReadBit()) return values.Unchanged();
  if (!reader.ReadBit()) return values.ReadChanged(reader);
  if (!reader.ReadBit()) {
    *delta += ReadSigned(reader, 13);
  } else if (!reader.ReadBit()) {
    *delta += ReadSigned(reader, 20);
  } else if (!reader.ReadBit()) {
    *delta += reader.Read(64);
  } else {
    return std::bit_cast<double>(kStaleNanBits);
  }
  return values.Read(reader);
}

// Whether it is a number of so many bits in two's complement.
bool FitsSigned(std::uint64_t value, unsigned count) {
  const std::uint64_t half = std::uint64_t{1} << (count - 1);
  return value + half < 2 * half;
}

}  // namespace

Status DecodeXor2(std::string_view data, Columns* out) {
  if (data.size() < kHeaderBytes) return Corruption("an XOR2 chunk of {} bytes", data.size());
  const unsigned samples = ClaimedSamples(Encoding::kXor2, data);
  StartTimeReader start_times(static_cast<std::uint8_t>(data[2]));
  BitReader reader(data.substr(kHeaderBytes));
  // A sample takes a bit or more, so a damaged count can't ask for memory.
  const std::size_t before = out->times.size();
  bool whole = samples <= reader.bits_left();
  if (whole) {
    out->times.reserve(before + samples);
    out->values.reserve(before + samples);
  }
  ValueReader values;
  std::uint64_t time = 0;
  std::uint64_t delta = 0;
  for (unsigned i = 0; i < samples && whole; ++i) {
    double value = 0;
    if (i == 0) {
      time = static_cast<std::uint64_t>(reader.ReadVarint());
      value = values.ReadFirst(reader);
    } else if (i == 1) {
      delta = reader.ReadUvarint();
      value = values.Read(reader);
    } else {
      value = ReadSample(reader, values, &delta);
    }
    const std::uint64_t previous = time;
    time += delta;
    start_times.Read(reader, i, time, previous);
    if (out->with_starts) out->starts.push_back(start_times.start());
    out->times.push_back(static_cast<TimestampMs>(time));
    out->values.push_back(value);
    whole = !reader.failed() && !values.failed();
  }
  if (whole) return OkStatus();
  out->times.resize(before);
  out->values.resize(before);
  return Corruption("XOR2 chunk ends before its samples do, samples: {}, bytes: {}", samples,
                    data.size());
}

// Behind a change of the interval, and of the second sample.
void Xor2Encoder::PutValue(std::uint64_t bits) {
  if (bits == kStaleNanBits) {
    out_.Put(0b111, 3);
  } else if (bits == values_.bits()) {
    out_.Put(0, 1);
  } else {
    values_.PutChanged(out_, bits, {0b10, 2}, {0b110, 3});
  }
}

// The third and later samples.
void Xor2Encoder::PutLater(std::uint64_t delta_of_delta, std::uint64_t bits) {
  if (delta_of_delta == 0) {
    if (bits == kStaleNanBits) {
      out_.Put(0b11111, 5);
    } else if (bits == values_.bits()) {
      out_.Put(0, 1);
    } else {
      values_.PutChanged(out_, bits, {0b100, 3}, {0b101, 3});
    }
    return;
  }
  if (FitsSigned(delta_of_delta, 13)) {
    out_.Put(0b110, 3);
    out_.Put(delta_of_delta, 13);
  } else if (FitsSigned(delta_of_delta, 20)) {
    out_.Put(0b1110, 4);
    out_.Put(delta_of_delta, 20);
  } else {
    out_.Put(0b11110, 5);
    out_.Put(delta_of_delta, 64);
  }
  PutValue(bits);
}

void Xor2Encoder::Append(TimestampMs time, double value, TimestampMs start) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto now = static_cast<std::uint64_t>(time);
  const std::uint64_t previous = time_;
  const std::uint64_t delta = now - previous;
  if (samples_ == 0) {
    out_.PutVarint(time);
    out_.Put(bits, 64);
    if (bits != kStaleNanBits) values_.Start(bits);
  } else {
    if (samples_ == 1) {
      out_.PutUvarint(delta);
      PutValue(bits);
    } else {
      PutLater(delta - delta_, bits);
    }
    delta_ = delta;
  }
  starts_.Write(out_, samples_, now, previous, start);
  time_ = now;
  ++samples_;
}

std::string Xor2Encoder::Bytes() const {
  return out_.Bytes(std::string{static_cast<char>(samples_ >> 8), static_cast<char>(samples_),
                                static_cast<char>(starts_.header())});
}

}  // namespace aevum::chunk
