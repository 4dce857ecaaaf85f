// Elementwise functions y[S] = f(x[S]) of one argument. y may be the very same view as x. NaN gives NaN
// unless the text says otherwise. Errors are the largest that native/test/ulp_exhaustive.cc allows; those of
// float64 are the C library's. What states no error is correctly rounded.
#pragma once

#include "convert.h"
#include "elementwise.h"
#include "math_f32.h"
#include "math_widened.h"

// A function of elements of float in vectors of double (math_widened.h), and of double by the C library.
template <class T>
constexpr By kWidened = std::is_same<T, float>::value ? By::WideVectors : By::Vectors;
#define THALWEG_WIDENED(name)                                               \
  template <class T>                                                        \
  struct name##_op : Elementwise<kWidened<T>, T, T> {                       \
    static constexpr int64_t grain = kFunction<T>;                          \
    V<double> operator()(V<double> x) const {                               \
      if constexpr (std::is_same<T, float>::value) return Widened::name(x); \
      else return Math<T>::name(x);                                         \
    }                                                                       \
  };

// A function of vectors of T, and for float of four of them at a time.
#define THALWEG_FUNCTION(name)                                                     \
  template <class T>                                                               \
  struct name##_op : Elementwise<By::Vectors, T, T> {                              \
    static constexpr int64_t grain = kFunction<T>;                                 \
    using F = Four<float>;                                                         \
    V<T> operator()(V<T> x) const { return Math<T>::name(x); }                     \
    THALWEG_INLINE F::V operator()(F::V x) const { return FloatMath<F>::name(x); } \
  };

// ---- arithmetic

THALWEG_MAP1(neg, kCheap, N::neg(x))

THALWEG_MAP1(abs, kCheap, N::abs(x))

// −1, 1, or x itself where it is ±0 or NaN.
THALWEG_MAP1(sign, kCheap,
             N::select(N::lt(N::zero(), x), N::set1(1), N::select(N::lt(x, N::zero()), N::set1(-1), x)))

THALWEG_MAP1(square, kCheap, N::mul(x, x))

THALWEG_MAP1(sqrt, kCheap, N::sqrt(x))

// 1/√x, each operation rounded.
THALWEG_MAP1(rsqrt, kCheap, N::div(N::set1(1), N::sqrt(x)))

THALWEG_MAP1(reciprocal, kCheap, N::div(N::set1(1), x))

THALWEG_MAP1(floor, kCheap, N::floor(x))

THALWEG_MAP1(ceil, kCheap, N::ceil(x))

// Half to even.
THALWEG_MAP1(round, kCheap, N::round(x))

THALWEG_MAP1(trunc, kCheap, N::trunc(x))

// ---- transcendental functions

// Float32: 1.0 ULP
THALWEG_FUNCTION(exp)

// Float32: 1.6 ULP
THALWEG_FUNCTION(expm1)

// Float32: 0.9 ULP. log ±0 = −∞; NaN below 0.
THALWEG_FUNCTION(log)

// Float32: 1.4 ULP. log1p −1 = −∞; NaN below −1.
THALWEG_FUNCTION(log1p)

// Float32, computed in float64: 0.51 ULP. NaN at ±∞.
THALWEG_WIDENED(sin)

// Float32, computed in float64: 0.51 ULP. NaN at ±∞.
THALWEG_WIDENED(cos)

// Float32, computed in float64: 0.51 ULP. NaN at ±∞.
THALWEG_WIDENED(tan)

// Float32: 1.4 ULP
THALWEG_FUNCTION(tanh)

// Float32: 1.2 ULP
THALWEG_FUNCTION(erf)

// 1/(1 + exp(−x)). Float32: 1.7 ULP
THALWEG_FUNCTION(sigmoid)

// log(1 + exp(x)). Float32: 1.8 ULP
THALWEG_FUNCTION(softplus)

// x·Φ(x), Φ the normal distribution function: ½·x·(1 + erf(x/√2)). Float32: 1.8 ULP; float64: 5 ULP down
// to −37.5. −∞ gives −0.
THALWEG_FUNCTION(gelu)

// x·sigmoid(x). Float32: 1.8 ULP. −∞ gives −0.
THALWEG_FUNCTION(silu)

// ---- piecewise

// 0 where x < 0, else x: NaN and −0 stay.
THALWEG_MAP1(relu, kCheap, N::max(N::zero(), x))

// slope·x where x < 0, else x.
template <class T>
struct leaky_relu_op : Elementwise<By::Vectors, T, T> {
  using N = Vec<T>;
  static constexpr int64_t grain = kCheap;
  V<T> slope;
  explicit leaky_relu_op(const double* scalars) : slope(N::set1(static_cast<T>(scalars[0]))) {}
  V<T> operator()(V<T> x) const { return N::select(N::lt(x, N::zero()), N::mul(slope, x), x); }
};

// low where x < low, else high where x > high, else x; NaN stays.
template <class T>
struct clip_op : Elementwise<By::Vectors, T, T> {
  using N = Vec<T>;
  static constexpr int64_t grain = kCheap;
  V<T> low, high;
  explicit clip_op(const double* scalars)
      : low(N::set1(convert<T>(scalars[0]))), high(N::set1(convert<T>(scalars[1]))) {}
  V<T> operator()(V<T> x) const {
    return N::select(N::lt(x, low), low, N::select(N::lt(high, x), high, x));
  }
};

// ---- tests: 1 or 0

THALWEG_TEST1(is_nan, x != x)

THALWEG_TEST1(is_finite, std::fabs(x) <= std::numeric_limits<T>::max())

// 1 where x is 0, else 0.
THALWEG_TEST1(logical_not, x == 0)
