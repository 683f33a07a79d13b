#include "objstore/providers/s3_like.h"

#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http/server.h"

namespace aevum::objstore {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A bucket before a server that answers as the test says.
class S3LikeBucketTest : public ::testing::Test {
 protected:
  using Answer = std::function<void(const net::HttpRequest&, net::HttpResponse&)>;

  void Start(Answer answer) {
    net::HttpServerOptions options;
    options.address = "127.0.0.1:0";
    server_ = std::make_unique<net::HttpServer>(options, Logger(), nullptr);
    server_->Handle("", "/bucket/x", "object",
                    [this, answer](const Context&, const net::HttpRequest& request,
                                   net::HttpResponse& response) {
                      {
                        const std::lock_guard lock(mutex_);
                        calls_.push_back(request.method + std::string(request.Param("partNumber")));
                      }
                      answer(request, response);
                    });
    ASSERT_TRUE(server_->Start().ok());
    RestClientOptions client;
    client.scheme = "http";
    client.host = "127.0.0.1:" + std::to_string(server_->port());
    client.retry = {3, std::chrono::milliseconds(1), std::chrono::milliseconds(2)};
    client.read_error = ReadXmlError;
    S3LikeOptions bucket;
    const auto dialect = std::make_shared<S3Dialect>();
    dialect->conditions = S3Dialect::Conditions::kAll;
    bucket.dialect = dialect;
    bucket.bucket = "bucket";
    bucket.path_prefix = "/bucket";
    bucket.part_size_bytes = 10;
    bucket_ = std::make_unique<S3LikeBucket>(bucket, std::make_unique<RestClient>(client, nullptr));
  }
  StatusOr<std::string> Upload(std::string_view bytes, UploadCondition condition) {
    UploadOptions options;
    options.condition = condition;
    options.version = "\"v1\"";
    return bucket_->Upload(Context::Background(), "x", BytesSource(bytes), options);
  }
  // "PUT2" for the second part.
  std::vector<std::string> Calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

  std::mutex mutex_;
  std::vector<std::string> calls_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<S3LikeBucket> bucket_;
};

// Answers as a store does that takes uploads in parts, except for the end of one.
void TakeParts(const net::HttpRequest& request, net::HttpResponse& response,
               std::string_view completed) {
  if (request.method == "PUT") {
    response.SetHeader("ETag", "\"part\"");
  } else if (request.HasParam("uploads")) {
    response.Write(
        "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>");
  } else if (request.method == "POST") {
    response.Write(completed);
  }
}

TEST_F(S3LikeBucketTest, ConditionsAreHeaders) {
  Start([](const net::HttpRequest& request, net::HttpResponse& response) {
    response.SetHeader("ETag", fmt::format("\"{}{}\"", request.Header("If-None-Match"),
                                           request.Header("If-Match") == "\"v1\"" ? "same" : ""));
  });
  EXPECT_EQ(*Upload("1", UploadCondition::kNone), "\"\"");
  EXPECT_EQ(*Upload("1", UploadCondition::kIfAbsent), "\"*\"");
  EXPECT_EQ(*Upload("1", UploadCondition::kIfVersion), "\"same\"");
}

TEST_F(S3LikeBucketTest, AConditionThatDoesNotHoldIsAFailedPrecondition) {
  Start([](const net::HttpRequest& request, net::HttpResponse& response) {
    const bool conflict = !request.Header("If-Match").empty();
    response.SetStatus(conflict ? 409 : 412);
    response.Write(conflict ? "<Error><Code>ConditionalRequestConflict</Code></Error>"
                            : "<Error><Code>PreconditionFailed</Code></Error>");
  });
  for (const UploadCondition condition :
       {UploadCondition::kIfAbsent, UploadCondition::kIfVersion}) {
    EXPECT_EQ(Upload("1", condition).status().code(), StatusCode::kFailedPrecondition);
  }
}

// The first attempt may have been done; the second would then fail its own condition.
TEST_F(S3LikeBucketTest, AnUploadUnderAConditionIsTriedOnce) {
  Start([](const net::HttpRequest& request, net::HttpResponse& response) {
    if (request.HasParam("uploadId") && request.method == "POST") {
      response.SetStatus(503);
    } else if (!request.Header("If-None-Match").empty()) {
      response.SetStatus(503);
    } else {
      TakeParts(request, response, "");
    }
  });
  EXPECT_TRUE(IsTransient(Upload("1", UploadCondition::kIfAbsent).status()));
  EXPECT_THAT(Calls(), ElementsAre("PUT"));
  EXPECT_TRUE(IsTransient(Upload("0123456789a", UploadCondition::kIfAbsent).status()));
  const std::vector<std::string> calls = Calls();
  // The upload is begun, completed once, and taken back.
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "POST"), 2);
  EXPECT_EQ(calls.back(), "DELETE");
}

TEST_F(S3LikeBucketTest, AnUploadInPartsIsCompletedWithAllOfThem) {
  std::string list;
  std::string second;
  Start([&](const net::HttpRequest& request, net::HttpResponse& response) {
    if (request.Param("partNumber") == "2") second = request.body;
    if (request.method == "POST" && request.HasParam("uploadId")) list = request.body;
    TakeParts(request, response,
              "<CompleteMultipartUploadResult><ETag>whole</ETag></CompleteMultipartUploadResult>");
  });
  const StatusOr<std::string> version = Upload("0123456789abcde", UploadCondition::kNone);
  ASSERT_TRUE(version.ok()) << version.status();
  EXPECT_EQ(*version, "whole");
  EXPECT_EQ(second, "abcde");
  EXPECT_THAT(list, HasSubstr("<PartNumber>1</PartNumber><ETag>&quot;part&quot;</ETag>"));
  EXPECT_THAT(list, HasSubstr("<PartNumber>2</PartNumber>"));
}

// An answer to HEAD has no body that would say so.
TEST_F(S3LikeBucketTest, AnAbsentBucketIsNoAbsentObject) {
  struct Case {
    int status;
    const char* error;
    StatusCode code;
  };
  for (const Case& c : {Case{404, "NoSuchKey", StatusCode::kNotFound},
                        Case{404, "NoSuchBucket", StatusCode::kFailedPrecondition},
                        Case{404, "NotAuthorizedOrNotFound", StatusCode::kPermissionDenied},
                        Case{206, "", StatusCode::kUnavailable},
                        Case{416, "InvalidRange", StatusCode::kUnavailable}}) {
    SCOPED_TRACE(c.error);
    Start([&c](const net::HttpRequest& request, net::HttpResponse& response) {
      response.SetStatus(404);
      if (request.method == "HEAD") return;
      EXPECT_EQ(request.Header("Range"), "bytes=0-0");
      response.SetStatus(c.status);
      response.Write(c.status == 206 ? "x"
                                     : fmt::format("<Error><Code>{}</Code></Error>", c.error));
    });
    EXPECT_EQ(bucket_->Attributes(Context::Background(), "x").status().code(), c.code);
  }
}

// The store has said 200 before it knew.
TEST_F(S3LikeBucketTest, AnErrorInTheBodyOfACompletionIsOne) {
  Start([](const net::HttpRequest& request, net::HttpResponse& response) {
    TakeParts(request, response, "<Error><Code>InternalError</Code></Error>");
  });
  const Status status = Upload("0123456789abcde", UploadCondition::kNone).status();
  EXPECT_TRUE(IsTransient(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("InternalError"));
  EXPECT_EQ(Calls().back(), "DELETE");
}

}  // namespace
}  // namespace aevum::objstore
