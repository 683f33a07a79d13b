#include "objstore/signing/resource_signer.h"

#include <gtest/gtest.h>

namespace aevum::objstore {
namespace {

std::string Signed(const Credentials& credentials, const ResourceSignatureStyle& style,
                   const std::string& method, const std::string& resource, const Fields& headers,
                   const Fields& query = {}) {
  RestRequest request;
  request.method = method;
  request.headers = headers;
  request.query = query;
  SignResource(credentials, style, resource, request);
  return std::string(request.Header("Authorization"));
}

// The examples of Amazon's documentation "Signing and Authenticating REST Requests".
TEST(SignResourceTest, MakesTheSignaturesOfAmazonsDocumentation) {
  const Credentials credentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                "", kMaxTime};
  const ResourceSignatureStyle style = ResourceSignatureStyle::Amazon();
  EXPECT_EQ(Signed(credentials, style, "GET", "/johnsmith/photos/puppy.jpg",
                   {{"Date", "Tue, 27 Mar 2007 19:36:42 +0000"}}),
            "AWS AKIAIOSFODNN7EXAMPLE:bWq2s1WEIj+Ydj0vQ697zp+IXMU=");
  EXPECT_EQ(Signed(credentials, style, "PUT", "/johnsmith/photos/puppy.jpg",
                   {{"Date", "Tue, 27 Mar 2007 21:15:45 +0000"}, {"Content-Type", "image/jpeg"}}),
            "AWS AKIAIOSFODNN7EXAMPLE:MyyxeRY7whkBe+bq8fHCL/2kKUg=");
  EXPECT_EQ(Signed(credentials, style, "GET", "/johnsmith/",
                   {{"Date", "Tue, 27 Mar 2007 19:42:41 +0000"}},
                   {{"prefix", "photos"}, {"max-keys", "50"}, {"marker", "puppy"}}),
            "AWS AKIAIOSFODNN7EXAMPLE:htDYFYduRNen8P9ZfE/s9SuKy0U=");
}

// The example of the documentation of OSS.
TEST(SignResourceTest, MakesTheSignatureOfAliyunsDocumentation) {
  EXPECT_EQ(
      Signed({"44CF9590006BF252F707", "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV", "", kMaxTime},
             ResourceSignatureStyle::Aliyun(), "PUT", "/oss-example/nelson",
             {{"Content-MD5", "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM="},
              {"Content-Type", "text/html"},
              {"Date", "Thu, 17 Nov 2005 18:49:58 GMT"},
              {"X-OSS-Meta-Author", "foo@bar.com"},
              {"X-OSS-Magic", "abracadabra"}}),
      "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA=");
}

TEST(ResourceSignerTest, SignsThePartOfTheUploadAndNotThePage) {
  const FakeClock clock(1'369'353'600'000);
  const Credentials credentials{"key", "secret", "", kMaxTime};
  ResourceSigner signer(std::make_shared<FixedCredentials>(credentials),
                        ResourceSignatureStyle::Huawei(), "/bucket", clock);
  RestRequest request;
  request.method = "PUT";
  request.path = "/a%20b";
  request.query = {{"uploadId", "u"}, {"max-keys", "5"}, {"partNumber", "1"}};
  ASSERT_TRUE(signer.Sign(Context::Background(), request).ok());
  EXPECT_EQ(request.Header("Date"), "Fri, 24 May 2013 00:00:00 GMT");
  EXPECT_EQ(request.Header("Authorization"), Signed(credentials, ResourceSignatureStyle::Huawei(),
                                                    "PUT", "/bucket/a%20b?partNumber=1&uploadId=u",
                                                    {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}}));
}

// What oss2 2.19.1 and esdk-obs-python 3.26.6 make of the same requests.
TEST(ResourceSignerTest, SignsOddNamesAndParametersAsTheOfficialClients) {
  constexpr const char* kPath = "/dir/odd%20name%2B%C3%A9%26~%28x%29%2A%21%27.bin";
  struct Case {
    std::string method;
    std::string path;
    Fields query;
    Fields headers;
    std::string oss;
    std::string obs;
  };
  const Case cases[] = {
      {"PUT",
       kPath,
       {},
       {{"Content-Type", "application/json"}, {"Content-MD5", "1B2M2Y8AsgTpgAmy7PhCfg=="}},
       "5HRrErMCgDmQ2g91Ajb3gVLhcbA=",
       "CqV+d09TDNzMsWf0O0/e4Gnmt40="},
      {"GET",
       kPath,
       {},
       {{"Range", "bytes=5-9"}, {"x-oss-range-behavior", "standard"}},
       "nWv2GviDF2cNovnpJ3YMid1QyVo=",
       "NUigw1CI0fxBwTBfC/kJgd8gRAs="},
      {"GET",
       "/",
       {{"delimiter", "/"}, {"encoding-type", "url"}, {"max-keys", "10"}, {"prefix", "a b/"}},
       {},
       "1nrh+aMvefWwA5IPq5KjYSOaIho=",
       "1nrh+aMvefWwA5IPq5KjYSOaIho="},
      {"PUT",
       kPath,
       {{"uploadId", "id/+="}, {"partNumber", "2"}},
       {},
       "ogv5PisNNM5c2575s0Y7uYLa6AI=",
       "IT69/icFFyCkgEsQoy8A36HRUUQ="},
      {"POST",
       kPath,
       {{"uploads", ""}},
       {},
       "Jqt1w5PS3H0z2wSQqa3icBBMKKw=",
       "zk2tYc4Ylr04eSRjEgd21ybtMyM="},
  };
  const FakeClock clock(1'480'932'292'000);
  const auto credentials =
      std::make_shared<FixedCredentials>(Credentials{"AKIDEXAMPLE", "secretExample", "", kMaxTime});
  ResourceSigner oss(credentials, ResourceSignatureStyle::Aliyun(), "/bucket", clock);
  ResourceSigner obs(credentials, ResourceSignatureStyle::Huawei(), "/bucket", clock);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.oss);
    RestRequest request;
    request.method = c.method;
    request.path = c.path;
    request.query = c.query;
    request.headers = c.headers;
    ASSERT_TRUE(oss.Sign(Context::Background(), request).ok());
    EXPECT_EQ(request.Header("Authorization"), "OSS AKIDEXAMPLE:" + c.oss);
    ASSERT_TRUE(obs.Sign(Context::Background(), request).ok());
    EXPECT_EQ(request.Header("Authorization"), "OBS AKIDEXAMPLE:" + c.obs);
  }
}

}  // namespace
}  // namespace aevum::objstore
