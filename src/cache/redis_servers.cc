#include "cache/redis_servers.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cache/redis_protocol.h"
#include "net/grpc/socket.h"

namespace aevum::cache {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kInterval{10};
// However many doubt, there is one look in so long.
constexpr std::chrono::milliseconds kLeastInterval{500};
constexpr std::uint16_t kNobody = UINT16_MAX;

std::string Join(const std::string& host, const std::string& port) {
  return host.find(':') == std::string::npos ? host + ":" + port : "[" + host + "]:" + port;
}

bool IsText(const RedisReply& reply) { return reply.kind == RedisReply::Kind::kText; }
bool IsNumber(const RedisReply& reply) { return reply.kind == RedisReply::Kind::kNumber; }

}  // namespace

RedisServers::RedisServers(RedisServersOptions options, Dial dial, OnKnown on_known, Logger logger)
    : options_(std::move(options)),
      dial_(std::move(dial)),
      on_known_(std::move(on_known)),
      logger_(std::move(logger)),
      known_(std::make_shared<const Known>()) {
  // One that can't be asked now is used as it is meanwhile.
  if (options_.addresses.size() == 1 && options_.master_name.empty())
    known_.Set(std::make_shared<const Known>(Known{options_.addresses, {}}));
  LookUp();
  looker_ = std::thread([this] { Run(); });
}

RedisServers::~RedisServers() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  scope_.Cancel();
  if (looker_.joinable()) looker_.join();
}

std::string RedisServers::ServerOf(std::string_view key) const {
  const std::shared_ptr<const Known> known = known_.Get();
  if (known->servers.empty()) return {};
  if (known->of_slot.empty()) return known->servers.front();
  const std::uint16_t server = known->of_slot[RedisSlot(key)];
  return server == kNobody ? std::string() : known->servers[server];
}

void RedisServers::Doubt() {
  MutexLock lock(mutex_);
  doubted_ = true;
  wake_.notify_all();
}

void RedisServers::Run() {
  while (true) {
    const auto began = SteadyClock::now();
    {
      MutexLock lock(mutex_);
      while (!stopping_) {
        const auto until = began + (doubted_ ? std::chrono::milliseconds(kLeastInterval)
                                             : std::chrono::milliseconds(kInterval));
        if (SteadyClock::now() >= until) break;
        lock.WaitUntil(wake_, until);
      }
      if (stopping_) return;
      doubted_ = false;
    }
    LookUp();
  }
}

void RedisServers::LookUp() {
  std::vector<std::string> asked = options_.addresses;
  // Nodes that were given may be gone while those they led to are there.
  if (IsCluster()) {
    const std::shared_ptr<const Known> known = known_.Get();
    asked.insert(asked.end(), known->servers.begin(), known->servers.end());
  }
  Status error;
  for (const std::string& address : asked) {
    const Context context = scope_.context().WithTimeout(options_.timeout);
    StatusOr<Known> known =
        options_.master_name.empty() ? AskNode(context, address) : AskSentinel(context, address);
    if (known.ok()) {
      const auto now = std::make_shared<const Known>(*std::move(known));
      known_.Set(now);
      on_known_(now->servers);
      failing_ = false;
      return;
    }
    if (context.cancelled()) return;
    error = Annotate(known.status(), address);
  }
  // Said once, and again when it was well in between.
  if (!std::exchange(failing_, true))
    logger_.Warn("can't find out where redis keeps what", {{"err", error}});
}

StatusOr<RedisServers::Known> RedisServers::AskSentinel(const Context& context,
                                                        const std::string& address) const {
  ASSIGN_OR_RETURN(const auto sentinel, Connection::Dial(context, address, {}));
  const std::string_view command[] = {"SENTINEL", "get-master-addr-by-name", options_.master_name};
  ASSIGN_OR_RETURN(const RedisReply reply, AskRedis(context, *sentinel, command));
  if (reply.kind == RedisReply::Kind::kNull)
    return NotFound("the sentinel knows no master \"{}\"", options_.master_name);
  if (reply.list.size() != 2 || !IsText(reply.list[0]) || !IsText(reply.list[1]))
    return Corruption("the sentinel answers with no address");
  return Known{{Join(reply.list[0].text, reply.list[1].text)}, {}};
}

// CLUSTER SLOTS: a list of first slot, last slot, master, replicas; a node is host, port, ...
StatusOr<RedisServers::Known> RedisServers::AskNode(const Context& context,
                                                    const std::string& address) const {
  ASSIGN_OR_RETURN(const auto node, dial_(context, address));
  std::string command;
  AppendRedisCommand(command, std::array<std::string_view, 2>{"CLUSTER", "SLOTS"});
  RETURN_IF_ERROR(node->Write(context, command));
  ASSIGN_OR_RETURN(const RedisReply reply, ReadRedisReply(context, *node));
  // A server that is in no cluster, or does not want to be asked, has all keys.
  if (reply.IsError()) return Known{{address}, {}};
  Known known;
  known.of_slot.assign(kRedisSlots, kNobody);
  for (const RedisReply& range : reply.list) {
    if (range.list.size() < 3 || !IsNumber(range.list[0]) || !IsNumber(range.list[1]) ||
        range.list[2].list.size() < 2 || !IsNumber(range.list[2].list[1]))
      return Corruption("redis answers with no range of slots");
    const std::int64_t first = range.list[0].number;
    const std::int64_t last = range.list[1].number;
    if (first < 0 || last < first || last >= static_cast<std::int64_t>(kRedisSlots))
      return Corruption("redis answers with slots {} to {}", first, last);
    // A node that does not know its own host is at the one that was asked.
    std::string host = range.list[2].list[0].text;
    if (host.empty()) {
      ASSIGN_OR_RETURN(const net::grpc::HostPort parts, net::grpc::SplitHostPort(address));
      host = parts.host;
    }
    const std::string server = Join(host, std::to_string(range.list[2].list[1].number));
    auto at = std::find(known.servers.begin(), known.servers.end(), server);
    if (at == known.servers.end()) at = known.servers.insert(at, server);
    std::fill(known.of_slot.begin() + first, known.of_slot.begin() + last + 1,
              static_cast<std::uint16_t>(at - known.servers.begin()));
  }
  if (known.servers.empty()) return Unavailable("the cluster serves no slot");
  return known;
}

}  // namespace aevum::cache
