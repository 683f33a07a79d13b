#include "net/discovery/dns_lookup.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace aevum::net {
namespace {

constexpr int kClassInternet = 1;
constexpr int kTypeService = 33;
// How soon a cancelled look-up ends.
constexpr std::chrono::milliseconds kLongestPoll{50};
// A name with more is a mistake or an attack.
constexpr std::size_t kRecordLimit = 10'000;

void InitOnce() {
  static const int result = ares_library_init(ARES_LIB_INIT_ALL);
  AEVUM_CHECK(result == ARES_SUCCESS);
}

// A channel for one question.
class Channel {
 public:
  static StatusOr<std::unique_ptr<Channel>> Open(const DnsOptions& options) {
    InitOnce();
    std::unique_ptr<Channel> channel(new Channel);
    ares_options settings{};
    settings.timeout = static_cast<int>(options.timeout.count());
    settings.tries = options.tries;
    const int result =
        ares_init_options(&channel->ares_, &settings, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    if (result != ARES_SUCCESS) return Unavailable("can't set up DNS: {}", ares_strerror(result));
    channel->open_ = true;
    if (!options.servers.empty()) {
      std::string list;
      for (const std::string& server : options.servers) list += (list.empty() ? "" : ",") + server;
      if (ares_set_servers_ports_csv(channel->ares_, list.c_str()) != ARES_SUCCESS) {
        return InvalidArgument("bad addresses of DNS servers: {}", list);
      }
    }
    return channel;
  }
  ~Channel() {
    if (open_) ares_destroy(ares_);
  }
  ares_channel get() const { return ares_; }

  // Works until `done`, which a callback sets.
  Status Run(const Context& context, const bool& done) {
    while (!done) {
      RETURN_IF_ERROR(context.status());
      std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
      const int bits = ares_getsock(ares_, sockets.data(), ARES_GETSOCK_MAXNUM);
      std::array<pollfd, ARES_GETSOCK_MAXNUM> polled{};
      nfds_t count = 0;
      for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
        short events = 0;
        if (ARES_GETSOCK_READABLE(bits, i)) events = POLLIN;
        if (ARES_GETSOCK_WRITABLE(bits, i)) events = static_cast<short>(events | POLLOUT);
        if (events != 0) polled[count++] = {sockets[static_cast<std::size_t>(i)], events, 0};
      }
      timeval longest{0, static_cast<suseconds_t>(kLongestPoll.count() * 1000)};
      timeval wait{};
      const timeval* next = ares_timeout(ares_, &longest, &wait);
      const int wait_ms = static_cast<int>(next->tv_sec * 1000 + next->tv_usec / 1000) + 1;
      const int ready = ::poll(polled.data(), count, wait_ms);
      if (ready <= 0) {
        ares_process_fd(ares_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // for its timeouts
        continue;
      }
      for (nfds_t i = 0; i < count; ++i) {
        const short events = polled[i].revents;
        const bool readable = (events & (POLLIN | POLLERR | POLLHUP)) != 0;
        const bool writable = (events & POLLOUT) != 0;
        if (readable || writable) {
          ares_process_fd(ares_, readable ? polled[i].fd : ARES_SOCKET_BAD,
                          writable ? polled[i].fd : ARES_SOCKET_BAD);
        }
      }
    }
    return OkStatus();
  }

 private:
  Channel() = default;
  ares_channel ares_ = nullptr;
  bool open_ = false;
};

Status ToStatus(int code, const std::string& name) {
  switch (code) {
    case ARES_SUCCESS:
      return OkStatus();
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
      return NotFound("DNS knows no such name or record: {}", name);
    case ARES_EBADNAME:
      return InvalidArgument("not a name for DNS: {}", name);
    default:
      return Unavailable("DNS look-up failed: {}: {}", name, ares_strerror(code));
  }
}

struct AddressAnswer {
  bool done = false;
  int code = ARES_SUCCESS;
  std::vector<std::string> addresses;
};

void OnAddresses(void* argument, int code, int /*timeouts*/, ares_addrinfo* info) {
  auto* answer = static_cast<AddressAnswer*>(argument);
  answer->code = code;
  answer->done = true;
  for (auto* node = info ? info->nodes : nullptr; node; node = node->ai_next) {
    if (answer->addresses.size() >= kRecordLimit) break;
    char text[INET6_ADDRSTRLEN] = "";
    const void* bytes = nullptr;
    if (node->ai_family == AF_INET) {
      bytes = &reinterpret_cast<const sockaddr_in*>(node->ai_addr)->sin_addr;
    } else if (node->ai_family == AF_INET6) {
      bytes = &reinterpret_cast<const sockaddr_in6*>(node->ai_addr)->sin6_addr;
    }
    if (bytes != nullptr && inet_ntop(node->ai_family, bytes, text, sizeof(text)) != nullptr) {
      answer->addresses.emplace_back(text);
    }
  }
  if (info) ares_freeaddrinfo(info);
}

struct ServiceAnswer {
  bool done = false;
  int code = ARES_SUCCESS;
  std::vector<DnsService> services;
};

void OnServices(void* argument, int code, int /*timeouts*/, unsigned char* bytes, int size) {
  auto* answer = static_cast<ServiceAnswer*>(argument);
  answer->code = code;
  answer->done = true;
  if (code != ARES_SUCCESS) return;
  ares_srv_reply* records = nullptr;
  answer->code = ares_parse_srv_reply(bytes, size, &records);
  for (const ares_srv_reply* record = records; record; record = record->next) {
    if (answer->services.size() >= kRecordLimit) break;
    std::string target = record->host;
    if (target.ends_with('.')) target.pop_back();
    answer->services.push_back({std::move(target), record->port});
  }
  if (records) ares_free_data(records);
}

}  // namespace

StatusOr<std::vector<std::string>> DnsLookup::Addresses(const Context& context,
                                                        const std::string& host) const {
  AddressAnswer answer;  // outlives the channel, whose end calls back
  ASSIGN_OR_RETURN(const std::unique_ptr<Channel> channel, Channel::Open(options_));
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_NOSORT;
  ares_getaddrinfo(channel->get(), host.c_str(), nullptr, &hints, OnAddresses, &answer);
  RETURN_IF_ERROR(Annotate(channel->Run(context, answer.done), "DNS look-up of " + host));
  RETURN_IF_ERROR(ToStatus(answer.code, host));
  return std::move(answer.addresses);
}

StatusOr<std::vector<DnsService>> DnsLookup::Services(const Context& context,
                                                      const std::string& name) const {
  ServiceAnswer answer;  // outlives the channel, whose end calls back
  ASSIGN_OR_RETURN(const std::unique_ptr<Channel> channel, Channel::Open(options_));
  ares_search(channel->get(), name.c_str(), kClassInternet, kTypeService, OnServices, &answer);
  RETURN_IF_ERROR(Annotate(channel->Run(context, answer.done), "DNS look-up of " + name));
  RETURN_IF_ERROR(ToStatus(answer.code, name));
  return std::move(answer.services);
}

}  // namespace aevum::net
