// Bits from the highest of the first byte on, written as BitReader reads them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "chunk/bit_reader.h"

namespace aevum::chunk {

// Thread-compatible.
class BitWriter {
 public:
  // The lower `count` bits of `value`, 0 to 64; those above are not looked at.
  void Put(std::uint64_t value, unsigned count) {
    if (count == 0) return;
    if (count < 64) value &= (std::uint64_t{1} << count) - 1;
    const unsigned room = 64 - used_;
    if (count < room) {
      word_ |= value << (room - count);
      used_ += count;
      return;
    }
    const unsigned rest = count - room;
    Flush(word_ | value >> rest);
    used_ = rest;
    word_ = rest == 0 ? 0 : value << (64 - rest);
  }

  // Prometheus's varbits; see BitReader.
  void PutVarbit(std::int64_t value) {
    PutVarbit(static_cast<std::uint64_t>(value), [value](unsigned bits) {
      const std::int64_t half = std::int64_t{1} << (bits - 1);
      return value > -half && value <= half;
    });
  }
  void PutUnsignedVarbit(std::uint64_t value) {
    PutVarbit(value, [value](unsigned bits) { return value >> bits == 0; });
  }

  // Protobuf's varints, of bytes that need not start at a byte.
  void PutUvarint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) Put(value | 0x80, 8);
    Put(value, 8);
  }
  void PutVarint(std::int64_t value) {
    PutUvarint(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
  }

  // `header`, then the bits so far, the last byte filled with zeros.
  std::string Bytes(std::string_view header) const {
    std::string out;
    out.reserve(header.size() + bytes_.size() + sizeof word_);
    out.append(header).append(bytes_);
    for (unsigned bit = 0; bit < used_; bit += 8) out += static_cast<char>(word_ >> (56 - bit));
    return out;
  }

 private:
  template <typename Fits>
  void PutVarbit(std::uint64_t value, Fits fits) {
    if (value == 0) return Put(0, 1);
    constexpr unsigned kLongest = std::size(internal::kVarbitWidths) - 1;
    for (unsigned ones = 1; ones < kLongest; ++ones) {
      const unsigned width = internal::kVarbitWidths[ones];
      if (!fits(width)) continue;
      Put((std::uint64_t{2} << ones) - 2, ones + 1);
      return Put(value, width);
    }
    Put(0xff, kLongest);
    Put(value, 64);
  }

  void Flush(std::uint64_t word) {
    const std::uint64_t big_endian = __builtin_bswap64(word);
    bytes_.append(reinterpret_cast<const char*>(&big_endian), sizeof big_endian);
  }

  std::string bytes_;
  std::uint64_t word_ = 0;  // bits that are not in `bytes_` yet, in the upper ones
  unsigned used_ = 0;       // of `word_`, below 64
};

// Bits that tell what follows.
struct Prefix {
  unsigned bits = 0;
  unsigned count = 0;
};

// A stream of values, each XORed with the one before, with a window of its own.
class XorStreamWriter {
 public:
  // The first value, which the stream begins behind.
  void Start(std::uint64_t bits) { bits_ = bits; }
  std::uint64_t bits() const { return bits_; }

  // The value in one bit when it is unchanged, else behind 10 or 11, as in XOR chunks.
  void Put(BitWriter& out, std::uint64_t bits) {
    if (bits == bits_) return out.Put(0, 1);
    PutChanged(out, bits, {0b10, 2}, {0b11, 2});
  }

  // A value that is not the last one, in the last window behind `same`, or in another behind
  // `fresh`.
  void PutChanged(BitWriter& out, std::uint64_t bits, Prefix same, Prefix fresh) {
    const std::uint64_t change = bits ^ bits_;
    bits_ = bits;
    // Five bits hold the leading zeros.
    const unsigned leading = std::min(static_cast<unsigned>(std::countl_zero(change)), 31U);
    const auto trailing = static_cast<unsigned>(std::countr_zero(change));
    if (has_window_ && leading >= leading_ && trailing >= trailing_) {
      out.Put(same.bits, same.count);
    } else {
      has_window_ = true;
      leading_ = leading;
      trailing_ = trailing;
      out.Put(fresh.bits, fresh.count);
      out.Put(leading, 5);
      out.Put(64 - leading - trailing, 6);  // 64 becomes 0
    }
    out.Put(change >> trailing_, 64 - leading_ - trailing_);
  }

 private:
  std::uint64_t bits_ = 0;
  unsigned leading_ = 0;
  unsigned trailing_ = 0;
  bool has_window_ = false;
};

}  // namespace aevum::chunk
