// Elementary functions with the digits that Prometheus's answers have.
#pragma once

namespace aevum::model {

// By the algorithms that Go's math package follows on x86-64: Cephes for the trigonometric
// functions, Hart's and Cephes's rational functions and fdlibm's logarithm for the hyperbolic ones
// and their inverses, a Taylor series with fused operations for Exp, powers by squaring for Pow.
// The C library's are other, and more exact: their results differ in the last digits now and then.
// What is not a number, zeros and infinities are treated as in the C library.
double Exp(double value);
double Log10(double value);
double Pow(double base, double exponent);

double Sin(double value);
double Cos(double value);
double Tan(double value);
double Asin(double value);
double Acos(double value);
double Atan(double value);
double Atan2(double y, double x);

double Sinh(double value);
double Cosh(double value);
double Tanh(double value);
double Asinh(double value);
double Acosh(double value);
double Atanh(double value);

}  // namespace aevum::model
