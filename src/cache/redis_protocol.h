// The protocol of Redis (RESP2): commands, and the replies to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "cache/connection.h"

namespace aevum::cache {

struct RedisReply {
  enum class Kind : std::uint8_t { kText, kError, kNumber, kNull, kList };
  Kind kind = Kind::kNull;
  std::string text;  // of kText and kError
  std::int64_t number = 0;
  std::vector<RedisReply> list;

  bool IsError() const { return kind == Kind::kError; }
};

// What a reply may take.
struct RedisLimits {
  std::size_t most_text_bytes = 128 << 20;  // a text
  std::size_t most_bytes = 256 << 20;       // of all lines and texts together
  std::size_t most_items = 1 << 20;         // of all lists of a reply together
  int most_depth = 4;
};

// Appends a command with its arguments.
//
//     *<count> CR LF ($<size> CR LF <bytes> CR LF)*
void AppendRedisCommand(std::string& out, std::span<const std::string_view> arguments);

// Reads one reply. DataLoss for what is no reply or passes a limit; nothing large is allocated for
// what is only announced.
//
//     +<text> | -<error> | :<number> | $<size> CR LF <bytes> | $-1 | *<count> CR LF <reply>*
StatusOr<RedisReply> ReadRedisReply(const Context& context, Connection& connection,
                                    const RedisLimits& limits = {});

// The replies to `count` commands that went together; the limits are on all of them together.
StatusOr<std::vector<RedisReply>> ReadRedisReplies(const Context& context, Connection& connection,
                                                   std::size_t count,
                                                   const RedisLimits& limits = {});

// One command and its reply; Internal with the server's words when that is an error.
StatusOr<RedisReply> AskRedis(const Context& context, Connection& connection,
                              std::span<const std::string_view> arguments);

// The slot of a key in a cluster: CRC-16 of what stands between the first { and the next }, or of
// the key, modulo 16384.
inline constexpr std::size_t kRedisSlots = 16'384;
std::size_t RedisSlot(std::string_view key);

}  // namespace aevum::cache
