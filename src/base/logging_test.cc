#include "base/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum {
namespace {

using ::testing::MatchesRegex;

class MemorySink final : public LogSink {
 public:
  void Write(std::string_view line) override { text += line; }
  std::string text;
};

TEST(LoggerTest, WritesLogfmt) {
  const auto sink = std::make_shared<MemorySink>();
  const Logger logger =
      Logger(sink, LogLevel::kInfo, LogFormat::kLogfmt).With("component", "sidecar");
  logger.Debug("not shown");
  logger.Warn("two words",
              {{"addr", "127.0.0.1:1"}, {"err", "a \"b\"\n\x01"}, {"n", 3}, {"empty", ""}});
  EXPECT_THAT(
      sink->text,
      MatchesRegex("ts=[0-9T:.-]+Z level=warn component=sidecar msg=\"two words\" addr=127.0.0.1:1 "
                   "err=\"a \\\\\"b\\\\\"\\\\n\\\\u0001\" n=3 empty=\"\"\n"));
}

TEST(LoggerTest, WritesJson) {
  const auto sink = std::make_shared<MemorySink>();
  Logger(sink, LogLevel::kDebug, LogFormat::kJson)
      .Error("x", {{"err", NotFound("no \"y\"")}, {"up", true}});
  EXPECT_THAT(sink->text,
              MatchesRegex("\\{\"ts\":\"[0-9T:.-]+Z\",\"level\":\"error\",\"msg\":\"x\","
                           "\"err\":\"no \\\\\"y\\\\\"\",\"up\":\"true\"\\}\n"));
}

TEST(LoggerTest, WritesForTheJournal) {
  const auto sink = std::make_shared<MemorySink>();
  Logger(sink, LogLevel::kDebug, LogFormat::kJournald).Error("x", {{"n", 1}});
  EXPECT_EQ(sink->text, "<3>level=error msg=x n=1\n");
}

TEST(LoggerTest, AKeyComesOnce) {
  const auto sink = std::make_shared<MemorySink>();
  const Logger logger =
      Logger(sink, LogLevel::kInfo, LogFormat::kJournald).With("component", "sidecar");
  logger.With("component", "reloader").Info("x");
  EXPECT_EQ(sink->text, "<6>level=info component=reloader msg=x\n");
}

TEST(LoggerTest, ADefaultLoggerDropsEverything) { Logger().Error("nobody hears"); }

}  // namespace
}  // namespace aevum
