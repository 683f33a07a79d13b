#include "model/tenant_name.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::model {
namespace {

using ::testing::HasSubstr;

TEST(TenantNameTest, TakesOneComponentOfAPath) {
  for (const std::string& name :
       {std::string("a"), std::string("default-tenant"), std::string("team a"), std::string("..."),
        std::string(".hidden"), std::string("a.b"), std::string("C:"), std::string("%2e%2e"),
        std::string("te\"am"), std::string("größe"), std::string("租户"), std::string(150, 'x')}) {
    SCOPED_TRACE(name);
    const StatusOr<TenantName> parsed = TenantName::Parse(name);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->value(), name);
  }
}

TEST(TenantNameTest, RefusesWhatCouldBeMore) {
  struct Case {
    std::string name;
    std::string fault;
  };
  const Case cases[] = {
      {"", "it is empty"},
      {".", "it stands for a directory"},
      {"..", "it stands for a directory"},
      {"/", "'/' at byte 0"},
      {"a/", "'/' at byte 1"},
      {"/etc/passwd", "'/' at byte 0"},
      {"../other", "'/' at byte 2"},
      {"a/../b", "'/' at byte 1"},
      {"..\\other", "'\\' at byte 2"},
      {"\\\\host\\share", "'\\' at byte 0"},
      {std::string("a\0b", 3), "control character 0x00 at byte 1"},
      {std::string("\0", 1), "control character 0x00 at byte 0"},
      {"a\nlevel=error", "control character 0x0a at byte 1"},
      {"a\r\nX-Injected: 1", "control character 0x0d at byte 1"},
      {"\ttab", "control character 0x09 at byte 0"},
      {"\x1b[31m", "control character 0x1b at byte 0"},
      {"a\x7f", "control character 0x7f at byte 1"},
      {"a\xc2\x85", "control character at byte 1"},
      {"\xff", "it is not UTF-8"},
      {"\xc0\xaf", "it is not UTF-8"},  // '/' in too many bytes
      {"\xc0\xae\xc0\xae", "it is not UTF-8"},
      {"\xed\xa0\x80", "it is not UTF-8"},
      {"a\xc2", "it is not UTF-8"},
      {std::string(151, 'x'), "it has 151 bytes"},
      {std::string(1 << 20, '/'), "it has 1048576 bytes"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name.substr(0, 40));
    const Status status = TenantName::Parse(c.name).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("tenant name not valid: " + c.fault + "; allowed are 1 to 150 bytes"));
    EXPECT_LT(status.message().size(), 600U);
    // The message itself is a line without the name's bytes.
    for (const char byte : status.message()) EXPECT_GE(static_cast<unsigned char>(byte), 0x20);
  }
}

TEST(TenantNameTest, WhateverItTakesIsSafe) {
  constexpr unsigned kSeed = 7;
  std::mt19937 random(kSeed);
  constexpr std::string_view kAlphabet("a./\\\0\n\x7f\xc2\x85\xe4\xb8\x80\xff ", 14);
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string name(random() % 6, ' ');
    for (char& c : name) c = kAlphabet[random() % kAlphabet.size()];
    const StatusOr<TenantName> parsed = TenantName::Parse(name);
    if (!parsed.ok()) continue;
    ++taken;
    ASSERT_EQ(parsed->value(), name);
    ASSERT_EQ(name.find_first_of(std::string_view("/\\\0\n\x7f", 5)), std::string::npos);
    ASSERT_NE(name, "");
    ASSERT_NE(name, ".");
    ASSERT_NE(name, "..");
  }
  EXPECT_GT(taken, 500);
}

}  // namespace
}  // namespace aevum::model
