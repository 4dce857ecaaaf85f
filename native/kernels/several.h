// Several vectors under the words of one: their operations stand side by side in the instruction stream. A
// polynomial is a chain of operations that wait for each other; a processor looks some hundred instructions
// ahead, which is too few vectors of a long function to keep its units busy when they come one after the other.
#pragma once

// Vectors in arguments and results cost as much as the functions, unless they are inlined.
#if defined(__GNUC__)
#define THALWEG_INLINE __attribute__((always_inline)) inline
#define THALWEG_RARE __attribute__((noinline, cold))
#else
#define THALWEG_INLINE __forceinline
#define THALWEG_RARE __declspec(noinline)
#endif

// Two of N, vectors of T or several of them.
template <class T, class N>
struct Two {
  struct V { typename N::V a, b; };
  struct M { typename N::M a, b; };
  static constexpr int W = 2 * N::W;
  static constexpr bool kScalesInOne = N::kScalesInOne;

  static V load(const T* p) { return {N::load(p), N::load(p + N::W)}; }
  static void store(T* p, V x) {
    N::store(p, x.a);
    N::store(p + N::W, x.b);
  }
  static void stream(T* p, V x) {
    N::stream(p, x.a);
    N::stream(p + N::W, x.b);
  }
  static V set1(T x) { return {N::set1(x), N::set1(x)}; }
  static V zero() { return {N::zero(), N::zero()}; }

  static V add(V x, V y) { return {N::add(x.a, y.a), N::add(x.b, y.b)}; }
  static V sub(V x, V y) { return {N::sub(x.a, y.a), N::sub(x.b, y.b)}; }
  static V mul(V x, V y) { return {N::mul(x.a, y.a), N::mul(x.b, y.b)}; }
  static V div(V x, V y) { return {N::div(x.a, y.a), N::div(x.b, y.b)}; }
  static V fma(V x, V y, V z) { return {N::fma(x.a, y.a, z.a), N::fma(x.b, y.b, z.b)}; }
  static V abs(V x) { return {N::abs(x.a), N::abs(x.b)}; }
  static V neg(V x) { return {N::neg(x.a), N::neg(x.b)}; }
  static V min(V x, V y) { return {N::min(x.a, y.a), N::min(x.b, y.b)}; }
  static V max(V x, V y) { return {N::max(x.a, y.a), N::max(x.b, y.b)}; }
  static V round(V x) { return {N::round(x.a), N::round(x.b)}; }

  static M lt(V x, V y) { return {N::lt(x.a, y.a), N::lt(x.b, y.b)}; }
  static M le(V x, V y) { return {N::le(x.a, y.a), N::le(x.b, y.b)}; }
  static M eq(V x, V y) { return {N::eq(x.a, y.a), N::eq(x.b, y.b)}; }
  static M or_(M x, M y) { return {N::or_(x.a, y.a), N::or_(x.b, y.b)}; }
  static bool any(M x) { return N::any(N::or_(x.a, x.b)); }
  static V select(M m, V x, V y) { return {N::select(m.a, x.a, y.a), N::select(m.b, x.b, y.b)}; }

  static V lookup(const T* table, V x) { return {N::lookup(table, x.a), N::lookup(table, x.b)}; }
  static V copysign(V x, V s) { return {N::copysign(x.a, s.a), N::copysign(x.b, s.b)}; }
  static V exponent(V x) { return {N::exponent(x.a), N::exponent(x.b)}; }
  static V mantissa(V x) { return {N::mantissa(x.a), N::mantissa(x.b)}; }
  static V ldexp(V x, V n) { return {N::ldexp(x.a, n.a), N::ldexp(x.b, n.b)}; }
  static V scale(V x, V n) { return {N::scale(x.a, n.a), N::scale(x.b, n.b)}; }
  static V scale_normal(V x, V n) { return {N::scale_normal(x.a, n.a), N::scale_normal(x.b, n.b)}; }
};

template <class T>
using Four = Two<T, Two<T, Vec<T>>>;
