#include "net/grpc/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "net/grpc/byte_queue.h"
#include "net/grpc/test_wire.h"

namespace aevum::net::grpc {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using ::testing::HasSubstr;

constexpr std::size_t kMax = 100 << 20;

std::string Framed(std::string_view body, bool compressed = false) {
  const Prefix prefix = MakePrefix(compressed, static_cast<std::uint32_t>(body.size()));
  return std::string(prefix.data(), prefix.size()) + std::string(body);
}

TEST(MessageReaderTest, CutsWhateverThePieces) {
  std::vector<std::string> bodies = {"", "a", std::string(1000, 'b'), std::string(9 << 20, 'c'),
                                     ""};
  std::string stream;
  for (const std::string& body : bodies) stream += Framed(body, body.size() == 1);
  std::mt19937 random(1);
  for (const std::size_t most :
       {std::size_t{1}, std::size_t{7}, std::size_t{70'000}, stream.size()}) {
    SCOPED_TRACE(most);
    MessageReader reader(kMax);
    std::vector<WireMessage> messages;
    std::string_view rest = stream;
    while (!rest.empty()) {
      const std::size_t take = std::min(rest.size(), 1 + random() % most);
      ASSERT_TRUE(reader.Feed(rest.substr(0, take), messages).ok());
      rest.remove_prefix(take);
    }
    ASSERT_EQ(messages.size(), bodies.size());
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      EXPECT_EQ(messages[i].bytes.view == bodies[i], true);
      EXPECT_EQ(messages[i].compressed, i == 1);
    }
    EXPECT_EQ(reader.partial_bytes(), 0u);
  }
}

TEST(MessageReaderTest, CountsWhatIsUnfinished) {
  MessageReader reader(kMax);
  std::vector<WireMessage> messages;
  ASSERT_TRUE(reader.Feed(Framed("abc") + std::string("\0\0", 2), messages).ok());
  EXPECT_EQ(reader.partial_bytes(), 2u);
  ASSERT_TRUE(reader.Feed(std::string("\0\0\x09xy", 5), messages).ok());
  EXPECT_EQ(reader.partial_bytes(), 7u);
}

TEST(MessageReaderTest, RefusesBadPrefixes) {
  std::vector<WireMessage> messages;
  EXPECT_EQ(MessageReader(10).Feed(Framed("12345678901"), messages).code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(MessageReader(10).Feed(std::string("\2\0\0\0\1", 5), messages).code(),
            StatusCode::kInternal);
  EXPECT_TRUE(messages.empty());
  // The claim alone allocates little: a hundred of them would be 400 GiB.
  std::vector<MessageReader> readers(100, MessageReader(UINT32_MAX));
  for (MessageReader& reader : readers) {
    EXPECT_TRUE(reader.Feed(std::string("\0\xff\xff\xff\xff", 5), messages).ok());
  }
}

TEST(MessageReaderTest, ReadsCapturedConnections) {
  for (const Capture& capture : LoadCaptures()) {
    SCOPED_TRACE(capture.name);
    MessageReader reader(kMax);
    std::vector<WireMessage> messages;
    for (const CapturedMessage& message : capture.messages) {
      ASSERT_TRUE(reader.Feed(Framed(message.body, message.compressed), messages).ok());
      EXPECT_EQ(messages.back().bytes.view, message.body);
      EXPECT_EQ(messages.back().compressed, message.compressed);
    }
    EXPECT_EQ(messages.size(), capture.messages.size());
  }
}

TEST(TimeoutTest, ReadsHeaderValues) {
  struct Case {
    std::string value;
    std::optional<nanoseconds> expected;
  };
  const Case cases[] = {
      {"1n", 1ns},
      {"2u", 2us},
      {"3m", 3ms},
      {"4S", 4s},
      {"5M", 5min},
      {"6H", 6h},
      {"9999163u", 9999163us},
      {"0S", 0ns},
      {"99999999H", 24h * 365},
      {"99999999M", 24h * 365},
      {"00000001S", 1s},
      {"", {}},
      {"S", {}},
      {"1", {}},
      {"1s", {}},
      {"-1S", {}},
      {"+1S", {}},
      {"1.5S", {}},
      {" 1S", {}},
      {"123456789S", {}},
      {"1SS", {}},
      {"0x1S", {}},
  };
  for (const Case& c : cases) EXPECT_EQ(ParseTimeout(c.value), c.expected) << c.value;
}

TEST(TimeoutTest, WritesAtMostEightDigitsAndNeverLess) {
  EXPECT_EQ(FormatTimeout(0ns), "0n");
  EXPECT_EQ(FormatTimeout(-5s), "0n");
  EXPECT_EQ(FormatTimeout(99'999'999ns), "99999999n");
  EXPECT_EQ(FormatTimeout(100'000'000ns), "100000u");
  EXPECT_EQ(FormatTimeout(100'000'001ns), "100001u");
  EXPECT_EQ(FormatTimeout(nanoseconds::max()), "31536000S");
  std::mt19937_64 random(2);
  for (int i = 0; i < 10'000; ++i) {
    const nanoseconds timeout(
        static_cast<std::int64_t>(random() % (nanoseconds(24h * 365).count())) >> (random() % 50));
    const std::string value = FormatTimeout(timeout);
    const auto parsed = ParseTimeout(value);
    ASSERT_TRUE(parsed) << value;
    EXPECT_GE(*parsed, timeout);
    EXPECT_LE(value.size(), 9u);
  }
}

TEST(StatusMessageTest, SurvivesTheHeader) {
  const std::string all = [] {
    std::string text;
    for (int c = 1; c < 256; ++c) text += static_cast<char>(c);
    return text;
  }();
  for (const std::string& message :
       {std::string("plain"), std::string("100%"), std::string("a\nb\0c", 5), all}) {
    const std::string value = EncodeStatusMessage(message);
    for (const char c : value) EXPECT_TRUE(c >= 0x20 && c <= 0x7e);
    EXPECT_EQ(DecodeStatusMessage(value), message);
  }
  EXPECT_EQ(EncodeStatusMessage("a%\xc3\xa4"), "a%25%C3%A4");
  EXPECT_EQ(DecodeStatusMessage("%"), "%");
  EXPECT_EQ(DecodeStatusMessage("%4"), "%4");
  EXPECT_EQ(DecodeStatusMessage("%zz%41"), "%zzA");
}

TEST(StatusMessageTest, IsCutBetweenCharacters) {
  std::string message;
  for (int i = 0; i < 2000; ++i) message += "\xe2\x82\xac";
  const std::string value = EncodeStatusMessage(message);
  EXPECT_LE(value.size(), 4096u);
  EXPECT_GT(value.size(), 4000u);
  EXPECT_EQ(DecodeStatusMessage(value).size() % 3, 0u);
}

TEST(StatusCodeTest, ReadsNumbers) {
  EXPECT_EQ(ParseStatusCode("0"), StatusCode::kOk);
  EXPECT_EQ(ParseStatusCode("16"), StatusCode::kUnauthenticated);
  EXPECT_EQ(ParseStatusCode("17"), StatusCode::kUnknown);
  EXPECT_EQ(ParseStatusCode("4000000000"), StatusCode::kUnknown);
  EXPECT_EQ(ParseStatusCode("99999999999"), std::nullopt);
  EXPECT_EQ(ParseStatusCode(""), std::nullopt);
  EXPECT_EQ(ParseStatusCode("1x"), std::nullopt);
  EXPECT_EQ(ParseStatusCode("-1"), std::nullopt);
}

TEST(ByteQueueTest, KeepsTheOrderOfBytes) {
  std::mt19937 random(3);
  ByteQueue first;
  ByteQueue second;
  std::string expected;
  std::string seen;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes(random() % (random() % 10 == 0 ? 20'000 : 300),
                      static_cast<char>('a' + random() % 26));
    expected += bytes;
    if (random() % 2 == 0) {
      first.Copy(bytes);
    } else {
      first.Append(SharedBytes::Own(std::move(bytes)));
    }
    if (random() % 3 == 0) first.MoveTo(second, random() % (first.bytes() + 1));
    if (random() % 5 == 0) {
      iovec pieces[8];
      std::size_t gathered = 0;
      const std::size_t count = second.Gather(pieces, 8);
      for (std::size_t i = 0; i < count; ++i) {
        seen.append(static_cast<char*>(pieces[i].iov_base), pieces[i].iov_len);
        gathered += pieces[i].iov_len;
      }
      second.Drop(gathered);
    }
  }
  first.MoveTo(second, first.bytes());
  second.FlattenInto(seen);
  EXPECT_TRUE(first.empty() && second.empty());
  EXPECT_EQ(seen == expected, true);
}

}  // namespace
}  // namespace aevum::net::grpc
