// Many endpoints that are slow, die, lie and come back while queries run.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/testing/querier.h"
#include "query/testing/store_server.h"

namespace aevum::query {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMeasuresMemory = false;  // sanitizers keep what was freed
#else
constexpr bool kMeasuresMemory = true;
#endif

using nlohmann::json;
using testing::Querier;
using testing::Up;
using namespace std::chrono_literals;

constexpr int kEndpoints = 100;
constexpr int kQueryThreads = 4;

// Two minutes when AEVUM_STORM is set, else some seconds.
std::chrono::seconds StormTime() { return std::getenv("AEVUM_STORM") != nullptr ? 120s : 4s; }

enum class Mode { kGood, kSlow, kStalled, kFailing, kUnsorted, kLying, kModes };

// A store whose behaviour changes while it is asked.
class MoodyStore final : public store::Store {
 public:
  explicit MoodyStore(const std::string& zone)
      : fake_({Up({{"zone", zone}}), Up({{"zone", zone}, {"a", "1"}})}) {
    fake_.info.component_type = "sidecar";
    fake_.info.label_sets = {model::Labels::Of({{"zone", zone}})};
    fake_.info.store = wire::StoreInfo{.min_time = kMinTime,
                                       .max_time = kMaxTime,
                                       .supports_sharding = true,
                                       .supports_without_replica_labels = true};
  }

  StatusOr<std::unique_ptr<store::SeriesStream>> Series(
      const Context& context, const wire::SeriesRequest& request) override {
    switch (mode.load()) {
      case Mode::kSlow:
        RETURN_IF_ERROR(Wait(context, 20ms));
        break;
      case Mode::kStalled:
        RETURN_IF_ERROR(Wait(context, 1h));
        break;
      case Mode::kFailing:
        return Internal("the store fails");
      case Mode::kUnsorted:
        return store::testing::StreamOf(
            {fake_.series[0], fake_.series[1], fake_.series[0], fake_.series[1]}, 1);
      default:
        break;
    }
    return fake_.Series(context, request);
  }
  StatusOr<wire::LabelsResponse> LabelNames(const Context& context,
                                            const wire::LabelNamesRequest& request) override {
    return fake_.LabelNames(context, request);
  }
  StatusOr<wire::LabelsResponse> LabelValues(const Context& context,
                                             const wire::LabelValuesRequest& request) override {
    return fake_.LabelValues(context, request);
  }
  StatusOr<wire::InfoResponse> Info(const Context& context) override {
    if (mode == Mode::kStalled) RETURN_IF_ERROR(Wait(context, 1h));
    wire::InfoResponse info = *fake_.Info(context);
    if (mode == Mode::kLying) {
      info.label_sets = {model::Labels::Of({{"zone", "of somebody else"}})};
      std::swap(info.store->min_time, info.store->max_time);
    }
    return info;
  }

  std::atomic<Mode> mode = Mode::kGood;

 private:
  static Status Wait(const Context& context, std::chrono::nanoseconds time) {
    const Context bounded = context.WithTimeout(time);
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_until(lock, bounded.stop_token(),
                    std::min(bounded.deadline(), std::chrono::steady_clock::now() + 10min),
                    [] { return false; });
    return context.status();
  }

  store::testing::FakeStore fake_;
};

// A server of such a store, which dies and comes back at the same address.
class MoodyServer {
 public:
  explicit MoodyServer(int number) : store_("z" + std::to_string(number)) { Revive(); }
  ~MoodyServer() { Die(); }

  void Die() {
    if (server_) server_->Stop(0ms);
    server_.reset();
  }
  void Revive() {
    if (server_) return;
    net::grpc::ServerOptions options;
    options.address = address_;
    options.handler_threads = 2;
    auto server = std::make_unique<net::grpc::Server>(options, Logger(), metrics_);
    store::RegisterStore(*server, store_, metrics_);
    store::RegisterInfo(*server, [this](const Context& c) { return store_.Info(c); });
    // Somebody else may have taken the port meanwhile; then it stays dead.
    if (!server->Start().ok()) return;
    server->SetServing(true);
    // Askers read the address meanwhile, so it is written once.
    if (address_.ends_with(":0")) address_ = fmt::format("127.0.0.1:{}", server->port());
    server_ = std::move(server);
  }
  bool alive() const { return server_ != nullptr; }
  const std::string& address() const { return address_; }
  MoodyStore& store() { return store_; }

 private:
  std::string address_ = "127.0.0.1:0";
  const std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  MoodyStore store_;
  std::unique_ptr<net::grpc::Server> server_;
};

int OpenFiles() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

std::int64_t ResidentKib() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6));
  return 0;
}

class StormTest : public ::testing::Test {
 protected:
  StormTest() {
    for (int i = 0; i < kEndpoints; ++i) servers_.push_back(std::make_unique<MoodyServer>(i));
    options_.endpoints.info_timeout = 1s;
    options_.proxy.response_timeout = 500ms;
    options_.api.defaults.timeout = 20s;
    options_.api.query_memory_bytes = 32 << 20;
    options_.api.total_memory = total_memory_;
    for (const auto& server : servers_) {
      EndpointSpec spec;
      spec.address = server->address();
      options_.endpoints.endpoints.push_back(spec);
    }
  }

  static json Count(Querier& querier) {
    return querier.Ask("/api/v1/query", {{"query", "count by (zone) (up)"}, {"time", "30"}});
  }

  // An answer has the zones of all that were not missing, and each warning names an endpoint.
  void Check(const json& answer) {
    ASSERT_EQ(answer["status"], "success") << answer;
    for (const json& zone : answer["data"]["result"]) {
      const auto name = zone["metric"]["zone"].get<std::string>();
      EXPECT_THAT(name, ::testing::StartsWith("z"));
      EXPECT_LE(std::stoi(zone["value"][1].get<std::string>()), 2) << name;
    }
    if (!answer.contains("warnings")) return;
    std::vector<std::string> missing;
    for (const json& part : answer["missing"]) missing.push_back(part["endpoint"]);
    for (const json& warning : answer["warnings"]) {
      const auto text = warning.get<std::string>();
      const bool named = std::any_of(missing.begin(), missing.end(), [&](const auto& address) {
        return text.find("Addr: " + address + " ") != std::string::npos;
      });
      EXPECT_TRUE(named) << text;
    }
  }

  // The first fifth is there, or named where this machine was too slow for it.
  void CheckGood(const json& answer) {
    std::set<std::string> present;
    for (const json& zone : answer["data"]["result"]) present.insert(zone["metric"]["zone"]);
    if (answer.contains("missing"))
      for (const json& part : answer["missing"]) present.insert(part["endpoint"]);
    for (int i = 0; i < kEndpoints / 5; ++i) {
      const std::string& address = servers_[static_cast<std::size_t>(i)]->address();
      EXPECT_TRUE(present.contains("z" + std::to_string(i)) || present.contains(address)) << i;
    }
  }

  // Asks until the answer is whole, or gives the last one.
  static json WholeAnswer(Querier& querier) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    json answer;
    do {
      answer = Count(querier);
    } while ((answer.contains("missing") || answer["data"]["result"].size() != kEndpoints) &&
             std::chrono::steady_clock::now() < end);
    return answer;
  }

  void Rage(std::chrono::seconds time) {
    std::minstd_rand random(17);
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
      // The first fifth stays good: what it has is in every answer.
      MoodyServer& server = *servers_[kEndpoints / 5 + random() % (kEndpoints * 4 / 5)];
      if (random() % 4 == 0) {
        server.alive() ? server.Die() : server.Revive();
      } else {
        server.store().mode = static_cast<Mode>(random() % static_cast<unsigned>(Mode::kModes));
      }
      std::this_thread::yield();
    }
    for (const auto& server : servers_) {
      server->store().mode = Mode::kGood;
      const auto patience = std::chrono::steady_clock::now() + 10s;
      while (!server->alive() && std::chrono::steady_clock::now() < patience) server->Revive();
      ASSERT_TRUE(server->alive()) << server->address();
    }
  }

  std::vector<std::unique_ptr<MoodyServer>> servers_;
  const std::shared_ptr<MemoryBudget> total_memory_ =
      std::make_shared<MemoryBudget>("all queries'", 128 << 20);
  QueryOptions options_;
};

TEST_F(StormTest, PassesWithoutHarm) {
  Querier querier(options_);
  EXPECT_EQ(WholeAnswer(querier)["data"]["result"].size(), std::size_t{kEndpoints});
  const int files_before = OpenFiles();
  const std::int64_t memory_before = ResidentKib();

  std::atomic<bool> stop = false;
  std::atomic<int> answers = 0;
  std::atomic<int> partial = 0;
  std::vector<std::thread> askers;
  for (int i = 0; i < kQueryThreads; ++i) {
    askers.emplace_back([&] {
      while (!stop) {
        const json answer = Count(querier);
        Check(answer);
        CheckGood(answer);
        ++answers;
        if (answer.contains("missing")) ++partial;
      }
    });
  }
  Rage(StormTime());
  stop = true;
  for (std::thread& asker : askers) asker.join();
  EXPECT_GT(answers, 4);
  EXPECT_GT(partial, 0);

  // All are back: the answer is whole again.
  const json answer = WholeAnswer(querier);
  EXPECT_EQ(answer["data"]["result"].size(), std::size_t{kEndpoints});
  EXPECT_FALSE(answer.contains("missing")) << answer["missing"];
  EXPECT_FALSE(answer.contains("warnings")) << answer["warnings"];

  // Nothing is left behind: no memory charged, no sockets but those of the endpoints.
  EXPECT_EQ(total_memory_->used_bytes(), 0);
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (OpenFiles() > files_before + 20 && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  EXPECT_LE(OpenFiles(), files_before + 20);
  EXPECT_TRUE(!kMeasuresMemory || ResidentKib() < memory_before + (256 << 10));
  std::printf("%d answers, %d of them partial; %lld KiB before, %lld after\n", answers.load(),
              partial.load(), static_cast<long long>(memory_before),
              static_cast<long long>(ResidentKib()));
}

}  // namespace
}  // namespace aevum::query
