#include "net/discovery/file_sd.h"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"

namespace aevum::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(TargetGroupsTest, ReadsYamlAndJson) {
  EXPECT_THAT(
      *ParseTargetGroups("- targets: ['b:1', a:2]\n  labels: {env: x, n: 1}\n- targets: [c:3]\n"),
      ElementsAre("b:1", "a:2", "c:3"));
  EXPECT_THAT(*ParseTargetGroups(R"([{"targets": ["a:1"], "labels": {"x": "y"}}, {}])"),
              ElementsAre("a:1"));
  EXPECT_THAT(*ParseTargetGroups(""), IsEmpty());
  EXPECT_THAT(*ParseTargetGroups("[]"), IsEmpty());
}

TEST(TargetGroupsTest, RefusesMistakes) {
  struct Case {
    std::string text;
    std::string message;
  };
  const Case cases[] = {
      {"targets: [a]", "not a list of target groups"},
      {"- target: [a]", "line 1: unknown field in a target group: target"},
      {"- targets: a", "not a list"},
      {"- targets: [[a]]", "not a string"},
      {"- targets: [a]\n  labels: [b]", "labels are not a map"},
      {"- targets: [a]\n  labels: {b: [c]}", "no pair of strings"},
      {"- a\n", "is not a map"},
      {"[{\"targets\": [\"a\"", "not YAML"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(std::string(ParseTargetGroups(c.text).status().message()), HasSubstr(c.message));
  }
}

TEST(FileDiscoveryTest, FollowsItsFiles) {
  const TemporaryDirectory directory = *TemporaryDirectory::Create();
  const auto write = [&](const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(directory.File(name), text).ok());
  };
  FileDiscovery discovery(
      {directory.File("*.yml"), directory.File("a.*"), directory.File("x.json")}, Logger());
  EXPECT_FALSE(discovery.Refresh());
  write("a.yml", "- targets: [b:1, a:1]");
  write("x.json", R"([{"targets": ["c:1", "a:1"]}])");
  write("ignored.txt", "- targets: [z:1]");
  EXPECT_TRUE(discovery.Refresh());
  EXPECT_THAT(discovery.Addresses(), ElementsAre("a:1", "b:1", "c:1"));
  EXPECT_FALSE(discovery.Refresh());
  write("a.yml", "- targets: [d:1]");
  EXPECT_TRUE(discovery.Refresh());
  EXPECT_THAT(discovery.Addresses(), ElementsAre("a:1", "c:1", "d:1"));
  write("a.yml", "half of a fi: [");
  EXPECT_FALSE(discovery.Refresh());
  EXPECT_THAT(discovery.Addresses(), ElementsAre("a:1", "c:1", "d:1"));
  ::unlink(directory.File("a.yml").c_str());
  EXPECT_TRUE(discovery.Refresh());
  EXPECT_THAT(discovery.Addresses(), ElementsAre("a:1", "c:1"));
}

TEST(FileDiscoveryTest, ChecksPatterns) {
  EXPECT_TRUE(FileDiscovery::CheckPattern("/etc/x/*.yaml").ok());
  EXPECT_TRUE(FileDiscovery::CheckPattern("a.json").ok());
  EXPECT_FALSE(FileDiscovery::CheckPattern("a.txt").ok());
}

}  // namespace
}  // namespace aevum::net
