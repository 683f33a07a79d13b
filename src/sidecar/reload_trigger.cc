#include "sidecar/reload_trigger.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>

#include "base/clock.h"
#include "base/duration.h"
#include "base/files.h"
#include "base/pause.h"
#include "sidecar/prometheus_client.h"

namespace aevum::sidecar {
namespace {

using namespace std::chrono_literals;

// The kernel keeps that many bytes of the name of a process.
constexpr std::size_t kKernelNameSize = 15;
constexpr std::chrono::milliseconds kAskInterval{200};
constexpr std::chrono::seconds kConfirmTimeout{30};

bool IsProcess(const std::string& proc, const std::string& pid, const std::string& name) {
  StatusOr<std::string> comm = ReadFile(proc + "/" + pid + "/comm", 4096);
  if (!comm.ok()) return false;  // the process ended meanwhile
  while (comm->ends_with('\n')) comm->pop_back();
  if (*comm != name.substr(0, kKernelNameSize)) return false;
  if (name.size() <= kKernelNameSize) return true;
  const StatusOr<std::string> command = ReadFile(proc + "/" + pid + "/cmdline");
  if (!command.ok()) return false;
  const std::string program(command->c_str());  // up to the NUL after the first argument
  return program.substr(program.rfind('/') + 1) == name;
}

}  // namespace

StatusOr<int> FindProcess(const std::string& proc, const std::string& name) {
  ASSIGN_OR_RETURN(const std::vector<std::string> entries, ListDirectory(proc));
  std::optional<int> lowest;
  for (const std::string& entry : entries) {
    int pid = 0;
    const auto [end, error] = std::from_chars(entry.data(), entry.data() + entry.size(), pid);
    if (error != std::errc() || end != entry.data() + entry.size() || pid <= 0) continue;
    if (lowest && *lowest < pid) continue;
    if (IsProcess(proc, entry, name)) lowest = pid;
  }
  if (!lowest) return NotFound("no process with the name: {}", name);
  return *lowest;
}

ReloadTrigger ReloadByHttp(std::shared_ptr<PrometheusClient> client) {
  return [client = std::move(client)](const Context& context) { return client->Reload(context); };
}

ReloadTrigger ReloadBySignal(std::shared_ptr<PrometheusClient> client, std::string process_name,
                             std::string proc) {
  return [=](const Context& outer) -> Status {
    const Context context = outer.WithTimeout(kConfirmTimeout);
    ASSIGN_OR_RETURN(const ConfigState before, client->RuntimeInfo(context));
    // Prometheus tells the time of its last reload in whole seconds: two within the same one could
    // not be told apart.
    ASSIGN_OR_RETURN(const TimestampMs last, ParseRfc3339(before.last_reload));
    const std::chrono::milliseconds age(Clock::System().NowMs() - last);
    if (age >= 0ms && age < 1s) RETURN_IF_ERROR(Pause(context, 1000ms - age));
    ASSIGN_OR_RETURN(const int pid, FindProcess(proc, process_name));
    if (::kill(pid, SIGHUP) != 0) {
      return Unavailable("send SIGHUP to process {}: {}", pid, std::strerror(errno));
    }
    while (true) {
      ASSIGN_OR_RETURN(const ConfigState after, client->RuntimeInfo(context));
      if (after.reload_succeeded && after.last_reload > before.last_reload) return OkStatus();
      if (before.reload_succeeded && !after.reload_succeeded) {
        return Unavailable("Prometheus could not load its configuration, last load: {}",
                           after.last_reload);
      }
      Status status = Pause(context, kAskInterval);
      if (!status.ok()) return Annotate(std::move(status), "wait for the reload of Prometheus");
    }
  };
}

}  // namespace aevum::sidecar
