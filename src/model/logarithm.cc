#include "model/logarithm.h"

#include <cmath>
#include <limits>

namespace aevum::model {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// ln(2) in two parts, the first exact in few bits; the coefficients are fdlibm's minimax
// polynomials (e_log.c, e_exp.c).
constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;

// ln(fraction * 2^exponent) of a fraction in [0.5, 1).
double LogOf(double fraction, int exponent) {
  double k = exponent;
  if (fraction <= 7.07106781186547524401e-01) {
    fraction *= 2;
    k -= 1;
  }
  const double f = fraction - 1;
  const double s = f / (2 + f);
  const double s2 = s * s;
  const double s4 = s2 * s2;
  const double odd = s2 * (6.666666666666735130e-01 +
                           s4 * (2.857142874366239149e-01 +
                                 s4 * (1.818357216161805012e-01 + s4 * 1.479819860511658591e-01)));
  const double even = s4 * (3.999999999940941908e-01 +
                            s4 * (2.222219843214978396e-01 + s4 * 1.531383769920937332e-01));
  const double half = 0.5 * f * f;
  return k * kLn2High - ((half - (s * (half + (odd + even)) + k * kLn2Low)) - f);
}

}  // namespace

double Log(double value) {
  if (std::isnan(value) || value < 0) return std::numeric_limits<double>::quiet_NaN();
  if (value == 0) return -kInfinity;
  if (std::isinf(value)) return value;
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  return LogOf(fraction, exponent);
}

double Log2(double value) {
  if (!(value > 0) || std::isinf(value)) return Log(value);
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  if (fraction == 0.5) return exponent - 1;
  constexpr double kPerLn2 = 1.44269504088896340735992468100189214;
  return LogOf(fraction, 0) * kPerLn2 + exponent;
}

double Exp2(double value) {
  if (std::isnan(value)) return value;
  if (value > 1.0239999999999999e+03) return kInfinity;
  if (value < -1.0740e+03) return 0;
  int k = 0;
  if (value > 0) k = static_cast<int>(value + 0.5);
  if (value < 0) k = static_cast<int>(value - 0.5);
  const double t = value - k;
  const double high = t * kLn2High;
  const double low = -t * kLn2Low;
  const double r = high - low;
  const double r2 = r * r;
  const double c =
      r - r2 * (1.66666666666666657415e-01 +
                r2 * (-2.77777777770155933842e-03 +
                      r2 * (6.61375632143793436117e-05 +
                            r2 * (-1.65339022054652515390e-06 + r2 * 4.13813679705723846039e-08))));
  return std::ldexp(1 - ((low - (r * c) / (2 - c)) - high), k);
}

}  // namespace aevum::model
