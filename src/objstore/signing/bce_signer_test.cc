#include "objstore/signing/bce_signer.h"

#include <gtest/gtest.h>

namespace aevum::objstore {
namespace {

constexpr const char* kPath = "/dir/odd%20name%2B%C3%A9%26~%28x%29%2A%21%27.bin";

// The request of the "Sample-Code" of Baidu's documentation; what bce-python-sdk 0.9.79 makes of
// it.
TEST(SignBceTest, SignsTheRequestOfTheDocumentation) {
  RestRequest request;
  request.method = "PUT";
  request.host = "bj.bcebos.com";
  request.path = "/test/myfolder/readme.txt";
  request.query = {{"partNumber", "9"}, {"uploadId", "a44cc9bab11cbd156984767aad637851"}};
  request.headers = {{"Date", "Mon, 27 Apr 2015 16:23:49 +0800"},
                     {"Content-Type", "text/plain"},
                     {"Content-Length", "8"},
                     {"Content-Md5", "NFzcPqhviddjRNnSOGo4rw=="},
                     {"x-bce-date", "2015-04-27T08:23:49Z"}};
  SignBce({std::string(32, 'a'), std::string(32, 'b'), "", kMaxTime}, request);
  EXPECT_EQ(request.Header("Authorization"),
            "bce-auth-v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2015-04-27T08:23:49Z/1800/"
            "content-length;content-md5;content-type;host;x-bce-date/"
            "1816c10fce34ba9c9825eddc05fd6058bf82e05fefeddee8da6f869486ea68c0");
}

// What bce-python-sdk 0.9.79 makes of the same requests.
TEST(BceSignerTest, SignsOddNamesAndParametersAsTheOfficialClient) {
  struct Case {
    std::string method;
    std::string path;
    Fields query;
    Fields headers;
    std::string rest;
  };
  const Case cases[] = {
      {"PUT",
       kPath,
       {},
       {{"Content-Type", "application/json"}, {"Content-MD5", "1B2M2Y8AsgTpgAmy7PhCfg=="}},
       "content-md5;content-type;host;x-bce-date/"
       "19d9fe4eb0bc7279a6531b1b525df1011ad77412096a1264c0133a7acb7acabf"},
      {"GET",
       kPath,
       {},
       {{"Range", "bytes=5-9"}},
       "host;x-bce-date/20bf84310871d9e32c4c057b1fd57dfac92e249e116be638d1eff1bb82eb2ced"},
      {"GET",
       "/",
       {{"prefix", "a b/"},
        {"delimiter", "/"},
        {"encoding-type", "url"},
        {"max-keys", "10"},
        {"marker", "a b/\xc3\xa9"}},
       {},
       "host;x-bce-date/10fe0aacf1693f8515d96962235e4af1569dfaa6748d2af2c8243321c90264b2"},
      {"PUT",
       kPath,
       {{"partNumber", "2"}, {"uploadId", "id/+="}},
       {},
       "host;x-bce-date/66c15c9f4f800d362661306060f5611be2a389a759274c9aaf366d345a116629"},
      {"POST",
       kPath,
       {{"uploads", ""}},
       {},
       "host;x-bce-date/20d117e032696cf5fc7b16f6fe858ce8bf5f492fac6b08185e723ad8a52bc889"},
  };
  const FakeClock clock(1'480'932'292'500);
  BceSigner signer(
      std::make_shared<FixedCredentials>(Credentials{"AKIDEXAMPLE", "secretExample", "", kMaxTime}),
      clock);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.rest);
    RestRequest request;
    request.method = c.method;
    request.host = "bucket.bj.bcebos.com";
    request.path = c.path;
    request.query = c.query;
    request.headers = c.headers;
    ASSERT_TRUE(signer.Sign(Context::Background(), request).ok());
    EXPECT_EQ(request.Header("x-bce-date"), "2016-12-05T10:04:52Z");
    EXPECT_EQ(request.Header("Authorization"),
              "bce-auth-v1/AKIDEXAMPLE/2016-12-05T10:04:52Z/1800/" + c.rest);
  }
}

}  // namespace
}  // namespace aevum::objstore
