// Bits from the highest of the first byte on, as the encodings of Prometheus's chunks need them.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace aevum::chunk {
namespace internal {

// How many bits follow in a varbit, by the number of ones in front.
inline constexpr std::uint8_t kVarbitWidths[] = {0, 3, 6, 9, 12, 18, 25, 56, 64};

// The form of a varbit; size 0 when there are seven ones or more in front.
struct Varbit {
  std::uint8_t size = 0;
  std::uint8_t width = 0;
};

// By the first seven bits.
inline constexpr std::array<Varbit, 128> kVarbits = [] {
  std::array<Varbit, 128> forms;
  for (unsigned first = 0; first < 127; ++first) {
    const auto ones = static_cast<unsigned>(std::countl_one(first << 25));
    forms[first] = {.size = static_cast<std::uint8_t>(ones + 1 + kVarbitWidths[ones]),
                    .width = kVarbitWidths[ones]};
  }
  return forms;
}();

}  // namespace internal

// Borrows the bytes. After a read beyond the end all reads give 0 and failed() is true, so callers
// check once a sample. Thread-compatible.
class BitReader {
 public:
  explicit BitReader(std::string_view data) : data_(data), size_(data.size() * 8) {}

  bool failed() const { return failed_; }
  std::size_t bits_left() const { return size_ - position_; }
  // Bits read so far.
  std::size_t position() const { return position_; }

  bool ReadBit() { return Read(1) != 0; }

  // 1 to 64 bits.
  std::uint64_t Read(unsigned count) {
    if (count > bits_left()) {
      failed_ = true;
      position_ = size_;
      return 0;
    }
    const unsigned shift = position_ & 7;
    std::uint64_t word = Peek();
    if (shift + count > 64)
      word |= static_cast<std::uint8_t>(data_[(position_ >> 3) + 8]) >> (8 - shift);
    position_ += count;
    return word >> (64 - count);
  }

  // Prometheus's varbit: the number of ones in front, at most 8, tells how many bits follow. Of n
  // bits the values above the middle stand for negative ones.
  std::int64_t ReadVarbit() {
    const unsigned count = ReadWidth();
    if (count == 0) return 0;
    const std::uint64_t bits = Read(count);
    if (count == 64 || bits <= std::uint64_t{1} << (count - 1))
      return static_cast<std::int64_t>(bits);
    return static_cast<std::int64_t>(bits - (std::uint64_t{1} << count));
  }
  // Reads `count` of them, and gives each to `take`. Most are short: several are taken out of 64
  // bits at once.
  template <typename Take>
  void ReadVarbits(std::size_t count, Take take) {
    constexpr unsigned kLongest = 32;  // of those in the table
    while (count > 0) {
      const std::size_t at = position_ >> 3;
      unsigned left = 64 - (position_ & 7);
      std::uint64_t word = 0;
      if (at + sizeof word <= data_.size()) word = Peek();
      const unsigned start = left;
      for (; count > 0 && at + sizeof word <= data_.size() && left >= kLongest; --count) {
        const internal::Varbit form = internal::kVarbits[word >> 57];
        if (form.size == 0) break;
        const std::uint64_t bits = (word << (form.size - form.width)) >> 1 >> (63 - form.width);
        const std::uint64_t whole = std::uint64_t{1} << form.width;
        take(static_cast<std::int64_t>(bits > whole / 2 ? bits - whole : bits));
        word <<= form.size;
        left -= form.size;
      }
      position_ += start - left;
      if (start != left) continue;
      take(ReadVarbit());
      --count;
    }
  }
  std::uint64_t ReadUnsignedVarbit() {
    const unsigned count = ReadWidth();
    return count == 0 ? 0 : Read(count);
  }

  // Protobuf's varints, of bytes that need not start at a byte.
  std::uint64_t ReadUvarint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint64_t byte = Read(8);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        failed_ |= shift == 63 && byte > 1;
        return value;
      }
    }
    failed_ = true;
    return 0;
  }
  std::int64_t ReadVarint() {
    const std::uint64_t value = ReadUvarint();
    return static_cast<std::int64_t>(value >> 1 ^ (0 - (value & 1)));
  }

 private:
  // The 64 bits at the position's byte, shifted to the position; zeros behind the end.
  std::uint64_t Peek() const {
    const std::size_t at = position_ >> 3;
    std::uint64_t word = 0;
    if (at + sizeof word <= data_.size()) {
      std::memcpy(&word, data_.data() + at, sizeof word);
    } else {
      std::memcpy(&word, data_.data() + at, data_.size() - at);
    }
    return __builtin_bswap64(word) << (position_ & 7);
  }

  unsigned ReadWidth() {
    const auto ones = static_cast<unsigned>(std::countl_one(Peek() | 0xff));
    const unsigned capped = ones < 8 ? ones : 8;
    Read(capped < 8 ? capped + 1 : 8);
    return failed_ ? 0 : internal::kVarbitWidths[capped];
  }

  const std::string_view data_;
  const std::size_t size_;
  std::size_t position_ = 0;
  bool failed_ = false;
};

// The window of significant bits that the last XORed value had.
struct XorWindow {
  unsigned leading = 0;
  unsigned significant = 64;
};

// Reads the header of a new window. False when it does not fit into 64 bits.
inline bool ReadWindow(BitReader& reader, XorWindow* window) {
  window->leading = static_cast<unsigned>(reader.Read(5));
  const auto significant = static_cast<unsigned>(reader.Read(6));
  window->significant = significant == 0 ? 64 : significant;
  return window->leading + window->significant <= 64;
}

// The bits inside the window, in their place.
inline std::uint64_t ReadInWindow(BitReader& reader, const XorWindow& window) {
  return reader.Read(window.significant) << (64 - window.leading - window.significant);
}

// A value of an XOR stream, XORed into `bits`. False when its window does not fit.
inline bool ReadXored(BitReader& reader, XorWindow* window, std::uint64_t* bits) {
  if (!reader.ReadBit()) return true;
  if (reader.ReadBit() && !ReadWindow(reader, window)) return false;
  *bits ^= ReadInWindow(reader, *window);
  return true;
}

}  // namespace aevum::chunk
