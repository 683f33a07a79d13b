#include "query/active_query_log.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"

namespace aevum::query {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class MemorySink final : public LogSink {
 public:
  void Write(std::string_view line) override { text += line; }
  std::string text;
};

class ActiveQueryLogTest : public ::testing::Test {
 protected:
  StatusOr<std::shared_ptr<ActiveQueryLog>> Open(std::size_t places = 3) {
    return ActiveQueryLog::Open(directory_->path() + "/sub", places,
                                Logger(sink_, LogLevel::kInfo, LogFormat::kJson), clock_);
  }
  std::string path() const { return directory_->path() + "/sub/queries.active"; }
  // What runs, as Prometheus reads the file: without zeros, the last comma as the end.
  json Active() const {
    std::string text = *ReadFile(path());
    EXPECT_EQ(text.size() % 1000, 1U);
    std::erase(text, '\0');
    if (text.size() == 1) return json::array();
    text.back() = ']';
    return json::parse(text);
  }
  // What is said of the last run.
  json Unfinished() {
    sink_->text.clear();
    EXPECT_TRUE(Open().ok());
    return sink_->text.empty()
               ? json()
               : json::parse(json::parse(sink_->text)["queries"].get<std::string>());
  }
  void Leave(const std::string& bytes) {
    std::filesystem::create_directories(directory_->path() + "/sub");
    std::ofstream(path(), std::ios::binary) << bytes;
  }
  static std::string Place(std::string text) {
    text.resize(1000, '\0');
    text.back() = ',';
    return text;
  }

  StatusOr<TemporaryDirectory> directory_ = TemporaryDirectory::Create();
  std::shared_ptr<MemorySink> sink_ = std::make_shared<MemorySink>();
  FakeClock clock_{1'700'000'000'999};
};

TEST_F(ActiveQueryLogTest, HoldsWhatRuns) {
  const auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(ReadFile(path())->size(), 3001U);
  EXPECT_EQ(Active(), json::array());
  {
    const ActiveQueryLog::Entry first(log->get(), "up{job=\"x\"} > 1");
    {
      const ActiveQueryLog::Entry second(log->get(), "1");
      EXPECT_EQ(Active(), json::parse(R"([{"query":"up{job=\"x\"} > 1","timestamp_sec":1700000000},
                                          {"query":"1","timestamp_sec":1700000000}])"));
    }
    EXPECT_EQ(Active().size(), 1U);
  }
  EXPECT_EQ(Active(), json::array());
  EXPECT_EQ(sink_->text, "");
}

TEST_F(ActiveQueryLogTest, CutsWhatDoesNotFit) {
  const auto log = Open();
  ASSERT_TRUE(log.ok());
  for (const std::string unit : {"a", "\"", "<", "\xe2\x82\xac", "\xff", "\n"}) {
    std::string query = "x";
    while (query.size() < 5'000) query += unit;
    const ActiveQueryLog::Entry entry(log->get(), query);
    const json active = Active();
    ASSERT_EQ(active.size(), 1U);
    const std::string kept = active[0]["query"];
    EXPECT_GT(kept.size(), 100U);
    if (unit == "\xff") {
      EXPECT_THAT(kept, HasSubstr("\xef\xbf\xbd"));
    } else {
      EXPECT_EQ(kept, query.substr(0, kept.size()));
      EXPECT_EQ((kept.size() - 1) % unit.size(), 0U);
    }
  }
}

TEST_F(ActiveQueryLogTest, MoreThanItHasPlacesForRunUnseen) {
  const auto log = Open(1);
  ASSERT_TRUE(log.ok());
  {
    const ActiveQueryLog::Entry first(log->get(), "a");
    const ActiveQueryLog::Entry second(log->get(), "b");
    EXPECT_EQ(Active()[0]["query"], "a");
  }
  const ActiveQueryLog::Entry third(log->get(), "c");
  EXPECT_EQ(Active()[0]["query"], "c");
  const ActiveQueryLog::Entry none(nullptr, "d");
}

TEST_F(ActiveQueryLogTest, TellsWhatAKilledProcessLeft) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto log = Open();
    {
      const ActiveQueryLog::Entry done((*log).get(), "done");
    }
    const ActiveQueryLog::Entry first((*log).get(), "sum(up)");
    const ActiveQueryLog::Entry second((*log).get(), "\"<\"");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const json unfinished = Unfinished();
  ASSERT_EQ(unfinished.size(), 2U) << unfinished;
  EXPECT_EQ(unfinished[0]["query"], "sum(up)");
  EXPECT_EQ(unfinished[1]["query"], "\"<\"");
  EXPECT_THAT(sink_->text, HasSubstr("These queries didn't finish in prometheus' last run:"));
  // Once.
  EXPECT_EQ(Unfinished(), json());
}

TEST_F(ActiveQueryLogTest, PassesOverDamage) {
  const std::string good = Place(R"({"query":"up","timestamp_sec":1})");
  struct Case {
    std::string name;
    std::string bytes;
    std::size_t queries;
  };
  const Case cases[] = {
      {"empty", "", 0},
      {"one byte", "[", 0},
      {"zeros", std::string(5'001, '\0'), 0},
      {"another size", "[" + good + good + good + good + good + good, 6},
      {"cut", "[" + good + good.substr(0, 20), 1},
      {"cut behind the object", "[" + good + good.substr(0, 32), 2},
      {"rubbish between", "[" + good + Place("}{\xff\xfe") + good, 2},
      {"no zeros", std::string(4'000, '['), 0},
      {"another shape", "[" + Place("[[[]]]") + Place(R"({"query":1})") + Place("{}") + good, 1},
      {"deep", "[" + std::string(1'000, '{'), 0},
      {"too large", std::string(20 << 20, 'x'), 0},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Leave(c.bytes);
    sink_->text.clear();
    ASSERT_TRUE(Open().ok());
    EXPECT_EQ(ReadFile(path())->size(), 3001U);
    if (c.name == "too large") {
      EXPECT_THAT(sink_->text, HasSubstr("can't read the query log"));
      continue;
    }
    EXPECT_EQ(sink_->text.empty(), c.queries == 0) << sink_->text;
    if (c.queries == 0) continue;
    const std::string queries = json::parse(sink_->text)["queries"];
    EXPECT_EQ(json::parse(queries).size(), c.queries);
  }
}

TEST_F(ActiveQueryLogTest, SaysWhyItCanNotBeMade) {
  std::ofstream(directory_->path() + "/file") << "x";
  const auto under_file = ActiveQueryLog::Open(directory_->path() + "/file", 1, Logger());
  EXPECT_THAT(std::string(under_file.status().message()), HasSubstr(directory_->path() + "/file"));
  std::filesystem::create_directories(path());
  const auto directory = Open();
  EXPECT_THAT(std::string(directory.status().message()), HasSubstr("Is a directory"));
}

TEST_F(ActiveQueryLogTest, ManyThreadsHaveDifferentPlaces) {
  const auto log = Open(8);
  ASSERT_TRUE(log.ok());
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&log, t] {
      for (int i = 0; i < 200; ++i) {
        const ActiveQueryLog::Entry entry(log->get(), "query " + std::to_string(t));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Active(), json::array());
  EXPECT_THAT(sink_->text, Not(HasSubstr("error")));
}

}  // namespace
}  // namespace aevum::query
