// A socket of a test: sends bytes as they are given, reads answers, waits for the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace aevum::net {

struct TestAnswer {
  int status = 0;  // 0: the connection ended before a whole answer
  std::string head;
  std::string body;  // chunks joined

  // The value of a header, whatever the case; "" when absent.
  std::string Header(std::string_view name) const;
};

// Blocks at most ten seconds for anything. Thread-compatible.
class TestClient {
 public:
  // `receive_buffer` of the kernel, 0 for its default.
  explicit TestClient(std::uint16_t port, int receive_buffer = 0);
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  bool connected() const { return connected_; }
  // False when the server does not take the bytes any more.
  bool Send(std::string_view bytes);
  TestAnswer Receive(bool head_only = false);
  TestAnswer Do(std::string_view bytes) {
    Send(bytes);
    return Receive();
  }
  // Up to `size` bytes that have come, or come in time; "" at the end.
  std::string ReceiveSome(std::size_t size);
  // Whether the server ends the connection; drops what it sends before.
  bool WaitForEnd();
  void HalfClose();
  // With a reset instead of an orderly end.
  void Reset();
  void Close();

 private:
  bool Fill();

  int socket_ = -1;
  bool connected_ = false;
  std::string received_;
};

}  // namespace aevum::net
