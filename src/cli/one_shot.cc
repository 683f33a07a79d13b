#include "cli/one_shot.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>
#include <thread>

#include <prometheus/registry.h>

namespace aevum::cli {
namespace {

// 128 and the number of SIGINT, as shells have it.
constexpr int kInterrupted = 130;

// Cancels a context at a signal, as long as it lives. BlockSignals was called before any thread.
class SignalScope {
 public:
  SignalScope() : thread_([this] { Watch(); }) {}
  ~SignalScope() {
    done_.store(true);
    pthread_kill(thread_.native_handle(), SIGTERM);  // wakes it
    thread_.join();
  }
  SignalScope(const SignalScope&) = delete;
  SignalScope& operator=(const SignalScope&) = delete;

  const Context& context() const { return scope_.context(); }

 private:
  void Watch() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    for (bool first = true;; first = false) {
      int signal = 0;
      sigwait(&set, &signal);
      if (done_.load()) return;
      if (!first) _exit(kInterrupted);
      scope_.Cancel();
    }
  }

  CancelScope scope_{Context::Background()};
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

}  // namespace

int RunOneShot(const GlobalOptions& global, const std::string& name,
               const std::function<Status(const OneShot&)>& work) {
  const auto progress = tools::TerminalProgressBar(name);
  const Logger logger = MakeLogger(global, tools::BesideBar(LogSink::StandardError(), progress));
  if (!global.tracing.inline_text.empty() || !global.tracing.path.empty())
    logger.Warn("a command that ends is not traced, --tracing.config has no effect");
  const SignalScope signals;
  const Status status =
      work({signals.context(), logger, std::make_shared<prometheus::Registry>(), progress});
  if (!status.ok()) {
    logger.Error("the command failed", {{"err", Annotate(status, name)}});
    return kExitFailure;
  }
  logger.Info("exiting");
  return 0;
}

Status Print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return Unavailable("standard output can't be written: {}",
                       std::system_category().message(errno));
  }
  return OkStatus();
}

}  // namespace aevum::cli
