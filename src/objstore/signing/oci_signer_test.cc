#include "objstore/signing/oci_signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objstore/signing/digest.h"

namespace aevum::objstore {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

// The key of the tests of oci-go-sdk, and hence known to all.
constexpr const char* kKey =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICXgIBAAKBgQDCFENGw33yGihy92pDjZQhl0C36rPJj+CvfSC8+q28hxA161QF\n"
    "NUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6Z4UMR7EOcpfdUE9Hf3m/hs+F\n"
    "UR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJwoYi+1hqp1fIekaxsyQIDAQAB\n"
    "AoGBAJR8ZkCUvx5kzv+utdl7T5MnordT1TvoXXJGXK7ZZ+UuvMNUCdN2QPc4sBiA\n"
    "QWvLw1cSKt5DsKZ8UETpYPy8pPYnnDEz2dDYiaew9+xEpubyeW2oH4Zx71wqBtOK\n"
    "kqwrXa/pzdpiucRRjk6vE6YY7EBBs/g7uanVpGibOVAEsqH1AkEA7DkjVH28WDUg\n"
    "f1nqvfn2Kj6CT7nIcE3jGJsZZ7zlZmBmHFDONMLUrXR/Zm3pR5m0tCmBqa5RK95u\n"
    "412jt1dPIwJBANJT3v8pnkth48bQo/fKel6uEYyboRtA5/uHuHkZ6FQF7OUkGogc\n"
    "mSJluOdc5t6hI1VsLn0QZEjQZMEOWr+wKSMCQQCC4kXJEsHAve77oP6HtG/IiEn7\n"
    "kpyUXRNvFsDE0czpJJBvL/aRFUJxuRK91jhjC68sA7NsKMGg5OXb5I5Jj36xAkEA\n"
    "gIT7aFOYBFwGgQAQkWNKLvySgKbAZRTeLBacpHMuQdl1DfdntvAyqpAZ0lY0RKmW\n"
    "G6aFKaqQfOXKCyWoUiVknQJAXrlgySFci/2ueKlIE1QqIiLSZ8V8OlpFLRnb1pzI\n"
    "7U1yQXnTAEFYM560yJlzUpOb1V4cScGd365tiSMvxLOvTA==\n"
    "-----END RSA PRIVATE KEY-----\n";

OciIdentity Identity(std::string key_id) {
  OciIdentity identity;
  identity.key_id = std::move(key_id);
  identity.key = *RsaKey::Parse(kKey, "");
  identity.region_domain = "eu-frankfurt-1.oraclecloud.com";
  return identity;
}

// The examples of the tests of oci-go-sdk.
TEST(SignOciTest, MakesTheSignaturesOfTheOfficialClient) {
  const OciIdentity identity = Identity("t/u/f");
  RestRequest get;
  get.host = "iaas.us-phoenix-1.oraclecloud.com";
  get.path = "/20160918/instances";
  get.query = {
      {"availabilityDomain", "Pjwf: PHX-AD-1"},
      {"compartmentId",
       "ocid1.compartment.oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rtdb25gilchfeyjxa"},
      {"displayName", "TeamXInstances"},
      {"volumeId",
       "ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsdsnoiwr5q"}};
  get.headers = {{"Date", "Thu, 05 Jan 2014 21:31:40 GMT"}};
  ASSERT_TRUE(SignOci(identity, OciHost::kSigned, get).ok());
  EXPECT_EQ(get.Header("Authorization"),
            "Signature version=\"1\",headers=\"date (request-target) host\",keyId=\"t/u/f\","
            "algorithm=\"rsa-sha256\",signature=\"GBas7grhyrhSKHP6AVIj/h5/Vp8bd/peM79H9Wv8kjoaCivu"
            "jVXlpbKLjMPeDUhxkFIWtTtLBj3sUzaFj34XE6YZAHc9r2DmE4pMwOAy/kiITcZxa1oHPOeRheC0jP2dqbTll8"
            "fmTZVwKZOKHYPtrLJIJQHJjNvxFWeHQjMaR7M=\"");
  RestRequest post;
  post.method = "POST";
  post.host = get.host;
  post.path = "/20160918/volumeAttachments";
  post.headers = {{"Date", "Thu, 05 Jan 2014 21:31:40 GMT"}, {"Content-Type", "application/json"}};
  post.body = R"({
    "compartmentId": "ocid1.compartment.oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rtdb25gilchfeyjxa",
    "instanceId": "ocid1.instance.oc1.phx.abuw4ljrlsfiqw6vzzxb43vyypt4pkodawglp3wqxjqofakrwvou52gb6s5a",
    "volumeId": "ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsdsnoiwr5q"
})";
  ASSERT_TRUE(SignOci(identity, OciHost::kSigned, post).ok());
  EXPECT_EQ(post.Header("X-Content-SHA256"), "V9Z20UJTvkvpJ50flBzKE32+6m2zJjweHpDMX/U4Uy0=");
  EXPECT_THAT(std::string(post.Header("Authorization")),
              HasSubstr("headers=\"date (request-target) host content-length content-type "
                        "x-content-sha256\""));
  EXPECT_THAT(std::string(post.Header("Authorization")),
              EndsWith("signature=\"Mje8vIDPlwIHmD/cTDwRxE7HaAvBg16JnVcsuqaNRim23fFPgQfLoOOxae6Wq"
                       "Kb1uPjYEl0qIdazWaBy/Ml8DRhqlocMwoSXv0fbukP8J5N80LCmzT/FFBvIvTB91XuXI3hYfP"
                       "9Zt1l7S6ieVadHUfqBedWH0itrtPJBgKmrWso=\""));
}

// What the client oci 2.189.0 for Python makes of the same requests.
TEST(OciSignerTest, SignsOddNamesAsTheOfficialClientAndNoBodiesOfObjects) {
  const FakeClock clock(1'480'932'292'000);
  OciSigner signer(
      std::make_shared<KeptOciIdentity>(
          [](const Context&) -> StatusOr<OciIdentity> { return Identity("t/u/f"); }, clock),
      clock);
  const std::string path = "/n/ns/b/bucket/o/dir/odd%20name%2B%C3%A9%26~%28x%29%2A%21%27.bin";
  RestRequest get;
  get.path = path;
  ASSERT_TRUE(signer.Sign(Context::Background(), get).ok());
  EXPECT_EQ(get.host, "objectstorage.eu-frankfurt-1.oraclecloud.com");
  EXPECT_THAT(std::string(get.Header("Authorization")),
              EndsWith("\"nM6LVd6M6wthohkjLS0ImL6PrKz9d3oBUJ//EIyOYsq53ghe5Jt30oCxqQBz+w8sCq/3l0i"
                       "TixeAYUIMm+DFrPJNREkavJ56zNMbWiY7q20oeuDqUT028PZIyxCNsyP3O9kiDg7WYxJrMTrw"
                       "NnplQjk6U9l2NaKUGt1ycU/yUlQ=\""));
  const BytesSource source("abc");
  RestRequest put;
  put.method = "PUT";
  put.path = path;
  put.source = &source;
  put.source_size = 3;
  ASSERT_TRUE(signer.Sign(Context::Background(), put).ok());
  EXPECT_EQ(put.Header("X-Content-SHA256"), "");
  EXPECT_THAT(std::string(put.Header("Authorization")),
              EndsWith("\"rDS/tPoyJHzxlNGqKy2HGD9XseYai7w7mewLzgsPm5D2Shi/awr90FQ/KGRAJyuW9McVcHB"
                       "G4L6/z7tM92hYb0zFqpbDWU8FxBTkRhab1rEjFBwKQIv3hJI5ZyAGmp5Ibu36/yXPNGMqduRG"
                       "3nqHahrhYGfHm0V6cotwljrj4AQ=\""));
  RestRequest begin;
  begin.method = "POST";
  begin.path = "/n/ns/b/bucket/u";
  begin.SetHeader("Content-Type", "application/json");
  begin.body = R"({"object":"a"})";
  ASSERT_TRUE(signer.Sign(Context::Background(), begin).ok());
  EXPECT_THAT(std::string(begin.Header("Authorization")),
              EndsWith("\"VF7xnd0TtKE5fx2jdohfZDZZjJ+BG/ZV0QhRK9nhavmytKcQPOs7osne6vlVq5bc8SVetkH"
                       "MuaF98NOhi2AA+GtUb6kJhtNfgwPT1b4zCLiJelgIl+TqKiBrZZJy/xEj9vQoWAz5fXW2pcBy"
                       "FxaL3pPRrtYbm8vG8jdIHB47kGA=\""));
}

TEST(RsaKeyTest, RefusesWhatIsNoKey) {
  for (const std::string_view pem :
       {std::string_view(), std::string_view("x"), std::string_view(kKey).substr(0, 300)}) {
    EXPECT_EQ(RsaKey::Parse(pem, "").status().code(), StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace aevum::objstore
