#include "net/http/ops.h"

#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "net/metrics/exposition.h"
#include "net/metrics/process_collector.h"

namespace aevum::net {

Probe::Probe(std::string component, Logger logger,
             const std::shared_ptr<prometheus::Registry>& metrics)
    : logger_(std::move(logger)) {
  if (!metrics) return;
  auto& family = prometheus::BuildGauge()
                     .Name("thanos_status")
                     .Help(
                         "Represents status (0 indicates failure, 1 indicates success) of the "
                         "component.")
                     .Register(*metrics);
  ready_gauge_ = &family.Add({{"component", component}, {"check", "ready"}});
  healthy_gauge_ = &family.Add({{"component", component}, {"check", "healthy"}});
}

void Probe::SetReadyLocked(bool ready, std::string_view reason) {
  reason_ = reason;
  if (ready_gauge_) ready_gauge_->Set(ready ? 1 : 0);
  if (ready == ready_) return;
  ready_ = ready;
  if (ready) {
    logger_.Info("changing probe status", {{"status", "ready"}});
  } else {
    logger_.Warn("changing probe status", {{"status", "not-ready"}, {"reason", reason}});
  }
  for (const auto& hook : hooks_) hook(ready);
}

void Probe::SetHealthyLocked(bool healthy, std::string_view reason) {
  if (healthy_gauge_) healthy_gauge_->Set(healthy ? 1 : 0);
  if (healthy == healthy_) return;
  healthy_ = healthy;
  if (healthy) {
    logger_.Info("changing probe status", {{"status", "healthy"}});
  } else {
    logger_.Warn("changing probe status", {{"status", "not-healthy"}, {"reason", reason}});
  }
}

void Probe::SetReady() {
  MutexLock lock(mutex_);
  SetReadyLocked(true, "");
}
void Probe::SetNotReady(std::string_view reason) {
  MutexLock lock(mutex_);
  SetReadyLocked(false, reason);
}
void Probe::SetHealthy() {
  MutexLock lock(mutex_);
  SetHealthyLocked(true, "");
}
void Probe::SetNotHealthy(std::string_view reason) {
  MutexLock lock(mutex_);
  SetHealthyLocked(false, reason);
}

bool Probe::ready() const {
  MutexLock lock(mutex_);
  return ready_;
}
bool Probe::healthy() const {
  MutexLock lock(mutex_);
  return healthy_;
}
std::string Probe::not_ready_reason() const {
  MutexLock lock(mutex_);
  return reason_;
}

void Probe::OnReadyChange(std::function<void(bool)> hook) {
  MutexLock lock(mutex_);
  hook(ready_);
  hooks_.push_back(std::move(hook));
}

namespace {

void AnswerCheck(bool good, HttpResponse& response) {
  if (good) {
    response.Write("OK");
    return;
  }
  response.SetStatus(503);
  response.SetHeader("X-Content-Type-Options", "nosniff");
  response.Write("NOT OK\n");
}

}  // namespace

void AddOpsRoutes(HttpServer& server, const Probe& probe,
                  std::shared_ptr<prometheus::Registry> metrics,
                  std::vector<std::shared_ptr<prometheus::Collectable>> more) {
  more.push_back(std::make_shared<ProcessCollector>());
  if (metrics) more.push_back(std::move(metrics));
  server.HandleLight(
      "GET", "/metrics",
      [all = std::move(more)](const Context&, const HttpRequest& request, HttpResponse& response) {
        const ExpositionFormat format = NegotiateExposition(request.Header("Accept"));
        response.SetHeader("Content-Type", ExpositionContentType(format));
        response.Write(WriteExposition(all, format));
      });
  server.HandleLight("", "/-/healthy",
                     [&probe](const Context&, const HttpRequest&, HttpResponse& response) {
                       AnswerCheck(probe.healthy(), response);
                     });
  server.HandleLight("", "/-/ready",
                     [&probe](const Context&, const HttpRequest&, HttpResponse& response) {
                       AnswerCheck(probe.ready(), response);
                     });
  for (const char* path : {"/debug/pprof/{rest...}", "/debug/pprof", "/debug/fgprof"}) {
    server.HandleLight("", path, [](const Context&, const HttpRequest&, HttpResponse& response) {
      response.SetStatus(404);
      response.Write(
          "There are no Go profiles of this program: it is not written in Go. Use perf, gdb or "
          "the metrics under /metrics.\n");
    });
  }
}

}  // namespace aevum::net
