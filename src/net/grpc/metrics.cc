#include "net/grpc/metrics.h"

#include <map>

namespace aevum::net::grpc {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;
using prometheus::Registry;

// Those that the dashboards rely on.
std::vector<double> Buckets(CallMetrics::Side side) {
  std::vector<double> buckets = {0.001, 0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120};
  if (side == CallMetrics::Side::kClient) buckets.insert(buckets.end(), {240, 360, 720});
  return buckets;
}

std::string Name(CallMetrics::Side side, std::string_view rest) {
  return fmt::format("grpc_{}_{}", side == CallMetrics::Side::kServer ? "server" : "client", rest);
}

Family<Counter>& MakeCounter(Registry& registry, const std::string& name, const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

std::string_view TypeName(CallType type) {
  switch (type) {
    case CallType::kUnary:
      return "unary";
    case CallType::kServerStream:
      return "server_stream";
    case CallType::kBidiStream:
      return "bidi_stream";
  }
  return "unary";
}

}  // namespace

void MethodMetrics::Handled(StatusCode code, double duration_seconds) const {
  handled[static_cast<std::size_t>(code)]->Increment();
  seconds->Observe(duration_seconds);
}

CallMetrics::CallMetrics(Side side, std::shared_ptr<Registry> registry)
    : registry_(registry ? std::move(registry) : std::make_shared<Registry>()),
      started_(MakeCounter(*registry_, Name(side, "started_total"), "RPCs started.")),
      handled_(MakeCounter(*registry_, Name(side, "handled_total"),
                           "RPCs completed, whatever their outcome.")),
      received_(
          MakeCounter(*registry_, Name(side, "msg_received_total"), "Messages of RPCs received.")),
      sent_(MakeCounter(*registry_, Name(side, "msg_sent_total"), "Messages of RPCs sent.")),
      seconds_(prometheus::BuildHistogram()
                   .Name(Name(side, "handling_seconds"))
                   .Help("Seconds from the start of an RPC to its end.")
                   .Register(*registry_)),
      buckets_(Buckets(side)) {}

const MethodMetrics& CallMetrics::Of(std::string_view path, CallType type) {
  MutexLock lock(mutex_);
  std::unique_ptr<MethodMetrics>& found = methods_[std::string(path)];
  if (found) return *found;
  const std::string_view trimmed = path.starts_with('/') ? path.substr(1) : path;
  const std::size_t slash = trimmed.find('/');
  std::map<std::string, std::string> labels = {
      {"grpc_type", std::string(TypeName(type))},
      {"grpc_service", std::string(trimmed.substr(0, slash))},
      {"grpc_method",
       slash == std::string_view::npos ? std::string() : std::string(trimmed.substr(slash + 1))}};
  found = std::make_unique<MethodMetrics>();
  found->started = &started_.Add(labels);
  found->received = &received_.Add(labels);
  found->sent = &sent_.Add(labels);
  found->seconds = &seconds_.Add(labels, buckets_);
  for (std::size_t code = 0; code < found->handled.size(); ++code) {
    labels["grpc_code"] = std::string(StatusCodeName(static_cast<StatusCode>(code)));
    found->handled[code] = &handled_.Add(labels);
  }
  return *found;
}

}  // namespace aevum::net::grpc
