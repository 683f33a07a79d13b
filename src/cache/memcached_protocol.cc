#include "cache/memcached_protocol.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace aevum::cache {
namespace {

constexpr std::size_t kMostKeyBytes = 250;
constexpr std::size_t kMostLineBytes = 2048;
constexpr std::size_t kMostClusterBytes = 1 << 20;
// No server holds larger items, whoever stored them.
constexpr std::size_t kMostSkippedBytes = 128 << 20;
constexpr std::size_t kSkippedPiece = 64 << 10;

// The text up to the next space, which is taken off with it.
std::string_view TakeWord(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

bool ReadNumber(std::string_view text, std::uint64_t* out) {
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, *out);
  return error == std::errc() && end == last && !text.empty();
}

bool IsServerError(std::string_view line) {
  return line.starts_with("SERVER_ERROR") || line.starts_with("CLIENT_ERROR") || line == "ERROR";
}

Status Unexpected(std::string_view line) {
  if (IsServerError(line)) return Internal("memcached says: {}", line);
  return Corruption("memcached answers with what is none of its answers: \"{}\"",
                    line.substr(0, 100));
}

std::string Joined(std::span<const std::string_view> keys) {
  std::string request = "get";
  for (const std::string_view key : keys) {
    request += ' ';
    request += key;
  }
  request += "\r\n";
  return request;
}

// Reads an item away, so that the next answer can be read.
Status Skip(const Context& context, Connection& connection, std::size_t size) {
  if (size > kMostSkippedBytes)
    return Corruption("an item of {} bytes in memcached, limit {}", size, kMostSkippedBytes);
  for (std::size_t left = size; left > 0;) {
    const std::size_t piece = std::min(left, kSkippedPiece);
    RETURN_IF_ERROR(connection.ReadBytes(context, piece).status());
    left -= piece;
  }
  ASSIGN_OR_RETURN(const std::string end, connection.ReadBytes(context, 2));
  return end == "\r\n" ? OkStatus() : Corruption("an item of memcached does not end");
}

}  // namespace

bool IsMemcachedKey(std::string_view key) {
  if (key.empty() || key.size() > kMostKeyBytes) return false;
  return std::all_of(key.begin(), key.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > ' ' && byte != 0x7f;
  });
}

StatusOr<std::vector<SharedBytes>> MemcachedGet(const Context& context, Connection& connection,
                                                std::span<const std::string_view> keys,
                                                const MemcachedLimits& limits) {
  // Who asks for a key twice gets it twice, the server is asked once.
  std::unordered_map<std::string_view, std::vector<std::size_t>> places;
  std::vector<std::string_view> asked;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::vector<std::size_t>& of_key = places[keys[i]];
    if (of_key.empty()) asked.push_back(keys[i]);
    of_key.push_back(i);
  }
  RETURN_IF_ERROR(connection.Write(context, Joined(asked)));
  std::vector<SharedBytes> items(keys.size());
  std::size_t left = limits.most_bytes;
  while (true) {
    ASSIGN_OR_RETURN(const std::string line, connection.ReadLine(context, kMostLineBytes));
    if (line == "END") break;
    std::string_view rest = line;
    if (TakeWord(rest) != "VALUE") return Unexpected(line);
    const auto place = places.find(TakeWord(rest));
    std::uint64_t flags = 0;
    std::uint64_t size = 0;
    if (!ReadNumber(TakeWord(rest), &flags) || !ReadNumber(TakeWord(rest), &size))
      return Unexpected(line);
    if (place == places.end()) return Corruption("memcached gives a key that nobody asked for");
    if (size > std::min(limits.most_item_bytes, left)) {
      RETURN_IF_ERROR(Skip(context, connection, size));
    } else {
      ASSIGN_OR_RETURN(std::string bytes, connection.ReadBytes(context, size + 2));
      if (!bytes.ends_with("\r\n")) return Corruption("an item of memcached does not end");
      bytes.resize(size);
      left -= size;
      const SharedBytes item = SharedBytes::Own(std::move(bytes));
      for (const std::size_t i : place->second) items[i] = item;
    }
    // Each comes once, so an answer has an end.
    places.erase(place);
  }
  return items;
}

StatusOr<std::vector<Status>> MemcachedSet(const Context& context, Connection& connection,
                                           std::span<const MemcachedItem> items) {
  std::string request;
  for (const MemcachedItem& item : items) {
    request += fmt::format("set {} 0 {} {}\r\n", item.key, item.expires_seconds, item.bytes.size());
    request += item.bytes;
    request += "\r\n";
  }
  RETURN_IF_ERROR(connection.Write(context, request));
  std::vector<Status> results;
  for (std::size_t i = 0; i < items.size(); ++i) {
    ASSIGN_OR_RETURN(const std::string line, connection.ReadLine(context, kMostLineBytes));
    if (line == "STORED") {
      results.push_back(OkStatus());
    } else if (line == "NOT_STORED" || line.starts_with("SERVER_ERROR")) {
      // The bytes of the item were read, so the next answer is that of the next item.
      results.push_back(Internal("memcached says: {}", line));
    } else {
      return Unexpected(line);
    }
  }
  return results;
}

namespace {

StatusOr<MemcachedCluster> ParseCluster(std::string_view payload) {
  MemcachedCluster cluster;
  const std::size_t line = std::min(payload.find('\n'), payload.size());
  std::uint64_t version = 0;
  std::string_view first = payload.substr(0, line);
  if (first.ends_with('\r')) first.remove_suffix(1);
  if (!ReadNumber(first, &version)) return Corruption("the version of a cluster is no number");
  cluster.version = static_cast<std::int64_t>(version);
  std::string_view nodes = payload.substr(std::min(line + 1, payload.size()));
  while (!nodes.empty() && (nodes.back() == '\n' || nodes.back() == '\r')) nodes.remove_suffix(1);
  while (!nodes.empty()) {
    const std::string_view node = TakeWord(nodes);
    const std::size_t bar = node.find('|');
    const std::size_t second = bar == std::string_view::npos ? bar : node.find('|', bar + 1);
    if (second == std::string_view::npos)
      return Corruption("a node of a cluster is not name|ip|port");
    const std::string_view name =
        bar > 0 ? node.substr(0, bar) : node.substr(bar + 1, second - bar - 1);
    std::uint64_t port = 0;
    if (name.empty() || !ReadNumber(node.substr(second + 1), &port) || port > 65'535)
      return Corruption("a node of a cluster has no name or no port");
    cluster.servers.push_back(fmt::format("{}:{}", name, port));
  }
  return cluster;
}

}  // namespace

StatusOr<MemcachedCluster> MemcachedDiscover(const Context& context, Connection& connection) {
  RETURN_IF_ERROR(connection.Write(context, "config get cluster\r\n"));
  ASSIGN_OR_RETURN(const std::string line, connection.ReadLine(context, kMostLineBytes));
  std::string_view rest = line;
  std::uint64_t size = 0;
  if (TakeWord(rest) != "CONFIG" || TakeWord(rest) != "cluster" || TakeWord(rest).empty() ||
      !ReadNumber(TakeWord(rest), &size))
    return Unexpected(line);
  if (size > kMostClusterBytes) return Corruption("a cluster of {} bytes", size);
  ASSIGN_OR_RETURN(const std::string payload, connection.ReadBytes(context, size));
  return ParseCluster(payload);
}

}  // namespace aevum::cache
