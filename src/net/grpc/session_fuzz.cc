// A whole session, server and client, fed by a peer that writes anything.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/context.h"
#include "net/grpc/client_connection.h"
#include "net/grpc/server_connection.h"

using namespace aevum;
using namespace aevum::net::grpc;

namespace {

// Runs both ends' code on a loop of its own; one connection at a time.
class Target {
 public:
  Target() {
    core_.options.handler_threads = 1;
    core_.unary_pool = std::make_unique<ThreadPool>("unary", 1, 1000);
    core_.stream_pool = std::make_unique<ThreadPool>("stream", 1, 1000);
    registry_ = std::make_shared<prometheus::Registry>();
    metrics_ = std::make_unique<CallMetrics>(CallMetrics::Side::kServer, registry_);
    core_.panics = &prometheus::BuildCounter().Name("panics").Register(*registry_).Add({});
    Add("/f.F/A", Builtin::kNone);
    Add("/f.F/H", Builtin::kHealthWatch);
    Add("/f.F/R", Builtin::kReflection);
    AEVUM_CHECK(home_.loop.Start().ok());
  }

  void Run(std::string_view bytes, bool server) {
    int fds[2];
    AEVUM_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
    home_.loop.Post([this, fd = fds[0], server] { Begin(fd, server); });
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fds[1], bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno != EAGAIN || !Drain(fds[1])) {
        break;
      }
    }
    ::shutdown(fds[1], SHUT_WR);
    while (Drain(fds[1])) {
    }
    ::close(fds[1]);
  }

 private:
  void Add(const std::string& path, Builtin builtin) {
    Method& method = core_.methods[path];
    method.kind = Server::Kind::kServerStream;
    method.builtin = builtin;
    method.handler = [](ServerCall& call) {
      call.Write(call.request());
      return OkStatus();
    };
    method.metrics = &metrics_->Of(path, CallType::kServerStream);
  }

  void Begin(int fd, bool server) {
    if (server) {
      {
        MutexLock lock(core_.mutex);
        ++core_.connections;
      }
      std::make_shared<ServerConnection>(core_, home_, fd, nullptr)->Start();
      return;
    }
    const auto connection = std::make_shared<ClientConnection>(
        home_.loop, fd, nullptr, core_.options.limits, std::weak_ptr<ClientConnection::Owner>());
    connection->Start();
    CallStream::Request request;
    request.headers = {{":method", "POST"}, {":scheme", "http"}, {":path", "/f.F/A"}};
    request.body = SharedBytes::Own("ask");
    const auto call = std::make_shared<CallStream>(
        core_.options.limits, 1 << 20, std::move(request),
        metrics_->Of("/f.F/A", CallType::kServerStream), Context::Background());
    connection->Submit(call);
    connection->Flush();
  }

  // Waits for the other side and throws away what it says; false at the end.
  static bool Drain(int fd) {
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, 10'000);
    char buffer[64 << 10];
    const ssize_t size = ::recv(fd, buffer, sizeof(buffer), 0);
    return size > 0;
  }

  std::shared_ptr<prometheus::Registry> registry_;
  std::unique_ptr<CallMetrics> metrics_;
  ServerCore core_;
  ServerLoop home_{"fuzz", std::chrono::seconds(1)};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Target& target = *new Target;  // never ends: its threads outlive main
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  // The preface is no riddle that the fuzzer should have to solve.
  const bool server = data[0] % 2 == 0;
  const std::string preface = server ? "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" : "";
  target.Run(preface + std::string(bytes), server);
  return 0;
}
