#include "net/request_log.h"

#include <algorithm>

#include <yaml-cpp/yaml.h>

namespace aevum::net {
namespace {

std::string Milliseconds(std::chrono::nanoseconds duration) {
  return fmt::format("{:.3f}", static_cast<double>(duration.count()) / 1e6);
}

// What Thanos's levels are for a finished call: failures of the server are errors, the rest debug.
LogLevel LevelOf(int http_status) {
  return http_status >= 200 && http_status < 500 ? LogLevel::kDebug : LogLevel::kError;
}

LogLevel LevelOf(StatusCode code) {
  switch (code) {
    case StatusCode::kUnknown:
    case StatusCode::kUnimplemented:
    case StatusCode::kInternal:
    case StatusCode::kDataLoss:
      return LogLevel::kError;
    default:
      return LogLevel::kDebug;
  }
}

void Write(const Logger& logger, LogLevel level, std::string_view message, Logger::Fields fields) {
  if (level == LogLevel::kError) {
    logger.Error(message, fields);
  } else {
    logger.Debug(message, fields);
  }
}

}  // namespace

// Reads the configuration strictly: a field that is not known is an error.
class RequestLogParser {
 public:
  explicit RequestLogParser(RequestLog* log) : log_(log) {}

  Status Parse(const YAML::Node& root) {
    RETURN_IF_ERROR(CheckFields(root, "", {"options", "http", "grpc"}));
    RequestLog::Options all;
    RETURN_IF_ERROR(ReadOptions(root["options"], "options", &all));
    log_->http_ = all;
    log_->grpc_ = all;
    if (const YAML::Node http = root["http"]) {
      RETURN_IF_ERROR(CheckFields(http, "http", {"options", "config"}));
      RETURN_IF_ERROR(ReadOptions(http["options"], "http.options", &log_->http_));
      for (const YAML::Node& only : http["config"]) {
        RETURN_IF_ERROR(CheckFields(only, "http.config", {"path", "port"}));
        if (!only["path"] || !only["port"])
          return InvalidArgument("http.config: needs path and port");
        log_->http_only_.emplace_back(only["path"].as<std::string>(),
                                      only["port"].as<std::uint16_t>());
      }
    }
    if (const YAML::Node grpc = root["grpc"]) {
      RETURN_IF_ERROR(CheckFields(grpc, "grpc", {"options", "config"}));
      RETURN_IF_ERROR(ReadOptions(grpc["options"], "grpc.options", &log_->grpc_));
      for (const YAML::Node& only : grpc["config"]) {
        RETURN_IF_ERROR(CheckFields(only, "grpc.config", {"service", "method"}));
        if (!only["service"] || !only["method"])
          return InvalidArgument("grpc.config: needs service and method");
        log_->grpc_only_.push_back("/" + only["service"].as<std::string>() + "/" +
                                   only["method"].as<std::string>());
      }
    }
    return OkStatus();
  }

 private:
  static Status CheckFields(const YAML::Node& node, std::string_view where,
                            std::initializer_list<std::string_view> known) {
    if (!node.IsMap())
      return InvalidArgument("{}: not a mapping of fields", where.empty() ? "the file" : where);
    for (const auto& field : node) {
      const std::string name = field.first.as<std::string>();
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        return InvalidArgument("line {}: field {}{}{} is not known", field.first.Mark().line + 1,
                               where, where.empty() ? "" : ".", name);
      }
    }
    return OkStatus();
  }

  static Status ReadOptions(const YAML::Node& node, std::string_view where,
                            RequestLog::Options* options) {
    if (!node) return OkStatus();
    RETURN_IF_ERROR(CheckFields(node, where, {"level", "decision"}));
    *options = {};
    if (const YAML::Node decision = node["decision"]) {
      RETURN_IF_ERROR(
          CheckFields(decision, fmt::format("{}.decision", where), {"log_start", "log_end"}));
      options->start = decision["log_start"] && decision["log_start"].as<bool>();
      options->end = decision["log_end"] && decision["log_end"].as<bool>();
    }
    if (options->start && !options->end) {
      return InvalidArgument("{}.decision: log_start without log_end is not supported", where);
    }
    const std::string level = node["level"] ? node["level"].as<std::string>() : "";
    if (level == "DEBUG" || level == "WARNING") {
      options->level = LogLevel::kDebug;
    } else if (level == "INFO") {
      options->level = LogLevel::kInfo;
    } else if (level != "ERROR" && (!level.empty() || options->end)) {
      return InvalidArgument("{}.level: must be INFO, DEBUG, ERROR or WARNING, got \"{}\"", where,
                             level);
    }
    return OkStatus();
  }

  RequestLog* log_;
};

StatusOr<std::shared_ptr<const RequestLog>> RequestLog::Parse(std::string_view yaml,
                                                              const Logger& logger) {
  auto log = std::make_shared<RequestLog>();
  log->logger_ = logger.WithThreshold(LogLevel::kDebug);
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (root && !root.IsNull())
      RETURN_IF_ERROR(Annotate(RequestLogParser(log.get()).Parse(root), "request logging"));
  } catch (const YAML::Exception& error) {
    return InvalidArgument("request logging: {}", error.what());
  }
  return std::shared_ptr<const RequestLog>(std::move(log));
}

bool RequestLog::Selects(const HttpCall& call) const {
  return http_only_.empty() ||
         std::any_of(http_only_.begin(), http_only_.end(), [&](const auto& only) {
           return only.first == call.path && only.second == call.port;
         });
}

bool RequestLog::Selects(const GrpcCall& call) const {
  return grpc_only_.empty() ||
         std::find(grpc_only_.begin(), grpc_only_.end(), call.path) != grpc_only_.end();
}

Logger RequestLog::LoggerFor(std::string_view trace_id) const {
  return trace_id.empty() ? logger_ : logger_.With("traceID", trace_id);
}

void RequestLog::HttpStarted(const HttpCall& call) const {
  if (!http_.start || http_.level > LogLevel::kDebug || !Selects(call)) return;
  LoggerFor(call.trace_id)
      .Debug("started call", {{"protocol", "http"},
                              {"http.component", "server"},
                              {"http.method", fmt::format("{} {}", call.method, call.target)},
                              {"http.request_id", call.request_id},
                              {"http.user_agent", call.user_agent},
                              {"thanos.method_name", call.handler}});
}

void RequestLog::HttpFinished(const HttpCall& call, int status,
                              std::chrono::nanoseconds duration) const {
  const LogLevel level = LevelOf(status);
  if (!http_.end || level < http_.level || !Selects(call)) return;
  Write(LoggerFor(call.trace_id), level, "finished call",
        {{"protocol", "http"},
         {"http.component", "server"},
         {"http.method", fmt::format("{} {}", call.method, call.target)},
         {"http.request_id", call.request_id},
         {"http.user_agent", call.user_agent},
         {"http.status_code", status},
         {"http.time_ms", Milliseconds(duration)},
         {"http.remote_addr", call.remote_address},
         {"thanos.method_name", call.handler}});
}

void RequestLog::GrpcStarted(const GrpcCall& call) const {
  if (!grpc_.start || grpc_.level > LogLevel::kDebug || !Selects(call)) return;
  LoggerFor(call.trace_id)
      .Debug("started call", {{"protocol", "grpc"},
                              {"grpc.component", "server"},
                              {"grpc.method", call.path},
                              {"grpc.method_type", call.type},
                              {"peer.address", call.peer},
                              {"requestID", call.request_id}});
}

void RequestLog::GrpcFinished(const GrpcCall& call, const Status& status,
                              std::chrono::nanoseconds duration) const {
  const LogLevel level = LevelOf(status.code());
  if (!grpc_.end || level < grpc_.level || !Selects(call)) return;
  Write(LoggerFor(call.trace_id), level, "finished call",
        {{"protocol", "grpc"},
         {"grpc.component", "server"},
         {"grpc.method", call.path},
         {"grpc.method_type", call.type},
         {"peer.address", call.peer},
         {"requestID", call.request_id},
         {"grpc.code", StatusCodeName(status.code())},
         {"grpc.error", status.message()},
         {"grpc.time_ms", Milliseconds(duration)}});
}

}  // namespace aevum::net
