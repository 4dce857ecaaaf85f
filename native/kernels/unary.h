// Elementwise functions y[S] = f(x[S]) of one argument. y may be the very same view as x. NaN gives NaN
// unless the text says otherwise. Errors are the largest that native/test/ulp_exhaustive.cc allows; those of
// float64 are the C library's. What states no error is correctly rounded.
#pragma once

#include "convert.h"
#include "elementwise.h"
#include "math_f32.h"
#include "math_widened.h"

// ---- arithmetic

template <class T>
Status neg_kernel(const Args& args) {
  return map<T>(args, kCheap, [](V<T> x) { return Vec<T>::neg(x); });
}

template <class T>
Status abs_kernel(const Args& args) {
  return map<T>(args, kCheap, [](V<T> x) { return Vec<T>::abs(x); });
}

// −1, 1, or x itself where it is ±0 or NaN.
template <class T>
Status sign_kernel(const Args& args) {
  using N = Vec<T>;
  return map<T>(args, kCheap, [](V<T> x) {
    const V<T> negative = N::select(N::lt(x, N::zero()), N::set1(-1), x);
    return N::select(N::lt(N::zero(), x), N::set1(1), negative);
  });
}

template <class T>
Status square_kernel(const Args& args) {
  return map<T>(args, kCheap, [](V<T> x) { return Vec<T>::mul(x, x); });
}

template <class T>
Status sqrt_kernel(const Args& args) {
  return map<T>(args, kCheap, [](V<T> x) { return Vec<T>::sqrt(x); });
}

// 1/√x, each operation rounded.
template <class T>
Status rsqrt_kernel(const Args& args) {
  using N = Vec<T>;
  return map<T>(args, kCheap, [](V<T> x) { return N::div(N::set1(1), N::sqrt(x)); });
}

template <class T>
Status reciprocal_kernel(const Args& args) {
  using N = Vec<T>;
  return map<T>(args, kCheap, [](V<T> x) { return N::div(N::set1(1), x); });
}

template <class T>
Status floor_kernel(const Args& args) {
  return map<T>(args, kCheap, [](V<T> x) { return Vec<T>::floor(x); });
}

template <class T>
Status ceil_kernel(const Args& args) {
  return map<T>(args, kCheap, [](V<T> x) { return Vec<T>::ceil(x); });
}

// Half to even.
template <class T>
Status round_kernel(const Args& args) {
  return map<T>(args, kCheap, [](V<T> x) { return Vec<T>::round(x); });
}

template <class T>
Status trunc_kernel(const Args& args) {
  return map<T>(args, kCheap, [](V<T> x) { return Vec<T>::trunc(x); });
}

// ---- transcendental functions

// Float32: 1.0 ULP
template <class T>
Status exp_kernel(const Args& args) {
  return map<T>(args, kFunction<T>, [](V<T> x) { return Math<T>::exp(x); });
}

// Float32: 1.6 ULP
template <class T>
Status expm1_kernel(const Args& args) {
  return map<T>(args, kFunction<T>, [](V<T> x) { return Math<T>::expm1(x); });
}

// Float32: 0.9 ULP. log ±0 = −∞; NaN below 0.
template <class T>
Status log_kernel(const Args& args) {
  return map<T>(args, kFunction<T>, [](V<T> x) { return Math<T>::log(x); });
}

// Float32: 1.4 ULP. log1p −1 = −∞; NaN below −1.
template <class T>
Status log1p_kernel(const Args& args) {
  return map<T>(args, kFunction<T>, [](V<T> x) { return Math<T>::log1p(x); });
}

// Float32, computed in float64: 0.51 ULP. NaN at ±∞.
template <class T>
Status sin_kernel(const Args& args) {
  if constexpr (std::is_same<T, float>::value) return map_widened(args, kDear, Widened::sin);
  else return map<T>(args, kLibrary, Math<T>::sin);
}

// Float32, computed in float64: 0.51 ULP. NaN at ±∞.
template <class T>
Status cos_kernel(const Args& args) {
  if constexpr (std::is_same<T, float>::value) return map_widened(args, kDear, Widened::cos);
  else return map<T>(args, kLibrary, Math<T>::cos);
}

// Float32, computed in float64: 0.51 ULP. NaN at ±∞.
template <class T>
Status tan_kernel(const Args& args) {
  if constexpr (std::is_same<T, float>::value) return map_widened(args, kDear, Widened::tan);
  else return map<T>(args, kLibrary, Math<T>::tan);
}

// Float32: 1.4 ULP
template <class T>
Status tanh_kernel(const Args& args) {
  return map<T>(args, kFunction<T>, [](V<T> x) { return Math<T>::tanh(x); });
}

// Float32: 1.2 ULP
template <class T>
Status erf_kernel(const Args& args) {
  return map<T>(args, kFunction<T>, [](V<T> x) { return Math<T>::erf(x); });
}

// 1/(1 + exp(−x)). Float32: 1.7 ULP
template <class T>
Status sigmoid_kernel(const Args& args) {
  return map<T>(args, kFunction<T>, [](V<T> x) { return Math<T>::sigmoid(x); });
}

// log(1 + exp(x)). Float32: 1.8 ULP
template <class T>
Status softplus_kernel(const Args& args) {
  return map<T>(args, kFunction<T>, [](V<T> x) { return Math<T>::softplus(x); });
}

// x·Φ(x), Φ the normal distribution function: ½·x·(1 + erf(x/√2)). Float32: 1.9 ULP; float64: 5 ULP down
// to −37.5. −∞ gives −0.
template <class T>
Status gelu_kernel(const Args& args) {
  return map<T>(args, kFunction<T>, [](V<T> x) { return Math<T>::gelu(x); });
}

// x·sigmoid(x). Float32: 1.8 ULP. −∞ gives −0.
template <class T>
Status silu_kernel(const Args& args) {
  return map<T>(args, kFunction<T>, [](V<T> x) { return Math<T>::silu(x); });
}

// ---- piecewise

// 0 where x < 0, else x: NaN and −0 stay.
template <class T>
Status relu_kernel(const Args& args) {
  using N = Vec<T>;
  return map<T>(args, kCheap, [](V<T> x) { return N::max(N::zero(), x); });
}

// slope·x where x < 0, else x.
template <class T>
Status leaky_relu_kernel(const Args& args) {
  using N = Vec<T>;
  const V<T> slope = N::set1(static_cast<T>(args.scalars[0]));
  return map<T>(args, kCheap,
                [slope](V<T> x) { return N::select(N::lt(x, N::zero()), N::mul(slope, x), x); });
}

// low where x < low, else high where x > high, else x; NaN stays.
template <class T>
Status clip_kernel(const Args& args) {
  using N = Vec<T>;
  const V<T> low = N::set1(convert<T>(args.scalars[0])), high = N::set1(convert<T>(args.scalars[1]));
  return map<T>(args, kCheap, [low, high](V<T> x) {
    return N::select(N::lt(x, low), low, N::select(N::lt(high, x), high, x));
  });
}

// ---- tests: 1 or 0

template <class T>
Status is_nan_kernel(const Args& args) {
  return map_elements<uint8_t, T>(args, kCheap, [](T x) -> uint8_t { return x != x; });
}

template <class T>
Status is_finite_kernel(const Args& args) {
  return map_elements<uint8_t, T>(
      args, kCheap, [](T x) -> uint8_t { return std::fabs(x) <= std::numeric_limits<T>::max(); });
}

// 1 where x is 0, else 0.
template <class T>
Status logical_not_kernel(const Args& args) {
  return map_elements<T, T>(args, kCheap, [](T x) -> T { return x == 0; });
}
