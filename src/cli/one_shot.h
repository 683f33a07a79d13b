// What a command that does one thing and ends shares with others: logs, signals, exit code.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/context.h"
#include "base/logging.h"
#include "base/status.h"
#include "cli/service.h"
#include "tools/progress.h"

namespace prometheus {
class Registry;
}

namespace aevum::cli {

// What it works with.
struct OneShot {
  Context context;  // cancelled by SIGINT and SIGTERM
  Logger logger;
  std::shared_ptr<prometheus::Registry> metrics;  // that nobody reads
  std::shared_ptr<tools::ProgressBar> progress;   // on a terminal
};

// Runs `work` and returns the exit code: 0, or 1 with the error in the log. `name` is that of the
// command, "bucket ls". A second signal ends the process at once.
int RunOneShot(const GlobalOptions& global, const std::string& name,
               const std::function<Status(const OneShot&)>& work);

// Writes to standard output. Unavailable when it can't be written: a full disk, a reader that is
// gone.
Status Print(std::string_view text);

}  // namespace aevum::cli
