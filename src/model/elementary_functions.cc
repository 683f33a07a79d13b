#include "model/elementary_functions.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>

#include "model/logarithm.h"

namespace aevum::model {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// ((c0 * x + c1) * x + c2) ...
template <std::size_t kSize>
double Polynomial(const std::array<double, kSize>& coefficients, double x) {
  double sum = coefficients[0];
  for (std::size_t i = 1; i < kSize; ++i) sum = sum * x + coefficients[i];
  return sum;
}

// ---- angles ----

// What is left of an angle in units of pi/4, and in which octant it is, made even.
struct Reduced {
  std::uint64_t octant;
  double rest;
};

// Bits of 4/pi, enough for the largest number: the first word is the one before the point.
constexpr std::array<std::uint64_t, 20> kFourOverPi = {
    0x0000000000000001, 0x45f306dc9c882a53, 0xf84eafa3ea69bb81, 0xb6c52b3278872083,
    0xfca2c757bd778ac3, 0x6e48dc74849ba5c0, 0x0c925dd413a32439, 0xfc3bd63962534e7d,
    0xd1046bea5d768909, 0xd338e04d68befc82, 0x7323ac7306a673e9, 0x3908bf177bf25076,
    0x3ff12fffbc0b301f, 0xde5e2316b414da3e, 0xda6cfd9e4f96136e, 0x9e8c7ecd3cbfd45a,
    0xea4f758fd7cbe2f6, 0x7a0e73ef14a525d4, 0xd7f6bf623f1aba10, 0xac06608df8f6d757};

__extension__ using Wide = unsigned __int128;

// After Payne and Hanek: the mantissa times those bits of 4/pi that decide the octant and the rest.
Reduced ReduceLarge(double angle) {
  const auto bits = std::bit_cast<std::uint64_t>(angle);
  const int exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1023 - 52;
  const std::uint64_t mantissa = (bits & 0xfffffffffffff) | 1ULL << 52;
  const auto word = static_cast<std::size_t>(exponent + 61) / 64;
  const int shift = (exponent + 61) % 64;
  const auto digit = [&](std::size_t i) {
    const std::uint64_t high = kFourOverPi[word + i] << shift;
    return shift == 0 ? high : high | kFourOverPi[word + i + 1] >> (64 - shift);
  };
  Wide product = static_cast<Wide>(digit(0) * mantissa) << 64;
  product += static_cast<Wide>(digit(1)) * mantissa;
  product += static_cast<Wide>(digit(2)) * mantissa >> 64;
  const auto octant = static_cast<std::uint64_t>(product >> 125);
  const auto high = static_cast<std::uint64_t>(product << 3 >> 64);
  const int zeros = std::countl_zero(high);
  // The digits that move up are those of the product before it was shifted: so the reference has
  // it.
  const auto low = static_cast<std::uint64_t>(product);
  const std::uint64_t shifted = zeros >= 63 ? low : high << (zeros + 1) | low >> (64 - (zeros + 1));
  const auto rest_exponent = static_cast<std::uint64_t>(1023 - (zeros + 1));
  double rest = std::bit_cast<double>(shifted >> 12 | rest_exponent << 52);
  if (octant % 2 == 0) return {octant, rest * (kPi / 4)};
  rest -= 1;
  return {(octant + 1) & 7, rest * (kPi / 4)};
}

// Of an angle that is not negative.
Reduced Reduce(double angle) {
  if (angle >= 1 << 29) return ReduceLarge(angle);
  auto octant = static_cast<std::uint64_t>(angle * (4 / kPi));
  octant += octant & 1;
  // pi/4 in three parts.
  const auto y = static_cast<double>(octant);
  const double rest = ((angle - y * 7.85398125648498535156e-1) - y * 3.77489470793079817668e-8) -
                      y * 2.69515142907905952645e-15;
  return {octant & 7, rest};
}

double SineSeries(double z) {
  constexpr std::array<double, 6> kSine = {1.58962301576546568060e-10, -2.50507477628578072866e-8,
                                           2.75573136213857245213e-6,  -1.98412698295895385996e-4,
                                           8.33333333332211858878e-3,  -1.66666666666666307295e-1};
  return z + z * (z * z) * Polynomial(kSine, z * z);
}

double CosineSeries(double z) {
  constexpr std::array<double, 6> kCosine = {
      -1.13585365213876817300e-11, 2.08757008419747316778e-9,  -2.75573141792967388112e-7,
      2.48015872888517045348e-5,   -1.38888888888730564116e-3, 4.16666666666665929218e-2};
  const double square = z * z;
  return 1.0 - 0.5 * square + square * square * Polynomial(kCosine, square);
}

// ---- arctangents ----

double ArctangentNearZero(double x) {
  constexpr std::array<double, 5> kP = {-8.750608600031904122785e-01, -1.615753718733365076637e+01,
                                        -7.500855792314704667340e+01, -1.228866684490136173410e+02,
                                        -6.485021904942025371773e+01};
  constexpr std::array<double, 6> kQ = {1,
                                        2.485846490142306297962e+01,
                                        1.650270098316988542046e+02,
                                        4.328810604912902668951e+02,
                                        4.853903996359136964868e+02,
                                        1.945506571482613964425e+02};
  const double square = x * x;
  return x * (square * Polynomial(kP, square) / Polynomial(kQ, square)) + x;
}

// Of a number that is not negative.
double ArctangentOf(double x) {
  constexpr double kMoreBits = 6.123233995736765886130e-17;  // pi/2 is kPi/2 and this
  if (x <= 0.66) return ArctangentNearZero(x);
  if (x > 2.41421356237309504880) return kPi / 2 - ArctangentNearZero(1 / x) + kMoreBits;
  return kPi / 4 + ArctangentNearZero((x - 1) / (x + 1)) + 0.5 * kMoreBits;
}

// ---- ln(1 + x) after fdlibm's s_log1p.c ----

double LogOnePlus(double x) {
  constexpr double kLn2High = 6.93147180369123816490e-01;
  constexpr double kLn2Low = 1.90821492927058770002e-10;
  constexpr std::array<double, 7> kSeries = {1.479819860511658591e-01, 1.531383769920937332e-01,
                                             1.818357216161805012e-01, 2.222219843214978396e-01,
                                             2.857142874366239149e-01, 3.999999999940941908e-01,
                                             6.666666666666735130e-01};
  constexpr std::uint64_t kMantissa = 0xfffffffffffff;
  if (x == -1) return -kInfinity;
  if (!(x > -1) || x == kInfinity) return x > -1 ? x : kNan;
  const double magnitude = std::fabs(x);
  if (magnitude < 0x1p-54) return x;
  if (magnitude < 0x1p-29) return x - x * x * 0.5;
  double k = 0;
  double f = x;
  double correction = 0;
  std::uint64_t mantissa = 1;
  // Else 1 + x = 2^k * (1 + f), and what rounding took from 1 + x.
  if (!(x > -2.928932188134524755992e-01 && x < 4.142135623730950488017e-01)) {
    const double sum = magnitude < 0x1p53 ? 1 + x : x;
    const auto bits = std::bit_cast<std::uint64_t>(sum);
    k = static_cast<double>(static_cast<int>(bits >> 52) - 1023);
    if (magnitude < 0x1p53) correction = (k > 0 ? 1 - (sum - x) : x - (sum - 1)) / sum;
    mantissa = bits & kMantissa;
    if (mantissa < 0x0006a09e667f3bcd) {
      f = std::bit_cast<double>(mantissa | 0x3ff0000000000000) - 1;
    } else {
      k += 1;
      f = std::bit_cast<double>(mantissa | 0x3fe0000000000000) - 1;
      mantissa = (0x0010000000000000 - mantissa) >> 2;
    }
  }
  const double half_square = 0.5 * f * f;
  if (mantissa == 0) {
    if (f == 0) return k == 0 ? 0 : k * kLn2High + (correction + k * kLn2Low);
    const double r = half_square * (1.0 - 0.66666666666666666 * f);
    if (k == 0) return f - r;
    return k * kLn2High - ((r - (k * kLn2Low + correction)) - f);
  }
  const double s = f / (2 + f);
  const double r = s * s * Polynomial(kSeries, s * s);
  if (k == 0) return f - (half_square - s * (half_square + r));
  return k * kLn2High - ((half_square - (s * (half_square + r) + (k * kLn2Low + correction))) - f);
}

bool IsOdd(double value) { return std::fmod(std::fabs(value), 2) == 1; }

// base^exponent where no rule of its own applies.
double PowByParts(double base, double exponent) {
  double whole = 0;
  double fraction = std::modf(std::fabs(exponent), &whole);
  if (fraction != 0 && base < 0) return kNan;
  if (whole >= 0x1p63) {
    if (base == -1) return 1;
    return (std::fabs(base) < 1) == (exponent > 0) ? 0 : kInfinity;
  }
  double result = 1;
  std::int64_t result_exponent = 0;
  if (fraction != 0) {
    if (fraction > 0.5) {
      fraction -= 1;
      whole += 1;
    }
    result = Exp(fraction * Log(base));
  }
  int square_exponent = 0;
  double square = std::frexp(base, &square_exponent);
  for (auto bits = static_cast<std::int64_t>(whole); bits != 0; bits >>= 1) {
    if (std::abs(square_exponent) > 1 << 12) {
      // Beyond all numbers already; the sign of the exponent says which way.
      result_exponent += square_exponent;
      break;
    }
    if ((bits & 1) == 1) {
      result *= square;
      result_exponent += square_exponent;
    }
    square *= square;
    square_exponent *= 2;
    if (square < 0.5) {
      square += square;
      --square_exponent;
    }
  }
  if (exponent < 0) {
    result = 1 / result;
    result_exponent = -result_exponent;
  }
  return std::ldexp(result, static_cast<int>(result_exponent));
}

}  // namespace

double Exp(double value) {
  if (std::isnan(value) || value == kInfinity) return value;
  if (value == -kInfinity) return 0;
  if (value > 7.09782712893384e+02) return kInfinity;
  if (value < -750) return 0;
  const double k = std::nearbyint(value * std::numbers::log2e);
  // ln(2) in two parts; then a sixteenth, whose series is squared four times.
  double x = std::fma(-k, 0.69314718055966295651160180568695068359375, value);
  x = std::fma(-k, 0.28235290563031577122588448175013436025525412068e-12, x);
  x *= 0.0625;
  double series = 2.4801587301587301587e-5;
  for (const double c :
       {1.9841269841269841270e-4, 1.3888888888888888889e-3, 8.3333333333333333333e-3,
        4.1666666666666666667e-2, 1.6666666666666666667e-1, 0.5, 1.0})
    series = std::fma(x, series, c);
  x *= series;
  for (int i = 0; i < 3; ++i) x *= x + 2;
  return std::ldexp(std::fma(x + 2, x, 1.0), static_cast<int>(k));
}

double Log10(double value) { return Log(value) * std::numbers::log10e; }

double Pow(double base, double exponent) {
  if (exponent == 0 || base == 1) return 1;
  if (exponent == 1) return base;
  if (std::isnan(base) || std::isnan(exponent)) return kNan;
  if (base == 0) {
    if (exponent < 0) return std::signbit(base) && IsOdd(exponent) ? -kInfinity : kInfinity;
    return std::signbit(base) && IsOdd(exponent) ? base : 0;
  }
  if (std::isinf(exponent)) {
    if (base == -1) return 1;
    return (std::fabs(base) < 1) == (exponent > 0) ? 0 : kInfinity;
  }
  if (base == -kInfinity) return Pow(-0.0, -exponent);
  if (base == kInfinity) return exponent < 0 ? 0 : kInfinity;
  if (exponent == 0.5) return std::sqrt(base);
  if (exponent == -0.5) return 1 / std::sqrt(base);
  return PowByParts(base, exponent);
}

double Sin(double value) {
  if (value == 0 || std::isnan(value)) return value;
  if (std::isinf(value)) return kNan;
  const Reduced angle = Reduce(std::fabs(value));
  const std::uint64_t quarter = angle.octant & 3;
  const double sine =
      quarter == 1 || quarter == 2 ? CosineSeries(angle.rest) : SineSeries(angle.rest);
  return (value < 0) != (angle.octant > 3) ? -sine : sine;
}

double Cos(double value) {
  if (!std::isfinite(value)) return kNan;
  const Reduced angle = Reduce(std::fabs(value));
  const std::uint64_t quarter = angle.octant & 3;
  const double cosine =
      quarter == 1 || quarter == 2 ? SineSeries(angle.rest) : CosineSeries(angle.rest);
  return (angle.octant > 3) != (quarter > 1) ? -cosine : cosine;
}

double Tan(double value) {
  constexpr std::array<double, 3> kP = {-1.30936939181383777646e4, 1.15351664838587416140e6,
                                        -1.79565251976484877988e7};
  constexpr std::array<double, 5> kQ = {1, 1.36812963470692954678e4, -1.32089234440210967447e6,
                                        2.50083801823357915839e7, -5.38695755929454629881e7};
  if (value == 0 || std::isnan(value)) return value;
  if (std::isinf(value)) return kNan;
  const Reduced angle = Reduce(std::fabs(value));
  const double z = angle.rest;
  const double square = z * z;
  double tangent = z;
  if (square > 1e-14) tangent = z + z * (square * Polynomial(kP, square) / Polynomial(kQ, square));
  if ((angle.octant & 2) != 0) tangent = -1 / tangent;
  return value < 0 ? -tangent : tangent;
}

double Asin(double value) {
  if (value == 0) return value;
  const double x = std::fabs(value);
  if (!(x <= 1)) return kNan;
  const double other = std::sqrt(1 - x * x);
  const double angle = x > 0.7 ? kPi / 2 - ArctangentOf(other / x) : ArctangentOf(x / other);
  return value < 0 ? -angle : angle;
}

double Acos(double value) { return kPi / 2 - Asin(value); }

double Atan(double value) {
  if (value == 0) return value;
  return value > 0 ? ArctangentOf(value) : -ArctangentOf(-value);
}

double Atan2(double y, double x) {
  // The C library's special values are the same.
  if (std::isnan(x) || std::isnan(y) || x == 0 || y == 0 || std::isinf(x) || std::isinf(y))
    return std::atan2(y, x);
  const double angle = Atan(y / x);
  if (x > 0) return angle;
  return angle <= 0 ? angle + kPi : angle - kPi;
}

double Sinh(double value) {
  constexpr std::array<double, 4> kP = {
      -0.2630563213397497062819489e+2, -0.2894211355989563807284660366e+4,
      -0.8991272022039509355398013511e+5, -0.6307673640497716991184787251e+6};
  constexpr std::array<double, 4> kQ = {1, -0.173678953558233699533450911e+3,
                                        0.1521517378790019070696485176e+5,
                                        -0.6307673640497716991212077277e+6};
  if (value == 0) return value;
  const double x = std::fabs(value);
  double sine = 0;
  if (x > 21) {
    sine = Exp(x) * 0.5;
  } else if (x > 0.5) {
    const double power = Exp(x);
    sine = (power - 1 / power) * 0.5;
  } else {
    sine = Polynomial(kP, x * x) * x / Polynomial(kQ, x * x);
  }
  return value < 0 ? -sine : sine;
}

double Cosh(double value) {
  const double power = Exp(std::fabs(value));
  return std::fabs(value) > 21 ? power * 0.5 : (power + 1 / power) * 0.5;
}

double Tanh(double value) {
  constexpr std::array<double, 3> kP = {-9.64399179425052238628e-1, -9.92877231001918586564e1,
                                        -1.61468768441708447952e3};
  constexpr std::array<double, 4> kQ = {1, 1.12811678491632931402e2, 2.23548839060100448583e3,
                                        4.84406305325125486048e3};
  const double x = std::fabs(value);
  if (x > 0.5 * 8.8029691931113054295988e+01) return value < 0 ? -1 : 1;
  if (x >= 0.625) {
    const double tangent = 1 - 2 / (Exp(2 * x) + 1);
    return value < 0 ? -tangent : tangent;
  }
  if (value == 0) return value;
  const double square = value * value;
  return value + value * square * Polynomial(kP, square) / Polynomial(kQ, square);
}

double Asinh(double value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double x = std::fabs(value);
  double result = x;
  if (x > 0x1p28) {
    result = Log(x) + std::numbers::ln2;
  } else if (x > 2) {
    result = Log(2 * x + 1 / (std::sqrt(x * x + 1) + x));
  } else if (x >= 0x1p-28) {
    result = LogOnePlus(x + x * x / (1 + std::sqrt(1 + x * x)));
  }
  return value < 0 ? -result : result;
}

double Acosh(double value) {
  if (!(value >= 1)) return kNan;
  if (value == 1) return 0;
  if (value >= 0x1p28) return Log(value) + std::numbers::ln2;
  if (value > 2) return Log(2 * value - 1 / (value + std::sqrt(value * value - 1)));
  const double t = value - 1;
  return LogOnePlus(t + std::sqrt(2 * t + t * t));
}

double Atanh(double value) {
  if (value == 0) return value;
  const double x = std::fabs(value);
  if (!(x <= 1)) return kNan;
  double result = x;
  if (x == 1) {
    result = kInfinity;
  } else if (x >= 0.5) {
    result = 0.5 * LogOnePlus((x + x) / (1 - x));
  } else if (x >= 0x1p-28) {
    const double twice = x + x;
    result = 0.5 * LogOnePlus(twice + twice * x / (1 - x));
  }
  return value < 0 ? -result : result;
}

}  // namespace aevum::model
