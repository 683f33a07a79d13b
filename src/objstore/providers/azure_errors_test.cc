// What errors of the blob service mean, before a server that answers as the test says.
#include <atomic>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http/server.h"
#include "objstore/providers/azure.h"
#include "objstore/rest/answers.h"

namespace aevum::objstore {
namespace {

using ::testing::HasSubstr;

using Answer = std::function<void(const net::HttpRequest&, net::HttpResponse&)>;

class AzureErrorsTest : public ::testing::Test {
 protected:
  void Start(Answer container, Answer object) {
    net::HttpServerOptions options;
    options.address = "127.0.0.1:0";
    server_ = std::make_unique<net::HttpServer>(options, Logger(), nullptr);
    const auto handle = [this](const std::string& path, Answer answer) {
      server_->Handle(
          "", path, "test",
          [answer = std::move(answer)](const Context&, const net::HttpRequest& request,
                                       net::HttpResponse& response) { answer(request, response); });
    };
    handle("/container", std::move(container));
    handle("/container/x", std::move(object));
    ASSERT_TRUE(server_->Start().ok());
    RestClientOptions client;
    client.scheme = "http";
    client.host = "127.0.0.1:" + std::to_string(server_->port());
    client.retry = {2, std::chrono::milliseconds(1), std::chrono::milliseconds(2)};
    client.read_error = ReadXmlError;
    client.error_code_header = kAzureErrorHeader;
    AzureOptions bucket;
    bucket.container = "container";
    bucket.block_bytes = 4;
    bucket_ = std::make_unique<AzureBucket>(bucket, std::make_unique<RestClient>(client, nullptr));
  }
  StatusCode List() {
    return bucket_
        ->Iterate(context_, "", {},
                  [this](const ListedObject&) {
                    ++listed_;
                    return OkStatus();
                  })
        .code();
  }
  StatusCode Upload(std::string_view bytes) {
    return bucket_->Upload(context_, "x", BytesSource(bytes), {}).status().code();
  }

  const Context context_ = Context::Background();
  int listed_ = 0;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<AzureBucket> bucket_;
};

Answer Error(int status, std::string code) {
  return [status, code](const net::HttpRequest&, net::HttpResponse& response) {
    response.SetStatus(status);
    response.SetHeader(kAzureErrorHeader, code);
  };
}

TEST_F(AzureErrorsTest, AnObjectThatCantBeTouchedIsNotAbsent) {
  std::atomic<int> container_calls = 0;
  Start([&](const auto&, auto&) { ++container_calls; }, Error(412, "LeaseIdMissing"));
  EXPECT_EQ(bucket_->Delete(context_, "x").code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(bucket_->Get(context_, "x").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(bucket_->Attributes(context_, "x").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(container_calls.load(), 1);  // it is asked for once, as it stays
}

TEST_F(AzureErrorsTest, OnlyAContainerThatIsNotThereIsEmpty) {
  Start(Error(404, "ContainerNotFound"), Error(404, "ContainerNotFound"));
  EXPECT_EQ(List(), StatusCode::kOk);
  EXPECT_TRUE(bucket_->Delete(context_, "x").ok());
  EXPECT_TRUE(IsNotFound(bucket_->Get(context_, "x").status()));
  const std::pair<int, const char*> others[] = {
      {409, "ContainerBeingDeleted"}, {404, ""}, {403, "AuthorizationFailure"}};
  for (const auto& [status, code] : others) {
    SCOPED_TRACE(code);
    Start(Error(status, code), Error(409, "ContainerBeingDeleted"));
    EXPECT_EQ(bucket_->Get(context_, "x").status().code(), StatusCode::kFailedPrecondition);
    EXPECT_NE(List(), StatusCode::kOk);
  }
}

TEST_F(AzureErrorsTest, APageThatIsNotFoundDoesNotEndAListing) {
  for (const char* code : {"", "ContainerNotFound"}) {
    SCOPED_TRACE(code);
    listed_ = 0;
    Start(
        [code](const net::HttpRequest& request, net::HttpResponse& response) {
          if (request.HasParam("marker") || request.method == "HEAD") {
            return Error(404, code)(request, response);
          }
          response.Write(
              "<EnumerationResults><Blobs><BlobPrefix><Name>a/</Name></BlobPrefix></Blobs>"
              "<NextMarker>m</NextMarker></EnumerationResults>");
        },
        Error(404, ""));
    EXPECT_EQ(List(), StatusCode::kFailedPrecondition);
    EXPECT_EQ(listed_, 1);
  }
}

TEST_F(AzureErrorsTest, AContainerThatIsBeingRemovedIsNotMade) {
  std::atomic<bool> is_there = false;
  std::atomic<int> heads = 0;
  Start(
      [&](const net::HttpRequest& request, net::HttpResponse& response) {
        if (request.method == "PUT") return Error(409, "ContainerBeingDeleted")(request, response);
        ++heads;
        if (!is_there) Error(404, "ContainerNotFound")(request, response);
      },
      [](const auto&, auto&) {});
  EXPECT_EQ(Upload("1"), StatusCode::kFailedPrecondition);
  EXPECT_EQ(heads.load(), 2);
  is_there = true;
  EXPECT_EQ(Upload("1"), StatusCode::kOk);
  EXPECT_EQ(heads.load(), 3);
}

// The first one was done, but its answer was lost: the blocks are committed then.
TEST_F(AzureErrorsTest, AListOfBlocksMayBeSentAgain) {
  std::atomic<int> lists = 0;
  Start([](const auto&, auto&) {},
        [&](const net::HttpRequest& request, net::HttpResponse& response) {
          if (request.Param("comp") != "blocklist") return;
          EXPECT_THAT(request.body, HasSubstr("<Latest>"));
          EXPECT_THAT(request.body, ::testing::Not(HasSubstr("<Uncommitted>")));
          if (++lists == 1) response.SetStatus(503);
        });
  EXPECT_EQ(Upload("123456"), StatusCode::kOk);
  EXPECT_EQ(lists.load(), 2);
}

}  // namespace
}  // namespace aevum::objstore
