// Elementwise functions z[S] = f(x[S], y[S]) of two arguments, and `where` of three. z may be the very same
// view as an argument. Everything here is correctly rounded; NaN as in IEEE 754 unless the text says
// otherwise.
#pragma once

#include "elementwise.h"

// ---- arithmetic; int32 wraps

THALWEG_MAP2(add, kCheap, N::add(x, y))

THALWEG_MAP2(sub, kCheap, N::sub(x, y))

THALWEG_MAP2(mul, kCheap, N::mul(x, y))

THALWEG_MAP2(div, kCheap, N::div(x, y))

// C99 pow. Float32 is the float64 function rounded once: 0.501 ULP.
template <class T>
struct pow_op : Elementwise<By::Elements, T, T, T> {
  static constexpr int64_t grain = kLibrary;
  T operator()(T x, T y) const {
    return static_cast<T>(std::pow(static_cast<double>(x), static_cast<double>(y)));
  }
};

// The larger argument, or the NaN; y where they are equal.
THALWEG_MAP2(maximum, kCheap, N::select(N::is_nan(x), x, N::max(x, y)))

// The smaller argument, or the NaN; y where they are equal.
THALWEG_MAP2(minimum, kCheap, N::select(N::is_nan(x), x, N::min(x, y)))

// ---- derivatives (x, g), g being y

// g where x > 0, else 0; a NaN in x gives 0.
THALWEG_MAP2(relu_grad, kCheap, N::select(N::lt(N::zero(), x), y, N::zero()))

// g where x > 0, else slope·g; a NaN in x gives slope·g.
template <class T>
struct leaky_relu_grad_op : Elementwise<By::Vectors, T, T, T> {
  using N = Vec<T>;
  static constexpr int64_t grain = kCheap;
  V<T> slope;
  explicit leaky_relu_grad_op(const double* scalars) : slope(N::set1(static_cast<T>(scalars[0]))) {}
  V<T> operator()(V<T> x, V<T> g) const { return N::select(N::lt(N::zero(), x), g, N::mul(slope, g)); }
};

// ---- comparisons: 1 or 0; with a NaN only `ne` is 1

THALWEG_TEST2(eq, x == y)
THALWEG_TEST2(ne, x != y)
THALWEG_TEST2(lt, x < y)
THALWEG_TEST2(le, x <= y)
THALWEG_TEST2(gt, x > y)
THALWEG_TEST2(ge, x >= y)

// ---- logic: any number but 0 is true

THALWEG_TEST2(logical_and, (x != 0) & (y != 0))
THALWEG_TEST2(logical_or, (x | y) != 0)
THALWEG_TEST2(logical_xor, (x != 0) != (y != 0))

// (c, x, y): x where c is not 0, else y.
template <class T>
struct where_op : Elementwise<By::Elements, T, uint8_t, T, T> {
  static constexpr int64_t grain = kCheap;
  template <class C>
  T operator()(C c, T x, T y) const { return c != 0 ? x : y; }
};
