// Uploads in chunks that don't go smoothly, and errors, before a server that answers as the test
// says.
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http/server.h"
#include "objstore/providers/gcs.h"

namespace aevum::objstore {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kObject =
    R"({"size": "25", "updated": "2013-05-24T00:00:00.5Z", "generation": "7"})";
constexpr std::string_view kBytes = "abcdefghijklmnopqrstuvwxy";  // 25, in chunks of 10

class GcsUploadTest : public ::testing::Test {
 protected:
  using Answer = std::function<void(const net::HttpRequest&, net::HttpResponse&)>;

  // `answer` is asked for what comes after the beginning of the upload.
  void Start(Answer answer) {
    net::HttpServerOptions options;
    options.address = "127.0.0.1:0";
    server_ = std::make_unique<net::HttpServer>(options, Logger(), nullptr);
    server_->Handle(
        "", "/upload/storage/v1/b/bucket/o", "upload",
        [this, answer](const Context&, const net::HttpRequest& request,
                       net::HttpResponse& response) {
          const std::lock_guard lock(mutex_);
          calls_.push_back(request.method + " " + std::string(request.Header("Content-Range")));
          if (request.method == "POST") {
            EXPECT_EQ(request.Param("name"), "a/b");
            response.SetHeader("Location", "https://elsewhere/x?upload_id=the%2Bid");
            return;
          }
          EXPECT_EQ(request.Param("upload_id"), "the+id");
          answer(request, response);
        });
    server_->Handle("", "/storage/v1/b/bucket/o/x", "object",
                    [answer](const Context&, const net::HttpRequest& request,
                             net::HttpResponse& response) { answer(request, response); });
    ASSERT_TRUE(server_->Start().ok());
    RestClientOptions client;
    client.scheme = "http";
    client.host = "127.0.0.1:" + std::to_string(server_->port());
    client.retry = {3, std::chrono::milliseconds(1), std::chrono::milliseconds(2)};
    client.read_error = ReadGcsError;
    GcsOptions bucket;
    bucket.bucket = "bucket";
    bucket.chunk_bytes = 10;
    bucket_ = std::make_unique<GcsBucket>(bucket, std::make_unique<RestClient>(client, nullptr));
  }
  StatusOr<std::string> Upload() {
    return bucket_->Upload(Context::Background(), "a/b", BytesSource(kBytes), {});
  }
  // Takes bytes of a chunk, `limit` in all, and says how many there are.
  void Take(const net::HttpRequest& request, net::HttpResponse& response, std::size_t limit) {
    received_ += request.body;
    received_.resize(std::min(received_.size(), limit));
    if (received_.size() == kBytes.size()) {
      response.Write(kObject);
      return;
    }
    response.SetStatus(308);
    if (!received_.empty()) {
      response.SetHeader("Range", fmt::format("bytes=0-{}", received_.size() - 1));
    }
  }
  std::vector<std::string> Calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

  std::mutex mutex_;
  std::vector<std::string> calls_;
  std::string received_;  // only in answers, which have the lock
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<GcsBucket> bucket_;
};

TEST_F(GcsUploadTest, SendsChunksUntilTheStoreHasAll) {
  Start([this](const auto& request, auto& response) { Take(request, response, 100); });
  const StatusOr<std::string> version = Upload();
  ASSERT_TRUE(version.ok()) << version.status();
  EXPECT_EQ(*version, "7");
  EXPECT_EQ(received_, kBytes);
  EXPECT_THAT(Calls(),
              ElementsAre("POST ", "PUT bytes 0-9/25", "PUT bytes 10-19/25", "PUT bytes 20-24/25"));
}

TEST_F(GcsUploadTest, GoesOnWhereTheStoreHasStopped) {
  int puts = 0;
  Start([&](const auto& request, auto& response) {
    Take(request, response, ++puts == 2 ? 14 : 100);
    if (puts == 2) response.SetStatus(503);
  });
  const StatusOr<std::string> version = Upload();
  ASSERT_TRUE(version.ok()) << version.status();
  EXPECT_EQ(received_, kBytes);
  EXPECT_THAT(Calls(), ElementsAre("POST ", "PUT bytes 0-9/25", "PUT bytes 10-19/25",
                                   "PUT bytes */25", "PUT bytes 14-23/25", "PUT bytes 24-24/25"));
}

TEST_F(GcsUploadTest, TheLostAnswerToTheLastChunkIsFoundAgain) {
  int puts = 0;
  Start([&](const auto& request, auto& response) {
    if (++puts == 3) {
      received_ += request.body;
      response.SetStatus(500);
      return;
    }
    Take(request, response, 100);
  });
  const StatusOr<std::string> version = Upload();
  ASSERT_TRUE(version.ok()) << version.status();
  EXPECT_EQ(*version, "7");
  EXPECT_EQ(Calls().back(), "PUT bytes */25");
}

TEST_F(GcsUploadTest, AStoreThatHasAllIsAskedForTheEnd) {
  int puts = 0;
  Start([&](const auto& request, auto& response) {
    Take(request, response, 100);
    if (++puts > 3) return;
    response.SetStatus(308);
    response.SetHeader("Range", fmt::format("bytes=0-{}", received_.size() - 1));
  });
  const StatusOr<std::string> version = Upload();
  ASSERT_TRUE(version.ok()) << version.status();
  EXPECT_THAT(Calls(), ElementsAre("POST ", "PUT bytes 0-9/25", "PUT bytes 10-19/25",
                                   "PUT bytes 20-24/25", "PUT bytes */25"));
}

TEST_F(GcsUploadTest, AnUploadThatTheStoreHasLostIsTakenBackAndNoMissingObject) {
  Start([](const auto&, auto& response) { response.SetStatus(404); });
  EXPECT_TRUE(IsTransient(Upload().status()));
  EXPECT_THAT(Calls(), ElementsAre("POST ", "PUT bytes 0-9/25", "DELETE "));
}

TEST_F(GcsUploadTest, AStoreThatTakesNothingIsGivenUp) {
  Start([this](const auto& request, auto& response) { Take(request, response, 0); });
  EXPECT_TRUE(IsTransient(Upload().status()));
  EXPECT_EQ(Calls().size(), 5);  // POST, three attempts, DELETE
}

TEST_F(GcsUploadTest, ARangeThatCantBeIsAnError) {
  for (const char* range : {"bytes=5-9", "bytes=0-", "bytes=0-99", "bytes=0-9x", "0-9"}) {
    SCOPED_TRACE(range);
    Start([range](const auto&, auto& response) {
      response.SetStatus(308);
      response.SetHeader("Range", range);
    });
    EXPECT_EQ(Upload().status().code(), StatusCode::kInternal);
  }
}

TEST_F(GcsUploadTest, ErrorsTellABucketFromAnObject) {
  struct Case {
    int status;
    std::string body;
    StatusCode code;
  };
  const Case cases[] = {
      {404, R"({"error": {"code": 404, "message": "No such object: bucket/x"}})",
       StatusCode::kNotFound},
      {404, "No such object: bucket/x", StatusCode::kNotFound},
      {404, R"({"error": {"code": 404, "message": "The specified bucket does not exist."}})",
       StatusCode::kFailedPrecondition},
      {403, R"({"error": {"code": 403, "message": "no access"}})", StatusCode::kPermissionDenied},
      {401, R"({"error": {"code": 401, "message": "Invalid Credentials"}})",
       StatusCode::kUnauthenticated},
      {412, "", StatusCode::kFailedPrecondition},
      {416, "", StatusCode::kOutOfRange},
      {429, "", StatusCode::kUnavailable},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.body);
    Start([&c](const auto&, auto& response) {
      response.SetStatus(c.status);
      response.Write(c.body);
    });
    EXPECT_EQ(bucket_->Get(Context::Background(), "x").status().code(), c.code);
    EXPECT_EQ(bucket_->Attributes(Context::Background(), "x").status().code(), c.code);
  }
}

}  // namespace
}  // namespace aevum::objstore
