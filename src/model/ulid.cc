#include "model/ulid.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>

namespace aevum::model {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kBitsPerCharacter = 5;

// What Thanos's table says of characters outside the alphabet.
constexpr std::uint8_t kUnknown = 0xff;

constexpr std::array<std::uint8_t, 256> MakeValues() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kUnknown);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    const char c = kAlphabet[i];
    values[static_cast<unsigned char>(c)] = static_cast<std::uint8_t>(i);
    if (c >= 'A') values[static_cast<unsigned char>(c - 'A' + 'a')] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr std::array<std::uint8_t, 256> kValues = MakeValues();

}  // namespace

StatusOr<Ulid> Ulid::Parse(std::string_view text) {
  if (text.size() != kTextSize) {
    return InvalidArgument("a ULID has {} characters, this one {}", kTextSize, text.size());
  }
  if (static_cast<unsigned char>(text[0]) > '7') {
    return InvalidArgument("the time of a ULID has more than 48 bits");
  }
  Ulid ulid;
  for (std::size_t i = 0; i < kTextSize; ++i) {
    const unsigned value = kValues[static_cast<unsigned char>(text[i])];
    const std::size_t bit = kBitsPerCharacter * (kTextSize - 1 - i);  // from the lowest
    const std::size_t byte = ulid.bytes.size() - 1 - bit / 8;
    const std::size_t shift = bit % 8;
    ulid.bytes[byte] = static_cast<std::uint8_t>(ulid.bytes[byte] | value << shift);
    if (shift + kBitsPerCharacter > 8 && byte > 0) {
      ulid.bytes[byte - 1] = static_cast<std::uint8_t>(ulid.bytes[byte - 1] | value >> (8 - shift));
    }
  }
  return ulid;
}

std::string Ulid::ToString() const {
  std::string text(kTextSize, '0');
  for (std::size_t i = 0; i < kTextSize; ++i) {
    const std::size_t bit = kBitsPerCharacter * (kTextSize - 1 - i);
    const std::size_t byte = bytes.size() - 1 - bit / 8;
    const unsigned high = byte > 0 ? bytes[byte - 1] : 0U;
    text[i] = kAlphabet[(high << 8 | bytes[byte]) >> bit % 8 & 0x1f];
  }
  return text;
}

TimestampMs Ulid::time_ms() const {
  TimestampMs time = 0;
  for (std::size_t i = 0; i < kTimeBytes; ++i) time = time << 8 | bytes[i];
  return time;
}

std::ostream& operator<<(std::ostream& stream, const Ulid& ulid) {
  return stream << ulid.ToString();
}

std::size_t UlidHash::operator()(const Ulid& ulid) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, ulid.bytes.data() + ulid.bytes.size() - sizeof hash, sizeof hash);
  return hash;
}

std::optional<Ulid> BlockDirectory(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  StatusOr<Ulid> ulid = Ulid::Parse(path.substr(path.rfind('/') + 1));
  if (!ulid.ok()) return std::nullopt;
  return *ulid;
}

UlidGenerator::UlidGenerator(const Clock& clock)
    : UlidGenerator(clock, [device = std::make_shared<std::random_device>()] {
        return static_cast<std::uint64_t>((*device)()) << 32 | (*device)();
      }) {}

UlidGenerator::UlidGenerator(const Clock& clock, Random random)
    : clock_(clock), random_(std::move(random)) {}

Ulid UlidGenerator::Next() {
  MutexLock lock(mutex_);
  const TimestampMs now = std::max<TimestampMs>(clock_.NowMs(), 0);
  if (now > last_.time_ms()) {
    for (std::size_t i = 0; i < Ulid::kTimeBytes; ++i) {
      last_.bytes[i] = static_cast<std::uint8_t>(now >> 8 * (Ulid::kTimeBytes - 1 - i));
    }
    const std::uint64_t high = random_();
    const std::uint64_t low = random_();
    std::memcpy(last_.bytes.data() + Ulid::kTimeBytes, &high, 2);
    std::memcpy(last_.bytes.data() + Ulid::kTimeBytes + 2, &low, sizeof low);
    return last_;
  }
  // The next number; a carry beyond the random bits goes into the time and keeps the order.
  for (auto byte = last_.bytes.rbegin(); byte != last_.bytes.rend() && ++*byte == 0; ++byte) {
  }
  return last_;
}

}  // namespace aevum::model
