#include "objstore/signing/aws_v4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objstore/signing/digest.h"

namespace aevum::objstore {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Sha256(std::string_view text) { return Hex(Digest(DigestKind::kSha256, text)); }

// The examples of Amazon's documentation "Signature Calculations for the Authorization Header".
TEST(SignAwsV4Test, MakesTheSignaturesOfTheDocumentation) {
  const Credentials credentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                "", kMaxTime};
  struct Case {
    std::string name;
    std::string method;
    std::string path;
    Fields query;
    Fields headers;
    std::string body;
    std::string signature;
  };
  const Case cases[] = {
      {"a part of an object",
       "GET",
       "/test.txt",
       {},
       {{"Range", "bytes=0-9"}},
       "",
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"an upload",
       "PUT",
       "/test%24file.text",
       {},
       {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
       "Welcome to Amazon S3.",
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"a part of the bucket",
       "GET",
       "/",
       {{"lifecycle", ""}},
       {},
       "",
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"a listing",
       "GET",
       "/",
       {{"max-keys", "2"}, {"prefix", "J"}},
       {},
       "",
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    RestRequest request;
    request.method = c.method;
    request.host = "examplebucket.s3.amazonaws.com";
    request.path = c.path;
    request.query = c.query;
    request.headers = c.headers;
    request.SetHeader("x-amz-date", "20130524T000000Z");
    request.SetHeader("x-amz-content-sha256", Sha256(c.body));
    SignAwsV4(credentials, {"us-east-1", "s3"}, Sha256(c.body), request);
    EXPECT_THAT(std::string(request.Header("Authorization")), EndsWith("=" + c.signature));
    EXPECT_THAT(std::string(request.Header("Authorization")),
                StartsWith("AWS4-HMAC-SHA256 "
                           "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                           "SignedHeaders="));
  }
}

// Of Amazon's public test suite of the signature: method, query in any order, repeated blanks.
TEST(SignAwsV4Test, MakesTheSignaturesOfTheTestSuite) {
  const Credentials credentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "",
                                kMaxTime};
  struct Case {
    std::string name;
    std::string method;
    Fields query;
    std::string signature;
  };
  const Case cases[] = {
      {"get-vanilla",
       "GET",
       {},
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"post-vanilla",
       "POST",
       {},
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"get-vanilla-query-order-key-case",
       "GET",
       {{"Param2", "value2"}, {"Param1", "value1"}},
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    RestRequest request;
    request.method = c.method;
    request.host = "example.amazonaws.com";
    request.query = c.query;
    request.SetHeader("X-Amz-Date", "20150830T123600Z");
    SignAwsV4(credentials, {"us-east-1", "service"}, Sha256(""), request);
    EXPECT_THAT(std::string(request.Header("Authorization")), EndsWith("=" + c.signature));
  }
}

TEST(AwsV4SignerTest, ReadsABodyTwiceOnlyWithoutTls) {
  const FakeClock clock(1'369'353'600'000);
  const auto credentials =
      std::make_shared<FixedCredentials>(Credentials{"key", "secret", "token", kMaxTime});
  const auto region = [](const Context&) -> StatusOr<std::string> { return "eu-west-1"; };
  const BytesSource source("0123456789");
  for (const bool over_tls : {false, true}) {
    SCOPED_TRACE(over_tls);
    AwsV4Signer signer(credentials, region, over_tls, clock);
    RestRequest request;
    request.method = "PUT";
    request.host = "h";
    request.source = &source;
    request.source_offset = 2;
    request.source_size = 3;
    ASSERT_TRUE(signer.Sign(Context::Background(), request).ok());
    EXPECT_EQ(request.Header("X-Amz-Content-Sha256"),
              over_tls ? std::string(kUnsignedPayload) : Sha256("234"));
    EXPECT_EQ(request.Header("X-Amz-Date"), "20130524T000000Z");
    EXPECT_EQ(request.Header("X-Amz-Security-Token"), "token");
    EXPECT_THAT(std::string(request.Header("Authorization")),
                HasSubstr("Credential=key/20130524/eu-west-1/s3/aws4_request"));
  }
}

TEST(AwsV4SignerTest, SaysThatThereAreNoCredentials) {
  class None final : public CredentialsSource {
    StatusOr<Credentials> Get(const Context&) override {
      return MakeError(StatusCode::kUnauthenticated, "none");
    }
  };
  const FakeClock clock(0);
  AwsV4Signer signer(
      std::make_shared<None>(), [](const Context&) -> StatusOr<std::string> { return "r"; }, true,
      clock);
  RestRequest request;
  EXPECT_EQ(signer.Sign(Context::Background(), request).code(), StatusCode::kUnauthenticated);
}

}  // namespace
}  // namespace aevum::objstore
