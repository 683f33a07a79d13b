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
                                                    "PUT", "/bucket/a b?partNumber=1&uploadId=u",
                                                    {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}}));
}

}  // namespace
}  // namespace aevum::objstore
