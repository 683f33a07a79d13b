#include "net/api/status.h"

#include <memory>
#include <string_view>
#include <thread>

#include <fmt/core.h>
#include <unistd.h>

#include "base/duration.h"
#include "net/api/answer.h"

namespace aevum::net {
namespace {

Status WriteBuildInfo(const ComponentStatus& status, HttpResponse& response) {
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  writer.Raw("{\"version\":");
  writer.String(status.version);
  writer.Raw(",\"revision\":");
  writer.String(status.revision);
  writer.Raw(",\"branch\":\"\",\"buildUser\":\"\",\"buildDate\":\"\",\"goVersion\":\"\"}");
  return EndAnswer(writer);
}

Status WriteFlags(const ComponentStatus& status, HttpResponse& response) {
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  writer.Raw("{");
  bool first = true;
  for (const auto& [name, value] : status.flags) {
    if (!std::exchange(first, false)) writer.Raw(",");
    writer.String(name);
    writer.Raw(":");
    const bool secret = name.starts_with("objstore.config") && !value.empty();
    writer.String(secret ? "<REDACTED>" : value);
  }
  writer.Raw("}");
  return EndAnswer(writer);
}

Status WriteRuntimeInfo(const ComponentStatus& status, HttpResponse& response) {
  char directory[4096] = "";
  if (::getcwd(directory, sizeof directory) == nullptr) directory[0] = '\0';
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  writer.Raw(fmt::format("{{\"startTime\":\"{}\",\"CWD\":", FormatRfc3339(status.started_ms)));
  writer.String(directory);
  // The fields of the Go runtime stay for clients that read them; there is no such runtime here.
  writer.Raw(fmt::format(
      ",\"goroutineCount\":0,\"GOMAXPROCS\":{},\"GOGC\":\"\",\"GODEBUG\":\"\",\"GOMEMLIMIT\":0}}",
      std::thread::hardware_concurrency()));
  return EndAnswer(writer);
}

}  // namespace

void AddStatusRoutes(ApiRoutes& routes, ComponentStatus status) {
  const auto shared = std::make_shared<const ComponentStatus>(std::move(status));
  using Write = Status (*)(const ComponentStatus&, HttpResponse&);
  const auto add = [&](std::string_view path, std::string_view name, Write write) {
    routes.Add("GET", path, name,
               [shared, write](const Context&, const HttpRequest&, HttpResponse& response) {
                 return write(*shared, response);
               });
  };
  add("/api/v1/status/buildinfo", "status_build", WriteBuildInfo);
  add("/api/v1/status/flags", "status_flags", WriteFlags);
  add("/api/v1/status/runtimeinfo", "status_runtime", WriteRuntimeInfo);
}

}  // namespace aevum::net
