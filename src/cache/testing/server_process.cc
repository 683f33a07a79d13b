#include "cache/testing/server_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <utility>

#include "base/testing/programs.h"
#include "cache/connection.h"

namespace aevum::cache {
namespace {

constexpr std::chrono::seconds kStartTime{60};

// A port that nobody listens on now, below the range that the system gives out for connections.
// Nodes of a Redis cluster also take the one that is ten thousand higher.
std::uint16_t FreePort() {
  std::random_device random;
  std::uniform_int_distribution<int> between(12'000, 22'000);
  while (true) {
    const int port = between(random);
    if (testing::IsPortFree(port) && testing::IsPortFree(port + 10'000))
      return static_cast<std::uint16_t>(port);
  }
}

}  // namespace

bool ServerProcess::AreInstalled() {
  return testing::IsInstalled("memcached") && testing::IsInstalled("redis-server");
}

StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Make(std::uint16_t port) {
  if (port == 0) port = FreePort();
  ASSIGN_OR_RETURN(TemporaryDirectory directory, TemporaryDirectory::Create());
  return std::unique_ptr<ServerProcess>(new ServerProcess(std::move(directory), port));
}

StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Memcached(std::uint16_t port) {
  ASSIGN_OR_RETURN(std::unique_ptr<ServerProcess> server, Make(port));
  RETURN_IF_ERROR(server->Start({"memcached", "-u", "root", "-l", "127.0.0.1", "-U", "0", "-m",
                                 "64", "-t", "1", "-p", std::to_string(server->port_)}));
  return server;
}

StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Redis(std::vector<std::string> arguments,
                                                              std::uint16_t port) {
  ASSIGN_OR_RETURN(std::unique_ptr<ServerProcess> server, Make(port));
  std::vector<std::string> command = {"redis-server",
                                      "--bind",
                                      "127.0.0.1",
                                      "--save",
                                      "",
                                      "--dir",
                                      server->directory_.path(),
                                      "--port",
                                      std::to_string(server->port_)};
  command.insert(command.end(), arguments.begin(), arguments.end());
  RETURN_IF_ERROR(server->Start(command));
  return server;
}

StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Sentinel(const ServerProcess& master) {
  ASSIGN_OR_RETURN(std::unique_ptr<ServerProcess> server, Make(0));
  const std::string file = server->directory_.File("sentinel.conf");
  RETURN_IF_ERROR(WriteFileAtomically(
      file, fmt::format("port {}\nbind 127.0.0.1\ndir {}\nsentinel monitor aevum 127.0.0.1 {} 1\n",
                        server->port_, server->directory_.path(), master.port_)));
  RETURN_IF_ERROR(server->Start({"redis-server", file, "--sentinel"}));
  return server;
}

Status ServerProcess::Start(const std::vector<std::string>& command) {
  const int log_file =
      ::open(directory_.File("log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  pid_ = testing::Spawn(command, log_file);
  ::close(log_file);
  if (pid_ == 0) return Unavailable("can't start {}", command.front());
  const Context context = Context::Background().WithTimeout(kStartTime);
  while (context.status().ok()) {
    if (Connection::Dial(context, address(), {}).ok()) return OkStatus();
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = 0;
      break;
    }
    ::usleep(10'000);
  }
  const StatusOr<std::string> log = ReadFile(directory_.File("log"));
  return Unavailable("{} does not start: {}", command.front(), log.ok() ? *log : "");
}

void ServerProcess::Kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void ServerProcess::Pause() {
  ::kill(pid_, SIGSTOP);
  // Until then it may still answer.
  ::waitpid(pid_, nullptr, WUNTRACED);
}
void ServerProcess::Resume() { ::kill(pid_, SIGCONT); }

}  // namespace aevum::cache
