#include "compact/leases.h"

#include <atomic>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "compact/fenced_bucket.h"
#include "objstore/decorator.h"
#include "objstore/providers/filesystem.h"
#include "objstore/testing/memory_bucket.h"

namespace aevum::compact {
namespace {

using objstore::UploadCondition;

// As a store that knows no conditions, or not all.
class FewConditions final : public objstore::BucketDecorator {
 public:
  FewConditions(std::shared_ptr<objstore::Bucket> inner, bool if_absent)
      : BucketDecorator(std::move(inner)), if_absent_(if_absent) {}
  StatusOr<std::string> Upload(const Context& context, const std::string& name,
                               const objstore::UploadSource& source,
                               const objstore::UploadOptions& options) override {
    const bool known = options.condition == UploadCondition::kNone ||
                       (options.condition == UploadCondition::kIfAbsent && if_absent_);
    if (!known) return Unimplemented("no such condition");
    return inner().Upload(context, name, source, options);
  }

 private:
  const bool if_absent_;
};

// A way to a bucket that can be cut, as a dead worker's.
class Cuttable final : public objstore::BucketDecorator {
 public:
  using BucketDecorator::BucketDecorator;
  std::atomic<bool> cut = false;
  StatusOr<std::string> Upload(const Context& context, const std::string& name,
                               const objstore::UploadSource& source,
                               const objstore::UploadOptions& options) override {
    if (cut) return Unavailable("cut");
    return inner().Upload(context, name, source, options);
  }
  Status Delete(const Context& context, const std::string& name) override {
    if (cut) return Unavailable("cut");
    return inner().Delete(context, name);
  }
};

struct Store {
  const char* name;
  std::function<std::shared_ptr<objstore::Bucket>(const std::string& directory)> open;
};

const Store kStores[] = {
    {"memory", [](const std::string&) { return std::make_shared<objstore::MemoryBucket>(); }},
    {"filesystem",
     [](const std::string& directory) {
       return std::shared_ptr<objstore::Bucket>(*objstore::FilesystemBucket::Open(directory));
     }},
    {"no_conditions",
     [](const std::string&) {
       return std::make_shared<FewConditions>(std::make_shared<objstore::MemoryBucket>(), false);
     }},
    {"if_absent_alone",
     [](const std::string&) {
       return std::make_shared<FewConditions>(std::make_shared<objstore::MemoryBucket>(), true);
     }},
};

void PrintTo(const Store& store, std::ostream* stream) { *stream << store.name; }

class LeasesTest : public ::testing::TestWithParam<Store> {
 protected:
  LeasesTest() : bucket_(GetParam().open(directory_.path())) {}

  LeaseOptions OptionsOf(const std::string& owner) const {
    return {.owner = owner, .duration = std::chrono::seconds(30), .directory = "compact/leases"};
  }

  const Context context_ = Context::Background();
  const TemporaryDirectory directory_ = *TemporaryDirectory::Create();
  const std::shared_ptr<objstore::Bucket> bucket_;
  FakeClock clock_{1'700'000'000'000};
};

TEST_P(LeasesTest, OneHasItUntilItIsGivenBack) {
  Leases a(OptionsOf("a"), bucket_, Logger(), clock_);
  Leases b(OptionsOf("b"), bucket_, Logger(), clock_);
  auto first = *a.TryAcquire(context_, "group");
  ASSERT_TRUE(first.lease);
  EXPECT_TRUE(first.lease->Confirm(context_).ok());
  EXPECT_FALSE(b.TryAcquire(context_, "group")->lease);
  EXPECT_FALSE(a.TryAcquire(context_, "group")->lease);
  EXPECT_TRUE(b.TryAcquire(context_, "another")->lease);
  first.lease.reset();
  EXPECT_TRUE(b.TryAcquire(context_, "group")->lease);
}

TEST_P(LeasesTest, ALiveOwnerIsSeen) {
  Leases a(OptionsOf("a"), bucket_, Logger(), clock_);
  Leases b(OptionsOf("b"), bucket_, Logger(), clock_);
  const auto first = *a.TryAcquire(context_, "group");
  ASSERT_TRUE(first.lease);
  b.TryAcquire(context_, "group").status().IgnoreError();  // sees it for the first time
  clock_.Advance(29'000);
  ASSERT_TRUE(first.lease->Confirm(context_).ok());
  clock_.Advance(29'000);
  const auto second = *b.TryAcquire(context_, "group");
  EXPECT_FALSE(second.lease);
  EXPECT_TRUE(second.other_lives);
}

TEST_P(LeasesTest, ADeadOwnerIsReplacedAndWorksNoMore) {
  const auto way = std::make_shared<Cuttable>(bucket_);
  Leases a(OptionsOf("a"), way, Logger(), clock_);
  Leases b(OptionsOf("b"), bucket_, Logger(), clock_);
  const auto first = *a.TryAcquire(context_, "group");
  ASSERT_TRUE(first.lease);
  FencedBucket fenced(bucket_, *first.lease);
  const objstore::BytesSource bytes("x");
  EXPECT_TRUE(fenced.Upload(context_, "block/meta.json", bytes, {}).ok());
  way->cut = true;
  EXPECT_FALSE(b.TryAcquire(context_, "group")->lease);
  clock_.Advance(30'000);
  const auto second = *b.TryAcquire(context_, "group");
  ASSERT_TRUE(second.lease);
  way->cut = false;  // it only slept
  EXPECT_EQ(first.lease->Confirm(context_).code(), StatusCode::kAborted);
  EXPECT_TRUE(first.lease->context().cancelled());
  EXPECT_EQ(fenced.Upload(context_, "block/meta.json", bytes, {}).status().code(),
            StatusCode::kAborted);
  EXPECT_EQ(fenced.Delete(context_, "block/deletion-mark.json").code(), StatusCode::kAborted);
  EXPECT_TRUE(fenced.Upload(context_, "block/chunks/000001", bytes, {}).ok());
  EXPECT_TRUE(second.lease->Confirm(context_).ok());
}

TEST_P(LeasesTest, ManyWorkersNeverShare) {
  constexpr int kWorkers = 6;
  std::atomic<int> inside = 0;
  std::atomic<int> turns = 0;
  std::vector<std::thread> threads;
  for (int worker = 0; worker < kWorkers; ++worker) {
    threads.emplace_back([&, worker] {
      Leases leases(OptionsOf("worker" + std::to_string(worker)), bucket_, Logger(), clock_);
      for (int i = 0; i < 20; ++i) {
        const auto answer = leases.TryAcquire(context_, "group");
        ASSERT_TRUE(answer.ok()) << answer.status();
        if (!answer->lease || !answer->lease->Confirm(context_).ok()) continue;
        EXPECT_EQ(inside.fetch_add(1), 0);
        ++turns;
        inside.fetch_sub(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(turns.load(), 0);
}

TEST_P(LeasesTest, RubbishIsTakenOver) {
  for (const char* rubbish : {"", "{", "[1]", R"({"owner":7,"duration_ms":"x"})",
                              R"({"owner":"z","duration_ms":-9223372036854775808})",
                              R"({"owner":"z","duration_ms":9e99})"}) {
    SCOPED_TRACE(rubbish);
    const auto bucket = GetParam().open(directory_.path());
    for (const char* name : {"compact/leases/group", "compact/leases/other/0-z"}) {
      ASSERT_TRUE(bucket->Upload(context_, name, objstore::BytesSource(rubbish), {}).ok());
    }
    Leases leases(OptionsOf("a"), bucket, Logger(), clock_);
    leases.TryAcquire(context_, "group").status().IgnoreError();
    clock_.Advance(3'600'000);
    const auto answer = leases.TryAcquire(context_, "group");
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_TRUE(answer->lease);
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, LeasesTest, ::testing::ValuesIn(kStores),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace aevum::compact
