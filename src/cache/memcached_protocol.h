// The text protocol of memcached: get of several keys, and set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/context.h"
#include "base/status.h"
#include "cache/connection.h"

namespace aevum::cache {

// Up to 250 bytes, none of them a space or a control character.
bool IsMemcachedKey(std::string_view key);

// What is taken of an answer. Items beyond it, which other clients may have stored, are read away.
struct MemcachedLimits {
  std::size_t most_item_bytes = 128 << 20;
  std::size_t most_bytes = 256 << 20;  // of all items together
};

// Asks for keys and reads what is there, one item a key, empty for what is not or is beyond a
// limit. Each key must be one that IsMemcachedKey accepts; one that is given twice is asked for
// once. DataLoss when the answer is not the protocol's, holds what nobody asked for, or an item
// that no memcached can have; Internal when the server says that something is wrong.
//
//     get <key> <key> ... CR LF
//     (VALUE <key> <flags> <size> CR LF <bytes> CR LF)* END CR LF
StatusOr<std::vector<SharedBytes>> MemcachedGet(const Context& context, Connection& connection,
                                                std::span<const std::string_view> keys,
                                                const MemcachedLimits& limits = {});

struct MemcachedItem {
  std::string_view key;
  std::string_view bytes;
  std::int64_t expires_seconds = 0;  // since the epoch; 0: never
};

// Sends the items together and reads an answer to each. The result holds, for each item, OK or what
// the server says against it; an error is one of the connection.
//
//     set <key> 0 <expires> <size> CR LF <bytes> CR LF   ->   STORED CR LF
StatusOr<std::vector<Status>> MemcachedSet(const Context& context, Connection& connection,
                                           std::span<const MemcachedItem> items);

// The servers of a cluster, from one that knows them (Amazon ElastiCache's auto discovery).
//
//     config get cluster CR LF
//     CONFIG cluster 0 <size> CR LF <version> LF <name>|<address>|<port> ... LF CR LF END CR LF
struct MemcachedCluster {
  std::int64_t version = 0;
  std::vector<std::string> servers;  // name:port, or address:port where there is no name
};
StatusOr<MemcachedCluster> MemcachedDiscover(const Context& context, Connection& connection);

}  // namespace aevum::cache
