#include "cache/redis_protocol.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace aevum::cache {
namespace {

constexpr std::size_t kMostLineBytes = 4096;

class ReplyReader {
 public:
  ReplyReader(const Context& context, Connection& connection, const RedisLimits& limits)
      : context_(context), connection_(connection), limits_(limits), left_(limits.most_bytes) {}

  StatusOr<RedisReply> Read(int depth) {
    ASSIGN_OR_RETURN(std::string line, connection_.ReadLine(context_, kMostLineBytes));
    if (line.empty()) return Corruption("redis answers with an empty line");
    RETURN_IF_ERROR(Take(line.size()));
    const char kind = line.front();
    line.erase(0, 1);
    switch (kind) {
      case '+':
        return RedisReply{.kind = RedisReply::Kind::kText, .text = std::move(line)};
      case '-':
        return RedisReply{.kind = RedisReply::Kind::kError, .text = std::move(line)};
      case ':': {
        ASSIGN_OR_RETURN(const std::int64_t number, Number(line));
        return RedisReply{.kind = RedisReply::Kind::kNumber, .number = number};
      }
      case '$':
        return ReadText(line);
      case '*':
        return ReadList(line, depth);
      default:
        return Corruption("redis answers with what is no reply: \"{}{}\"", kind,
                          line.substr(0, 100));
    }
  }

 private:
  Status Take(std::size_t bytes) {
    if (bytes > left_)
      return Corruption("an answer of redis has more than {} bytes", limits_.most_bytes);
    left_ -= bytes;
    return OkStatus();
  }

  static StatusOr<std::int64_t> Number(std::string_view text) {
    std::int64_t number = 0;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number);
    if (error != std::errc() || end != last || text.empty())
      return Corruption("redis answers with no number: \"{}\"", text.substr(0, 100));
    return number;
  }

  StatusOr<RedisReply> ReadText(std::string_view line) {
    ASSIGN_OR_RETURN(const std::int64_t size, Number(line));
    if (size == -1) return RedisReply{};
    if (size < 0 || static_cast<std::uint64_t>(size) > limits_.most_text_bytes)
      return Corruption("a text of {} bytes from redis, limit {}", size, limits_.most_text_bytes);
    RETURN_IF_ERROR(Take(static_cast<std::size_t>(size)));
    ASSIGN_OR_RETURN(std::string text,
                     connection_.ReadBytes(context_, static_cast<std::size_t>(size) + 2));
    if (!text.ends_with("\r\n")) return Corruption("a text of redis does not end");
    text.resize(static_cast<std::size_t>(size));
    return RedisReply{.kind = RedisReply::Kind::kText, .text = std::move(text)};
  }

  StatusOr<RedisReply> ReadList(std::string_view line, int depth) {
    ASSIGN_OR_RETURN(const std::int64_t count, Number(line));
    if (count == -1) return RedisReply{};
    if (count < 0 || static_cast<std::uint64_t>(count) > limits_.most_items - items_)
      return Corruption("a list of {} items from redis, limit {}", count, limits_.most_items);
    if (depth >= limits_.most_depth)
      return Corruption("lists of redis in lists, deeper than {}", limits_.most_depth);
    items_ += static_cast<std::size_t>(count);
    RedisReply reply{.kind = RedisReply::Kind::kList};
    for (std::int64_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(RedisReply item, Read(depth + 1));
      reply.list.push_back(std::move(item));
    }
    return reply;
  }

  const Context& context_;
  Connection& connection_;
  const RedisLimits& limits_;
  std::size_t items_ = 0;
  std::size_t left_;  // of the bytes
};

std::uint16_t Crc16(std::string_view bytes) {
  std::uint16_t crc = 0;
  for (const char c : bytes) {
    crc = static_cast<std::uint16_t>(crc ^ static_cast<unsigned char>(c) << 8);
    for (int bit = 0; bit < 8; ++bit) {
      const bool carry = (crc & 0x8000) != 0;
      crc = static_cast<std::uint16_t>(crc << 1);
      if (carry) crc ^= 0x1021;
    }
  }
  return crc;
}

}  // namespace

void AppendRedisCommand(std::string& out, std::span<const std::string_view> arguments) {
  out += fmt::format("*{}\r\n", arguments.size());
  for (const std::string_view argument : arguments) {
    out += fmt::format("${}\r\n", argument.size());
    out += argument;
    out += "\r\n";
  }
}

StatusOr<RedisReply> ReadRedisReply(const Context& context, Connection& connection,
                                    const RedisLimits& limits) {
  return ReplyReader(context, connection, limits).Read(0);
}

StatusOr<std::vector<RedisReply>> ReadRedisReplies(const Context& context, Connection& connection,
                                                   std::size_t count, const RedisLimits& limits) {
  ReplyReader reader(context, connection, limits);
  std::vector<RedisReply> replies;
  for (std::size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(RedisReply reply, reader.Read(0));
    replies.push_back(std::move(reply));
  }
  return replies;
}

StatusOr<RedisReply> AskRedis(const Context& context, Connection& connection,
                              std::span<const std::string_view> arguments) {
  std::string command;
  AppendRedisCommand(command, arguments);
  RETURN_IF_ERROR(connection.Write(context, command));
  ASSIGN_OR_RETURN(RedisReply reply, ReadRedisReply(context, connection));
  if (reply.IsError()) return Internal("redis says to {}: {}", arguments[0], reply.text);
  return reply;
}

std::size_t RedisSlot(std::string_view key) {
  const std::size_t open = key.find('{');
  const std::size_t close = open == std::string_view::npos ? open : key.find('}', open + 1);
  if (close != std::string_view::npos && close > open + 1)
    key = key.substr(open + 1, close - open - 1);
  return Crc16(key) % kRedisSlots;
}

}  // namespace aevum::cache
