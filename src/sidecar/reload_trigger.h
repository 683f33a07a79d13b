// The two ways to make Prometheus read its configuration again.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/context.h"
#include "base/status.h"

namespace aevum::sidecar {

class PrometheusClient;

// Makes Prometheus reload, and says whether it did.
using ReloadTrigger = std::function<Status(const Context&)>;

// POST /-/reload.
ReloadTrigger ReloadByHttp(std::shared_ptr<PrometheusClient> client);

// SIGHUP to the process of that name; then Prometheus is asked until it says that the reload
// succeeded or failed, or until the context ends. `proc` is where the system lists its processes.
ReloadTrigger ReloadBySignal(std::shared_ptr<PrometheusClient> client, std::string process_name,
                             std::string proc = "/proc");

// The lowest process id with that executable name. NotFound when there is none.
StatusOr<int> FindProcess(const std::string& proc, const std::string& name);

}  // namespace aevum::sidecar
