#include "net/grpc/message.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace aevum::net::grpc {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kFirstCapacity = 4 << 20;
constexpr std::size_t kStatusMessageLimit = 4 << 10;
constexpr nanoseconds kYear = std::chrono::hours(24 * 365);
constexpr std::int64_t kMaxTimeoutValue = 99'999'999;

struct Unit {
  char letter;
  std::int64_t nanoseconds;
};
constexpr Unit kUnits[] = {{'n', 1},
                           {'u', 1'000},
                           {'m', 1'000'000},
                           {'S', 1'000'000'000},
                           {'M', 60'000'000'000},
                           {'H', 3'600'000'000'000}};

bool StaysAsIs(char c) { return c >= 0x20 && c <= 0x7e && c != '%'; }

// Bytes of the UTF-8 character that starts here; 1 for what is none.
std::size_t CharacterBytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return std::min(size, text.size());
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Prefix MakePrefix(bool compressed, std::uint32_t size) {
  return {static_cast<char>(compressed ? 1 : 0), static_cast<char>(size >> 24),
          static_cast<char>(size >> 16), static_cast<char>(size >> 8), static_cast<char>(size)};
}

Status MessageReader::BeginMessage() {
  const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(prefix_[i]); };
  if (byte(0) > 1) return Internal("bad message prefix, compressed flag: {}", byte(0));
  size_ =
      std::size_t{byte(1)} << 24 | std::size_t{byte(2)} << 16 | std::size_t{byte(3)} << 8 | byte(4);
  if (size_ > max_message_bytes_) {
    return ResourceExhausted("received message larger than max: {} vs. {}", size_,
                             max_message_bytes_);
  }
  filled_ = 0;
  capacity_ = std::min(size_, kFirstCapacity);
  buffer_ = std::shared_ptr<char[]>(new char[std::max<std::size_t>(capacity_, 1)]);
  return OkStatus();
}

void MessageReader::Grow() {
  const std::size_t capacity = std::min(size_, capacity_ * 2);
  std::shared_ptr<char[]> larger(new char[capacity]);
  std::memcpy(larger.get(), buffer_.get(), filled_);
  buffer_ = std::move(larger);
  capacity_ = capacity;
}

Status MessageReader::Feed(std::string_view bytes, std::vector<WireMessage>& messages) {
  while (true) {
    if (prefix_size_ < kPrefixBytes) {
      if (bytes.empty()) return OkStatus();
      const std::size_t take = std::min(kPrefixBytes - prefix_size_, bytes.size());
      std::memcpy(prefix_.data() + prefix_size_, bytes.data(), take);
      prefix_size_ += take;
      bytes.remove_prefix(take);
      if (prefix_size_ < kPrefixBytes) return OkStatus();
      RETURN_IF_ERROR(BeginMessage());
    }
    while (filled_ < size_ && !bytes.empty()) {
      if (filled_ == capacity_) Grow();
      const std::size_t take = std::min(capacity_ - filled_, bytes.size());
      std::memcpy(buffer_.get() + filled_, bytes.data(), take);
      filled_ += take;
      bytes.remove_prefix(take);
    }
    if (filled_ < size_) return OkStatus();
    const std::string_view view(buffer_.get(), size_);
    messages.push_back({{view, std::move(buffer_)}, prefix_[0] == 1});
    prefix_size_ = 0;
    filled_ = 0;
  }
}

std::optional<nanoseconds> ParseTimeout(std::string_view value) {
  if (value.size() < 2 || value.size() > 9) return std::nullopt;
  const char letter = value.back();
  value.remove_suffix(1);
  std::int64_t number = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  for (const Unit& unit : kUnits) {
    if (unit.letter != letter) continue;
    if (number > kYear.count() / unit.nanoseconds) return kYear;
    return nanoseconds(number * unit.nanoseconds);
  }
  return std::nullopt;
}

std::string FormatTimeout(nanoseconds timeout) {
  const std::int64_t value = std::clamp(timeout, nanoseconds(0), kYear).count();
  for (const Unit& unit : kUnits) {
    const std::int64_t number = value / unit.nanoseconds + (value % unit.nanoseconds != 0 ? 1 : 0);
    if (number <= kMaxTimeoutValue) return fmt::format("{}{}", number, unit.letter);
  }
  return fmt::format("{}H", kMaxTimeoutValue);
}

std::string EncodeStatusMessage(std::string_view message) {
  std::string value;
  while (!message.empty()) {
    const std::size_t size = CharacterBytes(message);
    std::string character;
    for (const char c : message.substr(0, size)) {
      if (StaysAsIs(c)) {
        character += c;
      } else {
        character += fmt::format("%{:02X}", static_cast<unsigned char>(c));
      }
    }
    if (value.size() + character.size() > kStatusMessageLimit) break;
    value += character;
    message.remove_prefix(size);
  }
  return value;
}

std::string DecodeStatusMessage(std::string_view value) {
  std::string message;
  message.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '%' && i + 2 < value.size()) {
      const int high = HexDigit(value[i + 1]);
      const int low = HexDigit(value[i + 2]);
      if (high >= 0 && low >= 0) {
        message += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    message += value[i];
  }
  return message;
}

std::optional<StatusCode> ParseStatusCode(std::string_view value) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return std::nullopt;
  if (number > static_cast<unsigned>(StatusCode::kUnauthenticated)) return StatusCode::kUnknown;
  return static_cast<StatusCode>(number);
}

StatusCode CodeOfHttpStatus(int http_status) {
  switch (http_status) {
    case 400:
      return StatusCode::kInternal;
    case 401:
      return StatusCode::kUnauthenticated;
    case 403:
      return StatusCode::kPermissionDenied;
    case 404:
      return StatusCode::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return StatusCode::kUnavailable;
    default:
      return StatusCode::kUnknown;
  }
}

StatusCode CodeOfReset(std::uint32_t error_code) {
  // Numbers of RFC 9113, section 7; the mapping is that of gRPC's HTTP/2 document.
  switch (error_code) {
    case 0x7:  // REFUSED_STREAM
      return StatusCode::kUnavailable;
    case 0x8:  // CANCEL
      return StatusCode::kCancelled;
    case 0xb:  // ENHANCE_YOUR_CALM
      return StatusCode::kResourceExhausted;
    case 0xc:  // INADEQUATE_SECURITY
      return StatusCode::kPermissionDenied;
    default:
      return StatusCode::kInternal;
  }
}

}  // namespace aevum::net::grpc
