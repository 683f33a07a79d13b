// Flags that every component with a StoreAPI shares.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/logging.h"
#include "base/status.h"
#include "cli/flags.h"
#include "cli/service.h"
#include "model/relabel.h"
#include "store/limits.h"

namespace prometheus {
class Registry;
}
namespace aevum::objstore {
class Bucket;
}

namespace aevum::cli {

// The group "Series limits" of the contract.
void AddSeriesLimitFlags(FlagSet& flags, store::SelectLimits* limits);

// --selector.relabel-config over blocks, for ReadSelector.
void AddBlockSelector(FlagSet& flags, FlagSet::Content* selector);

// The rules of --selector.relabel-config, which may keep, drop and hash. InvalidArgument names the
// flag.
StatusOr<model::Relabeler> ReadSelector(const FlagSet::Content& content);

// The group "Request logging" of the contract.
class RequestLogFlags {
 public:
  void Add(FlagSet& flags);
  // Reads the configuration into the options of the servers.
  Status Load(const Logger& logger, ServiceOptions* service) const;

 private:
  FlagSet::Content config_;
};

// The group "Object storage" of the contract.
class ObjectStorageFlags {
 public:
  ObjectStorageFlags() : ObjectStorageFlags("objstore", "the bucket") {}
  // Of another bucket: --<name>.config, and what the help calls it.
  ObjectStorageFlags(std::string name, std::string what)
      : name_(std::move(name)), what_(std::move(what)) {}

  void Add(FlagSet& flags);
  // The flags with what they were given, for ComponentStatus, which hides them.
  std::vector<std::pair<std::string, std::string>> Values() const {
    return {{name_ + ".config", config_.inline_text}, {name_ + ".config-file", config_.path}};
  }
  // The bucket of the configuration, with metrics that have `labels` beside the bucket's name; null
  // when there is no configuration. InvalidArgument when it can't be right; the store is not asked.
  StatusOr<std::shared_ptr<objstore::Bucket>> Open(
      prometheus::Registry& metrics, const std::map<std::string, std::string>& labels = {}) const;
  // As Open, but InvalidArgument when there is no configuration.
  StatusOr<std::shared_ptr<objstore::Bucket>> OpenRequired(
      prometheus::Registry& metrics, const std::map<std::string, std::string>& labels = {}) const;

 private:
  std::string name_;
  std::string what_;
  FlagSet::Content config_;
};

}  // namespace aevum::cli
