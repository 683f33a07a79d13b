#include "sidecar/reloader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>

#include "base/files.h"

namespace aevum::sidecar {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// Counts reloads, and answers as it is told.
class FakePrometheus {
 public:
  ReloadTrigger Trigger() {
    return [this](const Context&) {
      std::lock_guard lock(mutex_);
      ++reloads_;
      changed_.notify_all();
      if (failures_ > 0) {
        --failures_;
        return Unavailable("told to fail");
      }
      return OkStatus();
    };
  }
  void FailNext(int reloads) {
    std::lock_guard lock(mutex_);
    failures_ = reloads;
  }
  bool WaitForReloads(int reloads) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, [&] { return reloads_ >= reloads; });
  }
  int reloads() {
    std::lock_guard lock(mutex_);
    return reloads_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int reloads_ = 0;
  int failures_ = 0;
};

double Metric(prometheus::Registry& registry, const std::string& name) {
  for (const auto& family : registry.Collect()) {
    if (family.name != name) continue;
    for (const auto& metric : family.metric) {
      return family.type == prometheus::MetricType::Counter ? metric.counter.value
                                                            : metric.gauge.value;
    }
  }
  ADD_FAILURE() << "no metric " << name;
  return -1;
}

class ReloaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto directory = TemporaryDirectory::Create();
    ASSERT_TRUE(directory.ok()) << directory.status();
    directory_.emplace(std::move(*directory));
    options_.config_file = directory_->File("prometheus.yml");
    options_.config_envsubst_file = directory_->File("expanded.yml");
    options_.watch_interval = 1h;  // only events wake it, unless a test says otherwise
    options_.retry_interval = 1ms;
    options_.debounce = 1ms;
    options_.environment = [](const std::string& name) -> std::optional<std::string> {
      if (name == "REPLICA") return "7";
      return std::nullopt;
    };
    Write("prometheus.yml", "replica: $(REPLICA)\n");
  }
  void TearDown() override {
    if (reloader_) reloader_->Stop();
  }

  void Write(const std::string& name, std::string_view text) {
    const Status status = WriteFileAtomically(directory_->File(name), text);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::string Read(const std::string& name) { return *ReadFile(directory_->File(name)); }
  Status Start() {
    reloader_.emplace(options_, prometheus_.Trigger(), Logger(), registry_);
    return reloader_->Start();
  }
  double Get(const std::string& name) {
    return Metric(registry_, "thanos_sidecar_reloader_" + name);
  }

  std::optional<TemporaryDirectory> directory_;
  ReloaderOptions options_;
  FakePrometheus prometheus_;
  prometheus::Registry registry_;
  std::optional<Reloader> reloader_;
};

TEST_F(ReloaderTest, ExpandsAndReloadsAtStartAndWhenTheFileChanges) {
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(Read("expanded.yml"), "replica: 7\n");
  ASSERT_TRUE(prometheus_.WaitForReloads(1));
  Write("prometheus.yml", "replica: $(REPLICA)$(REPLICA)\n");
  ASSERT_TRUE(prometheus_.WaitForReloads(2));
  EXPECT_EQ(Read("expanded.yml"), "replica: 77\n");
  reloader_->Stop();
  EXPECT_EQ(Get("reloads_total"), 2);
  EXPECT_EQ(Get("reloads_failed_total"), 0);
  EXPECT_EQ(Get("last_reload_successful"), 1);
  EXPECT_GT(Get("last_reload_success_timestamp_seconds"), 1e9);
  EXPECT_GE(Get("config_apply_operations_total"), 1);
  EXPECT_EQ(Get("config_apply_operations_failed_total"), 0);
  EXPECT_EQ(Get("config_environment_variable_expansion_errors"), 0);
  EXPECT_GE(Get("watch_events_total"), 1);
  EXPECT_EQ(Get("watch_errors_total"), 0);
  EXPECT_EQ(Get("watches"), 1);
  EXPECT_EQ(Get("info"), 1);
}

TEST_F(ReloaderTest, DoesNotReloadWhenNothingChanged) {
  ASSERT_TRUE(Start().ok());
  ASSERT_TRUE(prometheus_.WaitForReloads(1));
  Write("prometheus.yml", "replica: $(REPLICA)\n");  // the same bytes
  Write("other.yml", "not watched");
  Write("prometheus.yml", "replica: changed\n");
  ASSERT_TRUE(prometheus_.WaitForReloads(2));
  reloader_->Stop();
  EXPECT_EQ(prometheus_.reloads(), 2);
}

TEST_F(ReloaderTest, RetriesUntilPrometheusReloads) {
  prometheus_.FailNext(3);
  ASSERT_TRUE(Start().ok());
  ASSERT_TRUE(prometheus_.WaitForReloads(4));
  reloader_->Stop();
  EXPECT_EQ(Get("reloads_total"), 4);
  EXPECT_EQ(Get("reloads_failed_total"), 3);
  EXPECT_EQ(Get("last_reload_successful"), 1);
  EXPECT_EQ(Get("config_apply_operations_total"), 0);
}

TEST_F(ReloaderTest, WatchesRuleDirectoriesAndThoseBelow) {
  options_.config_file.clear();
  options_.rule_dirs = {directory_->File("rules")};
  std::filesystem::create_directories(directory_->File("rules/a"));
  ASSERT_TRUE(Start().ok());
  ASSERT_TRUE(prometheus_.WaitForReloads(1));
  Write("rules/a/one.yml", "groups: []");
  ASSERT_TRUE(prometheus_.WaitForReloads(2));
  std::filesystem::create_directories(directory_->File("rules/new/deep"));
  Write("rules/new/deep/two.yml", "groups: []");
  ASSERT_TRUE(prometheus_.WaitForReloads(3));
  Write("rules/new/deep/two.yml", "groups: [x]");
  ASSERT_TRUE(prometheus_.WaitForReloads(4));
  std::filesystem::remove(directory_->File("rules/a/one.yml"));
  ASSERT_TRUE(prometheus_.WaitForReloads(5));
}

TEST_F(ReloaderTest, FollowsTheLinksOfAMountedConfigMap) {
  options_.config_file = directory_->File("mount/prometheus.yml");
  std::filesystem::create_directories(directory_->File("mount/..1"));
  std::filesystem::create_directories(directory_->File("mount/..2"));
  Write("mount/..1/prometheus.yml", "first");
  Write("mount/..2/prometheus.yml", "second");
  std::filesystem::create_symlink("..1", directory_->File("mount/..data"));
  std::filesystem::create_symlink("..data/prometheus.yml", options_.config_file);
  ASSERT_TRUE(Start().ok());
  ASSERT_TRUE(prometheus_.WaitForReloads(1));
  std::filesystem::create_symlink("..2", directory_->File("mount/..data_tmp"));
  std::filesystem::rename(directory_->File("mount/..data_tmp"), directory_->File("mount/..data"));
  ASSERT_TRUE(prometheus_.WaitForReloads(2));
  EXPECT_EQ(Read("expanded.yml"), "second");
}

TEST_F(ReloaderTest, LooksAgainAfterTheWatchInterval) {
  // A file outside of the watched directory: only the interval finds the change.
  Write("target.yml", "first");
  std::filesystem::create_directories(directory_->File("etc"));
  options_.config_file = directory_->File("etc/prometheus.yml");
  std::filesystem::create_symlink("../target.yml", options_.config_file);
  options_.watch_interval = 5ms;
  ASSERT_TRUE(Start().ok());
  ASSERT_TRUE(prometheus_.WaitForReloads(1));
  Write("target.yml", "second");
  ASSERT_TRUE(prometheus_.WaitForReloads(2));
}

TEST_F(ReloaderTest, RefusesToStartOnAnUnsetVariable) {
  Write("prometheus.yml", "$(NOT_THERE) $(NEITHER)");
  const Status status = Start();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("NOT_THERE"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("prometheus.yml"));
  EXPECT_EQ(Get("config_environment_variable_expansion_errors"), 2);
  EXPECT_FALSE(std::filesystem::exists(directory_->File("expanded.yml")));
}

TEST_F(ReloaderTest, CountsFailedAppliesAndRecovers) {
  ASSERT_TRUE(Start().ok());
  ASSERT_TRUE(prometheus_.WaitForReloads(1));
  Write("prometheus.yml", "$(NOT_THERE)");
  // The failed look does not reach Prometheus; the gauge is what tells. Poll it with the good file
  // still away, bounded by the test's own patience.
  const auto patience = std::chrono::steady_clock::now() + 20s;
  while (Get("config_apply_operations_failed_total") == 0 &&
         std::chrono::steady_clock::now() < patience) {
    std::this_thread::yield();
  }
  EXPECT_GE(Get("config_apply_operations_failed_total"), 1);
  EXPECT_EQ(Get("config_environment_variable_expansion_errors"), 1);
  EXPECT_EQ(Read("expanded.yml"), "replica: 7\n");
  Write("prometheus.yml", "good again");
  ASSERT_TRUE(prometheus_.WaitForReloads(2));
  EXPECT_EQ(Read("expanded.yml"), "good again");
  EXPECT_EQ(Get("config_environment_variable_expansion_errors"), 0);
}

TEST_F(ReloaderTest, OnlyExpandsWhenTheWatchIntervalIsZero) {
  options_.watch_interval = 0s;
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(Read("expanded.yml"), "replica: 7\n");
  EXPECT_EQ(prometheus_.reloads(), 0);
}

TEST_F(ReloaderTest, SaysWhatCannotBeWatched) {
  struct Case {
    std::string name;
    std::string config;
    std::vector<std::string> rules;
    std::string message;
  };
  const Case cases[] = {
      {"no config", "missing.yml", {}, "missing.yml"},
      {"no directory of the config", "missing/p.yml", {}, "missing"},
      {"no rules", "prometheus.yml", {"norules"}, "norules"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    options_.config_file = directory_->File(c.config);
    options_.rule_dirs.clear();
    for (const std::string& dir : c.rules) options_.rule_dirs.push_back(directory_->File(dir));
    const Status status = Start();
    EXPECT_EQ(status.code(), StatusCode::kNotFound) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

TEST_F(ReloaderTest, StopsWhileAReloadHangs) {
  std::mutex mutex;
  std::condition_variable_any changed;
  bool entered = false;
  ReloadTrigger hang = [&](const Context& context) {
    std::unique_lock lock(mutex);
    entered = true;
    changed.notify_all();
    changed.wait(lock, context.stop_token(), [] { return false; });
    return context.status();
  };
  reloader_.emplace(options_, hang, Logger(), registry_);
  ASSERT_TRUE(reloader_->Start().ok());
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, 20s, [&] { return entered; }));
  }
  reloader_->Stop();
  reloader_->Stop();
  EXPECT_EQ(Get("reloads_failed_total"), 0);
}

}  // namespace
}  // namespace aevum::sidecar
