// The protocols, against servers that say what they are told to.
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/connection_pool.h"
#include "cache/memcached_protocol.h"
#include "cache/redis_protocol.h"

namespace aevum::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Both ends of a connection; the far one has said everything already.
class ProtocolTest : public ::testing::Test {
 protected:
  void Answer(const std::string& text, bool close = true) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    connection_ = Connection::FromSocket(ends[0]);
    far_ = ends[1];
    ASSERT_EQ(::write(far_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    if (close) ::shutdown(far_, SHUT_WR);
  }
  std::string Sent() {
    char bytes[4096];
    const ssize_t size = ::recv(far_, bytes, sizeof bytes, MSG_DONTWAIT);
    return {bytes, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }
  void TearDown() override {
    if (far_ >= 0) ::close(far_);
  }

  StatusOr<std::vector<std::string>> Get(const std::string& answer,
                                         std::vector<std::string_view> keys = {"a", "b", "c"}) {
    Answer(answer);
    ASSIGN_OR_RETURN(
        const std::vector<SharedBytes> items,
        MemcachedGet(context_, *connection_, keys, {.most_item_bytes = 100, .most_bytes = 150}));
    std::vector<std::string> texts;
    for (const SharedBytes& item : items) texts.emplace_back(item.view);
    return texts;
  }
  StatusOr<RedisReply> Reply(const std::string& answer, RedisLimits limits = {}) {
    Answer(answer);
    return ReadRedisReply(context_, *connection_, limits);
  }

  const Context context_ = Context::Background().WithTimeout(std::chrono::seconds(20));
  std::unique_ptr<Connection> connection_;
  int far_ = -1;
};

TEST_F(ProtocolTest, ReadsWhatMemcachedHas) {
  const auto items = Get("VALUE c 0 3\r\nccc\r\nVALUE a 7 2\r\n\r\n\r\nEND\r\n");
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(*items, ElementsAre("\r\n", "", "ccc"));
  EXPECT_EQ(Sent(), "get a b c\r\n");
  EXPECT_FALSE(connection_->IsFresh()) << "the other end has closed it";
  EXPECT_THAT(*Get("END\r\n"), ElementsAre("", "", ""));
}

TEST_F(ProtocolTest, GivesAKeyThatIsAskedForTwiceTwice) {
  const auto items = Get("VALUE a 0 1\r\n1\r\nEND\r\n", {"a", "b", "a"});
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(*items, ElementsAre("1", "", "1"));
  EXPECT_EQ(Sent(), "get a b\r\n");
}

TEST_F(ProtocolTest, ReadsAwayWhatIsTooLargeInMemcached) {
  const std::string large(101, 'x');
  const std::string most(100, 'y');
  const auto items = Get("VALUE a 0 101\r\n" + large + "\r\nVALUE b 0 1\r\nb\r\nEND\r\n");
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(*items, ElementsAre("", "b", ""));
  // Each is small enough, and both together are not.
  const auto together = Get("VALUE a 0 100\r\n" + most + "\r\nVALUE b 0 100\r\n" + most +
                            "\r\nVALUE c 0 50\r\n" + std::string(50, 'z') + "\r\nEND\r\n");
  ASSERT_TRUE(together.ok()) << together.status();
  EXPECT_THAT(*together, ElementsAre(most, "", std::string(50, 'z')));
}

TEST_F(ProtocolTest, RefusesWhatMemcachedDoesNotSay) {
  const std::pair<std::string, StatusCode> answers[] = {
      {"", StatusCode::kUnavailable},
      {"VALUE a 0 3\r\nab", StatusCode::kUnavailable},
      {"SERVER_ERROR out of memory\r\n", StatusCode::kInternal},
      {"ERROR\r\n", StatusCode::kInternal},
      {"HTTP/1.1 200 OK\r\n\r\n", StatusCode::kDataLoss},
      {"VALUE d 0 1\r\nd\r\nEND\r\n", StatusCode::kDataLoss},               // nobody asked
      {"VALUE a 0 1\r\na\r\nVALUE a 0 1\r\na\r\n", StatusCode::kDataLoss},  // twice
      {"VALUE a 0 101\r\nab", StatusCode::kUnavailable},
      {"VALUE a 0 101\r\n" + std::string(104, 'x'), StatusCode::kDataLoss},
      {"VALUE a 0 134217729\r\n", StatusCode::kDataLoss},
      {"VALUE a 0 99999999999999999999\r\n", StatusCode::kDataLoss},
      {"VALUE a 0 -1\r\n", StatusCode::kDataLoss},
      {"VALUE a 0\r\n", StatusCode::kDataLoss},
      {"VALUE a 0 1\r\nabc\r\nEND\r\n", StatusCode::kDataLoss},
      {std::string(10'000, 'x'), StatusCode::kDataLoss}};
  for (const auto& [answer, code] : answers) {
    EXPECT_EQ(Get(answer).status().code(), code) << answer.substr(0, 60);
    ::close(far_);
    far_ = -1;
  }
}

TEST_F(ProtocolTest, StoresSeveralItems) {
  Answer("STORED\r\nSERVER_ERROR object too large for cache\r\nSTORED\r\n");
  const MemcachedItem items[] = {{"a", "1", 5}, {"b", "22", 6}, {"c", "", 0}};
  const auto results = MemcachedSet(context_, *connection_, items);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_TRUE((*results)[0].ok());
  EXPECT_THAT(std::string((*results)[1].message()), HasSubstr("too large"));
  EXPECT_TRUE((*results)[2].ok());
  EXPECT_EQ(Sent(), "set a 0 5 1\r\n1\r\nset b 0 6 2\r\n22\r\nset c 0 0 0\r\n\r\n");
  Answer("CLIENT_ERROR bad data chunk\r\n");
  EXPECT_FALSE(MemcachedSet(context_, *connection_, items).ok());
}

TEST_F(ProtocolTest, DiscoversTheServersOfACluster) {
  const std::string nodes = "12\nn1.example|10.0.0.1|11211 |10.0.0.2|11212\n\r\n";
  Answer("CONFIG cluster 0 " + std::to_string(nodes.size()) + "\r\n" + nodes + "END\r\n");
  const auto cluster = MemcachedDiscover(context_, *connection_);
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  EXPECT_EQ(cluster->version, 12);
  EXPECT_THAT(cluster->servers, ElementsAre("n1.example:11211", "10.0.0.2:11212"));
  for (const std::string bad : {"x\na|b|1\n", "1\na|b\n", "1\na|b|x\n", "1\n||1\n", ""}) {
    Answer("CONFIG cluster 0 " + std::to_string(bad.size()) + "\r\n" + bad + "END\r\n");
    EXPECT_EQ(MemcachedDiscover(context_, *connection_).status().code(), StatusCode::kDataLoss)
        << bad;
  }
  Answer("ERROR\r\n");
  EXPECT_FALSE(MemcachedDiscover(context_, *connection_).ok());
}

TEST(MemcachedKeyTest, KnowsWhatAKeyIs) {
  EXPECT_TRUE(IsMemcachedKey("subrange:01/chunks/000001:0:16000"));
  EXPECT_TRUE(IsMemcachedKey(std::string(250, 'k')));
  for (const std::string& bad : {std::string(), std::string(251, 'k'), std::string("a b"),
                                 std::string("a\r\nget b"), std::string("a\0b", 3)})
    EXPECT_FALSE(IsMemcachedKey(bad)) << bad;
}

TEST_F(ProtocolTest, ReadsRepliesOfRedis) {
  const auto reply =
      Reply("*5\r\n+OK\r\n-ERR no\r\n:-12\r\n$3\r\na\r\n\r\n*2\r\n$-1\r\n$0\r\n\r\n");
  ASSERT_TRUE(reply.ok()) << reply.status();
  ASSERT_EQ(reply->list.size(), 5U);
  EXPECT_EQ(reply->list[0].text, "OK");
  EXPECT_TRUE(reply->list[1].IsError());
  EXPECT_EQ(reply->list[1].text, "ERR no");
  EXPECT_EQ(reply->list[2].number, -12);
  EXPECT_EQ(reply->list[3].text, "a\r\n");
  EXPECT_EQ(reply->list[4].list[0].kind, RedisReply::Kind::kNull);
  EXPECT_EQ(reply->list[4].list[1].text, "");
}

TEST_F(ProtocolTest, RefusesWhatRedisDoesNotSay) {
  const std::pair<std::string, StatusCode> answers[] = {
      {"", StatusCode::kUnavailable},
      {"$5\r\nab", StatusCode::kUnavailable},
      {"\r\n", StatusCode::kDataLoss},
      {"HTTP/1.1 200 OK\r\n", StatusCode::kDataLoss},
      {":x\r\n", StatusCode::kDataLoss},
      {"$x\r\n", StatusCode::kDataLoss},
      {"$-2\r\n", StatusCode::kDataLoss},
      {"$9223372036854775807\r\n", StatusCode::kDataLoss},
      {"$1\r\nabc\r\n", StatusCode::kDataLoss},
      {"*9223372036854775807\r\n", StatusCode::kDataLoss},
      {"*-5\r\n", StatusCode::kDataLoss},
      {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", StatusCode::kDataLoss},
      {"*1000000\r\n*1000000\r\n", StatusCode::kDataLoss}};
  for (const auto& [answer, code] : answers) {
    EXPECT_EQ(Reply(answer).status().code(), code) << answer.substr(0, 60);
    ::close(far_);
    far_ = -1;
  }
}

TEST_F(ProtocolTest, BoundsWhatRepliesTakeTogether) {
  const std::string text = "$5\r\naaaaa\r\n";  // seven bytes with its line
  EXPECT_TRUE(Reply("*2\r\n" + text + text, {.most_bytes = 16}).ok());
  EXPECT_EQ(Reply("*2\r\n" + text + text, {.most_bytes = 15}).status().code(),
            StatusCode::kDataLoss);
  EXPECT_EQ(Reply("*2\r\n" + text + text, {.most_items = 1}).status().code(),
            StatusCode::kDataLoss);
  Answer(text + text);
  const auto replies = ReadRedisReplies(context_, *connection_, 2, {.most_bytes = 14});
  ASSERT_TRUE(replies.ok()) << replies.status();
  EXPECT_EQ(replies->size(), 2U);
  Answer(text + text);
  EXPECT_EQ(ReadRedisReplies(context_, *connection_, 2, {.most_bytes = 13}).status().code(),
            StatusCode::kDataLoss);
}

TEST_F(ProtocolTest, AsksRedis) {
  Answer("-NOAUTH Authentication required.\r\n");
  const std::string_view command[] = {"GET", "a\r\nb"};
  const auto reply = AskRedis(context_, *connection_, command);
  EXPECT_THAT(std::string(reply.status().message()), HasSubstr("NOAUTH"));
  EXPECT_EQ(Sent(), "*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n");
}

// Of the specification of Redis Cluster, and of CLUSTER KEYSLOT.
TEST(RedisSlotTest, IsThatOfRedis) {
  EXPECT_EQ(RedisSlot("123456789"), 0x31c3U);
  EXPECT_EQ(RedisSlot("{user1000}.following"), RedisSlot("user1000"));
  EXPECT_EQ(RedisSlot("foo{}{bar}"), RedisSlot("foo{}{bar}"));
  EXPECT_NE(RedisSlot("foo{}{bar}"), RedisSlot("bar"));
  EXPECT_EQ(RedisSlot("foo"), 12182U);
}

TEST_F(ProtocolTest, EndsWithTheContext) {
  Answer("VALUE a 0 3\r\n", /*close=*/false);
  const std::string_view keys[] = {"a"};
  const Context soon = Context::Background().WithTimeout(std::chrono::milliseconds(30));
  EXPECT_EQ(MemcachedGet(soon, *connection_, keys).status().code(), StatusCode::kDeadlineExceeded);
  CancelScope scope(Context::Background());
  scope.Cancel();
  EXPECT_EQ(MemcachedGet(scope.context(), *connection_, keys).status().code(),
            StatusCode::kCancelled);
}

TEST(ConnectionPoolTest, LeavesAServerAloneThatFails) {
  int dialled = 0;
  ConnectionPool pool(
      [&](const Context&, const std::string&) -> StatusOr<std::unique_ptr<Connection>> {
        ++dialled;
        return Unavailable("down");
      },
      1);
  const Context context = Context::Background();
  const auto nothing = [](const Context&, Connection&) { return OkStatus(); };
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(pool.Run(context, seconds(20), "a:1", nothing).code(), StatusCode::kUnavailable);
  // On a slow machine a pause may end meanwhile.
  EXPECT_LT(dialled, 2 * ConnectionPool::kFailures);
  EXPECT_GE(dialled, ConnectionPool::kFailures);
  const int before = dialled;
  EXPECT_FALSE(pool.Run(context, seconds(20), "b:1", nothing).ok());
  EXPECT_EQ(dialled, before + 1) << "others are asked";
}

TEST(ConnectionPoolTest, AClientWithLittleTimeSaysNothingOfAServer) {
  int dialled = 0;
  ConnectionPool pool(
      [&](const Context& limited, const std::string&) -> StatusOr<std::unique_ptr<Connection>> {
        ++dialled;
        while (limited.status().ok()) std::this_thread::yield();
        return limited.status();
      },
      1);
  const auto nothing = [](const Context&, Connection&) { return OkStatus(); };
  constexpr int kCalls = 3 * ConnectionPool::kFailures;
  for (int i = 0; i < kCalls; ++i) {
    const Context soon = Context::Background().WithTimeout(milliseconds(5));
    EXPECT_EQ(pool.Run(soon, seconds(20), "a:1", nothing).code(), StatusCode::kDeadlineExceeded);
  }
  EXPECT_EQ(dialled, kCalls);
  // The time that the server was given is another thing. On a slow machine a pause may end
  // meanwhile.
  for (int i = 0; i < 20; ++i)
    EXPECT_FALSE(pool.Run(Context::Background(), milliseconds(5), "a:1", nothing).ok());
  EXPECT_GE(dialled, kCalls + ConnectionPool::kFailures);
  EXPECT_LT(dialled, kCalls + 3 * ConnectionPool::kFailures);
}

TEST(ConnectionPoolTest, UsesAConnectionAgainAndReplacesADeadOne) {
  std::vector<int> far;
  ConnectionPool pool(
      [&](const Context&, const std::string&) -> StatusOr<std::unique_ptr<Connection>> {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
          return Unavailable("no socket");
        far.push_back(ends[1]);
        return Connection::FromSocket(ends[0]);
      },
      2);
  const Context context = Context::Background().WithTimeout(std::chrono::seconds(20));
  const auto say = [](const Context& limited, Connection& connection) {
    return connection.Write(limited, "x");
  };
  ASSERT_TRUE(pool.Run(context, seconds(20), "a:1", say).ok());
  ASSERT_TRUE(pool.Run(context, seconds(20), "a:1", say).ok());
  EXPECT_EQ(far.size(), 1U);
  ::shutdown(far[0], SHUT_RDWR);
  ASSERT_TRUE(pool.Run(context, seconds(20), "a:1", say).ok());
  EXPECT_EQ(far.size(), 2U);
  // It looks alive, and is not.
  const auto hear = [&](const Context& limited, Connection& connection) -> Status {
    RETURN_IF_ERROR(connection.Write(limited, "x"));
    if (far.size() == 2) ::shutdown(far[1], SHUT_RDWR);
    if (far.size() == 3 && ::write(far[2], "ok\r\n", 4) != 4) return Internal("can't write");
    return connection.ReadLine(limited, 10).status();
  };
  EXPECT_TRUE(pool.Run(context, seconds(20), "a:1", hear).ok());
  EXPECT_EQ(far.size(), 3U);
  for (const int fd : far) ::close(fd);
}

}  // namespace
}  // namespace aevum::cache
