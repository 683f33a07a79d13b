#include "objstore/signing/cos_signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::objstore {
namespace {

using ::testing::StartsWith;

constexpr const char* kPath = "/dir/odd%20name%2B%C3%A9%26~%28x%29%2A%21%27.bin";

// The example of the tests of cos-go-sdk-v5.
TEST(SignCosTest, MakesTheSignatureOfTheOfficialClient) {
  RestRequest request;
  request.method = "PUT";
  request.host = "testbucket-125000000.cos.ap-guangzhou.myqcloud.com";
  request.path = "/testfile2";
  request.headers = {{"x-cos-content-sha1", "db8ac1c259eb89d4a131b253bacfca5f319d54f2"},
                     {"x-cos-stroage-class", "nearline"}};
  const Credentials credentials{"QmFzZTY0IGlzIGEgZ2VuZXJp", "AKIDZfbOA78asKUYBcXFrJD0a1ICvR98JM",
                                "", kMaxTime};
  ASSERT_TRUE(SignCos(credentials, "1480932292;1481012292", request).ok());
  EXPECT_EQ(request.Header("Authorization"),
            "q-sign-algorithm=sha1&q-ak=QmFzZTY0IGlzIGEgZ2VuZXJp"
            "&q-sign-time=1480932292;1481012292&q-key-time=1480932292;1481012292"
            "&q-header-list=host;x-cos-content-sha1;x-cos-stroage-class&q-url-param-list="
            "&q-signature=ce4ac0ecbcdb30538b3fee0a97cc6389694ce53a");
}

// What cos-python-sdk-v5 1.9.44 makes of the same requests.
TEST(SignCosTest, SignsOddNamesAndParametersAsTheOfficialClient) {
  struct Case {
    std::string method;
    std::string path;
    Fields query;
    Fields headers;
    std::string lists;
    std::string signature;
  };
  const Case cases[] = {
      {"PUT",
       kPath,
       {},
       {{"Content-Type", "application/json"}, {"Content-MD5", "1B2M2Y8AsgTpgAmy7PhCfg=="}},
       "&q-header-list=content-md5;content-type;host&q-url-param-list=",
       "8a5cf967dad4ee6d2dcb3976aeffad0f8dcc1f20"},
      {"GET",
       kPath,
       {},
       {{"Range", "bytes=5-9"}, {"User-Agent", "not signed"}},
       "&q-header-list=host;range&q-url-param-list=",
       "db2c00f1a71c5ea1626a546a5dea014b7b821647"},
      {"GET",
       "/",
       {{"delimiter", "/"},
        {"encoding-type", "url"},
        {"max-keys", "10"},
        {"prefix", "a b/"},
        {"marker", "a b/\xc3\xa9"}},
       {},
       "&q-header-list=host&q-url-param-list=delimiter;encoding-type;marker;max-keys;prefix",
       "9e99a188c66be23546d966760f2864bc0f32a663"},
      {"PUT",
       kPath,
       {{"partNumber", "2"}, {"uploadId", "id/+="}},
       {},
       "&q-header-list=host&q-url-param-list=partnumber;uploadid",
       "2314b42cb6ba3a3ce110eb73dee8705b43ea97df"},
      {"POST",
       kPath,
       {{"uploads", ""}},
       {},
       "&q-header-list=host&q-url-param-list=uploads",
       "0badf88f59dd141c26ba4226082fc687051da40b"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.signature);
    RestRequest request;
    request.method = c.method;
    request.host = "bucket-125.cos.ap-guangzhou.myqcloud.com";
    request.path = c.path;
    request.query = c.query;
    request.headers = c.headers;
    const Credentials credentials{"AKIDEXAMPLE", "secretExample", "", kMaxTime};
    ASSERT_TRUE(SignCos(credentials, "1480932292;1480935892", request).ok());
    EXPECT_EQ(request.Header("Authorization"),
              "q-sign-algorithm=sha1&q-ak=AKIDEXAMPLE&q-sign-time=1480932292;1480935892"
              "&q-key-time=1480932292;1480935892" +
                  c.lists + "&q-signature=" + c.signature);
  }
}

TEST(CosSignerTest, SignsForAnHourAndWithTheToken) {
  const FakeClock clock(1'480'932'352'000);
  CosSigner signer(std::make_shared<FixedCredentials>(
                       Credentials{"AKIDEXAMPLE", "secretExample", "token", kMaxTime}),
                   clock);
  RestRequest request;
  request.host = "h";
  ASSERT_TRUE(signer.Sign(Context::Background(), request).ok());
  EXPECT_EQ(request.Header("x-cos-security-token"), "token");
  EXPECT_THAT(std::string(request.Header("Authorization")),
              StartsWith("q-sign-algorithm=sha1&q-ak=AKIDEXAMPLE&q-sign-time=1480932292;1480935952"
                         "&q-key-time=1480932292;1480935952"
                         "&q-header-list=host;x-cos-security-token&"));
}

}  // namespace
}  // namespace aevum::objstore
