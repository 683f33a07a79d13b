#include "net/metrics/process_collector.h"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <string_view>

#include "base/files.h"

namespace aevum::net {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

double Number(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void Add(std::string name, std::string help, MetricType type, double value,
         std::vector<MetricFamily>* out) {
  MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  prometheus::ClientMetric metric;
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  family.metric.push_back(std::move(metric));
  out->push_back(std::move(family));
}

// When the system started, seconds since the epoch.
std::optional<double> BootTime() {
  const StatusOr<std::string> stat = ReadFile("/proc/stat");
  if (!stat.ok()) return std::nullopt;
  const std::size_t at = stat->find("\nbtime ");
  if (at == std::string::npos) return std::nullopt;
  return Number(Words(std::string_view(*stat).substr(at + 7))[0]);
}

void AddStat(std::vector<MetricFamily>* out) {
  const StatusOr<std::string> stat = ReadFile("/proc/self/stat");
  if (!stat.ok()) return;
  // The name of the program, in parentheses, may hold anything. The state follows: field 3.
  const std::size_t name_end = stat->rfind(')');
  if (name_end == std::string::npos) return;
  const auto fields = Words(std::string_view(*stat).substr(name_end + 1));
  if (fields.size() < 22) return;
  const auto field = [&](std::size_t number) { return Number(fields[number - 3]); };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  Add("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
      MetricType::Counter, (field(14) + field(15)) / ticks, out);
  Add("process_virtual_memory_bytes", "Virtual memory size in bytes.", MetricType::Gauge, field(23),
      out);
  Add("process_resident_memory_bytes", "Resident memory size in bytes.", MetricType::Gauge,
      field(24) * static_cast<double>(sysconf(_SC_PAGESIZE)), out);
  if (const std::optional<double> boot = BootTime()) {
    Add("process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
        MetricType::Gauge, *boot + field(22) / ticks, out);
  }
}

void AddLimits(std::vector<MetricFamily>* out) {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) == 0) {
    Add("process_virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes.",
        MetricType::Gauge, static_cast<double>(limit.rlim_cur), out);
  }
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    Add("process_max_fds", "Maximum number of open file descriptors.", MetricType::Gauge,
        static_cast<double>(limit.rlim_cur), out);
  }
  if (const auto open = ListDirectory("/proc/self/fd"); open.ok()) {
    Add("process_open_fds", "Number of open file descriptors.", MetricType::Gauge,
        static_cast<double>(open->size()), out);
  }
}

// The file has pairs of lines: names, then numbers.
void AddNetwork(std::vector<MetricFamily>* out) {
  const StatusOr<std::string> netstat = ReadFile("/proc/self/net/netstat");
  if (!netstat.ok()) return;
  const std::size_t names_at = netstat->find("IpExt:");
  const std::size_t values_at = netstat->find("IpExt:", names_at + 1);
  if (names_at == std::string::npos || values_at == std::string::npos) return;
  const std::string_view text = *netstat;
  const auto names = Words(text.substr(names_at, values_at - names_at));
  const auto values = Words(text.substr(values_at, text.find('\n', values_at) - values_at));
  for (std::size_t i = 0; i < names.size() && i < values.size(); ++i) {
    if (names[i] == "InOctets") {
      Add("process_network_receive_bytes_total",
          "Number of bytes received by the process over the network.", MetricType::Counter,
          Number(values[i]), out);
    } else if (names[i] == "OutOctets") {
      Add("process_network_transmit_bytes_total",
          "Number of bytes sent by the process over the network.", MetricType::Counter,
          Number(values[i]), out);
    }
  }
}

}  // namespace

std::vector<MetricFamily> ProcessCollector::Collect() const {
  std::vector<MetricFamily> families;
  AddStat(&families);
  AddLimits(&families);
  AddNetwork(&families);
  return families;
}

}  // namespace aevum::net
