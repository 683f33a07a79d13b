// What every bucket must do, as one suite of tests that each provider runs.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "objstore/bucket.h"

namespace aevum::objstore {

// A test program instantiates the suite with its provider:
//   INSTANTIATE_TEST_SUITE_P(S3, AcceptanceTest, ::testing::Values(MyProvider()));
struct ProviderUnderTest {
  using Open = std::function<StatusOr<std::shared_ptr<Bucket>>()>;
  enum class Conditions : std::uint8_t { kAll, kIfAbsent, kNone };

  // A new and empty bucket, whose listings come in pages of at most 10 objects where there are
  // pages, and large objects in parts of at most 6 MiB. Unimplemented with the reason skips the
  // test.
  Open open;
  // A bucket whose credentials are wrong; null where there is no such thing.
  Open open_denied;
  Conditions conditions = Conditions::kAll;
  // Whether names may hold a backslash.
  bool backslashes = true;
};

inline void PrintTo(const ProviderUnderTest&, std::ostream* stream) { *stream << "provider"; }

class AcceptanceTest : public ::testing::TestWithParam<ProviderUnderTest> {
 protected:
  void SetUp() override;

  Bucket& bucket() { return *bucket_; }
  void Put(const std::string& name, std::string_view bytes);
  std::vector<std::string> List(const std::string& directory, IterateOptions::Depth depth);

  const Context context_ = Context::Background();
  std::shared_ptr<Bucket> bucket_;
};

}  // namespace aevum::objstore
