#include "sidecar/testing/prometheus_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/testing/programs.h"

namespace aevum::sidecar {
namespace {

bool IsProgram(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

Status Backfill(const std::string& program, const std::string& text, const std::string& data) {
  const std::string promtool = std::filesystem::path(program).parent_path() / "promtool";
  const std::string file = data + ".om";
  RETURN_IF_ERROR(WriteFileAtomically(file, text));
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  const int pid = testing::Spawn(
      {promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", file, data}, null);
  ::close(null);
  int status = 0;
  if (pid == 0 || ::waitpid(pid, &status, 0) != pid || status != 0) {
    return Unavailable("{} could not make blocks, status: {}", promtool, status);
  }
  return OkStatus();
}

}  // namespace

std::string PrometheusProcess::FindProgram() {
  if (const char* named = std::getenv("AEVUM_PROMETHEUS"); named != nullptr && *named != '\0') {
    return named;
  }
  std::string path = std::getenv("PATH") != nullptr ? std::getenv("PATH") : "";
  while (!path.empty()) {
    const std::size_t end = std::min(path.find(':'), path.size());
    const std::string program = path.substr(0, end) + "/prometheus";
    if (IsProgram(program)) return program;
    path.erase(0, end + 1);
  }
  const std::string beside = AEVUM_BINARY_DIR "/../deps/prometheus/usr/bin/prometheus";
  return IsProgram(beside) ? beside : "";
}

StatusOr<std::unique_ptr<PrometheusProcess>> PrometheusProcess::Start(
    const PrometheusOptions& options) {
  const std::string program = FindProgram();
  if (program.empty()) return NotFound("{}", kSkip);
  ASSIGN_OR_RETURN(TemporaryDirectory directory, TemporaryDirectory::Create());
  const std::string data = directory.File("data");
  std::filesystem::create_directory(data);
  if (!options.openmetrics.empty()) RETURN_IF_ERROR(Backfill(program, options.openmetrics, data));
  std::unique_ptr<PrometheusProcess> process(new PrometheusProcess(std::move(directory), ""));
  RETURN_IF_ERROR(process->WriteConfig(options.config));
  const std::string named = process->directory_.File(options.process_name);
  std::filesystem::create_symlink(std::filesystem::absolute(program), named);

  // Somebody may take the port between the look and the start: then another one.
  constexpr int kAttempts = 5;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::uint16_t port = testing::BindablePort(0);
    if (port == 0) return Unavailable("no free port");
    const std::string address = fmt::format("127.0.0.1:{}", port);
    std::vector<std::string> command = {named,
                                        "--config.file=" + process->config_path(),
                                        "--storage.tsdb.path=" + data,
                                        "--storage.tsdb.retention.time=100y",
                                        "--web.listen-address=" + address,
                                        "--web.enable-lifecycle"};
    command.insert(command.end(), options.flags.begin(), options.flags.end());
    int log[2];
    if (::pipe2(log, O_CLOEXEC) != 0) return Unavailable("no pipe");
    process->pid_ = testing::Spawn(command, log[1]);
    ::close(log[1]);
    process->log_ = log[0];
    process->url_ = "http://" + address;
    if (process->pid_ != 0 && process->WaitUntilReady()) return process;
    process->Kill();
  }
  return Unavailable("{} does not start", program);
}

bool PrometheusProcess::WaitUntilReady() {
  std::string seen;
  char buffer[4096];
  while (true) {
    const ssize_t got = ::read(log_, buffer, sizeof buffer);
    if (got <= 0) return false;
    seen.append(buffer, static_cast<std::size_t>(got));
    if (seen.find("Server is ready to receive web requests") != std::string::npos) break;
  }
  // Somebody must read on, or Prometheus would wait for the pipe.
  log_reader_ = std::thread([fd = log_] {
    char rest[4096];
    while (::read(fd, rest, sizeof rest) > 0) {
    }
  });
  return true;
}

PrometheusProcess::~PrometheusProcess() { Kill(); }

void PrometheusProcess::Kill() {
  if (pid_ != 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  if (log_reader_.joinable()) log_reader_.join();
  if (log_ >= 0) ::close(log_);
  log_ = -1;
}

Status PrometheusProcess::WriteConfig(const std::string& text) const {
  return WriteFileAtomically(config_path(), text);
}

}  // namespace aevum::sidecar
