// Emulators of clouds' object stores, programs on this machine, for tests.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "base/status.h"

namespace aevum::objstore {

// Installed and started by test/emulators/emulator.py on a free port; ends with this object or with
// the test program, however that ends.
class Emulator {
 public:
  enum class Kind : std::uint8_t {
    kAzurite,     // over HTTP, the account in the path
    kAzuriteTls,  // over HTTPS, which takes tokens too
    kFakeGcs,
  };

  // The one emulator of a kind for all tests of a program. Unimplemented with the reason when what
  // it takes is not on this machine.
  static const StatusOr<std::unique_ptr<Emulator>>& Shared(Kind kind);
  ~Emulator();
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;

  // "127.0.0.1:PORT"
  const std::string& address() const { return address_; }
  // What follows the address in its answer: the file of the certificate of kAzuriteTls.
  const std::string& certificate() const { return certificate_; }

  // The account of Azurite, as its documentation has it.
  static constexpr const char* kAccount = "devstoreaccount1";
  static constexpr const char* kAccountKey =
      "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

 private:
  Emulator() = default;
  static StatusOr<std::unique_ptr<Emulator>> Start(const std::string& name,
                                                   const std::string& folder);
  Status ReadAnswer(const std::string& path);

  std::string address_;
  std::string certificate_;
  std::FILE* input_ = nullptr;  // of the program; its end tells it to stop
};

}  // namespace aevum::objstore
