#include "net/discovery/test_dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace aevum::net {
namespace {

constexpr std::size_t kHeaderBytes = 12;

void Put16(std::size_t value, std::string* out) {
  *out += static_cast<char>(value >> 8 & 0xff);
  *out += static_cast<char>(value & 0xff);
}

std::string Name(const std::string& dotted) {
  std::string out;
  std::string_view rest = dotted;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('.'), rest.size());
    out += static_cast<char>(end);
    out += rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  out += '\0';
  return out;
}

// A record of the name in the question.
void PutRecord(std::size_t type, const std::string& data, std::string* out) {
  *out += "\xc0\x0c";
  Put16(type, out);
  Put16(1, out);
  *out += std::string("\0\0\0\1", 4);
  Put16(data.size(), out);
  *out += data;
}

}  // namespace

TestDnsServer::TestDnsServer() {
  socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  socklen_t size = sizeof(address);
  ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

TestDnsServer::~TestDnsServer() {
  ::shutdown(socket_, SHUT_RDWR);  // ends the receive of the thread
  thread_.join();
  ::close(socket_);
}

void TestDnsServer::SetAddresses(const std::string& name, std::vector<std::string> addresses) {
  MutexLock lock(mutex_);
  addresses_[name] = std::move(addresses);
}

void TestDnsServer::SetServices(const std::string& name, std::vector<Service> services) {
  MutexLock lock(mutex_);
  services_[name] = std::move(services);
}

void TestDnsServer::Serve() {
  char buffer[1500];
  while (true) {
    sockaddr_in peer{};
    socklen_t size = sizeof(peer);
    const ssize_t got =
        ::recvfrom(socket_, buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&peer), &size);
    if (got <= 0) return;
    if (mode_ == Mode::kSilent) continue;
    const std::string answer = Answer({buffer, static_cast<std::size_t>(got)});
    ::sendto(socket_, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&peer),
             size);
  }
}

std::string TestDnsServer::Answer(std::string_view question) {
  std::string name;
  std::size_t at = kHeaderBytes;
  while (at < question.size() && question[at] != 0) {
    const auto size = static_cast<std::size_t>(question[at]);
    if (!name.empty()) name += '.';
    name += question.substr(at + 1, size);
    at += size + 1;
  }
  const auto type = static_cast<std::size_t>(question[at + 2]);
  const std::string_view asked = question.substr(kHeaderBytes, at + 5 - kHeaderBytes);

  std::string records;
  std::size_t count = 0;
  MutexLock lock(mutex_);
  const bool known = addresses_.contains(name) || services_.contains(name);
  if (const auto found = addresses_.find(name); found != addresses_.end()) {
    for (const std::string& text : found->second) {
      const bool v6 = text.find(':') != std::string::npos;
      if (type != (v6 ? 28u : 1u)) continue;
      std::string bytes(v6 ? 16 : 4, '\0');
      inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), bytes.data());
      PutRecord(type, bytes, &records);
      ++count;
    }
  }
  if (const auto found = services_.find(name); type == 33 && found != services_.end()) {
    for (const Service& service : found->second) {
      std::string data(4, '\0');
      Put16(service.port, &data);
      PutRecord(type, data + Name(service.target), &records);
      ++count;
    }
  }
  const std::size_t code = mode_ == Mode::kServerFailure ? 2 : known ? 0 : 3;
  if (code != 0) count = 0;
  std::string out(question.substr(0, 2));
  Put16(0x8180 | code, &out);
  Put16(1, &out);
  Put16(count, &out);
  Put16(0, &out);
  Put16(0, &out);
  out += asked;
  if (count > 0) out += records;
  return out;
}

}  // namespace aevum::net
