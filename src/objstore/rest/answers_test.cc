#include "objstore/rest/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::objstore {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> NamesOf(const ListingPage& page) {
  std::vector<std::string> names;
  for (const ListedObject& object : page.entries) names.push_back(object.name);
  return names;
}

TEST(ReadS3ListingTest, PutsObjectsAndDirectoriesInOrder) {
  const StatusOr<ListingPage> page = ReadS3Listing(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult "
      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url</EncodingType>"
      "<IsTruncated>true</IsTruncated><NextContinuationToken>t+/=</NextContinuationToken>"
      "<Contents><Key>a+b%2Bc%0A</Key><Size>5</Size>"
      "<LastModified>2013-05-24T00:00:00.123Z</LastModified></Contents>"
      "<Contents><Key>z</Key><Size>0</Size><LastModified>2013-05-24T00:00:00Z</LastModified>"
      "</Contents><CommonPrefixes><Prefix>m/</Prefix></CommonPrefixes></ListBucketResult>");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(NamesOf(*page), (std::vector<std::string>{"a b+c\n", "m/", "z"}));
  EXPECT_EQ(page->entries[0].size_bytes, 5);
  EXPECT_EQ(page->entries[0].last_modified_ms, 1'369'353'600'123);
  EXPECT_FALSE(page->entries[1].size_bytes.has_value());
  EXPECT_EQ(page->next, "t+/=");
}

TEST(ReadS3ListingTest, GoesOnBehindTheLastNameWithoutAMarker) {
  const std::string object =
      "<Contents><Key>b</Key><Size>1</Size><LastModified>2013-05-24T00:00:00Z</LastModified>"
      "</Contents>";
  EXPECT_EQ(ReadS3Listing("<ListBucketResult><IsTruncated>true</IsTruncated>" + object +
                          "</ListBucketResult>")
                ->next,
            "b");
  EXPECT_EQ(ReadS3Listing("<ListBucketResult><IsTruncated>false</IsTruncated>" + object +
                          "</ListBucketResult>")
                ->next,
            "");
}

TEST(ReadS3ListingTest, RefusesWhatIsNoListing) {
  for (const char* body :
       {"", "<html></html>", "{}", "<ListBucketResult>",
        "<ListBucketResult><Contents/></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>1</Size><LastModified>now</LastModified>"
        "</Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"}) {
    SCOPED_TRACE(body);
    EXPECT_EQ(ReadS3Listing(body).status().code(), StatusCode::kInternal);
  }
}

// Entities of a document type could name files, or grow without bound.
TEST(ReadS3ListingTest, DoesNotExpandEntities) {
  const StatusOr<std::string> id = ReadXmlField(
      "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><InitiateMultipartUploadResult>"
      "<UploadId>&x;&amp;</UploadId></InitiateMultipartUploadResult>",
      "InitiateMultipartUploadResult", "UploadId");
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(*id, "&x;&");
}

TEST(ReadAzureListingTest, ReadsBlobsAndPrefixes) {
  const StatusOr<ListingPage> page = ReadAzureListing(
      "<EnumerationResults><Blobs><BlobPrefix><Name>b/</Name></BlobPrefix><Blob><Name "
      "Encoded=\"true\">a%EF%BF%BE</Name><Properties><Last-Modified>Wed, 09 Sep 2009 09:20:02 "
      "GMT</Last-Modified><Content-Length>7</Content-Length></Properties></Blob></Blobs>"
      "<NextMarker>m</NextMarker></EnumerationResults>");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(NamesOf(*page), (std::vector<std::string>{"a\xef\xbf\xbe", "b/"}));
  EXPECT_EQ(page->entries[0].size_bytes, 7);
  EXPECT_EQ(page->next, "m");
}

// An account with a hierarchical namespace keeps directories, which are no objects.
TEST(ReadAzureListingTest, LeavesOutDirectories) {
  const std::string properties =
      "<Properties><ResourceType>{}</ResourceType><Last-Modified>Wed, 09 Sep 2009 09:20:02 "
      "GMT</Last-Modified><Content-Length>0</Content-Length></Properties>";
  const StatusOr<ListingPage> page = ReadAzureListing(
      "<EnumerationResults><Blobs><Blob><Name>a</Name>" +
      fmt::format(fmt::runtime(properties), "directory") + "</Blob><Blob><Name>a/b</Name>" +
      fmt::format(fmt::runtime(properties), "file") + "</Blob></Blobs></EnumerationResults>");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(NamesOf(*page), (std::vector<std::string>{"a/b"}));
}

TEST(ReadGcsObjectTest, ReadsWhatTheStoreTells) {
  const StatusOr<ObjectAttributes> object = ReadGcsObject(
      R"({"size": "5", "updated": "2013-05-24T00:00:00.123Z", "generation": "1700000000000001"})");
  ASSERT_TRUE(object.ok()) << object.status();
  EXPECT_EQ(object->size_bytes, 5);
  EXPECT_EQ(object->last_modified_ms, 1'369'353'600'123);
  EXPECT_EQ(object->version, "1700000000000001");
  for (const char* body : {"", "[]", "{}", R"({"size": "-1"})", R"({"size": "1", "updated": "x"})",
                           R"({"size": "1", "updated": "2013-05-24T00:00:00Z"})"}) {
    EXPECT_EQ(ReadGcsObject(body).status().code(), StatusCode::kInternal) << body;
  }
}

TEST(ReadJsonListingTest, ReadsTheFormOfEachStore) {
  const StatusOr<ListingPage> gcs = ReadGcsListing(
      R"({"items": [{"name": "a", "size": "5", "updated": "2013-05-24T00:00:00Z"}],
          "prefixes": ["b/"], "nextPageToken": "t"})");
  ASSERT_TRUE(gcs.ok()) << gcs.status();
  EXPECT_EQ(NamesOf(*gcs), (std::vector<std::string>{"a", "b/"}));
  EXPECT_EQ(gcs->next, "t");
  const StatusOr<ListingPage> oci = ReadOciListing(
      R"({"objects": [{"name": "c", "size": 5, "timeModified": "2013-05-24T00:00:00.123Z"}],
          "prefixes": ["b/"], "nextStartWith": "d"})");
  ASSERT_TRUE(oci.ok()) << oci.status();
  EXPECT_EQ(NamesOf(*oci), (std::vector<std::string>{"b/", "c"}));
  EXPECT_EQ(oci->entries[1].last_modified_ms, 1'369'353'600'123);
  EXPECT_EQ(oci->next, "d");
  const StatusOr<ListingPage> bos = ReadBosListing(
      R"({"contents": [{"key": "c", "size": 5, "lastModified": "2013-05-24T00:00:00Z"}],
          "commonPrefixes": [{"prefix": "b/"}]})");
  ASSERT_TRUE(bos.ok()) << bos.status();
  EXPECT_EQ(NamesOf(*bos), (std::vector<std::string>{"b/", "c"}));
  EXPECT_EQ(bos->next, "");
  EXPECT_EQ(ReadBosListing(R"({"isTruncated": true, "commonPrefixes": [{"prefix": "b/"}]})")->next,
            "b/");
  EXPECT_EQ(ReadBosListing(R"({"isTruncated": true})").status().code(), StatusCode::kInternal);
  const StatusOr<std::vector<ListedObject>> swift = ReadSwiftListing(
      R"([{"subdir": "a/"}, {"name": "b", "bytes": 3, "last_modified": "2013-05-24T00:00:00.5"}])");
  ASSERT_TRUE(swift.ok()) << swift.status();
  EXPECT_EQ(swift->at(1).last_modified_ms, 1'369'353'600'500);
  for (const char* body : {"", "1", "[1]", R"([{"name": "a", "bytes": "x"}])"}) {
    EXPECT_EQ(ReadSwiftListing(body).status().code(), StatusCode::kInternal) << body;
  }
}

TEST(ReadJsonTextTest, TakesATextAlone) {
  EXPECT_EQ(*ReadJsonText(R"("a\u00e9")"), "a\xc3\xa9");
  for (const char* body : {"", "a", "1", "[\"a\"]", "{}", "null"}) {
    EXPECT_EQ(ReadJsonText(body).status().code(), StatusCode::kInternal) << body;
  }
}

TEST(StoreErrorTest, ReadsWhatThereIs) {
  EXPECT_EQ(ReadXmlError("<Error><Code>NoSuchKey</Code><Message>m</Message></Error>").code,
            "NoSuchKey");
  EXPECT_EQ(ReadXmlError("<html>503</html>").code, "");
  EXPECT_EQ(ReadJsonError(R"({"error": {"code": 404, "message": "gone"}})").code, "404");
  EXPECT_EQ(ReadJsonError(R"({"code": "NoSuchBucket", "message": "m"})").code, "NoSuchBucket");
  EXPECT_EQ(ReadJsonError("not json").code, "");
  EXPECT_EQ(ReadTextError("<html>").message, "");
  EXPECT_EQ(ReadTextError("quota\nmore").message, "quota");
}

}  // namespace
}  // namespace aevum::objstore
