// Logarithms and powers of two with the digits that Prometheus's answers have.
#pragma once

namespace aevum::model {

// Logarithms and 2^x by the algorithms of fdlibm, which Go's math package follows; the C library's
// are other, and their results differ in the last digit now and then. Positive powers of two are
// exact to Log2. Logarithms are NaN below zero and -Inf at zero.
double Log(double value);
double Log2(double value);
double Exp2(double value);

}  // namespace aevum::model
