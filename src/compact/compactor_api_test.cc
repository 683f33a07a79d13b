#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "compact/compactor.h"
#include "compact/testing/fake_blocks.h"
#include "net/http/test_client.h"
#include "objstore/testing/memory_bucket.h"

namespace aevum::compact {
namespace {

using nlohmann::json;

TEST(CompactorApiTest, TellsOfQueuesAndProblems) {
  const auto bucket = std::make_shared<objstore::MemoryBucket>();
  constexpr TimestampMs kTwoHours = 7'200'000;
  for (int i = 0; i < 5; ++i) {
    testing::BucketOf(*bucket).Put(i, i * kTwoHours, (i + 1) * kTwoHours, i == 0 ? "DAMAGED" : "");
  }
  const TemporaryDirectory directory = *TemporaryDirectory::Create();
  CompactorOptions options;
  options.data_dir = directory.path();
  options.consistency_delay = std::chrono::seconds(0);
  options.leases.owner = "worker";
  testing::FakeWork work;
  testing::TickingClock clock(1'700'000'000'000);
  const auto registry = std::make_shared<prometheus::Registry>();
  Compactor compactor(options, bucket, work.functions(), Logger(), *registry, clock);
  net::HttpServerOptions http;
  http.address = "127.0.0.1:0";
  http.handler_threads = 1;
  net::HttpServer server(http, Logger(), registry);
  net::ApiRoutes routes(server, {}, Logger());
  compactor.AddRoutes(routes);
  ASSERT_TRUE(server.Start().ok());
  const auto ask = [&] {
    net::TestClient client(server.port());
    const net::TestAnswer answer =
        client.Do("GET /api/v1/compact HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(answer.status, 200);
    return json::parse(answer.body)["data"];
  };

  json state = ask();
  ASSERT_EQ(state["queues"].size(), 4U);
  EXPECT_EQ(state["queues"][0]["passes"], 0);
  EXPECT_EQ(state["queues"][0]["lastEnd"], "");
  EXPECT_TRUE(state["problems"].empty());

  ASSERT_TRUE(compactor.RunOnce(Context::Background()).ok());
  state = ask();
  EXPECT_EQ(state["queues"][0]["name"], "compaction");
  EXPECT_EQ(state["queues"][0]["done"], 1);
  EXPECT_EQ(state["queues"][0]["err"], "");
  ASSERT_EQ(state["problems"].size(), 1U);
  EXPECT_EQ(state["problems"][0]["about"], testing::IdOf(0).ToString());
  EXPECT_NE(state["problems"][0]["why"].get<std::string>().find("checksum"), std::string::npos);
  server.Stop(std::chrono::milliseconds(0));
}

TEST(CompactorApiTest, CountsWhatLiesAhead) {
  const auto bucket = std::make_shared<objstore::MemoryBucket>();
  constexpr TimestampMs kHour = 3'600'000;
  for (int i = 0; i < 9; ++i) testing::BucketOf(*bucket).Put(i, i * 2 * kHour, (i + 1) * 2 * kHour);
  testing::BucketOf(*bucket, "other").Put(50, 0, 48 * kHour);
  const TemporaryDirectory directory = *TemporaryDirectory::Create();
  CompactorOptions options;
  options.data_dir = directory.path();
  options.consistency_delay = std::chrono::seconds(0);
  options.retention.keep[0] = std::chrono::hours(48);
  options.leases.owner = "worker";
  testing::FakeWork work;
  testing::TickingClock clock(1'700'000'000'000);
  prometheus::Registry registry;
  Compactor compactor(options, bucket, work.functions(), Logger(), registry, clock);
  ASSERT_TRUE(CountTodo(Context::Background(), compactor.place()).ok());
  std::map<std::string, double> values;
  for (const auto& family : registry.Collect()) {
    for (const auto& metric : family.metric) values[family.name] = metric.gauge.value;
  }
  EXPECT_EQ(values["thanos_compact_todo_compactions"], 2);
  EXPECT_EQ(values["thanos_compact_todo_compaction_blocks"], 8);
  EXPECT_EQ(values["thanos_compact_todo_downsample_blocks"], 1);
  EXPECT_EQ(values["thanos_compact_todo_deletion_blocks"], 9);
}

}  // namespace
}  // namespace aevum::compact
