// Bytes of a peer, cut into messages, decompressed, and read as header values.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "net/grpc/message.h"
#include "net/grpc/proto_fields.h"
#include "net/grpc/reflection.h"
#include "net/grpc/snappy_frame.h"

using namespace aevum::net::grpc;

namespace {

void ReadMessages(std::string_view bytes, std::size_t step) {
  constexpr std::size_t kMax = 1 << 20;
  MessageReader reader(kMax);
  std::vector<WireMessage> messages;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, step);
    bytes.remove_prefix(piece.size());
    if (!reader.Feed(piece, messages).ok()) break;
  }
  for (const WireMessage& message : messages) {
    AEVUM_CHECK(message.bytes.size() <= kMax);
    const auto plain = SnappyDecompress(message.bytes.view, kMax);
    AEVUM_CHECK(!plain.ok() || plain->size() <= kMax);
  }
}

void ReadValues(std::string_view text) {
  if (const auto timeout = ParseTimeout(text)) {
    AEVUM_CHECK(*timeout >= std::chrono::nanoseconds(0));
    AEVUM_CHECK(ParseTimeout(FormatTimeout(*timeout)).has_value());
  }
  ParseStatusCode(text);
  DecodeStatusMessage(text);
  const std::string encoded = EncodeStatusMessage(text);
  AEVUM_CHECK(text.size() > 1000 || DecodeStatusMessage(encoded) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReadMessages(bytes, 1 + size % 17);
  ReadMessages(bytes, size + 1);
  ReadValues(bytes);
  const auto plain = SnappyDecompress(bytes, 1 << 20);
  const auto size_alone = SnappyPlainSize(bytes, 1 << 20);
  AEVUM_CHECK(!plain.ok() || *size_alone == plain->size());
  Reflection reflection;
  reflection.Answer(bytes);
  reflection.AddFile(std::string(bytes)).IgnoreError();  // most inputs are no descriptor
  return 0;
}
