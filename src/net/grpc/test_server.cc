#include "net/grpc/test_server.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <stop_token>

#include "base/check.h"

namespace aevum::net::grpc {
namespace {

ServerOptions OnLoopback(ServerOptions options) {
  options.address = "127.0.0.1:0";
  return options;
}

Status StreamMessages(ServerCall& call, std::atomic<std::size_t>& streamed) {
  std::istringstream words{std::string(call.request().view)};
  std::size_t count = 0;
  std::size_t size = 0;
  words >> count >> size;
  for (std::size_t i = 0; i < count; ++i) {
    std::string message = fmt::format("{} ", i);
    message.resize(std::max(size, message.size()), 'x');
    if (!call.Write(SharedBytes::Own(std::move(message)))) return Internal("write refused");
    ++streamed;
  }
  return OkStatus();
}

// Waits for the deadline or the cancellation of a call.
void WaitForTheEndOf(const ServerCall& call) {
  Signal over;
  const std::stop_callback on_stop(call.context().stop_token(), [&over] { over.Set(); });
  const auto left =
      std::min(call.context().remaining(), std::chrono::nanoseconds(std::chrono::seconds(60)));
  over.Wait(std::chrono::ceil<std::chrono::milliseconds>(left));
}

}  // namespace

void Signal::Set() {
  // Under the lock: whoever waited may end the signal's life at once.
  MutexLock lock(mutex_);
  set_ = true;
  changed_.notify_all();
}

bool Signal::Wait(std::chrono::milliseconds timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mutex_);
  while (!set_) {
    if (!lock.WaitUntil(changed_, until)) return set_;
  }
  return true;
}

Limits QuickLimits() {
  using std::chrono::milliseconds;
  Limits limits;
  limits.tick = milliseconds(20);
  limits.preface_timeout = milliseconds(300);
  limits.request_timeout = milliseconds(300);
  limits.stream_stall = milliseconds(300);
  limits.socket_stall = milliseconds(300);
  limits.linger = milliseconds(100);
  limits.drain_ping_timeout = milliseconds(200);
  limits.backoff_first = milliseconds(10);
  limits.backoff_limit = milliseconds(50);
  limits.short_life = milliseconds(0);
  return limits;
}

TestServer::TestServer(ServerOptions options)
    : server_(OnLoopback(std::move(options)), Logger(), registry_) {
  RegisterMethods();
  const Status status = server_.Start();
  AEVUM_CHECK(status.ok());
}

TestServer::~TestServer() { server_.Stop(std::chrono::milliseconds(0)); }

std::string TestServer::address() const { return fmt::format("127.0.0.1:{}", server_.port()); }

void TestServer::RegisterMethods() {
  using Kind = Server::Kind;
  server_.Register("/test.Echo/Unary", Kind::kUnary, [](ServerCall& call) {
    call.Write(call.request());
    return OkStatus();
  });
  server_.Register("/test.Echo/Fail", Kind::kUnary,
                   [](ServerCall& call) { return NotFound("not found: {}", call.request().view); });
  server_.Register("/test.Echo/Throw", Kind::kUnary,
                   [](ServerCall&) -> Status { throw std::runtime_error("thrown"); });
  server_.Register("/test.Echo/Stream", Kind::kServerStream,
                   [this](ServerCall& call) { return StreamMessages(call, streamed); });
  server_.Register("/test.Echo/Metadata", Kind::kUnary, [](ServerCall& call) {
    const RequestInfo& info = call.context().request();
    call.Write(SharedBytes::Own(
        fmt::format("{} {} {}", info.tenant, info.request_id, call.Metadata("test-key"))));
    return OkStatus();
  });
  server_.Register("/test.Echo/Block", Kind::kServerStream, [this](ServerCall& call) {
    call.Write(SharedBytes::Own("begun"));
    ++blocked;
    block_entered.Set();
    WaitForTheEndOf(call);
    if (call.context().cancelled()) ++cancelled;
    --blocked;
    block_left.Set();
    return call.context().status();
  });
  server_.Register("/test.Echo/Careless", Kind::kServerStream, [](ServerCall& call) {
    WaitForTheEndOf(call);
    return OkStatus();
  });
}

double MetricValue(prometheus::Registry& registry, const std::string& name,
                   const std::vector<std::pair<std::string, std::string>>& labels) {
  double sum = 0;
  for (const auto& family : registry.Collect()) {
    if (family.name != name) continue;
    for (const auto& metric : family.metric) {
      const bool matches = std::all_of(labels.begin(), labels.end(), [&](const auto& wanted) {
        return std::any_of(metric.label.begin(), metric.label.end(), [&](const auto& label) {
          return label.name == wanted.first && label.value == wanted.second;
        });
      });
      if (matches) sum += metric.counter.value + static_cast<double>(metric.histogram.sample_count);
    }
  }
  return sum;
}

}  // namespace aevum::net::grpc
