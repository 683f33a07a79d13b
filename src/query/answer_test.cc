#include "query/answer.h"

#include <gtest/gtest.h>

namespace aevum::query {
namespace {

TEST(AnnotateStoreErrorTest, SaysItAsTheReferenceDoes) {
  EXPECT_EQ(AnnotateStoreError(MakeError(StatusCode::kAborted, "receive series from x: y"),
                               "proxy Series()")
                .message(),
            "proxy Series(): rpc error: code = Aborted desc = receive series from x: y");
  const Status unreachable =
      AnnotateStoreError(Unavailable("fetch series for x: y"), "proxy Series()");
  EXPECT_EQ(unreachable.message(), "proxy Series(): fetch series for x: y");
  EXPECT_EQ(unreachable.code(), StatusCode::kUnavailable);
  EXPECT_EQ(AnnotateStoreError(InvalidArgument("no matcher"), "proxy Series()").message(),
            "no matcher");
}

}  // namespace
}  // namespace aevum::query
