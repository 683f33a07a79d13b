#include "model/elementary_functions.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace aevum::model {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Results of Go 1.26 on x86-64, where the C library's differ.
TEST(ElementaryFunctionsTest, HaveTheDigitsOfGo) {
  struct Case {
    double actual, expected;
  };
  const Case cases[] = {
      {Acos(-0x1.86b3b4d2a182cp-2), 0x1.f656e4a5b1bddp+0},
      {Acos(0x1.0000000000000p-1), 0x1.0c152382d7365p+0},
      {Acos(0x1.0000000000000p-1), 0x1.0c152382d7365p+0},
      {Acosh(0x1.665693cffc29bp+4), 0x1.e698c2b0937bcp+1},
      {Acosh(0x1.1c73cb27d7c98p+33), 0x1.7ac21e779eb21p+4},
      {Acosh(0x1.48d7271df9c4ep+33), 0x1.7d141155da7e1p+4},
      {Asin(0x1.90c56f0266090p-2), 0x1.9bc7a2507cae8p-2},
      {Asin(0x1.1458305bb0c78p-3), 0x1.1530a45756371p-3},
      {Asin(-0x1.f2ff1686ca37ep-1), -0x1.584de7d9f9ad8p+0},
      {Asinh(0x1.f000000000000p+5), 0x1.34808f01f5a24p+2},
      {Asinh(0x1.7400000000000p+6), 0x1.4e731b68701a2p+2},
      {Asinh(0x1.1c73cb27d7c98p+33), 0x1.7ac21e779eb21p+4},
      {Atan(-0x1.60fae84139e46p+0), -0x1.e2fb1d42f9508p-1},
      {Atan(0x1.2d60985fd4b58p+6), 0x1.8eb9f071093eap+0},
      {Atan(-0x1.b800000000000p+5), -0x1.8d7846951342ep+0},
      {Atan2(-0x1.86b3b4d2a182cp-2, 0x1.6000000000000p+3), -0x1.1c08741c7a7a8p-5},
      {Atan2(0x1.0e67682d88209p+33, -0x1.5c6b38834ac42p+5), 0x1.921fb558e090bp+0},
      {Atan2(0x1.370b80d650087p+32, -0x1.613a6b2e3a1acp+29), 0x1.b638f2c79cb85p+0},
      {Atanh(0x1.6f402998bb270p-1), 0x1.cdd74959c499bp-1},
      {Atanh(0x1.0b90922560030p-3), 0x1.0d1a532415d14p-3},
      {Atanh(0x1.a4884146f796dp-3), 0x1.aa98c964c61cap-3},
      {Cos(0x1.90c56f0266090p-2), 0x1.d948e3a057792p-1},
      {Cos(-0x1.887bb65995555p+29), 0x1.240ee9dd62b5dp-2},
      {Cos(0x1.149e7e24910fcp-1), 0x1.b71347414bed7p-1},
      {Cos(0x1.13ba03fc93c8ap+34), -0x1.1e45c2e532d6bp-2},
      {Cosh(-0x1.fab61a2c80bb7p-3), 0x1.07e029afdc4d8p+0},
      {Cosh(0x1.4b05207481a2fp+6), 0x1.4f84171195896p+118},
      {Cosh(-0x1.47ae8b44d20b8p-3), 0x1.0348a9458dbd6p+0},
      {Exp(-0x1.3000000000000p+4), 0x1.81056ff2c5771p-28},
      {Exp(0x1.90c56f0266090p-2), 0x1.7aa0e761141fap+0},
      {Exp(0x1.4b05207481a2fp+6), 0x1.4f84171195896p+119},
      {Log10(0x1.d0a8c22c0ff78p-2), -0x1.5f66c07204887p-2},
      {Log10(0x1.13ba03fc93c8ap+34), 0x1.488d61e2b76d4p+3},
      {Log10(0x1.4b05207481a2fp+6), 0x1.eaf490d76360dp+0},
      {Pow(0x1.90c56f0266090p-2, -0x1.f000000000000p+4), 0x1.f00a1fb6b75a7p+41},
      {Pow(-0x1.86b3b4d2a182cp-2, 0x1.6000000000000p+3), -0x1.a2869111d2044p-16},
      {Pow(0x1.149e7e24910fcp-1, 0x1.8800000000000p+5), 0x1.6416ce8f87777p-44},
      {Sin(-0x1.0cc1e8d6b363fp+32), 0x1.172ad3616b66bp-1},
      {Sin(-0x1.d2b077a28eb55p+437), 0x1.c4eabbd422559p-4},
      {Sin(0x1.370b80d650087p+32), 0x1.f0b4797714dc3p-1},
      {Sin(-0x1.6000000000000p+6), -0x1.21fb9f12663c9p-5},
      {Sinh(-0x1.3000000000000p+4), -0x1.546d8f9ed26e1p+26},
      {Sinh(-0x1.86b3b4d2a182cp-2), -0x1.90402f568839cp-2},
      {Sinh(-0x1.37b56ca767a62p-2), -0x1.3c8b8031451fep-2},
      {Tan(-0x1.0000000000000p+0), -0x1.8eb245cbee3a5p+0},
      {Tan(-0x1.887bb65995555p+29), 0x1.ae257ac8909c4p+1},
      {Tan(-0x1.0cc1e8d6b363fp+32), -0x1.4d06b15e8abe8p-1},
      {Tan(-0x1.d2b077a28eb55p+437), -0x1.c7b62302e83cbp-4},
      {Tanh(-0x1.86b3b4d2a182cp-2), -0x1.74c918c817f93p-2},
      {Tanh(0x1.d0a8c22c0ff78p-2), 0x1.b3311a5553a25p-2},
      {Tanh(-0x1.fab61a2c80bb7p-3), -0x1.f09e6dd78b977p-3},
  };
  for (const Case& c : cases) EXPECT_EQ(c.actual, c.expected);
}

TEST(ElementaryFunctionsTest, TinyNumbersAreRight) {
  EXPECT_NEAR(Log10(5e-324), -323.3062153431158, 1e-12);
  EXPECT_NEAR(Exp(709.7) / std::exp(709.7), 1, 1e-12);
  EXPECT_EQ(Exp(-745), 5e-324);
}

TEST(ElementaryFunctionsTest, Powers) {
  EXPECT_EQ(Pow(2, 10), 1024);
  EXPECT_EQ(Pow(2, -1074), 5e-324);
  EXPECT_EQ(Pow(10, 400), kInfinity);
  EXPECT_EQ(Pow(-2, 3), -8);
  EXPECT_EQ(Pow(9, 0.5), 3);
  EXPECT_EQ(Pow(4, -0.5), 0.5);
  EXPECT_TRUE(std::isnan(Pow(-8, 1.0 / 3)));
  EXPECT_EQ(Pow(kNan, 0), 1);
  EXPECT_EQ(Pow(1, kNan), 1);
  EXPECT_TRUE(std::isnan(Pow(kNan, 2)));
  EXPECT_EQ(Pow(-1, kInfinity), 1);
  EXPECT_EQ(Pow(0.5, -kInfinity), kInfinity);
  EXPECT_EQ(Pow(-1, 1e300), 1);
  EXPECT_EQ(Pow(2, 1e300), kInfinity);
  EXPECT_EQ(Pow(2, -1e300), 0);
  EXPECT_EQ(Pow(-0.0, -3), -kInfinity);
  EXPECT_EQ(Pow(-0.0, -2.5), kInfinity);
  EXPECT_TRUE(std::signbit(Pow(-0.0, 3)));
  EXPECT_EQ(Pow(-kInfinity, 3), -kInfinity);
  EXPECT_EQ(Pow(kInfinity, -1), 0);
}

TEST(ElementaryFunctionsTest, EndsOfTheRange) {
  for (const auto function : {Sin, Tan, Asin, Atan, Sinh, Tanh, Asinh, Atanh}) {
    EXPECT_TRUE(std::signbit(function(-0.0)));
    EXPECT_FALSE(std::signbit(function(0.0)));
    EXPECT_EQ(function(-0.5), -function(0.5));
    EXPECT_TRUE(std::isnan(function(kNan)));
  }
  for (const auto function : {Sin, Cos, Tan}) {
    EXPECT_TRUE(std::isnan(function(kInfinity)));
    EXPECT_TRUE(std::isfinite(function(1e308)));
  }
  for (const auto function : {Asin, Acos, Atanh}) EXPECT_TRUE(std::isnan(function(1.5)));
  EXPECT_TRUE(std::isnan(Acosh(0.5)));
  EXPECT_EQ(Acosh(1), 0);
  EXPECT_EQ(Atanh(1), kInfinity);
  EXPECT_EQ(Atan(kInfinity), std::atan(kInfinity));
  EXPECT_EQ(Atan2(kInfinity, -kInfinity), std::atan2(kInfinity, -kInfinity));
  EXPECT_EQ(Atan2(-1, -1), -2.356194490192345);
  EXPECT_EQ(Cosh(-kInfinity), kInfinity);
  EXPECT_EQ(Tanh(-1000), -1);
  EXPECT_EQ(Asinh(-kInfinity), -kInfinity);
  EXPECT_EQ(Exp(-kInfinity), 0);
  EXPECT_EQ(Exp(1000), kInfinity);
}

}  // namespace
}  // namespace aevum::model
