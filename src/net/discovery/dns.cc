#include "net/discovery/dns.h"

#include <algorithm>
#include <set>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

namespace aevum::net {
namespace {

constexpr std::pair<std::string_view, DnsAddress::Kind> kSchemes[] = {
    {"dns+", DnsAddress::Kind::kAddresses},
    {"dnssrv+", DnsAddress::Kind::kService},
    {"dnssrvnoa+", DnsAddress::Kind::kServiceNames},
};

std::string Join(const DnsAddress& address, const std::string& host, const std::string& port) {
  const bool v6 = host.find(':') != std::string::npos;
  return address.scheme + (v6 ? "[" + host + "]" : host) + ":" + port;
}

void SortUnique(std::vector<std::string>* list) {
  std::sort(list->begin(), list->end());
  list->erase(std::unique(list->begin(), list->end()), list->end());
}

}  // namespace

struct DnsResolver::Metrics {
  // The same under all names.
  std::vector<prometheus::Counter*> lookups;
  std::vector<prometheus::Counter*> failures;
  prometheus::Family<prometheus::Gauge>& results;
  std::map<std::string, std::string> labels;
  std::map<std::string, prometheus::Gauge*> shown = {};

  static std::unique_ptr<Metrics> Make(const DnsResolver::Options& options,
                                       const std::shared_ptr<prometheus::Registry>& registry) {
    if (!registry) return nullptr;
    const prometheus::Labels labels(options.metrics_labels.begin(), options.metrics_labels.end());
    std::unique_ptr<Metrics> metrics(
        new Metrics{{},
                    {},
                    prometheus::BuildGauge()
                        .Name(options.metrics_prefix + "_dns_provider_results")
                        .Help("The number of resolved endpoints for each configured address.")
                        .Register(*registry),
                    options.metrics_labels});
    for (const std::string& prefix : {options.metrics_prefix, options.metrics_old_prefix}) {
      if (prefix.empty()) continue;
      metrics->lookups.push_back(&prometheus::BuildCounter()
                                      .Name(prefix + "_dns_lookups_total")
                                      .Help("The number of DNS lookups resolutions attempts.")
                                      .Register(*registry)
                                      .Add(labels));
      metrics->failures.push_back(&prometheus::BuildCounter()
                                       .Name(prefix + "_dns_failures_total")
                                       .Help("The number of DNS lookup failures.")
                                       .Register(*registry)
                                       .Add(labels));
    }
    return metrics;
  }

  static void Count(const std::vector<prometheus::Counter*>& counters) {
    for (prometheus::Counter* counter : counters) counter->Increment();
  }

  void Show(const std::map<std::string, std::vector<std::string>>& all) {
    std::erase_if(shown, [&](const auto& entry) {
      if (all.contains(entry.first)) return false;
      results.Remove(entry.second);
      return true;
    });
    for (const auto& [address, found] : all) {
      prometheus::Labels with_address(labels.begin(), labels.end());
      with_address["addr"] = address;
      prometheus::Gauge& gauge = results.Add(with_address);
      gauge.Set(static_cast<double>(found.size()));
      shown[address] = &gauge;
    }
  }
};

StatusOr<DnsAddress> DnsAddress::Parse(std::string_view text) {
  const std::string_view whole = text;
  DnsAddress address;
  for (const auto& [scheme, kind] : kSchemes) {
    if (!text.starts_with(scheme)) continue;
    address.kind = kind;
    text.remove_prefix(scheme.size());
    break;
  }
  if (address.kind == Kind::kPlain) {
    if (text.empty()) return InvalidArgument("an empty address");
    address.host = text;
    return address;
  }
  if (const std::size_t end = text.find("://"); end != std::string_view::npos) {
    address.scheme = text.substr(0, end + 3);
    text.remove_prefix(end + 3);
  }
  const std::size_t colon = text.rfind(':');
  address.host = text.substr(0, colon);
  if (colon != std::string_view::npos) {
    address.port = text.substr(colon + 1);
    if (address.port.empty() || address.port.find_first_not_of("0123456789") != std::string::npos) {
      return InvalidArgument("the port of the address is not a number: {}", whole);
    }
  }
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  if (address.host.empty()) return InvalidArgument("no host in the address: {}", whole);
  if (address.kind == Kind::kAddresses && address.port.empty()) {
    return InvalidArgument("no port in the address for a DNS look-up: {}", whole);
  }
  return address;
}

DnsResolver::DnsResolver(Options options, Logger logger,
                         const std::shared_ptr<prometheus::Registry>& metrics)
    : logger_(std::move(logger)), lookup_(options.dns), metrics_(Metrics::Make(options, metrics)) {}
DnsResolver::~DnsResolver() = default;

StatusOr<std::vector<std::string>> DnsResolver::LookUpService(const Context& context,
                                                              const DnsAddress& address) {
  ASSIGN_OR_RETURN(const std::vector<DnsService> services, lookup_.Services(context, address.host));
  std::vector<std::string> found;
  for (const DnsService& service : services) {
    const std::string port = address.port.empty() ? std::to_string(service.port) : address.port;
    if (address.kind == DnsAddress::Kind::kServiceNames) {
      found.push_back(Join(address, service.target, port));
      continue;
    }
    ASSIGN_OR_RETURN(const std::vector<std::string> hosts,
                     lookup_.Addresses(context, service.target));
    for (const std::string& host : hosts) found.push_back(Join(address, host, port));
  }
  return found;
}

StatusOr<std::vector<std::string>> DnsResolver::LookUp(const Context& context,
                                                       const DnsAddress& address) {
  if (address.kind != DnsAddress::Kind::kAddresses) return LookUpService(context, address);
  ASSIGN_OR_RETURN(const std::vector<std::string> hosts, lookup_.Addresses(context, address.host));
  std::vector<std::string> found;
  for (const std::string& host : hosts) found.push_back(Join(address, host, address.port));
  return found;
}

Status DnsResolver::Resolve(const Context& context, const std::vector<std::string>& addresses) {
  MutexLock resolving(resolve_mutex_);
  std::map<std::string, std::vector<std::string>> results;
  Status first_error;
  const auto fail = [&](const std::string& text, const Status& status) {
    if (metrics_) Metrics::Count(metrics_->failures);
    logger_.Error("dns resolution failed", {{"addr", text}, {"err", status}});
    if (first_error.ok()) first_error = status;
    // What was known stays in use.
    std::vector<std::string> known = AddressesOf(text);
    if (!known.empty()) results[text] = std::move(known);
  };
  for (const std::string& text : addresses) {
    const StatusOr<DnsAddress> address = DnsAddress::Parse(text);
    if (!address.ok()) {
      fail(text, address.status());
      continue;
    }
    if (address->kind == DnsAddress::Kind::kPlain) {
      results[text] = {text};
      continue;
    }
    if (metrics_) Metrics::Count(metrics_->lookups);
    StatusOr<std::vector<std::string>> found = LookUp(context, *address);
    if (!found.ok() && found.status().code() == StatusCode::kNotFound) {
      logger_.Warn("dns knows no such name", {{"addr", text}});
      results[text] = {};
    } else if (!found.ok()) {
      fail(text, found.status());
    } else {
      SortUnique(&*found);
      results[text] = *std::move(found);
    }
  }
  if (metrics_) metrics_->Show(results);
  MutexLock lock(mutex_);
  results_ = std::move(results);
  return first_error;
}

std::vector<std::string> DnsResolver::Addresses() const {
  std::vector<std::string> all;
  {
    MutexLock lock(mutex_);
    for (const auto& [address, found] : results_) all.insert(all.end(), found.begin(), found.end());
  }
  SortUnique(&all);
  return all;
}

std::vector<std::string> DnsResolver::AddressesOf(const std::string& address) const {
  MutexLock lock(mutex_);
  const auto found = results_.find(address);
  return found == results_.end() ? std::vector<std::string>() : found->second;
}

}  // namespace aevum::net
