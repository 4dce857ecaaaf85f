// Elementwise functions z[S] = f(x[S], y[S]) of two arguments, and `where` of three. z may be the very same
// view as an argument. Everything here is correctly rounded; NaN as in IEEE 754 unless the text says
// otherwise.
#pragma once

#include "elementwise.h"

// ---- arithmetic; int32 wraps

template <class T>
Status add_kernel(const Args& args) {
  return map2<T>(args, kCheap, [](V<T> x, V<T> y) { return Vec<T>::add(x, y); });
}

template <class T>
Status sub_kernel(const Args& args) {
  return map2<T>(args, kCheap, [](V<T> x, V<T> y) { return Vec<T>::sub(x, y); });
}

template <class T>
Status mul_kernel(const Args& args) {
  return map2<T>(args, kCheap, [](V<T> x, V<T> y) { return Vec<T>::mul(x, y); });
}

template <class T>
Status div_kernel(const Args& args) {
  return map2<T>(args, kCheap, [](V<T> x, V<T> y) { return Vec<T>::div(x, y); });
}

// C99 pow. Float32 is the float64 function rounded once: 0.501 ULP.
template <class T>
Status pow_kernel(const Args& args) {
  return map_elements<T, T, T>(args, kLibrary, [](T x, T y) {
    return static_cast<T>(std::pow(static_cast<double>(x), static_cast<double>(y)));
  });
}

// The larger argument, or the NaN; y where they are equal.
template <class T>
Status maximum_kernel(const Args& args) {
  using N = Vec<T>;
  return map2<T>(args, kCheap, [](V<T> x, V<T> y) { return N::select(N::is_nan(x), x, N::max(x, y)); });
}

// The smaller argument, or the NaN; y where they are equal.
template <class T>
Status minimum_kernel(const Args& args) {
  using N = Vec<T>;
  return map2<T>(args, kCheap, [](V<T> x, V<T> y) { return N::select(N::is_nan(x), x, N::min(x, y)); });
}

// ---- derivatives (x, g)

// g where x > 0, else 0; a NaN in x gives 0.
template <class T>
Status relu_grad_kernel(const Args& args) {
  using N = Vec<T>;
  return map2<T>(args, kCheap, [](V<T> x, V<T> g) { return N::select(N::lt(N::zero(), x), g, N::zero()); });
}

// g where x > 0, else slope·g; a NaN in x gives slope·g.
template <class T>
Status leaky_relu_grad_kernel(const Args& args) {
  using N = Vec<T>;
  const V<T> slope = N::set1(static_cast<T>(args.scalars[0]));
  return map2<T>(args, kCheap,
                 [slope](V<T> x, V<T> g) { return N::select(N::lt(N::zero(), x), g, N::mul(slope, g)); });
}

// ---- comparisons: 1 or 0; with a NaN only `ne` is 1

template <class T, class F>
Status compare(const Args& args, F f) {
  return map_elements<uint8_t, T, T>(args, kCheap, [f](T x, T y) -> uint8_t { return f(x, y); });
}

template <class T>
Status eq_kernel(const Args& args) {
  return compare<T>(args, [](T x, T y) { return x == y; });
}
template <class T>
Status ne_kernel(const Args& args) {
  return compare<T>(args, [](T x, T y) { return x != y; });
}
template <class T>
Status lt_kernel(const Args& args) {
  return compare<T>(args, [](T x, T y) { return x < y; });
}
template <class T>
Status le_kernel(const Args& args) {
  return compare<T>(args, [](T x, T y) { return x <= y; });
}
template <class T>
Status gt_kernel(const Args& args) {
  return compare<T>(args, [](T x, T y) { return x > y; });
}
template <class T>
Status ge_kernel(const Args& args) {
  return compare<T>(args, [](T x, T y) { return x >= y; });
}

// ---- logic: any number but 0 is true

template <class T>
Status logical_and_kernel(const Args& args) {
  return compare<T>(args, [](T x, T y) { return (x != 0) & (y != 0); });
}
template <class T>
Status logical_or_kernel(const Args& args) {
  return compare<T>(args, [](T x, T y) { return (x | y) != 0; });
}
template <class T>
Status logical_xor_kernel(const Args& args) {
  return compare<T>(args, [](T x, T y) { return (x != 0) != (y != 0); });
}

// (c, x, y): x where c is not 0, else y.
template <class T>
Status where_kernel(const Args& args) {
  return map_elements<T, uint8_t, T, T>(args, kCheap, [](uint8_t c, T x, T y) { return c != 0 ? x : y; });
}
