#include "net/api/answer.h"

#include <gtest/gtest.h>

namespace aevum::net {
namespace {

class Recorded final : public HttpResponse {
 public:
  void SetStatus(int status) override { status_ = status; }
  void SetHeader(std::string_view name, std::string_view value) override {
    headers.append(name).append(value);
  }
  bool Write(std::string_view bytes) override {
    body += bytes;
    return true;
  }
  int status() const override { return status_; }
  void Abort() override { aborted = true; }

  std::string headers, body;
  bool aborted = false;

 private:
  int status_ = 200;
};

TEST(TimedResponseTest, LetsAnAnswerThrough) {
  Recorded recorded;
  TimedResponse response(recorded, std::chrono::hours(1));
  response.SetStatus(422);
  response.SetHeader("a", "b");
  EXPECT_TRUE(response.Write("x"));
  EXPECT_TRUE(response.Write("y"));
  EXPECT_EQ(response.status(), 422);
  EXPECT_EQ(recorded.headers, "ab");
  EXPECT_EQ(recorded.body, "xy");
  EXPECT_FALSE(recorded.aborted);
}

TEST(TimedResponseTest, CutsWhatIsNotTakenInTime) {
  Recorded recorded;
  TimedResponse response(recorded, std::chrono::nanoseconds(0));
  // The time begins with the first byte, which so always goes out.
  EXPECT_TRUE(response.Write("x"));
  EXPECT_FALSE(recorded.aborted);
  JsonWriter writer(SinkOf(response));
  writer.Raw("y");
  EXPECT_FALSE(writer.Finish());
  EXPECT_TRUE(recorded.aborted);
  EXPECT_EQ(recorded.body, "x");
}

}  // namespace
}  // namespace aevum::net
