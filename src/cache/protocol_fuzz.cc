// Answers of memcached and Redis, of which the first byte says whose they are.
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cache/memcached_protocol.h"
#include "cache/redis_protocol.h"

using aevum::Context;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // What fits into the buffer of a socket, so that one thread does.
  if (size < 1 || size > 32'000) return 0;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return 0;
  const auto connection = aevum::cache::Connection::FromSocket(ends[0]);
  const bool written = ::write(ends[1], data + 1, size - 1) == static_cast<ssize_t>(size - 1);
  ::shutdown(ends[1], SHUT_WR);
  const Context context = Context::Background();
  const std::string_view keys[] = {"a", "b"};
  const aevum::cache::MemcachedItem items[] = {{"a", "1", 0}, {"b", "2", 0}};
  if (written) {
    switch (data[0] % 4) {
      case 0:
        aevum::cache::MemcachedGet(context, *connection, keys, {.most_item_bytes = 1000})
            .IgnoreError();
        break;
      case 1:
        aevum::cache::MemcachedSet(context, *connection, items).IgnoreError();
        break;
      case 2:
        aevum::cache::MemcachedDiscover(context, *connection).IgnoreError();
        break;
      default:
        aevum::cache::ReadRedisReply(context, *connection, {.most_text_bytes = 10'000})
            .IgnoreError();
    }
  }
  ::close(ends[1]);
  return 0;
}
