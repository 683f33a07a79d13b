#include "block/blocks_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <nlohmann/json.hpp>

#include "block/marks.h"
#include "block/testing/blocks.h"
#include "net/http/test_client.h"

namespace aevum::block {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::IdOf;
using testing::MakeMeta;
using ::testing::StartsWith;

class BlocksApiTest : public ::testing::Test {
 protected:
  ~BlocksApiTest() override {
    if (server_) server_->Stop(std::chrono::milliseconds(0));
  }
  void Start(BlocksApiOptions options) {
    net::HttpServerOptions http;
    http.address = "127.0.0.1:0";
    http.handler_threads = 2;
    server_ = std::make_unique<net::HttpServer>(http, Logger(), registry_);
    net::ApiRoutes routes(*server_, {}, Logger());
    AddBlocksRoutes(routes, std::move(options), bucket_, Logger(), clock_);
    ASSERT_TRUE(server_->Start().ok());
  }
  net::TestAnswer Do(const std::string& method, const std::string& target) {
    net::TestClient client(server_->port());
    return client.Do(method + " " + target + " HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  }
  std::string Mark(const std::string& params) {
    const net::TestAnswer answer = Do("POST", "/api/v1/blocks/mark?" + params);
    if (answer.status == 204) return answer.body;
    EXPECT_EQ(answer.status, 400);
    const json body = json::parse(answer.body);
    EXPECT_EQ(body["errorType"], "bad_data");
    return body["error"];
  }

  testing::CountingBucket bucket_;
  FakeClock clock_{1'700'000'000'000};
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  std::unique_ptr<net::HttpServer> server_;
};

TEST_F(BlocksApiTest, ShowsBothViews) {
  auto fetched = std::make_shared<FetchedBlocks>();
  fetched->metas[IdOf(1)] = std::make_shared<const Meta>(MakeMeta(1));
  fetched->metas[IdOf(2)] = std::make_shared<const Meta>(MakeMeta(2));
  Start({.label = "cluster", .loaded = [=] {
           return BlocksView{.blocks = fetched, .refreshed_ms = 1'700'000'000'123};
         }});
  const json loaded = json::parse(Do("GET", "/api/v1/blocks?view=loaded").body)["data"];
  EXPECT_EQ(loaded["label"], "cluster");
  EXPECT_EQ(loaded["refreshedAt"], "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(loaded["err"], nullptr);
  ASSERT_EQ(loaded["blocks"].size(), 2U);
  EXPECT_EQ(loaded["blocks"][0], json::parse(MakeMeta(1).Write()));
  // Nobody fills it.
  EXPECT_EQ(Do("GET", "/api/v1/blocks").body,
            R"({"status":"success","data":{"label":"cluster","blocks":[],)"
            R"("refreshedAt":"0001-01-01T00:00:00Z","err":null}})");
}

TEST_F(BlocksApiTest, TellsWhyAViewIsOld) {
  Start({.global = [] { return BlocksView{.status = Unavailable("the bucket is gone")}; }});
  EXPECT_EQ(json::parse(Do("GET", "/api/v1/blocks").body)["data"]["err"], "the bucket is gone");
}

TEST_F(BlocksApiTest, PutsMarks) {
  testing::PutMeta(bucket_, MakeMeta(1));
  Start({});
  const std::string id = IdOf(1).ToString();
  EXPECT_EQ(Mark("id=" + id + "&action=DELETION&detail=old"), "");
  EXPECT_EQ(Mark("id=" + id + "&action=NO_COMPACTION&detail=big"), "");
  EXPECT_EQ(Mark("id=" + id + "&action=DELETION&detail=again"), "");
  const Context context = Context::Background();
  const auto deletion = ReadMark(context, bucket_, MarkKind::kDeletion, IdOf(1));
  ASSERT_TRUE(deletion.ok());
  EXPECT_EQ(deletion->details, "old");
  EXPECT_EQ(deletion->time_seconds, 1'700'000'000);
  EXPECT_EQ(ReadMark(context, bucket_, MarkKind::kNoCompact, IdOf(1))->reason, "manual");
  EXPECT_EQ(Do("GET", "/api/v1/blocks/mark").status / 100, 4);
}

TEST_F(BlocksApiTest, ShowsMarks) {
  testing::PutMeta(bucket_, MakeMeta(1));
  Start({});
  const std::string id = IdOf(1).ToString();
  const std::string marks = "/api/v1/blocks/marks?id=";
  EXPECT_EQ(Do("GET", marks + id).body, R"({"status":"success","data":{"marks":[]}})");
  EXPECT_EQ(Mark("id=" + id + "&action=NO_COMPACTION&detail=%3Cbig%3E"), "");
  EXPECT_EQ(Mark("id=" + id + "&action=DELETION&detail=old"), "");
  const net::TestAnswer answer = Do("GET", marks + id);
  EXPECT_EQ(answer.Header("Cache-Control"), "no-store");
  EXPECT_EQ(json::parse(answer.body)["data"]["marks"], json::parse(R"([
      {"marker": "deletion-mark.json", "time": 1700000000, "details": "old", "reason": ""},
      {"marker": "no-compact-mark.json", "time": 1700000000, "details": "<big>",
       "reason": "manual"}])"));
  EXPECT_EQ(Do("GET", marks).status, 400);
  EXPECT_EQ(Do("GET", marks + "xyz").status, 400);
  bucket_.fail = ObjectName(IdOf(1), "deletion-mark.json");
  const net::TestAnswer failed = Do("GET", marks + id);
  EXPECT_EQ(failed.status / 100, 4);
  EXPECT_THAT(failed.body, HasSubstr("this object fails"));
}

TEST_F(BlocksApiTest, RefusesMarksThatCanNotBe) {
  Start({});
  const std::string id = IdOf(1).ToString();
  EXPECT_EQ(Mark("action=DELETION"), "ID cannot be empty");
  EXPECT_EQ(Mark("id=" + id), "Action cannot be empty");
  EXPECT_THAT(Mark("id=xyz&action=DELETION"), StartsWith("ULID \"xyz\" is not valid: "));
  EXPECT_EQ(Mark("id=" + id + "&action=NOPE"), "not supported marker NOPE");
  EXPECT_EQ(Mark("id=" + id + "&action=DELETION"), "the bucket has no block " + id);
  testing::PutMeta(bucket_, MakeMeta(1));
  bucket_.fail = ObjectName(IdOf(1), "deletion-mark.json");
  EXPECT_THAT(Mark("id=" + id + "&action=DELETION"), HasSubstr("this object fails"));
}

TEST_F(BlocksApiTest, PutsNoMarksWhereAdminOperationsAreOff) {
  testing::PutMeta(bucket_, MakeMeta(1));
  Start({.disable_admin_operations = true});
  EXPECT_EQ(Mark("id=" + IdOf(1).ToString() + "&action=DELETION"), "Admin operations are disabled");
  EXPECT_EQ(testing::List(bucket_).size(), 1U);
}

}  // namespace
}  // namespace aevum::block
