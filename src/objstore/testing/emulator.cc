#include "objstore/testing/emulator.h"

#include <array>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/files.h"
#include "base/testing/programs.h"

namespace aevum::objstore {
namespace {

// An installation has three tries of up to fifteen minutes; it mostly takes one.
constexpr std::chrono::minutes kStartTime{20};

StatusOr<std::string> WaitForFile(const std::string& path) {
  const auto limit = std::chrono::steady_clock::now() + kStartTime;
  while (std::chrono::steady_clock::now() < limit) {
    if (std::filesystem::exists(path)) return ReadFile(path);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return Internal("the emulator gives no answer in time, minutes: {}", kStartTime.count());
}

}  // namespace

const StatusOr<std::unique_ptr<Emulator>>& Emulator::Shared(Kind kind) {
  static const auto start = [](const char* name, const char* folder) {
    return Start(name, std::string(AEVUM_EMULATORS_FOLDER) + "/" + folder);
  };
  switch (kind) {
    case Kind::kAzurite: {
      static const StatusOr<std::unique_ptr<Emulator>> azurite = start("azurite", "azurite");
      return azurite;
    }
    case Kind::kAzuriteTls: {
      static const StatusOr<std::unique_ptr<Emulator>> azurite = start("azurite-tls", "azurite");
      return azurite;
    }
    case Kind::kFakeGcs:
      break;
  }
  static const StatusOr<std::unique_ptr<Emulator>> fake_gcs = start("fake-gcs", "fake-gcs");
  return fake_gcs;
}

StatusOr<std::unique_ptr<Emulator>> Emulator::Start(const std::string& name,
                                                    const std::string& folder) {
  if (!testing::IsInstalled("python3")) return Unimplemented("no python3");
  ASSIGN_OR_RETURN(const TemporaryDirectory scratch, TemporaryDirectory::Create());
  std::unique_ptr<Emulator> emulator(new Emulator());
  const std::string answer = scratch.File("answer");
  const std::string command =
      fmt::format("exec python3 '{}' {} '{}' '{}'", AEVUM_EMULATOR_TOOL, name, folder, answer);
  emulator->input_ = ::popen(command.c_str(), "we");
  if (emulator->input_ == nullptr) return Internal("can't run: {}", command);
  RETURN_IF_ERROR(emulator->ReadAnswer(answer));
  return emulator;
}

Status Emulator::ReadAnswer(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, WaitForFile(path));
  const std::string line = text.substr(0, text.find('\n'));
  const std::string what = line.substr(0, line.find(' '));
  if (what == "skip") return Unimplemented("{}", text.substr(what.size() + 1));
  const std::size_t host = line.find("://");
  if (what != "ready" || host == std::string::npos) return Internal("the emulator: {}", text);
  address_ = line.substr(host + 3);
  if (text.size() > line.size() + 1) {
    certificate_ = text.substr(line.size() + 1);
    certificate_.resize(certificate_.find('\n'));
  }
  return OkStatus();
}

Emulator::~Emulator() {
  if (input_ != nullptr) ::pclose(input_);
}

}  // namespace aevum::objstore
