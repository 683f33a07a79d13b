#include "net/http/server.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <set>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/check.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "base/trace.h"
#include "model/tenant_name.h"
#include "net/http/basic_auth.h"
#include "net/http/connection.h"
#include "net/http/listener.h"
#include "net/http/request_metrics.h"
#include "net/http/router.h"
#include "net/http/web_config.h"
#include "net/request_log.h"
#include "net/tracing/tracer.h"

namespace aevum::net {
namespace {

using boost::asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kLightThreads = 2;
constexpr std::size_t kLightQueue = 64;
// bcrypt takes some 60 ms: two threads and this queue answer within two seconds, or 503.
constexpr std::size_t kAuthThreads = 2;
constexpr std::size_t kAuthQueue = 64;
// How long handlers may take to notice that they are cancelled before their clients are cut off.
constexpr milliseconds kCancelGrace{500};

// Samples the trace of a request, as in Thanos, whatever it holds.
constexpr std::string_view kForceTracingHeader = "X-Thanos-Force-Tracing";

// The label `tenant` of requests whose tenant is no name of one.
constexpr std::string_view kInvalidTenant = "invalid";

// An identifier of 26 characters like a ULID: 48 bits of time, 80 of chance.
std::string NewRequestId(std::mt19937_64& random) {
  static constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  auto time = static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(now).count());
  std::string id(26, '0');
  for (std::size_t i = 10; i-- > 0; time >>= 5) id[i] = kDigits[time & 31];
  for (std::size_t i = 10; i < 26; ++i) id[i] = kDigits[random() & 31];
  return id;
}

std::size_t RequestBytes(const HttpRequest& request) {
  std::size_t size = request.method.size() + request.target.size() + request.body.size();
  for (const auto& [name, value] : request.headers) size += name.size() + value.size();
  return size;
}

Outbox::Ending EndingOf(ResponseWriter::Outcome outcome) {
  switch (outcome) {
    case ResponseWriter::Outcome::kKeepAlive:
      return Outbox::Ending::kKeepAlive;
    case ResponseWriter::Outcome::kClose:
      return Outbox::Ending::kClose;
    case ResponseWriter::Outcome::kBroken:
      return Outbox::Ending::kBroken;
  }
  return Outbox::Ending::kBroken;
}

// Takes a whole answer, for handlers that must not wait for their client.
class WholeAnswer final : public AnswerSink {
 public:
  bool Push(std::string bytes) override {
    bytes_ += bytes;
    return true;
  }
  std::string bytes_;
};

// A bucket of tokens that fills by one each interval. On the thread of the loop.
class RateLimit {
 public:
  bool Allow(const WebConfig& config) {
    if (config.rate_interval.count() == 0) return true;
    const auto now = steady_clock::now();
    const double interval = std::chrono::duration<double>(config.rate_interval).count();
    const auto burst = static_cast<double>(config.rate_burst);
    tokens_ = filled_ == steady_clock::time_point()
                  ? burst
                  : std::min(burst, tokens_ + std::chrono::duration<double>(now - filled_).count() /
                                                  interval);
    filled_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double tokens_ = 0;
  steady_clock::time_point filled_;
};

}  // namespace

class HttpServer::Impl final : public ConnectionHost {
 public:
  Impl(HttpServerOptions options, Logger logger, std::shared_ptr<prometheus::Registry> metrics)
      : options_(std::move(options)),
        logger_(std::move(logger)),
        metrics_(metrics, options_.tenant_header.empty() ? RequestMetrics::Tenants::kNone
                                                         : RequestMetrics::Tenants::kLabelled),
        body_budget_(std::make_shared<MemoryBudget>(
            "http request bodies", static_cast<std::int64_t>(options_.max_body_bytes_in_flight))),
        random_(std::random_device{}()),
        listener_(loop_, logger_, [this](tcp::socket socket) { OnAccepted(std::move(socket)); }),
        sweep_timer_(loop_) {}

  ~Impl() override { Stop(milliseconds(0)); }

  Router& router() { return router_; }
  std::uint16_t port() const { return listener_.port(); }
  bool started() const { return loop_thread_.joinable(); }

  Status Start();
  void Stop(milliseconds grace);

  // ConnectionHost
  const HttpServerOptions& options() const override { return options_; }
  const std::shared_ptr<MemoryBudget>& body_budget() const override { return body_budget_; }
  bool draining() const override { return draining_.load(std::memory_order_relaxed); }
  void OnRequest(std::shared_ptr<Connection> connection, ReceivedRequest received) override;
  void OnClosed(Connection* connection) override;

 private:
  void RunLoop();
  void OnAccepted(tcp::socket socket);
  void MakeRoom();
  void Sweep();
  void Authenticate(std::shared_ptr<Connection> connection, ReceivedRequest received,
                    std::shared_ptr<const WebConfigFile::Loaded> web);
  void RouteRequest(std::shared_ptr<Connection> connection, ReceivedRequest received);
  // Borrows the request and the route.
  RequestLog::HttpCall CallOf(const ReceivedRequest& received, const Route& route) const;
  void RunHandler(const std::shared_ptr<Connection>& connection, const ReceivedRequest& received,
                  const Route& route, const RequestFacts& facts);
  Span StartSpan(const ReceivedRequest& received, const Route& route) const;
  void CallHandler(const Context& context, const ReceivedRequest& received, const Route& route,
                   ResponseWriter* writer);
  // From any thread.
  static void Reply(Connection& connection, AnswerForm form, int status, std::string_view text,
                    const Fields& headers = {});
  bool WaitUntilQuiet(steady_clock::time_point deadline);

  const HttpServerOptions options_;
  const Logger logger_;
  RequestMetrics metrics_;
  const std::shared_ptr<MemoryBudget> body_budget_;
  Router router_;
  std::unique_ptr<WebConfigFile> web_;
  BasicAuth auth_;
  std::atomic<bool> draining_ = false;

  // Of the loop's thread. The loop comes first, since sockets refer to it to their end.
  boost::asio::io_context loop_{1};
  std::mt19937_64 random_;
  RateLimit rate_limit_;
  Listener listener_;
  boost::asio::steady_timer sweep_timer_;
  milliseconds sweep_interval_{500};
  std::set<std::shared_ptr<Connection>> connections_;

  Mutex mutex_;
  std::condition_variable swept_;
  std::size_t busy_ AEVUM_GUARDED_BY(mutex_) = 0;  // connections with a request, at the last sweep
  std::uint64_t sweeps_ AEVUM_GUARDED_BY(mutex_) = 0;

  std::unique_ptr<ThreadPool> handlers_;
  std::unique_ptr<ThreadPool> light_;
  std::unique_ptr<ThreadPool> authenticators_;
  std::thread loop_thread_;
};

Status HttpServer::Impl::Start() {
  AEVUM_CHECK(!started());
  ASSIGN_OR_RETURN(web_, WebConfigFile::Open(options_.web_config_file, logger_));
  RETURN_IF_ERROR(listener_.Open(options_.address));
  const milliseconds shortest = std::min({options_.header_timeout, options_.body_timeout,
                                          options_.write_timeout, options_.idle_timeout});
  sweep_interval_ = std::clamp(shortest / 4, milliseconds(5), milliseconds(500));
  handlers_ =
      std::make_unique<ThreadPool>("http", options_.handler_threads, options_.handler_queue);
  light_ = std::make_unique<ThreadPool>("http-light", kLightThreads, kLightQueue);
  authenticators_ = std::make_unique<ThreadPool>("http-auth", kAuthThreads, kAuthQueue);
  listener_.Resume();
  Sweep();
  loop_thread_ = std::thread([this] { RunLoop(); });
  pthread_setname_np(loop_thread_.native_handle(), "http-loop");
  logger_.Info(
      "listening for HTTP",
      {{"address", options_.address}, {"port", port()}, {"tls", web_->Get()->tls != nullptr}});
  return OkStatus();
}

void HttpServer::Impl::RunLoop() {
  const auto work = boost::asio::make_work_guard(loop_);
  while (!loop_.stopped()) {
    try {
      loop_.run();
    } catch (const std::exception& error) {
      // One connection's operation failed in a way that has no error code; the others go on.
      logger_.Error("exception in the HTTP loop", {{"err", error.what()}});
    }
  }
}

void HttpServer::Impl::OnAccepted(tcp::socket socket) {
  if (draining()) return;
  if (connections_.size() >= options_.max_connections) MakeRoom();
  std::unique_ptr<tls::Engine> engine;
  const std::shared_ptr<const WebConfigFile::Loaded> web = web_->Get();
  if (web->tls) {
    StatusOr<std::unique_ptr<tls::Engine>> made = tls::Engine::ForServer(web->tls->Get());
    if (!made.ok()) {
      logger_.Error("can't begin a TLS connection", {{"err", made.status()}});
      return;
    }
    engine = *std::move(made);
  }
  auto connection = std::make_shared<Connection>(std::move(socket), std::move(engine), this);
  connections_.insert(connection);
  connection->Start();
  // With nobody to close, the next ones wait in the kernel's backlog.
  const bool full = connections_.size() >= options_.max_connections &&
                    std::none_of(connections_.begin(), connections_.end(),
                                 [](const auto& c) { return c->waits_for_client(); });
  if (full) listener_.Pause();
}

// Closes those that wait longest for their client, idle ones first: who drips or does nothing can't
// keep others out. Some at once, so that a flood of connections does not cost a search each.
void HttpServer::Impl::MakeRoom() {
  const auto before = [](const auto& a, const auto& b) {
    const bool a_idle = a->phase() == Connection::Phase::kIdle;
    const bool b_idle = b->phase() == Connection::Phase::kIdle;
    if (a_idle != b_idle) return a_idle;
    return a->waiting_since() < b->waiting_since();
  };
  std::vector<std::shared_ptr<Connection>> waiting;
  for (const std::shared_ptr<Connection>& connection : connections_) {
    if (connection->waits_for_client()) waiting.push_back(connection);
  }
  const std::size_t count = std::min(waiting.size(), options_.max_connections / 64 + 1);
  const auto end = waiting.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(waiting.begin(), end, waiting.end(), before);
  std::for_each(waiting.begin(), end, [](const auto& connection) { connection->Close(); });
}

void HttpServer::Impl::OnClosed(Connection* connection) {
  connections_.erase(connection->shared_from_this());
  if (!draining()) listener_.Resume();
}

void HttpServer::Impl::Sweep() {
  const auto now = steady_clock::now();
  std::size_t busy = 0;
  // A copy, since closing takes connections out of the set.
  const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
  for (const std::shared_ptr<Connection>& connection : all) {
    connection->CheckDeadlines(now);
    if (connection->phase() == Connection::Phase::kHandling) ++busy;
    if (draining() && connection->phase() == Connection::Phase::kIdle) connection->Close();
  }
  // A listener that paused because all connections were busy goes on when one can make room.
  if (!draining() && (all.size() < options_.max_connections || busy < all.size())) {
    listener_.Resume();
  }
  {
    MutexLock lock(mutex_);
    busy_ = busy;
    ++sweeps_;
  }
  swept_.notify_all();
  sweep_timer_.expires_after(draining() ? milliseconds(5) : sweep_interval_);
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Sweep();
  });
}

void HttpServer::Impl::OnRequest(std::shared_ptr<Connection> connection, ReceivedRequest received) {
  const std::shared_ptr<const WebConfigFile::Loaded> web = web_->Get();
  received.form.extra_headers = web->config.headers;
  if (!rate_limit_.Allow(web->config)) {
    return Reply(*connection, received.form, 429, "Too Many Requests");
  }
  RequestInfo info;
  info.request_id = received.request.Header("X-Request-ID").substr(0, 128);
  if (info.request_id.empty()) info.request_id = NewRequestId(random_);
  received.context = received.context.WithRequest(std::move(info));
  if (web->config.users.empty()) return RouteRequest(std::move(connection), std::move(received));
  Authenticate(std::move(connection), std::move(received), web);
}

void HttpServer::Impl::Authenticate(std::shared_ptr<Connection> connection,
                                    ReceivedRequest received,
                                    std::shared_ptr<const WebConfigFile::Loaded> web) {
  static const Fields kChallenge = {{"WWW-Authenticate", "Basic"}};
  const std::optional<Credentials> credentials =
      ParseBasicAuth(received.request.Header("Authorization"));
  if (!credentials) return Reply(*connection, received.form, 401, "Unauthorized", kChallenge);
  received.request.user = credentials->user;
  if (const std::optional<bool> known = auth_.Known(web->config.users, *credentials)) {
    if (*known) return RouteRequest(std::move(connection), std::move(received));
    return Reply(*connection, received.form, 401, "Unauthorized", kChallenge);
  }
  const AnswerForm form = received.form;
  auto held = std::make_shared<ReceivedRequest>(std::move(received));
  const bool taken = authenticators_->Submit([this, connection, held, web, credentials] {
    const bool granted = auth_.Verify(web->config.users, *credentials);
    boost::asio::post(loop_, [this, connection, held, granted] {
      if (granted) return RouteRequest(connection, std::move(*held));
      Reply(*connection, held->form, 401, "Unauthorized", kChallenge);
    });
  });
  if (!taken) Reply(*connection, form, 503, "too many attempts to log in, try again later");
}

void HttpServer::Impl::RouteRequest(std::shared_ptr<Connection> connection,
                                    ReceivedRequest received) {
  HttpRequest& request = received.request;
  Router::Match match = router_.Find(request.method, received.raw_path);
  if (!match.route) {
    if (!match.path_known) return Reply(*connection, received.form, 404, "404 page not found");
    const Fields allow = {{"Allow", match.allow}};
    if (request.method == "OPTIONS") return Reply(*connection, received.form, 204, "", allow);
    return Reply(*connection, received.form, 405, "Method Not Allowed", allow);
  }
  request.path_params = std::move(match.path_params);
  RequestFacts facts{match.route->name, request.method, "", RequestBytes(request)};
  if (!options_.tenant_header.empty()) {
    facts.tenant = request.Header(options_.tenant_header);
    if (facts.tenant.empty()) facts.tenant = options_.default_tenant;
    if (!model::TenantName::Parse(facts.tenant).ok()) facts.tenant = kInvalidTenant;
  }
  metrics_.Begin(facts);
  const AnswerForm form = received.form;
  ThreadPool& pool = match.route->light ? *light_ : *handlers_;
  auto held = std::make_shared<ReceivedRequest>(std::move(received));
  const bool taken = pool.Submit([this, connection, held, route = match.route, facts] {
    RunHandler(connection, *held, *route, facts);
  });
  if (taken) return;
  metrics_.End(facts, 503, std::chrono::nanoseconds(0), 0);
  Reply(*connection, form, 503, "too many requests are waiting, try again later",
        {{"Retry-After", "1"}});
}

RequestLog::HttpCall HttpServer::Impl::CallOf(const ReceivedRequest& received,
                                              const Route& route) const {
  const HttpRequest& request = received.request;
  return {.method = request.method,
          .target = request.target,
          .path = request.path,
          .handler = route.name,
          .request_id = received.context.request().request_id,
          .user_agent = request.Header("User-Agent"),
          .remote_address = request.remote_address,
          .port = port()};
}

Span HttpServer::Impl::StartSpan(const ReceivedRequest& received, const Route& route) const {
  if (!options_.tracer || route.name.empty()) return {};
  const HttpRequest& request = received.request;
  const auto parent = ExtractTrace([&](std::string_view name) { return request.Header(name); });
  const bool forced = !request.Header(kForceTracingHeader).empty();
  Span span =
      options_.tracer->StartRequest(received.context, fmt::format("/{} HTTP[server]", route.name),
                                    parent, forced ? Tracer::Force::kYes : Tracer::Force::kNo);
  span.Set("request_id", received.context.request().request_id);
  span.Set("http.method", request.method);
  span.Set("http.url", request.target);
  if (forced) span.Set("thanos.force_tracing", "true");
  return span;
}

void HttpServer::Impl::RunHandler(const std::shared_ptr<Connection>& connection,
                                  const ReceivedRequest& received, const Route& route,
                                  const RequestFacts& facts) {
  const auto begin = steady_clock::now();
  const RequestLog* const log = route.name.empty() ? nullptr : options_.request_log.get();
  Span span = StartSpan(received, route);
  const Context& context = span.Inner(received.context);
  const std::string trace_id = TraceIdOf(context);
  RequestLog::HttpCall call = CallOf(received, route);
  call.trace_id = trace_id;
  if (log) log->HttpStarted(call);
  WholeAnswer whole;
  ResponseWriter writer(received.form,
                        route.light ? static_cast<AnswerSink*>(&whole) : connection.get());
  if (span.recording()) writer.SetHeader("X-Thanos-Trace-Id", trace_id);
  CallHandler(context, received, route, &writer);
  std::string rest = std::move(whole.bytes_);
  const ResponseWriter::Outcome outcome = writer.Finish(&rest);
  const auto taken = steady_clock::now() - begin;
  metrics_.End(facts, writer.status(), taken, writer.body_bytes());
  if (log) log->HttpFinished(call, writer.status(), taken);
  span.Set("http.status_code", writer.status());
  if (writer.status() >= 500) span.Fail(Internal("answered with status {}", writer.status()));
  span.End();
  connection->Finish(std::move(rest), EndingOf(outcome));
}

void HttpServer::Impl::CallHandler(const Context& context, const ReceivedRequest& received,
                                   const Route& route, ResponseWriter* writer) {
  std::string what;
  try {
    return route.handler(context, received.request, *writer);
  } catch (const std::exception& error) {
    what = error.what();
  } catch (...) {
    what = "not a std::exception";
  }
  metrics_.CountException();
  logger_.Error("exception in a handler", {{"path", received.request.path}, {"err", what}});
  if (writer->started()) return writer->Abort();
  writer->Reset();
  writer->SetStatus(500);
  writer->Write("internal server error\n");
}

void HttpServer::Impl::Reply(Connection& connection, AnswerForm form, int status,
                             std::string_view text, const Fields& headers) {
  ResponseWriter writer(std::move(form), &connection);
  writer.SetStatus(status);
  for (const auto& [name, value] : headers) writer.SetHeader(name, value);
  if (status >= 400) writer.SetHeader("X-Content-Type-Options", "nosniff");
  writer.Write(text);
  if (!text.empty()) writer.Write("\n");
  std::string rest;
  const Outbox::Ending ending = EndingOf(writer.Finish(&rest));
  connection.Finish(std::move(rest), ending);
}

bool HttpServer::Impl::WaitUntilQuiet(steady_clock::time_point deadline) {
  MutexLock lock(mutex_);
  // The sweep that runs now may have looked before the wait began.
  const std::uint64_t from = sweeps_ + 2;
  while (sweeps_ < from || busy_ > 0) {
    if (!lock.WaitUntil(swept_, deadline)) return false;
  }
  return true;
}

void HttpServer::Impl::Stop(milliseconds grace) {
  if (!loop_thread_.joinable()) return;
  const auto deadline = steady_clock::now() + grace;
  draining_ = true;
  boost::asio::post(loop_, [this] {
    listener_.Close();
    sweep_timer_.cancel();
    Sweep();
  });
  if (!WaitUntilQuiet(deadline)) {
    boost::asio::post(loop_, [this] {
      for (const std::shared_ptr<Connection>& connection : connections_) connection->Cancel();
    });
    WaitUntilQuiet(steady_clock::now() + kCancelGrace);
  }
  boost::asio::post(loop_, [this] {
    const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
    for (const std::shared_ptr<Connection>& connection : all) connection->Close();
  });
  authenticators_->Stop();
  handlers_->Stop();
  light_->Stop();
  boost::asio::post(loop_, [this] { loop_.stop(); });
  loop_thread_.join();
}

HttpServer::HttpServer(HttpServerOptions options, Logger logger,
                       std::shared_ptr<prometheus::Registry> metrics)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(logger), std::move(metrics))) {}
HttpServer::~HttpServer() = default;

void HttpServer::Handle(std::string_view method, std::string_view pattern, std::string_view name,
                        HttpHandler handler) {
  AEVUM_CHECK(!impl_->started());
  impl_->router().Add(pattern, {std::string(method), std::string(name), std::move(handler)});
}

void HttpServer::HandleLight(std::string_view method, std::string_view pattern,
                             HttpHandler handler) {
  AEVUM_CHECK(!impl_->started());
  impl_->router().Add(pattern, {std::string(method), "", std::move(handler), true});
}

Status HttpServer::Start() { return impl_->Start(); }
std::uint16_t HttpServer::port() const { return impl_->port(); }
void HttpServer::Stop(std::chrono::milliseconds grace) { impl_->Stop(grace); }

}  // namespace aevum::net
