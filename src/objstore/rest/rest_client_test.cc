#include "objstore/rest/rest_client.h"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http/server.h"
#include "objstore/rest/answers.h"

namespace aevum::objstore {
namespace {

using ::testing::HasSubstr;

// Signs with a count, and has new credentials once.
class CountingSigner final : public RequestSigner {
 public:
  Status Sign(const Context&, RestRequest& request) override {
    RETURN_IF_ERROR(error);
    request.SetHeader("X-Signature", std::to_string(++signatures));
    return OkStatus();
  }
  bool Forget() override { return ++forgotten == 1; }

  Status error;
  std::atomic<int> signatures = 0;
  std::atomic<int> forgotten = 0;
};

class RestClientTest : public ::testing::Test {
 protected:
  using Answer = std::function<void(int number, const net::HttpRequest&, net::HttpResponse&)>;

  // Answers all requests; `number` counts from 1.
  void Start(Answer answer) {
    net::HttpServerOptions options;
    options.address = "127.0.0.1:0";
    server_ = std::make_unique<net::HttpServer>(options, Logger(), nullptr);
    server_->Handle(
        "", "/object", "object",
        [this, answer](const Context&, const net::HttpRequest& request,
                       net::HttpResponse& response) { answer(++requests_, request, response); });
    ASSERT_TRUE(server_->Start().ok());
    RestClientOptions client;
    client.scheme = "http";
    client.host = "127.0.0.1:" + std::to_string(server_->port());
    client.http.disable_compression = true;
    client.retry = {3, std::chrono::milliseconds(1), std::chrono::milliseconds(2)};
    client.read_error = ReadXmlError;
    client_ = std::make_unique<RestClient>(client, signer_);
  }
  RestRequest Object() {
    RestRequest request;
    request.path = "/object";
    return request;
  }

  const Context context_ = Context::Background();
  const std::shared_ptr<CountingSigner> signer_ = std::make_shared<CountingSigner>();
  std::atomic<int> requests_ = 0;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<RestClient> client_;
};

TEST_F(RestClientTest, TriesAgainWhatPasses) {
  Start([](int number, const net::HttpRequest&, net::HttpResponse& response) {
    if (number < 3) response.SetStatus(503);
    response.Write("done");
  });
  const StatusOr<net::HttpClientResponse> response = client_->Do(context_, Object(), "x");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body, "done");
  EXPECT_EQ(requests_.load(), 3);
  // Each attempt has a signature of its own, since they grow old.
  EXPECT_EQ(signer_->signatures.load(), 3);
}

TEST_F(RestClientTest, GivesUpAndSaysWhy) {
  Start([](int, const net::HttpRequest&, net::HttpResponse& response) {
    response.SetStatus(503);
    response.Write("<Error><Code>SlowDown</Code><Message>please\nwait</Message></Error>");
  });
  const Status status = client_->Do(context_, Object(), "bucket/x").status();
  EXPECT_TRUE(IsTransient(status));
  EXPECT_EQ(status.message(), "bucket/x: the store answers 503 SlowDown: please wait");
  EXPECT_EQ(requests_.load(), 3);
  EXPECT_FALSE(client_->Do(context_, Object(), "x", RestClient::Repeat::kNever).ok());
  EXPECT_EQ(requests_.load(), 4);
}

TEST_F(RestClientTest, DoesNotRepeatWhatIsForGood) {
  Start([](int number, const net::HttpRequest&, net::HttpResponse& response) {
    const int codes[] = {400, 403, 404, 412, 416, 404};
    response.SetStatus(codes[number - 1]);
    if (number == 6) response.Write("<Error><Code>NoSuchBucket</Code></Error>");
  });
  for (const StatusCode code : {StatusCode::kInvalidArgument, StatusCode::kPermissionDenied,
                                StatusCode::kNotFound, StatusCode::kFailedPrecondition,
                                StatusCode::kOutOfRange, StatusCode::kFailedPrecondition}) {
    EXPECT_EQ(client_->Do(context_, Object(), "x").status().code(), code);
  }
  EXPECT_EQ(requests_.load(), 6);
}

// Readers take NotFound for an object that is absent.
TEST_F(RestClientTest, OnlyAMissingObjectIsNotFound) {
  static constexpr const char* kCodes[] = {"NoSuchKey",         "NoSuchBucket",
                                           "ContainerNotFound", "BucketNotFound",
                                           "NamespaceNotFound", "NotAuthorizedOrNotFound"};
  Start([](int number, const net::HttpRequest&, net::HttpResponse& response) {
    response.SetStatus(404);
    response.Write(fmt::format("<Error><Code>{}</Code></Error>", kCodes[number - 1]));
  });
  for (const StatusCode code : {StatusCode::kNotFound, StatusCode::kFailedPrecondition,
                                StatusCode::kFailedPrecondition, StatusCode::kFailedPrecondition,
                                StatusCode::kFailedPrecondition, StatusCode::kPermissionDenied}) {
    EXPECT_EQ(client_->Do(context_, Object(), "x").status().code(), code);
  }
}

// Readers take NotFound for an object that is absent.
TEST_F(RestClientTest, AnErrorOfSigningIsNoneOfTheObject) {
  Start([](int, const net::HttpRequest&, net::HttpResponse&) {});
  for (const StatusCode code :
       {StatusCode::kNotFound, StatusCode::kOutOfRange, StatusCode::kFailedPrecondition}) {
    signer_->error = MakeError(code, "no file of a token");
    const Status status = client_->Do(context_, Object(), "x").status();
    EXPECT_EQ(status.code(), StatusCode::kUnauthenticated);
    EXPECT_EQ(status.message(), "no file of a token");
  }
  EXPECT_EQ(requests_.load(), 0);
}

TEST_F(RestClientTest, RenewsCredentialsOnce) {
  Start([](int number, const net::HttpRequest&, net::HttpResponse& response) {
    if (number != 2) response.SetStatus(401);
  });
  EXPECT_TRUE(client_->Do(context_, Object(), "x").ok());
  EXPECT_EQ(client_->Do(context_, Object(), "x").status().code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(requests_.load(), 3);
}

TEST_F(RestClientTest, StartsACutReadAgain) {
  Start([](int number, const net::HttpRequest&, net::HttpResponse& response) {
    response.Write(std::string(200'000, static_cast<char>('0' + number)));
    if (number == 1) response.Abort();
  });
  StringSink sink(1 << 20);
  const Status status = client_->Read(context_, Object(), "x", {}, sink);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(std::move(sink).Take(), std::string(200'000, '2'));
}

TEST_F(RestClientTest, RefusesAllWhenItAskedForAPart) {
  Start([](int, const net::HttpRequest& request, net::HttpResponse& response) {
    EXPECT_EQ(request.Header("Range"), "bytes=5-6");
    response.Write("0123456789");
  });
  StringSink sink(100);
  const Status status = client_->Read(context_, Object(), "x", {5, 2}, sink);
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("sends all of it"));
}

TEST_F(RestClientTest, SendsAPartOfASource) {
  Start([](int number, const net::HttpRequest& request, net::HttpResponse& response) {
    if (number == 1) {
      response.SetStatus(500);
      return;
    }
    response.Write(request.method + request.body);
  });
  std::string bytes(300'000, 'a');
  bytes += "tail";
  const BytesSource source(bytes);
  RestRequest request = Object();
  request.method = "PUT";
  request.source = &source;
  request.source_offset = 1;
  request.source_size = static_cast<std::int64_t>(bytes.size()) - 1;
  const StatusOr<net::HttpClientResponse> response = client_->Do(context_, request, "x");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body, "PUT" + bytes.substr(1));
}

TEST(RetryTest, WaitsNoLongerThanThePolicySays) {
  const RetryPolicy policy{3, std::chrono::milliseconds::max(), std::chrono::milliseconds(1)};
  int attempts = 0;
  const Status status = Retry(Context::Background().WithTimeout(std::chrono::minutes(1)), policy,
                              [&] { return ++attempts < 3 ? Unavailable("busy") : OkStatus(); });
  EXPECT_TRUE(status.ok()) << status;
}

TEST(HttpDateTest, IsReadAndWritten) {
  EXPECT_EQ(*ParseHttpDate("Fri, 24 May 2013 00:00:00 GMT"), 1'369'353'600'000);
  EXPECT_EQ(FormatHttpDate(1'369'353'600'000), "Fri, 24 May 2013 00:00:00 GMT");
  EXPECT_EQ(FormatBasicIso8601(1'440'938'160'000), "20150830T123600Z");
  EXPECT_FALSE(ParseHttpDate("2013-05-24").ok());
}

TEST_F(RestClientTest, ParametersStayOutOfErrors) {
  Start([](int, const net::HttpRequest&, net::HttpResponse&) {});
  server_.reset();
  RestRequest request = Object();
  request.query = {{"sig", "secret"}};
  const Status status = client_->Do(context_, request, "it").status();
  EXPECT_TRUE(IsTransient(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("/object"));
  EXPECT_THAT(std::string(status.message()), ::testing::Not(HasSubstr("secret")));
}

TEST_F(RestClientTest, AnExpectedStatusIsAnAnswer) {
  Start([](int, const net::HttpRequest&, net::HttpResponse& response) { response.SetStatus(308); });
  RestRequest request = Object();
  EXPECT_FALSE(client_->Do(context_, request, "it").ok());
  request.expected_status = 308;
  const StatusOr<net::HttpClientResponse> response = client_->Do(context_, request, "it");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 308);
}

}  // namespace
}  // namespace aevum::objstore
