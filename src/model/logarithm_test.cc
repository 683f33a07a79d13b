#include "model/logarithm.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace aevum::model {
namespace {

TEST(LogarithmTest, PowersOfTwoAreExact) {
  for (int i = -1022; i < 1024; ++i) {
    EXPECT_EQ(Log2(std::ldexp(1.0, i)), i);
    EXPECT_EQ(Exp2(i), std::ldexp(1.0, i));
  }
}

// Results of Go 1.26 where the C library's differ.
TEST(LogarithmTest, HasTheDigitsOfGo) {
  struct Case {
    double x, log, log2, y, exp2;
  };
  constexpr Case kCases[] = {
      {0x1.18d2fe9072521p+0, 0x1.7b172bef00af6p-4, 0x1.1174bc928b6a8p-3, -0x1.7e3fcd628ebf2p+3,
       0x1.09e5103049805p-12},
      {0x1.d162ab1a56c16p-48, -0x1.0563130d3377ap+5, -0x1.791a0bc86818ap+5, 0x1.3ba59a59fc5d0p+1,
       0x1.619aa8086fd86p+2},
      {0x1.474c4687630d7p+0, 0x1.f72e244d6c786p-3, 0x1.6af7c304af25cp-2, -0x1.271875b3476b0p+2,
       0x1.4f424b6e4818cp-5},
      {0x1.2ed42ad5cb069p+0, 0x1.580b3374fddd8p-3, 0x1.f059a7dcd9268p-3, -0x1.131bdab3724b0p+2,
       0x1.a048bfbff5a00p-5},
      {0x1.72374e3901e50p+27, 0x1.315795dbc5fe4p+4, 0x1.b883fcdffd51dp+4, 0x1.94f11ac948c34p+3,
       0x1.92f1640293d30p+12},
      {0x1.52741857f3f8dp+0, 0x1.1de90811baf2ap-2, 0x1.9c7b393e005aep-2, 0x1.a89a8caf2529cp+3,
       0x1.3471b9f242326p+13},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(Log(c.x), c.log);
    EXPECT_EQ(Log2(c.x), c.log2);
    EXPECT_EQ(Exp2(c.y), c.exp2);
  }
}

TEST(LogarithmTest, EndsOfTheRange) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Log(0), -kInfinity);
  EXPECT_EQ(Log2(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(Log(-1)));
  EXPECT_EQ(Log2(5e-324), -1074);
  EXPECT_EQ(Exp2(1024), kInfinity);
  EXPECT_EQ(Exp2(-1075), 0);
}

}  // namespace
}  // namespace aevum::model
